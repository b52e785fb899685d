import { createWriteStream, existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { LedgerError } from '../ledger/errors';
import { isUrl, loadS3Sdk, parseS3Url, type S3Settings } from '../s3';

/** Parquet files of a bill, on this machine. */
export interface BillFiles {
  readonly paths: readonly string[];
  /** Removes what was made for it. */
  close(): Promise<void>;
}

/**
 * The Parquet files of a bill.
 *
 * @param location a folder, or `s3://bucket/prefix`
 * @param months `YYYY-MM`, the months that are needed; exports of AWS keep each in a folder `BILLING_PERIOD=YYYY-MM`
 */
export async function billFiles(location: string, months: readonly string[], s3: S3Settings): Promise<BillFiles> {
  const isNeeded = (path: string): boolean => {
    const period = /billing_period=(\d{4}-\d{2})/i.exec(path)?.[1];
    return path.endsWith('.parquet') && (period === undefined || months.includes(period));
  };
  if (isUrl(location)) {
    return download(location, isNeeded, s3);
  }
  if (!existsSync(location)) {
    throw new LedgerError(
      `'bill.location' (${location}) must be a folder because the bill is read from its Parquet files`,
    );
  }
  const names = await readdir(location, { recursive: true });
  return {
    paths: names
      .filter(isNeeded)
      .map((name) => join(location, name))
      .sort(),
    close: () => Promise.resolve(),
  };
}

async function download(url: string, isNeeded: (path: string) => boolean, s3: S3Settings): Promise<BillFiles> {
  const { bucket, prefix } = parseS3Url(url);
  const sdk = await loadS3Sdk();
  const client = new sdk.S3Client({ ...s3 });
  const folder = await mkdtemp(join(tmpdir(), 'mediform-bill-'));
  const close = async (): Promise<void> => {
    client.destroy();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const keys: string[] = [];
    for await (const { Contents = [] } of sdk.paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: prefix })) {
      keys.push(...Contents.flatMap(({ Key }) => (Key !== undefined && isNeeded(Key) ? [Key] : [])));
    }
    const paths: string[] = [];
    for (const [index, Key] of keys.sort().entries()) {
      const path = join(folder, `${index}.parquet`);
      const { Body } = await client.send(new sdk.GetObjectCommand({ Bucket: bucket, Key }));
      await pipeline(Body as Readable, createWriteStream(path));
      paths.push(path);
    }
    return { paths, close };
  } catch (error) {
    await close();
    throw error;
  }
}
