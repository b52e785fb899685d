import type { HotTierConfig } from '../../constructs/plan/cache/config';
import { TIER_CAP_SECONDS, type CacheKind } from '../../constructs/plan/cache/kinds';
import type { Entry } from './entry';
import type { HotCounts } from './metrics';
import { Sieve } from './sieve';

const DEFAULT_MAX_BYTES = 67_108_864;
/** What an entry takes in memory beside its body: objects, strings of its ids, its place in the map. Measured. */
const OVERHEAD_BYTES = 1_100;

/** An entry in the hot tier. */
interface Held {
  readonly entry: Entry;
  /** When this tier lets go of it. */
  readonly until: number;
  /** `Validity.changes` as of which it was found to be valid. */
  checked: number;
}

/** The tier in the process: opened entries, in memory alone, given up by SIEVE. */
export class HotTier {
  readonly counts: { readonly [K in CacheKind]: HotCounts } = {
    diagnosis: noCounts(),
    knowledge: noCounts(),
    model_output: noCounts(),
  };
  private readonly sieve: Sieve<Held>;
  private readonly maxEntryBytes: number;

  constructor(config: HotTierConfig = {}) {
    const { maxBytes = DEFAULT_MAX_BYTES, maxEntryBytes = Math.floor(maxBytes / 8) } = config;
    this.maxEntryBytes = maxEntryBytes;
    this.sieve = new Sieve(maxBytes, ({ entry }, bytes, evicted) => {
      const counts = this.counts[entry.kind];
      counts.bytes -= bytes;
      counts.entries--;
      counts.evictions.count += evicted ? 1 : 0;
    });
  }

  /** An entry that is held; whether it may be served is for the caller to say. */
  get(key: string, now: number): Held | undefined {
    const held = this.sieve.get(key);
    if (held !== undefined && held.until <= now) {
      this.sieve.delete(key);
      return undefined;
    }
    return held;
  }

  set(key: string, entry: Entry, now: number, checked: number): void {
    const bytes = entryBytes(key, entry);
    const until = Math.min(entry.heldUntil, now + TIER_CAP_SECONDS.hot * 1000);
    if (bytes > this.maxEntryBytes || until <= now) {
      this.sieve.delete(key);
      return;
    }
    if (this.sieve.set(key, { entry, until, checked }, bytes)) {
      const counts = this.counts[entry.kind];
      counts.bytes += bytes;
      counts.entries++;
    }
  }

  delete(key: string): void {
    this.sieve.delete(key);
  }

  /** Lets go of all whose time is over, so that none is held longer because nobody asks for it. */
  sweep(now: number): void {
    for (const [key, { until }] of this.sieve.entries()) {
      if (until <= now) {
        this.sieve.delete(key);
      }
    }
  }

  get bytes(): number {
    return this.sieve.bytes;
  }
}

function entryBytes(key: string, { value }: Entry): number {
  const metadata = value?.metadata === undefined ? 0 : JSON.stringify(value.metadata).length;
  return OVERHEAD_BYTES + key.length + (value?.body.byteLength ?? 0) + metadata;
}

function noCounts(): HotCounts {
  return { hits: { count: 0 }, misses: { count: 0 }, evictions: { count: 0 }, bytes: 0, entries: 0 };
}
