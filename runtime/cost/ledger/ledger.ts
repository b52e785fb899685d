import { mkdir } from 'node:fs/promises';
import { daysBetween } from '../../../constructs/plan/cost/days';
import { PARTITION_COLUMN } from '../../../constructs/plan/cost/columns';
import type { LedgerDay } from '../../../constructs/plan/cost/row';
import { checkDay, inOrder } from './check-day';
import { columnDefinitions, Engine, literal, type QueryRow } from './engine';
import { DamagedLedgerError, LedgerError } from './errors';
import { isUrl, type S3Settings } from '../s3';
import { S3Store } from './s3-store';
import { FolderStore, type Fetched, type LedgerStore } from './store';
import { damagedFiles, metadataOf, readMetadata, type DayMetadata } from './day-metadata';

/** How a ledger is opened. */
export interface LedgerOptions {
  /**
   * Most memory that queries may take, as DuckDB writes it.
   *
   * @default '512MB'
   */
  readonly memoryLimit?: string;
  /**
   * Threads of queries.
   *
   * @default - as many as there are processors
   */
  readonly threads?: number;
  /**
   * How S3 is reached, for a ledger in it.
   *
   * @default - as the AWS SDK finds it
   */
  readonly s3?: S3Settings;
}

/** How a query is run. */
export interface QueryOptions {
  /**
   * First day whose file is read, `YYYY-MM-DD`.
   *
   * @default - that of the ledger
   */
  readonly from?: string;
  /**
   * Last day whose file is read, `YYYY-MM-DD`.
   *
   * @default - that of the ledger
   */
  readonly to?: string;
  /**
   * Leave damaged days out, where a damaged day is an error otherwise.
   *
   * @default false
   */
  readonly skipDamaged?: boolean;
}

/** What all days of a ledger have in common. */
export interface LedgerSettings {
  /** IANA name of the zone on whose clock days start and end. */
  readonly timeZone: string;
  /** ISO 4217. */
  readonly currency: string;
}

/** A day that cannot be read. */
export interface DamagedDay {
  readonly day: string;
  /** Path or `s3://` address. */
  readonly file: string;
  readonly reason: string;
}

/**
 * The cost ledger: one Parquet file for each day, in a folder or in S3. One process writes at a time; any number reads.
 */
export class Ledger {
  // queries share one connection, and a view of it
  #last: Promise<unknown> = Promise.resolve();

  private constructor(
    /** The folder or `s3://` address that it was opened with. */
    readonly location: string,
    private readonly store: LedgerStore,
    private readonly engine: Engine,
  ) {}

  /**
   * Opens a ledger.
   *
   * @param location a folder, which is made where it is not there, or `s3://bucket/prefix`
   */
  static async open(location: string, options: LedgerOptions = {}): Promise<Ledger> {
    const { memoryLimit = '512MB', threads, s3 = {} } = options;
    const inS3 = isUrl(location);
    if (!inS3) {
      await mkdir(location, { recursive: true });
    }
    const store = inS3 ? await S3Store.open(location, s3) : new FolderStore(location);
    return new Ledger(location, store, await Engine.start(memoryLimit, threads));
  }

  /**
   * Writes a day, in place of what the ledger had of it. All or nothing; the same rows give the same bytes, whatever their
   * order.
   *
   * @throws ConfigurationError where the rows do not add up to the day's total, two have the same key, a value does not fit
   * its column, or the ledger's other days have another time zone or currency
   */
  async writeDay(day: LedgerDay): Promise<void> {
    await this.alone(async () => {
      checkDay(day, await this.neighbourOf(day.day));
      const metadata = { mediform: JSON.stringify(metadataOf(day)) };
      await this.store.replace(day.day, (path) => this.engine.writeParquet(inOrder(day.rows), path, metadata));
    });
  }

  /** The days that the ledger has, in order. */
  async days(): Promise<readonly string[]> {
    return this.store.days();
  }

  /** Days from `from` to `to`, both included, that the ledger does not have. */
  async gaps(from: string, to: string): Promise<readonly string[]> {
    const days = new Set(await this.days());
    return daysBetween(from, to).filter((day) => !days.has(day));
  }

  /** Time zone and currency of all its days; undefined where it has no day that can be read. */
  async settings(): Promise<LedgerSettings | undefined> {
    return this.alone(async () => {
      const days = await this.store.days();
      return this.firstReadable([...days].reverse());
    });
  }

  /**
   * Runs SQL over the table `ledger`, which has the columns of `LEDGER_COLUMNS` and `day`, a date. Sums of decimals are
   * exact; averages and quotients are not: divide what comes back.
   *
   * @param sql one SELECT; `$1`, `$2`, ... are parameters
   * @throws DamagedLedgerError where files cannot be read; it names them
   * @throws LedgerError where the SQL is wrong
   */
  async query(
    sql: string,
    parameters: readonly (string | number)[] = [],
    options: QueryOptions = {},
  ): Promise<readonly QueryRow[]> {
    const { skipDamaged = false } = options;
    return this.alone(async () => {
      const { files, damaged } = await this.fetch(options);
      if (damaged.size > 0 && !skipDamaged) {
        throw new DamagedLedgerError(this.describe(damaged));
      }
      try {
        return await this.queryFiles(files, sql, parameters);
      } catch (cause) {
        const unreadable = await damagedFiles(this.engine, files);
        if (unreadable.size === 0) {
          throw new LedgerError(`the query failed: ${(cause as Error).message}`, { cause });
        }
        if (!skipDamaged) {
          throw new DamagedLedgerError(this.describe(unreadable));
        }
        return this.queryFiles(new Map([...files].filter(([day]) => !unreadable.has(day))), sql, parameters);
      }
    });
  }

  /**
   * Reads every day whole, and compares what it adds up to with what was written.
   *
   * @returns the days that are damaged
   */
  async verify(): Promise<readonly DamagedDay[]> {
    return this.alone(async () => {
      const { files, damaged } = await this.fetch({});
      return this.describe(new Map([...damaged, ...(await damagedFiles(this.engine, files))]));
    });
  }

  /** Ends it, and lets its memory and its temporary files go. */
  async close(): Promise<void> {
    await this.alone(async () => {
      this.engine.close();
      await this.store.close();
    });
  }

  private async fetch({ from = '', to = '9999' }: QueryOptions): Promise<Fetched> {
    return this.store.fetch((await this.store.days()).filter((day) => day >= from && day <= to));
  }

  private async queryFiles(
    files: ReadonlyMap<string, string>,
    sql: string,
    parameters: readonly (string | number)[],
  ): Promise<QueryRow[]> {
    if (files.size === 0) {
      await this.engine.run(`CREATE OR REPLACE TEMP TABLE no_days (${columnDefinitions()}, ${PARTITION_COLUMN} DATE)`);
      await this.engine.run('CREATE OR REPLACE TEMP VIEW ledger AS SELECT * FROM no_days');
    } else {
      const list = [...files.values()].map(literal).join(', ');
      const partitions = `hive_partitioning = true, hive_types = {'${PARTITION_COLUMN}': DATE}`;
      await this.engine.run(
        `CREATE OR REPLACE TEMP VIEW ledger AS SELECT * FROM read_parquet([${list}], ${partitions})`,
      );
    }
    return this.engine.query(sql, parameters);
  }

  private describe(damaged: ReadonlyMap<string, string>): DamagedDay[] {
    return [...damaged].sort().map(([day, reason]) => ({ day, file: this.store.nameOf(day), reason }));
  }

  /** What the ledger's nearest other readable day says of itself. */
  private async neighbourOf(day: string): Promise<DayMetadata | undefined> {
    const days = (await this.store.days()).filter((other) => other !== day);
    const near = [days.filter((other) => other < day).at(-1), days.find((other) => other > day)].filter(
      (other) => other !== undefined,
    );
    return this.firstReadable(near);
  }

  private async firstReadable(days: readonly string[]): Promise<DayMetadata | undefined> {
    for (const day of days) {
      for (const path of (await this.store.fetch([day])).files.values()) {
        try {
          return await readMetadata(this.engine, path);
        } catch {
          // a damaged day says nothing, and keeps nobody from asking another
        }
      }
    }
    return undefined;
  }

  private async alone<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => undefined);
    return result;
  }
}
