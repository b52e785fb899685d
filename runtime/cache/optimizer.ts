import { setTimeout as sleep } from 'node:timers/promises';
import type { WarmUpConfig } from '../../constructs/plan/cache/config';
import type { CacheKind } from '../../constructs/plan/cache/kinds';
import type { LoggedInvalidation } from './invalidation';
import type { KeyRing } from './key-ring';
import type { KeySpace } from './keys';
import type { CacheMetrics } from './metrics';
import type { Prefetcher } from './prefetcher';
import type { TierChain } from './tier-chain';
import type { CacheOptimizer, KindCache, PrefetchCandidate } from './types';

const DEFAULTS: Required<WarmUpConfig> = { maxEntries: 1_000, perSecond: 200, maxSeconds: 20 };

/** What the optimizer works with. */
export interface OptimizerParts {
  readonly chain: TierChain;
  readonly spaces: readonly KeySpace[];
  readonly ring: () => KeyRing;
  readonly cacheOf: (kind: CacheKind) => KindCache;
  readonly prefetcher: Prefetcher;
  readonly invalidation: LoggedInvalidation;
  readonly metrics: CacheMetrics;
  readonly now: () => number;
  readonly signal: AbortSignal;
  readonly config: WarmUpConfig | undefined;
  background(work: Promise<unknown>): void;
}

/** Fills the tiers before they are asked. */
export class TierOptimizer implements CacheOptimizer {
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly parts: OptimizerParts) {
    parts.signal.addEventListener('abort', () => clearInterval(this.timer));
  }

  async warmUp(): Promise<number> {
    const { chain, spaces } = this.parts;
    const { maxEntries } = this.bounds;
    const depth = chain.tiers.findIndex(({ tier }) => tier.recent !== undefined);
    const source = chain.tiers[depth]?.tier;
    const namespace = spaces[0]?.namespace ?? '';
    const stored = source?.recent?.(`${namespace}:`, maxEntries) ?? [];
    return this.paced(stored, async ({ key, sealed }) => {
      const space = spaces.find(({ kind, version }) => key.startsWith(`${namespace}:${kind}:v${version}:`));
      return space !== undefined && chain.adopt(this.parts.ring(), space.kind, key, sealed, depth);
    });
  }

  warmUpWith(candidates: AsyncIterable<PrefetchCandidate> | Iterable<PrefetchCandidate>): Promise<number> {
    return this.paced(candidates, async ({ compute, kind, query }) => {
      await this.parts.cacheOf(kind).getOrCompute(query, compute);
      return true;
    });
  }

  schedule(everySeconds: number): void {
    if (!(everySeconds > 0)) {
      throw new RangeError(`'everySeconds' (${everySeconds}) must be more than 0 because it is a pause`);
    }
    const again = (): void => this.parts.background(this.warmUp());
    clearInterval(this.timer);
    this.timer = setInterval(again, everySeconds * 1000);
    this.timer.unref();
    again();
  }

  observe(user: string, queryClass: string): void {
    this.parts.background(this.parts.prefetcher.observe(user, queryClass));
  }

  recordUpdate(model: string): Promise<void> {
    return this.parts.invalidation.update(model);
  }

  private get bounds(): Required<WarmUpConfig> {
    return { ...DEFAULTS, ...this.parts.config };
  }

  /** Takes one after the other at the configured rate, until the configured number or time is reached. */
  private async paced<T>(items: AsyncIterable<T> | Iterable<T>, load: (item: T) => Promise<boolean>): Promise<number> {
    const { metrics, signal } = this.parts;
    const { maxEntries, maxSeconds, perSecond } = this.bounds;
    const start = performance.now();
    const elapsedMs = (): number => performance.now() - start;
    let [taken, loaded] = [0, 0];
    try {
      for await (const item of items) {
        const due = (taken++ * 1000) / perSecond;
        if (due > elapsedMs()) {
          await sleep(due - elapsedMs(), undefined, { ref: false });
        }
        if (signal.aborted || elapsedMs() > maxSeconds * 1000) {
          break;
        }
        const took = await load(item).catch(() => undefined);
        loaded += took === true ? 1 : 0;
        metrics.warmedUp(took === undefined ? 'failed' : took ? 'loaded' : 'skipped');
        if (taken >= maxEntries) {
          break;
        }
      }
    } catch {
      // the source failed: what it gave until then is warm
      metrics.warmedUp('failed');
    }
    return loaded;
  }
}
