import * as zlib from 'node:zlib';
import type { CacheValue } from './types';

/** Zstandard came to Node with 22.15; older ones use Brotli, and cannot read what newer ones wrote. */
const Codec = { NONE: 0, BROTLI: 1, ZSTD: 2 } as const;

/** Smaller ones do not get smaller. */
const MIN_BYTES = 1_024;
/** Less gain than a tenth is not worth unpacking for. */
const WORTH = 0.9;
/** Above, work on another thread costs less than it saves. */
const MAX_SYNC_BYTES = 32_768;
const COMPRESSED = /^(image\/(jpeg|png|webp|jp2|jxl)|video\/|application\/(gzip|zip|zstd|x-brotli))/i;

const BROTLI = { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 3 } };

// typed here, since the types are those of the oldest Node that is supported
interface Zstd {
  zstdCompress?(data: Uint8Array, done: (error: Error | null, result: Buffer) => void): void;
  zstdDecompress(data: Uint8Array, options: object, done: (error: Error | null, result: Buffer) => void): void;
  zstdDecompressSync(data: Uint8Array, options: object): Buffer;
}
const zstd = zlib as unknown as Zstd;

/** A content as it is sealed. */
export interface Packed {
  readonly codec: number;
  readonly bytes: Uint8Array;
}

/** Compresses what gets smaller by it, off the main thread. */
export async function pack(content: Buffer, contentType: string | undefined): Promise<Packed> {
  const plain = { codec: Codec.NONE, bytes: content };
  if (content.length < MIN_BYTES || COMPRESSED.test(contentType ?? '')) {
    return plain;
  }
  const codec = zstd.zstdCompress === undefined ? Codec.BROTLI : Codec.ZSTD;
  const bytes = await new Promise<Buffer>((resolve, reject) => {
    const done = (error: Error | null, result: Buffer): void => (error === null ? resolve(result) : reject(error));
    if (zstd.zstdCompress === undefined) {
      zlib.brotliCompress(content, BROTLI, done);
    } else {
      zstd.zstdCompress(content, done);
    }
  });
  return bytes.length <= content.length * WORTH ? { codec, bytes } : plain;
}

/** Undoes `pack()`; undefined where it cannot. A promise only where the content is large. */
export function unpack(
  codec: number,
  bytes: Buffer,
  maxBytes: number,
): Buffer | undefined | Promise<Buffer | undefined> {
  if (codec === Codec.NONE) {
    return bytes;
  }
  if ((codec !== Codec.BROTLI && codec !== Codec.ZSTD) || (codec === Codec.ZSTD && zstd.zstdCompress === undefined)) {
    return undefined;
  }
  // a small file may hold a large one
  const options = { maxOutputLength: maxBytes };
  if (bytes.length <= MAX_SYNC_BYTES) {
    try {
      return codec === Codec.ZSTD ? zstd.zstdDecompressSync(bytes, options) : zlib.brotliDecompressSync(bytes, options);
    } catch {
      return undefined;
    }
  }
  return new Promise((resolve) => {
    const done = (error: Error | null, result: Buffer): void => resolve(error === null ? result : undefined);
    if (codec === Codec.ZSTD) {
      zstd.zstdDecompress(bytes, options, done);
    } else {
      zlib.brotliDecompress(bytes, options, done);
    }
  });
}

/** What is beside the body in a content. */
export interface ContentFacts {
  readonly modelVersion: string;
  /** Keyed hashes by which it may be invalidated. */
  readonly ids: readonly string[];
}

/** The content of an entry: facts as JSON, with their length before them, then the body. */
export function encodeContent(value: CacheValue | undefined, { modelVersion, ids }: ContentFacts): Buffer {
  const facts = {
    v: modelVersion,
    i: ids,
    ...(value === undefined && { n: 1 }),
    ...(value?.contentType !== undefined && { t: value.contentType }),
    ...(value?.metadata !== undefined && { m: value.metadata }),
  };
  const json = Buffer.from(JSON.stringify(facts));
  const body = value?.body ?? new Uint8Array(0);
  const content = Buffer.allocUnsafeSlow(4 + json.length + body.byteLength);
  content.writeUInt32BE(json.length, 0);
  json.copy(content, 4);
  content.set(body, 4 + json.length);
  return content;
}

/** Undoes `encodeContent()`. The content is authentic, so its shape is ours. */
export function decodeContent(content: Buffer): {
  readonly value: CacheValue | undefined;
  readonly facts: ContentFacts;
} {
  const end = 4 + content.readUInt32BE(0);
  const { v, i, n, t, m } = JSON.parse(content.toString('utf8', 4, end)) as {
    readonly v: string;
    readonly i: readonly string[];
    readonly n?: 1;
    readonly t?: string;
    readonly m?: { readonly [name: string]: string };
  };
  const value =
    n === 1
      ? undefined
      : {
          body: content.subarray(end),
          ...(t !== undefined && { contentType: t }),
          ...(m !== undefined && { metadata: m }),
        };
  return { value, facts: { modelVersion: v, ids: i } };
}
