import type * as DuckDB from '@duckdb/node-api';
import { LEDGER_COLUMNS, type ColumnType } from '../../../constructs/plan/cost/columns';
import { Decimal } from '../../../constructs/plan/cost/money';
import type { LedgerRow } from '../../../constructs/plan/cost/row';
import { LedgerError } from './errors';

/** A value of a query's result: decimals stay exact, whole numbers are numbers, days and moments ISO 8601. */
export type QueryValue = string | number | boolean | Decimal | null;

/** A row of a query's result, by column. */
export interface QueryRow {
  readonly [column: string]: QueryValue;
}

type Module = typeof DuckDB;

interface DecimalType {
  readonly width: number;
  readonly scale: number;
  /** First whole number that is too large. */
  readonly limit: Decimal;
}

interface Column {
  readonly name: string;
  readonly type: ColumnType;
  readonly decimal?: DecimalType;
}

const COLUMNS = LEDGER_COLUMNS.map(({ name, type }): Column => {
  const [, width, scale] = /^decimal\((\d+),(\d+)\)$/.exec(type) ?? [];
  return width === undefined
    ? { name, type }
    : { name, type, decimal: { width: Number(width), scale: Number(scale), limit: new Decimal(10).pow(width) } };
});

/** DuckDB in this process, without a database file and without network. */
export class Engine {
  private constructor(
    private readonly duckdb: Module,
    private readonly instance: DuckDB.DuckDBInstance,
    private readonly connection: DuckDB.DuckDBConnection,
    private readonly threads: number | undefined,
  ) {}

  /**
   * @param memoryLimit as DuckDB writes it, such as `512MB`
   * @param threads how many; DuckDB takes all processors without it
   */
  static async start(memoryLimit: string, threads?: number): Promise<Engine> {
    const duckdb = await loadDuckDB();
    const instance = await duckdb.DuckDBInstance.create(':memory:', {
      memory_limit: memoryLimit,
      autoinstall_known_extensions: 'false',
      // it would not notice a file that is replaced by one of the same size within a second
      enable_external_file_cache: 'false',
      ...(threads === undefined ? {} : { threads: String(threads) }),
    });
    const engine = new Engine(duckdb, instance, await instance.connect(), threads);
    // results never depend on the zone of the machine
    await engine.run("SET TimeZone = 'UTC'");
    return engine;
  }

  /** Runs a statement that gives nothing. */
  async run(sql: string): Promise<void> {
    await this.connection.run(sql);
  }

  /** Runs a query and reads all of its result. */
  async query(sql: string, parameters: readonly (string | number)[] = []): Promise<QueryRow[]> {
    const reader = await this.connection.runAndReadAll(sql, [...parameters]);
    const names = reader.deduplicatedColumnNames();
    return reader
      .getRows()
      .map((row) => Object.fromEntries(names.map((name, index) => [name, this.plain(row[index] ?? null)])));
  }

  /** Writes rows to a Parquet file: the same rows, in the same order, give the same bytes. */
  async writeParquet(
    rows: readonly LedgerRow[],
    path: string,
    metadata: { readonly [key: string]: string },
  ): Promise<void> {
    await this.run(`CREATE OR REPLACE TEMP TABLE new_day (${columnDefinitions()})`);
    try {
      const appender = await this.connection.createAppender('new_day');
      for (const row of rows) {
        for (const column of COLUMNS) {
          this.append(appender, column, row[column.name as keyof LedgerRow]);
        }
        appender.endRow();
      }
      appender.closeSync();
      const pairs = Object.entries(metadata).map(([key, value]) => `${key}: ${literal(value)}`);
      // one thread and one order, since the bytes must not depend on how work was divided
      await this.run('SET threads = 1');
      await this.run(
        `COPY new_day TO ${literal(path)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880, KV_METADATA {${pairs.join(', ')}})`,
      );
    } finally {
      await this.run(this.threads === undefined ? 'RESET threads' : `SET threads = ${this.threads}`);
      await this.run('DROP TABLE IF EXISTS new_day');
    }
  }

  /** Ends it, and lets its memory go. */
  close(): void {
    this.connection.closeSync();
    this.instance.closeSync();
  }

  private append(appender: DuckDB.DuckDBAppender, column: Column, value: LedgerRow[keyof LedgerRow]): void {
    const { name, type, decimal } = column;
    if (value === undefined) {
      appender.appendNull();
    } else if (decimal !== undefined) {
      const whole = wholeNumber(name, value as Decimal, type, decimal);
      appender.appendDecimal(this.duckdb.decimalValue(whole, decimal.width, decimal.scale));
    } else if (type === 'bigint') {
      appender.appendBigInt(BigInt(value as number));
    } else if (type === 'date') {
      appender.appendDate(this.duckdb.dateValue(Date.parse(`${String(value)}T00:00:00Z`) / 86_400_000));
    } else if (type === 'timestamp') {
      appender.appendTimestamp(this.duckdb.timestampValue(BigInt(Date.parse(String(value))) * 1000n));
    } else {
      appender.appendVarchar(String(value));
    }
  }

  private plain(value: DuckDB.DuckDBValue): QueryValue {
    if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
      return value;
    }
    if (typeof value === 'bigint') {
      return Number.isSafeInteger(Number(value)) ? Number(value) : new Decimal(value.toString());
    }
    if (value instanceof this.duckdb.DuckDBDecimalValue) {
      return new Decimal(value.value.toString()).times(new Decimal(10).pow(-value.scale));
    }
    if (value instanceof this.duckdb.DuckDBTimestampValue) {
      return new Date(Number(value.micros / 1000n)).toISOString().replace('.000Z', 'Z');
    }
    return String(value);
  }
}

/** SQL string. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** The columns of the ledger, as CREATE TABLE has them. */
export function columnDefinitions(): string {
  return LEDGER_COLUMNS.map(({ name, type, nullable }) => `"${name}" ${type}${nullable ? '' : ' NOT NULL'}`).join(', ');
}

async function loadDuckDB(): Promise<Module> {
  try {
    return await import('@duckdb/node-api');
  } catch (cause) {
    throw new LedgerError("the ledger needs the package '@duckdb/node-api'; add it with npm install", { cause });
  }
}

/** The whole number that a decimal column keeps; never rounded, never cut. */
function wholeNumber(name: string, value: Decimal, type: ColumnType, { scale, limit }: DecimalType): bigint {
  const whole = value.times(new Decimal(10).pow(scale));
  if (!whole.isInteger() || whole.abs().greaterThanOrEqualTo(limit)) {
    throw new LedgerError(`'${name}' (${value.toString()}) must fit ${type} because the ledger never rounds`);
  }
  return BigInt(whole.toFixed(0));
}
