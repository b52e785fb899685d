import { hash as digestOf } from 'node:crypto';
import type { CacheKind } from '../../constructs/plan/cache/kinds';
import type { KeyRing, TenantKey } from './key-ring';
import type { CacheQuery } from './types';

/** Key of an entry, made by `KindCache.key()`; as long-lived as the key ring that it was made under. */
export interface CacheKey {
  readonly kind: CacheKind;
  /** `kind:vN:HMAC` under the current key: safe to show, and of no use to who lacks the key ring. */
  readonly id: string;
}

/** Where entries of a kind are, in a namespace and at a version of its data. */
export interface KeySpace {
  readonly kind: CacheKind;
  readonly namespace: string;
  readonly version: number;
}

/** What the tiers know an entry by. */
export class EntryKey implements CacheKey {
  /** Key in the tiers under the current tenant key. */
  readonly primary: string;
  readonly id: string;
  // not enumerable: it never shows up where an object is printed
  readonly #fields: readonly (string | number)[];
  readonly #content: string;
  readonly #query: Pick<CacheQuery, 'ids' | 'model' | 'modelVersion'>;
  readonly #space: KeySpace;
  #all: readonly string[] | undefined;
  #ids: readonly string[] | undefined;

  constructor(
    readonly ring: KeyRing,
    space: KeySpace,
    query: CacheQuery,
  ) {
    const { model, modelVersion, preprocessingVersion, variant = '', ids = [] } = query;
    this.#space = space;
    this.#content = contentHash(query.content);
    const named = [...ids].sort();
    this.#fields = ['entry', space.kind, model, modelVersion, preprocessingVersion, variant, this.#content, ...named];
    this.#query = { ids: named, model, modelVersion };
    this.id = idUnder(ring.current, space, this.#fields);
    this.primary = `${space.namespace}:${this.id}`;
  }

  get kind(): CacheKind {
    return this.#space.kind;
  }

  get model(): string {
    return this.#query.model;
  }

  get modelVersion(): string {
    return this.#query.modelVersion;
  }

  /** Keys in the tiers under all tenant keys, the current one's first. */
  get all(): readonly string[] {
    return (this.#all ??=
      this.ring.keys.length === 1
        ? [this.primary]
        : this.ring.keys.map((key) => `${this.#space.namespace}:${idUnder(key, this.#space, this.#fields)}`));
  }

  /** Keyed hashes by which the entry may be invalidated, under the current tenant key. */
  get ids(): readonly string[] {
    const { ids = [], model, modelVersion } = this.#query;
    return (this.#ids ??= [
      contentId(this.ring.current, this.kind, this.#content),
      versionId(this.ring.current, this.kind, model, modelVersion),
      ...ids.map((id) => namedId(this.ring.current, this.kind, id)),
    ]);
  }
}

function idUnder(key: TenantKey, { kind, version }: KeySpace, fields: readonly (string | number)[]): string {
  return `${kind}:v${version}:${key.hash(fields)}`;
}

/** Keyed hash of an identifier that the service gave. */
export function namedId(key: TenantKey, kind: CacheKind, id: string): string {
  return key.hash(['id', kind, id]);
}

/** Keyed hash of a content, given its plain hash. */
export function contentId(key: TenantKey, kind: CacheKind, hash: string): string {
  return key.hash(['content', kind, hash]);
}

/** Keyed hash of a version of a model. */
export function versionId(key: TenantKey, kind: CacheKind, model: string, modelVersion: string): string {
  return key.hash(['version', kind, model, modelVersion]);
}

/** Keyed hash under which updates of a model's data are recorded. */
export function updatesId(key: TenantKey, model: string): string {
  return key.hash(['updates', model]);
}

/** SHA-256 of a content; texts in their canonical form. */
export function contentHash(content: CacheQuery['content']): string {
  if (typeof content !== 'string' && 'sha256' in content) {
    if (content.sha256.byteLength !== 32) {
      throw new RangeError(
        `'content.sha256' (${content.sha256.byteLength} bytes) must be 32 bytes because it is a SHA-256`,
      );
    }
    return Buffer.from(content.sha256).toString('base64url');
  }
  const bytes = typeof content === 'string' ? canonicalText(content) : content;
  return digestOf('sha256', bytes, 'base64url');
}

/** Unicode NFC, white space collapsed. */
function canonicalText(text: string): string {
  return text.normalize('NFC').replaceAll(/\s+/gu, ' ').trim();
}
