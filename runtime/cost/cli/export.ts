import { appendFile } from 'node:fs/promises';
import { LEDGER_COLUMNS, PARTITION_COLUMN } from '../../../constructs/plan/cost/columns';
import type { QueryRow } from '../ledger/engine';
import { withLedger, writeOut, type LedgerFlags, type PeriodFlags } from './files';
import { ExitCode, Progress, type Io } from './io';
import { csvText, type Sheet } from './sheet';

const COLUMNS: Sheet['columns'] = [PARTITION_COLUMN, ...LEDGER_COLUMNS.map(({ name }) => name)].map((key) => ({
  key,
  title: key,
}));

/** `export`: the rows themselves, with all FOCUS columns; a day at a time, since a year may not fit into memory. */
export async function exportRows(
  io: Io,
  flags: LedgerFlags & PeriodFlags & { readonly format: 'csv' | 'json'; readonly output?: string },
): Promise<number> {
  const { format, output, from = '', to = '9999' } = flags;
  const write = async (text: string): Promise<void> => {
    if (output === undefined) {
      io.out(text);
    } else {
      await appendFile(output, text);
    }
  };
  return withLedger(flags, async (ledger) => {
    const days = (await ledger.days()).filter((day) => day >= from && day <= to);
    if (output !== undefined) {
      await writeOut(output, '');
    }
    await write(format === 'csv' ? csvText({ title: '', columns: COLUMNS, rows: [] }) : '');
    const progress = new Progress(io, days.length);
    for (const day of days) {
      const rows = await ledger.query('SELECT * FROM ledger', [], { from: day, to: day });
      await write(format === 'csv' ? csvOf(rows) : rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
      progress.step(day);
    }
    return ExitCode.OK;
  });
}

/** Rows without the line of names. */
function csvOf(rows: readonly QueryRow[]): string {
  const cells = rows.map(
    (row) =>
      Object.fromEntries(Object.entries(row).map(([key, value]) => [key, value ?? undefined])) as Sheet['rows'][number],
  );
  const text = csvText({ title: '', columns: COLUMNS, rows: cells });
  return text.slice(text.indexOf('\n') + 1);
}
