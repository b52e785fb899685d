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

/** What the header of an entry says of it. */
type HeaderFacts = Omit<EntryFacts, 'kind' | 'modelVersion'>;

/** An entry as its content has it. It is authentic, so its shape is ours. */
export function decodeContent(kind: CacheKind, facts: HeaderFacts, content: Buffer): Entry {
  const flags = content.readUInt8(0);
  const version = nextText(content, 2 + content.readUInt8(1) * ID_BYTES);
  let { end } = version;
  if ((flags & Flag.NEGATIVE) !== 0) {
    return new DecodedEntry(kind, facts, version.text, undefined, content);
  }
  // no spreads here nor below: they cost more than all else that opening does beside the cipher
  const value: { -readonly [P in keyof CacheValue]: CacheValue[P] } = { body: content };
  if ((flags & Flag.CONTENT_TYPE) !== 0) {
    const { end: after, text } = nextText(content, end);
    value.contentType = text;
    end = after;
  }
  if ((flags & Flag.METADATA) !== 0) {
    const { end: after, text } = nextText(content, end);
    value.metadata = JSON.parse(text) as NonNullable<CacheValue['metadata']>;
    end = after;
  }
  value.body = content.subarray(end);
  return new DecodedEntry(kind, facts, version.text, value, content);
}

function nextText(content: Buffer, at: number): { readonly text: string; readonly end: number } {
  const end = at + 4 + content.readUInt32BE(at);
  return { text: content.toString('utf8', at + 4, end), end };
}

/** Reads its ids only where they are asked for: mostly nothing was invalidated since. */
class DecodedEntry implements Entry {
  readonly computedAt: number;
  readonly freshUntil: number;
  readonly heldUntil: number;
  readonly computeMs: number;
  readonly positions: readonly LogPosition[];
  readonly #content: Buffer;

  constructor(
    readonly kind: CacheKind,
    facts: HeaderFacts,
    readonly modelVersion: string,
    readonly value: CacheValue | undefined,
    content: Buffer,
  ) {
    this.computedAt = facts.computedAt;
    this.freshUntil = facts.freshUntil;
    this.heldUntil = facts.heldUntil;
    this.computeMs = facts.computeMs;
    this.positions = facts.positions;
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
