import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { existsSync } from 'node:fs';
import { LedgerError } from '../ledger/errors';
import { Ledger } from '../ledger/ledger';
import { isUrl } from '../s3';

/** Which ledger. */
export interface LedgerFlags {
  readonly ledger: string;
}

/** Which of its days. */
export interface PeriodFlags {
  readonly from?: string;
  readonly to?: string;
}

/**
 * Opens a ledger for some work, and closes it whatever comes of that.
 *
 * @param make whether a folder that is not there is made, or a mistake
 */
export async function withLedger<T>(
  flags: LedgerFlags,
  work: (ledger: Ledger) => Promise<T>,
  { make = false } = {},
): Promise<T> {
  if (!make && !isUrl(flags.ledger) && !existsSync(flags.ledger)) {
    throw new LedgerError(`there is no ledger at ${flags.ledger}; \`mediform cost collect\` makes one`);
  }
  const ledger = await Ledger.open(flags.ledger);
  try {
    return await work(ledger);
  } finally {
    await ledger.close();
  }
}

/** Writes a file, and the folders above it. */
export async function writeOut(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
}
