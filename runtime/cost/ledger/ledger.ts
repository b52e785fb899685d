import type { LedgerDay } from '../../../constructs/plan/cost/row';
import type { Decimal } from '../../../constructs/plan/cost/money';

/** How a ledger is opened. */
export interface LedgerOptions {
  /**
   * Most memory that queries may take, as DuckDB writes it.
   *
   * @default '512MB'
   */
  readonly memoryLimit?: string;
}

/** A value of a query's result: decimals stay exact, whole numbers are numbers, days and moments ISO 8601. */
export type QueryValue = string | number | boolean | Decimal | null;

/** A row of a query's result, by column. */
export interface QueryRow {
  readonly [column: string]: QueryValue;
}

/** How a query is run. */
export interface QueryOptions {
  /**
   * Leave damaged days out, where a damaged day is an error otherwise.
   *
   * @default false
   */
  readonly skipDamaged?: boolean;
}

/** The cost ledger: a Parquet file for each day, in a folder or in S3. */
export class Ledger {
  private constructor(readonly location: string) {}

  /**
   * Opens a ledger.
   *
   * @param location a folder, which is made where it is not there, or `s3://bucket/prefix`
   */
  static open(location: string, _options: LedgerOptions = {}): Promise<Ledger> {
    return Promise.resolve(new Ledger(location));
  }

  /**
   * Writes a day, in place of what the ledger had of it. All or nothing; the same rows give the same bytes.
   *
   * @throws LedgerError where the rows do not add up to the day's total, or two have the same key
   */
  writeDay(_day: LedgerDay): Promise<void> {
    return Promise.reject(new Error('not there yet'));
  }

  /** The days that the ledger has, in order. */
  days(): Promise<readonly string[]> {
    return Promise.reject(new Error('not there yet'));
  }

  /** Days from `from` to `to`, both included, that the ledger does not have. */
  gaps(_from: string, _to: string): Promise<readonly string[]> {
    return Promise.reject(new Error('not there yet'));
  }

  /**
   * Runs SQL over the table `ledger`, which has the columns of `LEDGER_COLUMNS` and `day`.
   *
   * @param sql one SELECT; `$1`, `$2`, ... are parameters
   */
  query(
    _sql: string,
    _parameters: readonly (string | number)[] = [],
    _options: QueryOptions = {},
  ): Promise<readonly QueryRow[]> {
    return Promise.reject(new Error('not there yet'));
  }

  /** Ends it, and lets its memory go. */
  close(): void {
    return;
  }
}
