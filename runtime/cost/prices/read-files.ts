import { existsSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { parseCostConfig } from '../../../constructs/plan/cost/check-config';
import { parsePriceFile } from '../../../constructs/plan/cost/check-price-file';
import type { CostConfig } from '../../../constructs/plan/cost/config';
import type { PriceFile } from '../../../constructs/plan/cost/price-file';
import { ConfigurationError } from '../../../constructs/plan/errors';

/**
 * Reads price files: YAML or JSON.
 *
 * @param path a file, or a folder with files; those that start with a point are left out
 * @throws ConfigurationError with all that is wrong with all of them
 */
export async function readPriceFiles(path: string): Promise<readonly PriceFile[]> {
  const problems: string[] = [];
  const files = (await filesIn(path)).map(async (file): Promise<PriceFile[]> => {
    try {
      return [parsePriceFile(await readDocument(file), file)];
    } catch (error) {
      problems.push(...(error instanceof ConfigurationError ? error.problems : [(error as Error).message]));
      return [];
    }
  });
  const read = (await Promise.all(files)).flat();
  if (problems.length > 0) {
    throw new ConfigurationError(problems.sort());
  }
  return read;
}

/**
 * Reads what the ledger is made from: YAML or JSON.
 *
 * @throws ConfigurationError with all that is wrong with it
 */
export async function readCostConfig(path: string): Promise<CostConfig> {
  return parseCostConfig(await readDocument(path));
}

async function filesIn(path: string): Promise<readonly string[]> {
  const files = existsSync(path) && (await stat(path)).isDirectory() ? await readdir(path) : undefined;
  const found = files === undefined ? [path] : files.filter(isPriceFile).map((name) => join(path, name));
  if (found.length === 0) {
    throw new ConfigurationError([
      `'prices' (${path}) must hold price files because a price is never guessed; they end in .yaml, .yml or .json`,
    ]);
  }
  return found.sort();
}

function isPriceFile(name: string): boolean {
  return !name.startsWith('.') && /\.(ya?ml|json)$/.test(name);
}

async function readDocument(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new ConfigurationError([`'${path}' must be a file because it is read (${(error as Error).message})`]);
  }
  try {
    // days stay texts, and JSON is YAML too
    return parse(text, { schema: 'core' });
  } catch (error) {
    throw new ConfigurationError([`'${path}' must be YAML or JSON because it is read (${(error as Error).message})`]);
  }
}
