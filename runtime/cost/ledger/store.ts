import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Name of the file of a day. */
export const DAY_FILE = 'part-0.parquet';

/** Files of days, on this machine. */
export interface Fetched {
  /** Path of each day's file. */
  readonly files: ReadonlyMap<string, string>;
  /** Days that did not arrive as they were sent, and why. */
  readonly damaged: ReadonlyMap<string, string>;
}

/** Where the files of a ledger are. */
export interface LedgerStore {
  /** The days that there are, in order. */
  days(): Promise<readonly string[]>;
  /** Makes the files of days readable on this machine. */
  fetch(days: readonly string[]): Promise<Fetched>;
  /** Puts a day in place of what there was of it, all or nothing; `write` makes the file at a path it is given. */
  replace(day: string, write: (path: string) => Promise<void>): Promise<void>;
  /** What users know a day's file by. */
  nameOf(day: string): string;
  close(): Promise<void>;
}

/** A day's folder, as Hive, Athena and DuckDB know partitions. */
export function partition(day: string): string {
  return `day=${day}`;
}

/** The day of a partition's name; undefined where it is none. */
export function dayOf(name: string): string | undefined {
  return /^day=(\d{4}-\d{2}-\d{2})$/.exec(name)?.[1];
}

/** Files in a folder. */
export class FolderStore implements LedgerStore {
  constructor(private readonly folder: string) {}

  async days(): Promise<readonly string[]> {
    const names = existsSync(this.folder) ? await readdir(this.folder) : [];
    return names
      .flatMap((name) => dayOf(name) ?? [])
      .filter((day) => existsSync(this.nameOf(day)))
      .sort();
  }

  fetch(days: readonly string[]): Promise<Fetched> {
    return Promise.resolve({ files: new Map(days.map((day) => [day, this.nameOf(day)])), damaged: new Map() });
  }

  async replace(day: string, write: (path: string) => Promise<void>): Promise<void> {
    const file = this.nameOf(day);
    await mkdir(join(file, '..'), { recursive: true });
    // readers overlook names that start with a point
    const temporary = join(file, '..', `.${randomUUID()}.parquet`);
    try {
      await write(temporary);
      const handle = await open(temporary, 'r+');
      await handle.sync();
      await handle.close();
      await rename(temporary, file);
    } finally {
      await rm(temporary, { force: true });
    }
  }

  nameOf(day: string): string {
    return join(this.folder, partition(day), DAY_FILE);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
