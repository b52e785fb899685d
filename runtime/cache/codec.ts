import * as zlib from 'node:zlib';

/** Zstandard came to Node with 22.15; older ones use Brotli, and cannot read what newer ones wrote. */
const Codec = { NONE: 0, BROTLI: 1, ZSTD: 2 } as const;

/** Smaller ones do not get smaller. */
const MIN_BYTES = 1_024;
/** Less gain than a tenth is not worth unpacking for. */
const WORTH = 0.9;
/** Above, work on another thread costs less than it saves. */
const MAX_SYNC_BYTES = 32_768;
/** Contents and their bytes that are compressed at a time: a queue of more would grow while stores or threads are slow. */
const MAX_PACKING = 64;
const MAX_PACKING_BYTES = 67_108_864;
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

const packing = { count: 0, bytes: 0 };

/** Compresses what gets smaller by it, off the main thread; where too much waits for that already, it is left as it is. */
export async function pack(content: Buffer, contentType: string | undefined): Promise<Packed> {
  const plain = { codec: Codec.NONE, bytes: content };
  if (content.length < MIN_BYTES || COMPRESSED.test(contentType ?? '')) {
    return plain;
  }
  if (packing.count >= MAX_PACKING || packing.bytes + content.length > MAX_PACKING_BYTES) {
    return plain;
  }
  packing.count++;
  packing.bytes += content.length;
  try {
    const packed = await compress(content);
    return packed.bytes.length <= content.length * WORTH ? packed : plain;
  } finally {
    packing.count--;
    packing.bytes -= content.length;
  }
}

async function compress(content: Buffer): Promise<Packed> {
  const codec = zstd.zstdCompress === undefined ? Codec.BROTLI : Codec.ZSTD;
  const bytes = await new Promise<Buffer>((resolve, reject) => {
    const done = (error: Error | null, result: Buffer): void => (error === null ? resolve(result) : reject(error));
    if (zstd.zstdCompress === undefined) {
      zlib.brotliCompress(content, BROTLI, done);
    } else {
      zstd.zstdCompress(content, done);
    }
  });
  return { codec, bytes };
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
