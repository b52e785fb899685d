import type { LedgerDay } from '../../../constructs/plan/cost/row';
import { COST_COLUMN } from '../../../constructs/plan/cost/columns';
import { Decimal } from '../../../constructs/plan/cost/money';
import { literal, type Engine } from './engine';

/** What a day's file says of itself, so that damage shows that decompression does not notice. */
export interface DayMetadata {
  readonly day: string;
  readonly timeZone: string;
  readonly currency: string;
  readonly rows: number;
  /** Sum of the rows' `EffectiveCost`. */
  readonly total: string;
}

export function metadataOf({ day, timeZone, currency, rows, total }: LedgerDay): DayMetadata {
  return { day, timeZone, currency, rows: rows.length, total: total.toFixed() };
}

export async function readMetadata(engine: Engine, path: string): Promise<DayMetadata> {
  const sql = `SELECT decode(value) AS value FROM parquet_kv_metadata(${literal(path)}) WHERE decode(key) = 'mediform'`;
  const [row] = await engine.query(sql);
  if (row === undefined) {
    throw new Error('it is no file of a ledger');
  }
  return JSON.parse(row.value as string) as DayMetadata;
}

/** Why each damaged file is damaged, by day; reads all of every file. */
export async function damagedFiles(engine: Engine, files: ReadonlyMap<string, string>): Promise<Map<string, string>> {
  const damaged = new Map<string, string>();
  for (const [day, path] of files) {
    const reason = await whyDamaged(engine, day, path);
    if (reason !== undefined) {
      damaged.set(day, reason);
    }
  }
  return damaged;
}

async function whyDamaged(engine: Engine, day: string, path: string): Promise<string | undefined> {
  try {
    const metadata = await readMetadata(engine, path);
    if (metadata.day !== day) {
      return `it is the file of ${metadata.day}`;
    }
    // reads all columns, so that damage in any of them shows
    const everything = 'bit_xor(hash(t))';
    const [row] = await engine.query(
      `SELECT COUNT(*) AS rows, SUM(${COST_COLUMN}) AS total, ${everything} AS all_columns FROM read_parquet(${literal(path)}, hive_partitioning = false) t`,
    );
    const total = (row?.total as Decimal | null) ?? new Decimal(0);
    return row?.rows === metadata.rows && total.equals(metadata.total)
      ? undefined
      : `its rows add up to ${total.toFixed()}, and ${metadata.total} was written`;
  } catch (error) {
    return (error as Error).message.split('\n')[0] ?? 'unreadable';
  }
}
