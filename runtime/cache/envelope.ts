import { createCipheriv, createDecipheriv, randomFillSync } from 'node:crypto';
import type { EntryFacts } from './entry';
import type { KeyRing } from './key-ring';
import type { LogPosition } from './types';

/**
 * A sealed entry, as every shared tier holds it:
 *
 *     0      1   0x6d and the format, 0x01
 *     2      codec of the content
 *     3      length n of the key's name, then the name
 *     4+n    computed at, fresh until, held until: 6 bytes each, milliseconds since 1970
 *     22+n   milliseconds that computing took: 4 bytes
 *     26+n   position in each of two logs of invalidations: incarnation and sequence number, 6 bytes each
 *     50+n   nonce, 12 bytes
 *     62+n   AES-256-GCM of the content, then its tag, 16 bytes
 *
 * All before the content is authenticated with it, and so is the key of the entry, which begins with namespace, kind and
 * version: an entry that was moved, relabelled or kept longer than it may is not authentic.
 */
const MAGIC = 0x6d01;
const LOGS = 2;
const POSITION_BYTES = 12;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const FIXED_BYTES = 4 + 18 + 4 + LOGS * POSITION_BYTES + NONCE_BYTES;
const CIPHER = 'aes-256-gcm';
const NO_POSITION: LogPosition = { incarnation: 0, seq: 0 };

/** What is written before the content, readable without a key. */
export interface EntryHeader extends HeaderFacts {
  readonly codec: number;
  readonly keyName: string;
}

/** Facts of an entry that are in its header. */
type HeaderFacts = Pick<EntryFacts, 'computedAt' | 'freshUntil' | 'heldUntil' | 'computeMs' | 'positions'>;

/** Why an entry cannot be read: it is a miss, and more than that where a key is wrong or someone changed it. */
export type Unreadable = 'unknown_key' | 'not_authentic' | 'bad_format';

/** Used and done with before anything else can run. */
const scratch = Buffer.alloc(1_024);

/** What is authenticated beside the content: the header, then the key of the entry. */
function associated(sealed: Buffer, headerBytes: number, key: string): Buffer {
  const most = headerBytes + key.length * 3;
  const bytes = most <= scratch.length ? scratch : Buffer.allocUnsafe(most);
  for (let at = 0; at < headerBytes; at++) {
    bytes[at] = sealed[at] as number;
  }
  return bytes.subarray(0, headerBytes + bytes.write(key, headerBytes));
}

/** Seals a content under the ring's current key. */
export function seal(ring: KeyRing, key: string, header: HeaderFacts, codec: number, content: Uint8Array): Buffer {
  const { current } = ring;
  const nameBytes = Buffer.byteLength(current.name);
  const headerBytes = FIXED_BYTES + nameBytes;
  const sealed = Buffer.allocUnsafeSlow(headerBytes + content.byteLength + TAG_BYTES);
  sealed.writeUInt16BE(MAGIC, 0);
  sealed.writeUInt8(codec, 2);
  sealed.writeUInt8(nameBytes, 3);
  let at = 4 + sealed.write(current.name, 4, 'latin1');
  for (const time of [header.computedAt, header.freshUntil, header.heldUntil]) {
    at = sealed.writeUIntBE(Math.max(0, Math.floor(time)), at, 6);
  }
  at = sealed.writeUInt32BE(Math.min(0xffff_ffff, Math.max(0, Math.round(header.computeMs))), at);
  for (let log = 0; log < LOGS; log++) {
    const { incarnation, seq } = header.positions[log] ?? NO_POSITION;
    at = sealed.writeUIntBE(incarnation, at, 6);
    at = sealed.writeUIntBE(seq, at, 6);
  }
  const nonce = randomFillSync(sealed, at, NONCE_BYTES).subarray(at, at + NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, current.sealingKey(header.computedAt), nonce);
  cipher.setAAD(associated(sealed, headerBytes, key));
  cipher.update(content).copy(sealed, headerBytes);
  cipher.final();
  cipher.getAuthTag().copy(sealed, headerBytes + content.byteLength);
  return sealed;
}

/** Reads what is written before the content; it is not authentic before `open()` has been through it. */
export function readHeader(sealed: Buffer): EntryHeader | undefined {
  if (sealed.length < FIXED_BYTES + TAG_BYTES || sealed.readUInt16BE(0) !== MAGIC) {
    return undefined;
  }
  const nameBytes = sealed.readUInt8(3);
  if (sealed.length < FIXED_BYTES + nameBytes + TAG_BYTES) {
    return undefined;
  }
  const at = 4 + nameBytes;
  return {
    codec: sealed.readUInt8(2),
    keyName: sealed.toString('latin1', 4, at),
    computedAt: sealed.readUIntBE(at, 6),
    freshUntil: sealed.readUIntBE(at + 6, 6),
    heldUntil: sealed.readUIntBE(at + 12, 6),
    computeMs: sealed.readUInt32BE(at + 18),
    positions: [readPosition(sealed, at + 22), readPosition(sealed, at + 22 + POSITION_BYTES)],
  };
}

/** The content of an entry whose header was read. */
export function open(ring: KeyRing, key: string, header: EntryHeader, sealed: Buffer): Buffer | Unreadable {
  const sealer = ring.named(header.keyName);
  if (sealer === undefined) {
    return 'unknown_key';
  }
  const headerBytes = FIXED_BYTES + Buffer.byteLength(header.keyName, 'latin1');
  const nonce = sealed.subarray(headerBytes - NONCE_BYTES, headerBytes);
  const decipher = createDecipheriv(CIPHER, sealer.sealingKey(header.computedAt), nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(associated(sealed, headerBytes, key));
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
  try {
    const content = decipher.update(sealed.subarray(headerBytes, sealed.length - TAG_BYTES));
    decipher.final();
    return content;
  } catch {
    return 'not_authentic';
  }
}

function readPosition(sealed: Buffer, at: number): LogPosition {
  return { incarnation: sealed.readUIntBE(at, 6), seq: sealed.readUIntBE(at + 6, 6) };
}
