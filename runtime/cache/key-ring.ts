import { createHmac, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { KeyRingFile } from '../../constructs/plan/cache/config';
import { Problems } from '../../constructs/plan/errors';
import { Sieve } from './sieve';

const KEY_BYTES = 32;
const KEY_NAME = /^[A-Za-z0-9._-]{1,32}$/;
const DAY_MS = 86_400_000;
/** Hashes that a key remembers: what is asked for often is hashed once. */
const REMEMBERED_BYTES = 4_194_304;
/** What a hash takes in memory beside its text: the hash itself, and its place. */
const HASH_OVERHEAD_BYTES = 300;

/** One key of the ring: it makes keys of entries, and seals them. */
export class TenantKey {
  private readonly lookup: KeyObject;
  private readonly sealing: KeyObject;
  private readonly days = new Map<number, KeyObject>();
  /** Not to be seen however a key is printed: the texts hold identifiers. */
  readonly #hashes = new Sieve<string>(REMEMBERED_BYTES);

  /**
   * @param name goes into the header of what it sealed
   * @param secret 32 bytes
   * @param namespace so that one secret in two namespaces is two keys
   */
  constructor(
    readonly name: string,
    secret: Uint8Array,
    namespace: string,
  ) {
    const derive = (purpose: string): KeyObject =>
      createSecretKey(Buffer.from(hkdfSync('sha256', secret, namespace, `mediform cache 1 ${purpose}`, KEY_BYTES)));
    this.lookup = derive('lookup');
    this.sealing = derive('sealing');
  }

  /** HMAC-SHA256 of some fields, in base64url; no two lists of fields are the same text. */
  hash(fields: readonly (string | number)[]): string {
    const text = JSON.stringify(fields);
    let hash = this.#hashes.get(text);
    if (hash === undefined) {
      hash = createHmac('sha256', this.lookup).update(text).digest('base64url');
      this.#hashes.set(text, hash, text.length + HASH_OVERHEAD_BYTES);
    }
    return hash;
  }

  /**
   * Key for AES-256-GCM of the day on which an entry was made: random nonces under one key are safe for 2^32 entries
   * (NIST SP 800-38D), which a busy fleet writes in weeks, not in a day.
   */
  sealingKey(atMs: number): KeyObject {
    const day = Math.floor(atMs / DAY_MS);
    let key = this.days.get(day);
    if (key === undefined) {
      // what comes from outside may claim any day
      if (this.days.size > 64) {
        this.days.clear();
      }
      key = createSecretKey(createHmac('sha256', this.sealing).update(`day ${day}`).digest());
      this.days.set(day, key);
    }
    return key;
  }
}

/** The keys that are in use. */
export interface KeyRing {
  /** Seals what is new. */
  readonly current: TenantKey;
  /** All of them, the current one first. */
  readonly keys: readonly TenantKey[];
  named(name: string): TenantKey | undefined;
}

/** A ring of keys by name. */
export function keyRing(keys: readonly TenantKey[], current: TenantKey): KeyRing {
  const byName = new Map(keys.map((key) => [key.name, key]));
  return {
    current,
    keys: [current, ...keys.filter((key) => key !== current)],
    named: (name) => byName.get(name),
  };
}

/**
 * Reads a key ring.
 *
 * @throws ConfigurationError naming all that is wrong, and never what a key is
 */
export function readKeyRing(path: string, namespace: string): KeyRing {
  return parseKeyRing(readFileSync(path, 'utf8'), namespace);
}

/** Reads the text of a key ring file; see `readKeyRing()`. */
export function parseKeyRing(text: string, namespace: string): KeyRing {
  const problems = new Problems();
  const shaped = shape(text);
  const because = 'the key ring is {"current": name, "keys": {name: 32 bytes in base64}}';
  if (!problems.check(shaped !== undefined, 'keyRingFile', 'its content', 'be such JSON', because)) {
    problems.throwIfAny();
  }
  const { current, keys } = shaped as KeyRingFile;
  problems.check(
    Object.hasOwn(keys, current),
    'keyRing.current',
    current,
    'be one of the keys',
    'it seals new entries',
  );
  const made = Object.entries(keys).map(([name, secret]) => {
    problems.check(
      KEY_NAME.test(name),
      'keyRing.keys',
      name,
      `match ${KEY_NAME.source}`,
      'it is written before entries',
    );
    const bytes = Buffer.from(secret, 'base64');
    // the length, never the secret
    problems.check(
      bytes.length === KEY_BYTES,
      `keyRing.keys.${name}`,
      `${bytes.length} bytes`,
      `be ${KEY_BYTES} bytes in base64`,
      'a shorter key can be guessed, and a longer one is a mistake',
    );
    return new TenantKey(name, bytes, namespace);
  });
  problems.throwIfAny();
  return keyRing(made, made.find(({ name }) => name === current) as TenantKey);
}

function shape(text: string): KeyRingFile | undefined {
  try {
    const { current, keys } = JSON.parse(text) as Partial<KeyRingFile>;
    const isRing =
      typeof current === 'string' &&
      typeof keys === 'object' &&
      keys !== null &&
      Object.values(keys).every((key) => typeof key === 'string');
    return isRing ? { current, keys } : undefined;
  } catch {
    return undefined;
  }
}
