import type * as S3 from '@aws-sdk/client-s3';
import { LedgerError } from './ledger/errors';

/** How S3 is reached; credentials come from where the AWS SDK looks for them. */
export interface S3Settings {
  /** @default - as the AWS SDK finds it */
  readonly region?: string;
  /** For stores that speak S3. @default - that of AWS */
  readonly endpoint?: string;
  /** Bucket in the path and not in the host name. @default false */
  readonly forcePathStyle?: boolean;
}

/** The AWS SDK's module. */
export type S3Sdk = typeof S3;

/** Whether a location is an address and not a folder. */
export function isUrl(location: string): boolean {
  return /^[a-z0-9]+:\/\//.test(location);
}

/** Bucket and prefix of `s3://bucket/prefix`; the prefix is empty or ends with a slash. */
export function parseS3Url(url: string): { readonly bucket: string; readonly prefix: string } {
  const [, bucket, path = ''] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/.exec(url) ?? [];
  if (bucket === undefined) {
    throw new LedgerError(
      `'location' (${url}) must be a folder or s3://bucket/prefix because nothing else holds a ledger`,
    );
  }
  const folder = path.replace(/\/+$/, '');
  return { bucket, prefix: folder === '' ? '' : `${folder}/` };
}

/** Loads the AWS SDK, which only those need who have a ledger or a bill in S3. */
export async function loadS3Sdk(): Promise<S3Sdk> {
  try {
    return await import('@aws-sdk/client-s3');
  } catch (cause) {
    throw new LedgerError("what is in S3 needs the package '@aws-sdk/client-s3'; add it with npm install", { cause });
  }
}
