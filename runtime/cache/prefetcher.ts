import type { PrefetchConfig } from '../../constructs/plan/cache/config';
import { dropFirst, NextClassModel } from './markov';
import type { CacheMetrics } from './metrics';
import type { KindCache, PrefetchCandidate, PrefetchSource } from './types';
import type { CacheKind } from '../../constructs/plan/cache/kinds';

const DEFAULTS = { perSecond: 1, concurrency: 2, minProbability: 0.3 };
/** Users whose last question is remembered. */
const MAX_USERS = 10_000;
/** Computed ahead, and not asked for yet. */
const MAX_UNUSED = 10_000;
/** After so long, what was computed ahead has not helped. */
const WASTED_AFTER_MS = 600_000;

/** Computes ahead what users will probably ask next, within a budget. */
export class Prefetcher {
  private readonly model = new NextClassModel();
  private readonly last = new Map<string, string>();
  private readonly unused = new Map<string, number>();
  private running = 0;
  private tokens: number;
  private filledAt: number;

  constructor(
    private readonly source: PrefetchSource | undefined,
    private readonly cacheOf: (kind: CacheKind) => KindCache,
    private readonly hashUser: (user: string) => string,
    private readonly metrics: CacheMetrics,
    private readonly now: () => number,
    private readonly config: PrefetchConfig = {},
  ) {
    this.tokens = this.burst;
    this.filledAt = now();
  }

  /** Learns, and begins to compute ahead; resolves when that is over. */
  async observe(user: string, queryClass: string): Promise<void> {
    const id = this.hashUser(user);
    const before = this.last.get(id);
    this.last.delete(id);
    this.last.set(id, queryClass);
    if (this.last.size > MAX_USERS) {
      dropFirst(this.last);
    }
    if (before !== undefined) {
      this.model.learn(before, queryClass);
    }
    if (this.source === undefined) {
      return;
    }
    for (const next of this.model.next(queryClass, this.config.minProbability ?? DEFAULTS.minProbability)) {
      for (const candidate of await this.source.candidates(user, next)) {
        await this.prefetch(this.source, user, candidate);
      }
    }
  }

  /** Told of the keys that are asked for: what was computed ahead has been used. */
  asked(id: string): void {
    if (this.unused.size > 0 && this.unused.delete(id)) {
      this.metrics.prefetched('used');
    }
  }

  /** Counts what nobody has asked for in time. */
  sweep(): void {
    const now = this.now();
    for (const [key, at] of this.unused) {
      if (now - at < WASTED_AFTER_MS && this.unused.size <= MAX_UNUSED) {
        return;
      }
      this.unused.delete(key);
      this.metrics.prefetched('wasted');
    }
  }

  private async prefetch(source: PrefetchSource, user: string, candidate: PrefetchCandidate): Promise<void> {
    const cache = this.cacheOf(candidate.kind);
    const key = cache.key(candidate.query);
    // asking for it would count as its use
    if (this.unused.has(key.id) || (await cache.get(key)) !== undefined) {
      this.metrics.prefetched('cached');
      return;
    }
    if (!this.spend()) {
      this.metrics.prefetched('over_budget');
      return;
    }
    this.running++;
    try {
      // asked right before, since rights may end at any time
      if (!(await source.authorise(user, candidate))) {
        this.metrics.prefetched('denied');
        return;
      }
      this.metrics.prefetched('issued');
      const { tier } = await cache.getOrCompute(key, candidate.compute);
      if (tier === 'compute') {
        this.unused.set(key.id, this.now());
        this.sweep();
      }
    } finally {
      this.running--;
    }
  }

  /** A bucket of tokens that holds what ten seconds bring. */
  private spend(): boolean {
    const { concurrency = DEFAULTS.concurrency, perSecond = DEFAULTS.perSecond } = this.config;
    const now = this.now();
    this.tokens = Math.min(this.burst, this.tokens + (Math.max(0, now - this.filledAt) / 1000) * perSecond);
    this.filledAt = now;
    if (this.running >= concurrency || this.tokens < 1) {
      return false;
    }
    this.tokens--;
    return true;
  }

  private get burst(): number {
    return Math.max(1, 10 * (this.config.perSecond ?? DEFAULTS.perSecond));
  }
}
