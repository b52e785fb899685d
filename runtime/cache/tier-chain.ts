import type { CacheKind, TierName } from '../../constructs/plan/cache/kinds';
import { pack, unpack } from './codec';
import { decodeContent, encodeContent, type Entry } from './entry';
import { open, readHeader, seal, type EntryHeader, type Unreadable } from './envelope';
import { FAILED, type GuardedTier } from './guarded-tier';
import type { HotTier } from './hot-tier';
import type { KeyRing } from './key-ring';
import type { EntryKey } from './keys';
import type { CacheMetrics } from './metrics';
import type { LogPosition } from './types';
import type { Validity } from './validity';

/** Contents that unpack to more than this are not ours. */
const MAX_CONTENT_BYTES = 268_435_456;

/** An entry, and the tier that had it. */
export interface Found {
  readonly entry: Entry;
  readonly tier: TierName;
}

/** What a look through the tiers gave. */
export interface Search {
  readonly fresh?: Found;
  /** Past its lifetime, but held for the case that computing anew fails. */
  readonly stale?: Found;
}

/** An entry of a shared tier, opened. */
interface Opened {
  readonly entry: Entry;
  /** Name of the key that sealed it. */
  readonly keyName: string;
}

/** The tiers, from the hot one down: finds what may be served, writes back what was found, writes what was computed. */
export class TierChain {
  constructor(
    readonly hot: HotTier,
    readonly tiers: readonly GuardedTier[],
    readonly validity: Validity,
    private readonly metrics: CacheMetrics,
    private readonly now: () => number,
  ) {}

  /** A fresh and valid entry of the hot tier. */
  peek(key: EntryKey, now: number): Entry | undefined {
    const counts = this.hot.counts[key.kind];
    const entry = this.validHot(key, now);
    if (entry === undefined || entry.freshUntil <= now) {
      counts.misses.count++;
      return undefined;
    }
    counts.hits.count++;
    return entry;
  }

  /** Looks through the shared tiers, and writes what was found back to the tiers above. */
  async find(key: EntryKey): Promise<Search> {
    const { kind } = key;
    const hot = this.validHot(key, this.now());
    let stale: Found | undefined = hot && { entry: hot, tier: 'hot' };
    for (let depth = 0; depth < this.tiers.length; depth++) {
      const tier = this.tiers[depth] as GuardedTier;
      let keys = this.validity.serving(this.now()) ? key.all : [];
      if (keys.length === 0) {
        this.metrics.lookup(kind, tier.name, 'skipped');
      }
      // mostly once: again only where there is an entry under one tenant key that may not be served, and one more key
      while (keys.length > 0) {
        const stored = await tier.get(keys);
        if (stored === undefined || stored === null || stored === FAILED) {
          this.metrics.lookup(kind, tier.name, stored === FAILED ? 'error' : 'miss');
          break;
        }
        const sealed = asBuffer(stored);
        const opening = this.open(key, sealed);
        const opened = opening instanceof Promise ? await opening : opening;
        const outcome = typeof opened === 'string' ? 'unreadable' : this.judge(opened.entry);
        this.metrics.lookup(kind, tier.name, outcome);
        if (typeof opened !== 'string') {
          const found = { entry: opened.entry, tier: tier.name };
          if (outcome === 'hit') {
            this.writeBack(key, opened, sealed, depth);
            return { fresh: found };
          }
          stale ??= outcome === 'stale' ? found : undefined;
        }
        const place = keys.indexOf(keyOf(key, sealed));
        keys = place < 0 ? [] : keys.slice(place + 1);
      }
    }
    return stale === undefined ? {} : { stale };
  }

  /** Whether an entry that was found earlier may still be served. */
  stillValid({ entry }: Found): boolean {
    const now = this.now();
    return entry.heldUntil > now && this.validity.valid(entry, now);
  }

  /**
   * Puts an entry into the hot tier at once, then into all others.
   *
   * @returns whether it was kept; an entry that was invalidated while it was computed is not
   */
  async write(key: EntryKey, entry: Entry): Promise<boolean> {
    const known = entry.positions.some(({ incarnation }) => incarnation !== 0);
    if (!known || this.validity.condemned(entry)) {
      return false;
    }
    this.keepHot(key.primary, entry);
    const taking = this.tiers.filter(({ guard }) => guard.breaker.state !== 'open');
    this.tiers
      .filter((tier) => !taking.includes(tier))
      .forEach(({ name }) => this.metrics.tierError(name, 'set', 'breaker'));
    if (taking.length > 0) {
      const { codec, bytes } = await pack(encodeContent(entry), entry.value?.contentType);
      const sealed = seal(key.ring, key.primary, entry, codec, bytes);
      await Promise.all(taking.map((tier) => this.put(tier, key.primary, sealed, entry)));
    }
    return true;
  }

  /** Takes in an entry of which only its key in the tiers is known, and writes it to the tiers above the `depth`th. */
  async adopt(ring: KeyRing, kind: CacheKind, key: string, sealed: Uint8Array, depth: number): Promise<boolean> {
    const opened = await this.openUnder(ring, kind, key, asBuffer(sealed));
    if (typeof opened === 'string') {
      return false;
    }
    const { entry } = opened;
    const now = this.now();
    if (entry.freshUntil <= now || !this.validity.valid(entry, now)) {
      return false;
    }
    this.keepHot(key, entry);
    await Promise.all(this.tiers.slice(0, depth).map((tier) => this.put(tier, key, sealed, entry)));
    return true;
  }

  private judge(entry: Entry): 'hit' | 'miss' | 'stale' | 'invalidated' {
    const now = this.now();
    if (entry.heldUntil <= now) {
      return 'miss';
    }
    return !this.validity.valid(entry, now) ? 'invalidated' : entry.freshUntil <= now ? 'stale' : 'hit';
  }

  private validHot(key: EntryKey, now: number): Entry | undefined {
    const held = this.hot.get(key.primary, now);
    if (held === undefined) {
      return undefined;
    }
    const { entry } = held;
    const { validity } = this;
    const allFresh = now < validity.allFreshUntil;
    if (allFresh && held.checked === validity.changes) {
      return entry;
    }
    if (!validity.valid(entry, now)) {
      if (validity.condemned(entry)) {
        this.hot.delete(key.primary);
        this.metrics.lookup(entry.kind, 'hot', 'invalidated');
      }
      return undefined;
    }
    if (allFresh) {
      held.checked = validity.changes;
    }
    return entry;
  }

  private open(key: EntryKey, sealed: Buffer): Opened | Unreadable | Promise<Opened | Unreadable> {
    return this.openUnder(key.ring, key.kind, keyOf(key, sealed), sealed);
  }

  /** A promise only where the content is large. */
  private openUnder(
    ring: KeyRing,
    kind: CacheKind,
    key: string,
    sealed: Buffer,
  ): Opened | Unreadable | Promise<Opened | Unreadable> {
    const header = readHeader(sealed);
    if (header === undefined) {
      return this.fault('bad_format');
    }
    const packed = open(ring, key, header, sealed);
    if (typeof packed === 'string') {
      return this.fault(packed);
    }
    const content = unpack(header.codec, packed, MAX_CONTENT_BYTES);
    return content instanceof Promise
      ? content.then((unpacked) => this.decode(kind, header, unpacked))
      : this.decode(kind, header, content);
  }

  private decode(kind: CacheKind, header: EntryHeader, content: Buffer | undefined): Opened | Unreadable {
    return content === undefined
      ? this.fault('bad_format')
      : { entry: decodeContent(kind, header, content), keyName: header.keyName };
  }

  private fault(reason: Unreadable): Unreadable {
    this.metrics.keyFault(reason);
    return reason;
  }

  /** In the background: what was found is what the caller waits for. */
  private writeBack(key: EntryKey, { entry, keyName }: Opened, sealed: Buffer, depth: number): void {
    if (keyName !== key.ring.current.name) {
      // under the new key, in all tiers; its ids are those of the query, which are part of the key
      const { ids } = key;
      const { computedAt, computeMs, freshUntil, heldUntil, kind, modelVersion, positions, value } = entry;
      const renewed = { computedAt, computeMs, freshUntil, heldUntil, ids, kind, modelVersion, positions, value };
      void this.write(key, renewed);
      return;
    }
    this.keepHot(key.primary, entry);
    for (let above = 0; above < depth; above++) {
      void this.put(this.tiers[above] as GuardedTier, key.primary, sealed, entry);
    }
  }

  private keepHot(key: string, entry: Entry): void {
    this.hot.set(key, entry, this.now(), -1);
  }

  private put(tier: GuardedTier, key: string, sealed: Uint8Array, entry: Entry): Promise<void> {
    return tier.set(entry.kind, key, sealed, entry.heldUntil - this.now(), databaseSeq(entry.positions));
  }
}

/** A store may have found an entry under any of the ring's keys; the entry says under which. */
function keyOf(key: EntryKey, sealed: Buffer): string {
  const { keys } = key.ring;
  if (keys.length === 1) {
    return key.primary;
  }
  const name = readHeader(sealed)?.keyName;
  return key.all[keys.findIndex((tenant) => tenant.name === name)] ?? key.primary;
}

/** The database compares places in its own log. */
function databaseSeq(positions: readonly LogPosition[]): number {
  return positions[1]?.seq ?? 0;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
