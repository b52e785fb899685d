import { SpanStatusCode, type Tracer } from '@opentelemetry/api';
import { setTimeout as sleep } from 'node:timers/promises';
import { CACHE_LIFETIMES, CacheKind, type TierName } from '../../constructs/plan/cache/kinds';
import type { Entry } from './entry';
import type { KeyRing } from './key-ring';
import { EntryKey, updatesId, type CacheKey, type KeySpace } from './keys';
import type { Lease, Leases } from './leases';
import type { CacheMetrics } from './metrics';
import type { Found, Search, TierChain } from './tier-chain';
import type {
  CacheAnswer,
  CacheMark,
  CacheQuery,
  CacheValue,
  Compute,
  ComputeOptions,
  Computed,
  KindCache,
} from './types';
import type { UpdateRates } from './update-rates';

/** What the caches of all kinds share. */
export interface CacheCore {
  readonly chain: TierChain;
  /** @default - no store that processes share */
  readonly leases: Leases | undefined;
  readonly metrics: CacheMetrics;
  readonly rates: UpdateRates;
  readonly tracer: Tracer;
  readonly now: () => number;
  readonly random: () => number;
  readonly signal: AbortSignal;
  ring(): KeyRing;
  /** Told of every key that is asked for. */
  asked(id: string): void;
  /** Work that `close()` waits for. */
  background(work: Promise<unknown>): void;
}

/** Beyond so many computing times before expiry, an early refresh is less probable than one in 10^8. */
const EARLY_SPAN = 20;
/** A process that waits for another one's result looks so often, ever more slowly. */
const LEASE_LOOK_MS = { first: 25, most: 500 };
/** Then it computes by itself. */
const LEASE_WAIT_MS = 60_000;

interface Flight {
  readonly promise: Promise<CacheAnswer>;
  readonly mark: CacheMark;
  readonly changes: number;
}

/** What a look through the tiers gave, and the right to compute where some store grants it. */
interface Claim extends Search {
  readonly lease?: Lease | undefined;
}

/** The cache of one kind. */
export class TieredKindCache implements KindCache {
  readonly kind: CacheKind;
  private readonly flights = new Map<string, Flight>();
  private readonly refreshing = new Set<string>();

  constructor(
    private readonly space: KeySpace,
    private readonly core: CacheCore,
  ) {
    this.kind = space.kind;
  }

  key(query: CacheQuery): EntryKey {
    return new EntryKey(this.core.ring(), this.space, query);
  }

  mark(): CacheMark {
    return this.core.chain.validity.mark();
  }

  peek(key: CacheKey): CacheAnswer | undefined {
    const now = this.core.now();
    const entry = this.core.chain.peek(this.keyOf(key), now);
    return entry && answer(entry, 'hot', now);
  }

  async get(query: CacheQuery | CacheKey): Promise<CacheAnswer | undefined> {
    const key = this.keyOf(query);
    const now = this.core.now();
    this.core.asked(key.id);
    const entry = this.core.chain.peek(key, now);
    if (entry !== undefined) {
      return answer(entry, 'hot', now);
    }
    const { fresh } = await this.core.chain.find(key);
    return fresh && answer(fresh.entry, fresh.tier, this.core.now());
  }

  async set(query: CacheQuery | CacheKey, computed: Computed, since: CacheMark): Promise<void> {
    const key = this.keyOf(query);
    const { ttlSeconds: negativeTtlSeconds = 0 } = computed;
    const entry = this.entry(key, computed, since, this.core.now(), 0, { negativeTtlSeconds });
    await this.keep(key, entry, computed);
  }

  // no async function: a hit in the hot tier costs one promise and no more
  getOrCompute(query: CacheQuery | CacheKey, compute: Compute, options: ComputeOptions = {}): Promise<CacheAnswer> {
    const key = this.keyOf(query);
    const now = this.core.now();
    this.core.asked(key.id);
    const entry = this.core.chain.peek(key, now);
    if (entry === undefined) {
      return this.share(key, compute, options);
    }
    this.maybeRefresh(key, entry, now, compute, options);
    return Promise.resolve(answer(entry, 'hot', now));
  }

  private keyOf(query: CacheQuery | CacheKey): EntryKey {
    const key = query instanceof EntryKey ? query : this.key(query as CacheQuery);
    if (key.kind !== this.kind) {
      throw new TypeError(`'key' (${key.kind}) must be of the kind ${this.kind} because it was made by another cache`);
    }
    return key;
  }

  /** One flight for a key at a time; who comes after an invalidation does not board one that began before it. */
  private share(key: EntryKey, compute: Compute, options: ComputeOptions): Promise<CacheAnswer> {
    const { validity } = this.core.chain;
    const flying = this.flights.get(key.primary);
    if (flying !== undefined) {
      const { changes, mark, promise } = flying;
      if (
        changes === validity.changes ||
        !validity.condemned({ kind: this.kind, positions: mark.positions, ids: key.ids })
      ) {
        this.core.metrics.waited(this.kind, 'process');
        return promise;
      }
    }
    const promise = this.findOrCompute(key, compute, options).finally(() => {
      if (this.flights.get(key.primary)?.promise === promise) {
        this.flights.delete(key.primary);
      }
    });
    this.flights.set(key.primary, { promise, mark: validity.mark(), changes: validity.changes });
    return promise;
  }

  private async findOrCompute(key: EntryKey, compute: Compute, options: ComputeOptions): Promise<CacheAnswer> {
    const { chain, leases } = this.core;
    let search: Claim = await chain.find(key);
    if (search.fresh === undefined) {
      const lease = await leases?.acquire(key.primary);
      search = lease === 'held' ? await this.waitForOther(key) : { ...search, lease };
    }
    const { fresh, lease, stale } = search;
    if (fresh === undefined) {
      return this.compute(key, compute, options, 'miss', lease, stale);
    }
    const now = this.core.now();
    this.maybeRefresh(key, fresh.entry, now, compute, options);
    return answer(fresh.entry, fresh.tier, now);
  }

  /** Looks for another process's result until it is there, or the other one is gone, or it takes too long. */
  private async waitForOther(key: EntryKey): Promise<Claim> {
    const { chain, leases, metrics, now, random, signal } = this.core;
    metrics.waited(this.kind, 'cluster');
    const until = now() + LEASE_WAIT_MS;
    let pause = LEASE_LOOK_MS.first;
    for (;;) {
      await sleep(pause * (0.5 + random()), undefined, { signal });
      pause = Math.min(pause * 1.5, LEASE_LOOK_MS.most);
      const search = await chain.find(key);
      const lease = search.fresh === undefined && now() < until ? await leases?.acquire(key.primary) : undefined;
      if (lease !== 'held') {
        return { ...search, lease };
      }
    }
  }

  private async compute(
    key: EntryKey,
    compute: Compute,
    options: ComputeOptions,
    reason: 'miss' | 'refresh',
    lease: Lease | undefined,
    stale?: Found,
  ): Promise<CacheAnswer> {
    const { metrics, now, signal, tracer } = this.core;
    const span = tracer.startSpan(`cache compute ${this.kind}`);
    const mark = this.mark();
    const startedAt = now();
    try {
      const computed = await compute({ reason, signal });
      const entry = this.entry(key, computed, mark, startedAt, now() - startedAt, options);
      this.core.background(this.keep(key, entry, computed).finally(() => lease?.release()));
      return answer(entry, 'compute', now());
    } catch (error) {
      metrics.computed(this.kind, 'failed');
      span.setStatus({ code: SpanStatusCode.ERROR });
      this.core.background(lease?.release() ?? Promise.resolve());
      if (stale !== undefined && this.kind === CacheKind.KNOWLEDGE && this.core.chain.stillValid(stale)) {
        metrics.lookup(this.kind, stale.tier, 'stale');
        return { ...answer(stale.entry, stale.tier, now()), stale: true };
      }
      throw error;
    } finally {
      span.end();
    }
  }

  private async keep(key: EntryKey, entry: Entry, { store = true }: Computed): Promise<void> {
    const kept = store && entry.freshUntil > this.core.now() && (await this.core.chain.write(key, entry));
    this.core.metrics.computed(this.kind, kept ? 'stored' : 'not_stored');
  }

  private entry(
    key: EntryKey,
    { value, ttlSeconds = Infinity }: Computed,
    { positions }: CacheMark,
    computedAt: number,
    computeMs: number,
    { negativeTtlSeconds = 0 }: ComputeOptions,
  ): Entry {
    const { staleSeconds } = CACHE_LIFETIMES[this.kind];
    const lifetime = this.lifetimeSeconds(key, computedAt);
    const most = value === undefined ? Math.min(negativeTtlSeconds, lifetime) : lifetime;
    const freshUntil = Math.floor(computedAt + Math.min(most, ttlSeconds) * 1000);
    return {
      kind: this.kind,
      // a copy: the caller may use its memory for other things
      value: value && copy(value),
      modelVersion: key.modelVersion,
      computedAt: Math.floor(computedAt),
      freshUntil,
      heldUntil: freshUntil + (value === undefined ? 0 : staleSeconds * 1000),
      computeMs,
      ids: key.ids,
      positions,
    };
  }

  private lifetimeSeconds(key: EntryKey, now: number): number {
    return this.kind === CacheKind.MODEL_OUTPUT
      ? this.core.rates.ttlSeconds(updatesId(key.ring.current, key.model), now)
      : CACHE_LIFETIMES[this.kind].ttlSeconds;
  }

  /**
   * Computes anew before expiry with a probability that grows towards it, so that one caller does so before all must:
   * XFetch (Vattani et al., VLDB 2015) with beta 1.
   */
  private maybeRefresh(key: EntryKey, entry: Entry, now: number, compute: Compute, options: ComputeOptions): void {
    const left = entry.freshUntil - now;
    if (left >= entry.computeMs * EARLY_SPAN || left >= -entry.computeMs * Math.log(1 - this.core.random())) {
      return;
    }
    if (!this.refreshing.has(key.primary)) {
      this.refreshing.add(key.primary);
      this.core.background(this.refresh(key, compute, options).finally(() => this.refreshing.delete(key.primary)));
    }
  }

  private async refresh(key: EntryKey, compute: Compute, options: ComputeOptions): Promise<void> {
    const lease = await this.core.leases?.acquire(key.primary);
    if (lease !== 'held') {
      this.core.metrics.refreshed(this.kind);
      // it is counted where it fails, and the caller has an answer
      await this.compute(key, compute, options, 'refresh', lease).catch(() => undefined);
    }
  }
}

function answer(entry: Entry, tier: TierName | 'compute', now: number): CacheAnswer {
  const { computedAt, freshUntil, modelVersion, value } = entry;
  return {
    value,
    tier,
    // clocks of two processes may differ
    ageMs: Math.max(0, now - computedAt),
    modelVersion,
    stale: false,
    expiresAt: freshUntil,
  };
}

function copy({ body, ...rest }: CacheValue): CacheValue {
  return { ...rest, body: new Uint8Array(body) };
}
