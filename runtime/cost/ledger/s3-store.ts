import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type * as S3 from '@aws-sdk/client-s3';
import { loadS3Sdk, parseS3Url, type S3Sdk, type S3Settings } from '../s3';
import { DAY_FILE, dayOf, partition, type Fetched, type LedgerStore } from './store';

const DOWNLOADS_AT_ONCE = 8;

/** Objects in a bucket. What was read stays on this machine until the ledger is closed. */
export class S3Store implements LedgerStore {
  private readonly etags = new Map<string, string>();
  private readonly fetched = new Map<string, string>();

  private constructor(
    private readonly sdk: S3Sdk,
    private readonly client: S3.S3Client,
    private readonly bucket: string,
    private readonly prefix: string,
    private readonly cache: string,
  ) {}

  static async open(url: string, settings: S3Settings): Promise<S3Store> {
    const { bucket, prefix } = parseS3Url(url);
    const sdk = await loadS3Sdk();
    const cache = await mkdtemp(join(tmpdir(), 'mediform-ledger-'));
    return new S3Store(sdk, new sdk.S3Client({ ...settings }), bucket, prefix, cache);
  }

  async days(): Promise<readonly string[]> {
    this.etags.clear();
    const pages = this.sdk.paginateListObjectsV2({ client: this.client }, { Bucket: this.bucket, Prefix: this.prefix });
    for await (const { Contents = [] } of pages) {
      for (const { Key = '', ETag = '' } of Contents) {
        const [folder = '', file, ...deeper] = Key.slice(this.prefix.length).split('/');
        const day = dayOf(folder);
        if (day !== undefined && file === DAY_FILE && deeper.length === 0) {
          this.etags.set(day, ETag);
        }
      }
    }
    return [...this.etags.keys()].sort();
  }

  async fetch(days: readonly string[]): Promise<Fetched> {
    const missing = days.filter((day) => this.fetched.get(day) !== this.etags.get(day) || !this.etags.has(day));
    const damaged = new Map<string, string>();
    const workers = Array.from({ length: DOWNLOADS_AT_ONCE }, async () => {
      for (let day = missing.pop(); day !== undefined; day = missing.pop()) {
        try {
          await this.download(day);
        } catch (error) {
          // the SDK compares the sum that S3 keeps with what arrived
          if (!/checksum mismatch/i.test((error as Error).message)) {
            throw error;
          }
          damaged.set(day, 'it is not what was written: its checksum is another');
        }
      }
    });
    await Promise.all(workers);
    const readable = days.filter((day) => !damaged.has(day));
    return { files: new Map(readable.map((day) => [day, this.pathOf(day)])), damaged };
  }

  async replace(day: string, write: (path: string) => Promise<void>): Promise<void> {
    const path = this.pathOf(day);
    await mkdir(dirname(path), { recursive: true });
    const temporary = join(this.cache, `new-${day}.parquet`);
    await write(temporary);
    const Body = await readFile(temporary);
    // S3 compares the sum and refuses what was damaged on the way
    await this.client.send(
      new this.sdk.PutObjectCommand({ Bucket: this.bucket, Key: this.keyOf(day), Body, ChecksumAlgorithm: 'SHA256' }),
    );
    await rm(temporary);
    this.fetched.delete(day);
  }

  nameOf(day: string): string {
    return `s3://${this.bucket}/${this.keyOf(day)}`;
  }

  async close(): Promise<void> {
    this.client.destroy();
    await rm(this.cache, { recursive: true, force: true });
  }

  private keyOf(day: string): string {
    return `${this.prefix}${partition(day)}/${DAY_FILE}`;
  }

  private pathOf(day: string): string {
    return join(this.cache, partition(day), DAY_FILE);
  }

  private async download(day: string): Promise<void> {
    const path = this.pathOf(day);
    await mkdir(dirname(path), { recursive: true });
    const { Body, ETag = '' } = await this.client.send(
      new this.sdk.GetObjectCommand({ Bucket: this.bucket, Key: this.keyOf(day), ChecksumMode: 'ENABLED' }),
    );
    await pipeline(Body as Readable, createWriteStream(path));
    this.fetched.set(day, ETag);
    this.etags.set(day, ETag);
  }
}
