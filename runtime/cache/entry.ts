import type { CacheKind } from '../../constructs/plan/cache/kinds';
import type { CacheValue, LogPosition } from './types';

/** What is known of an entry beside its value. */
export interface EntryFacts {
  readonly kind: CacheKind;
  readonly modelVersion: string;
  /** All times are milliseconds since 1970. */
  readonly computedAt: number;
  readonly freshUntil: number;
  /** Longer than `freshUntil` only where it may be served stale. */
  readonly heldUntil: number;
  readonly computeMs: number;
  readonly positions: readonly LogPosition[];
}

/** An entry, opened. */
export interface Entry extends EntryFacts {
  /** `undefined` where it is known that there is none. */
  readonly value: CacheValue | undefined;
  /** Keyed hashes by which it may be invalidated. */
  readonly ids: readonly string[];
}

const Flag = { NEGATIVE: 1, CONTENT_TYPE: 2, METADATA: 4 } as const;
const ID_BYTES = 32;

/**
 * The content of an entry, as it is sealed: a byte of flags; the number of ids in a byte and the ids, 32 bytes each; the
 * model's version, media type and metadata, each after its length in four bytes, the last two only where a flag says so;
 * then the body.
 */
export function encodeContent({ ids, modelVersion, value }: Entry): Buffer {
  const { body = new Uint8Array(0), contentType, metadata } = value ?? {};
  const texts = [
    modelVersion,
    ...(contentType === undefined ? [] : [contentType]),
    ...(metadata === undefined ? [] : [JSON.stringify(metadata)]),
  ].map((text) => Buffer.from(text));
  const textBytes = texts.reduce((sum, { length }) => sum + 4 + length, 0);
  const content = Buffer.allocUnsafeSlow(2 + ids.length * ID_BYTES + textBytes + body.byteLength);
  content[0] =
    (value === undefined ? Flag.NEGATIVE : 0) |
    (contentType === undefined ? 0 : Flag.CONTENT_TYPE) |
    (metadata === undefined ? 0 : Flag.METADATA);
  content[1] = ids.length;
  let at = 2;
  for (const id of ids) {
    at += content.write(id, at, 'base64url');
  }
  for (const text of texts) {
    at = content.writeUInt32BE(text.length, at);
    at += text.copy(content, at);
  }
  content.set(body, at);
  return content;
}

/** An entry as its content has it. It is authentic, so its shape is ours. */
export function decodeContent(facts: Omit<EntryFacts, 'modelVersion'>, content: Buffer): Entry {
  const [flags = 0, idCount = 0] = content;
  let at = 2 + idCount * ID_BYTES;
  const text = (): string => {
    const end = at + 4 + content.readUInt32BE(at);
    const read = content.toString('utf8', at + 4, end);
    at = end;
    return read;
  };
  const modelVersion = text();
  const contentType = (flags & Flag.CONTENT_TYPE) === 0 ? undefined : text();
  const metadata = (flags & Flag.METADATA) === 0 ? undefined : (JSON.parse(text()) as CacheValue['metadata']);
  const body = content.subarray(at);
  const value =
    (flags & Flag.NEGATIVE) !== 0
      ? undefined
      : { body, ...(contentType !== undefined && { contentType }), ...(metadata !== undefined && { metadata }) };
  return new DecodedEntry(facts, modelVersion, value, content);
}

/** Reads its ids only where they are asked for: mostly nothing was invalidated since. */
class DecodedEntry implements Entry {
  readonly kind: CacheKind;
  readonly computedAt: number;
  readonly freshUntil: number;
  readonly heldUntil: number;
  readonly computeMs: number;
  readonly positions: readonly LogPosition[];
  readonly #content: Buffer;

  constructor(
    { computedAt, computeMs, freshUntil, heldUntil, kind, positions }: Omit<EntryFacts, 'modelVersion'>,
    readonly modelVersion: string,
    readonly value: CacheValue | undefined,
    content: Buffer,
  ) {
    this.kind = kind;
    this.computedAt = computedAt;
    this.freshUntil = freshUntil;
    this.heldUntil = heldUntil;
    this.computeMs = computeMs;
    this.positions = positions;
    this.#content = content;
  }

  get ids(): readonly string[] {
    const { [1]: count = 0 } = this.#content;
    return Array.from({ length: count }, (_, index) => {
      const at = 2 + index * ID_BYTES;
      return this.#content.toString('base64url', at, at + ID_BYTES);
    });
  }
}
