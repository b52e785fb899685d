import { trace } from '@opentelemetry/api';
import { createHmac, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { register, type Registry } from 'prom-client';
import { checkCacheConfig } from '../../constructs/plan/cache/checks';
import { DEFAULT_MAX_STALENESS_MS, type CacheConfig } from '../../constructs/plan/cache/config';
import { CACHE_KINDS, CacheKind } from '../../constructs/plan/cache/kinds';
import { CacheMetric } from '../../constructs/plan/cache/metrics';
import { Problems } from '../../constructs/plan/errors';
import { HotTier } from './hot-tier';
import { LoggedInvalidation, LogWriter, type EventLog } from './invalidation';
import { RingSource } from './key-ring-source';
import type { KeySpace } from './keys';
import { TieredKindCache, type CacheCore } from './kind-cache';
import type { LogEvent, LogRecord } from './log-view';
import { LogFollower } from './logs/follower';
import { newIncarnation } from './logs/log-store';
import { CacheMetrics } from './metrics';
import { TierOptimizer } from './optimizer';
import { Prefetcher } from './prefetcher';
import { RingCheck } from './ring-check';
import type { connectStores, Stores } from './stores';
import { TierChain } from './tier-chain';
import type { CacheStatus, MedicalCache, PrefetchSource } from './types';
import { UpdateRates } from './update-rates';
import { Validity } from './validity';

/** What the cache takes from its surroundings. */
export interface CacheDeps {
  /**
   * Where its metrics go until it is closed; its default labels become theirs. Each open cache needs its own.
   *
   * @default - prom-client's global one
   */
  readonly registry?: Registry;
  /** Told of what an operator should see, never with a key, query or identifier. @default - one JSON line on stderr each */
  readonly log?: (level: 'warn' | 'error', event: string, facts: { readonly [fact: string]: string | number }) => void;
  /** What asking ahead needs. @default - `observe()` learns and computes nothing */
  readonly prefetch?: PrefetchSource;
  /** Milliseconds since 1970. @default Date.now */
  readonly now?: () => number;
  /** Uniform in [0, 1). @default Math.random */
  readonly random?: () => number;
}

/** How often what nobody asks for is swept out, expired rows are deleted, and key rings are compared. */
const SWEEP_MS = 30_000;
/** Longest wait for the logs at the start, and for writes at the end. */
const PATIENCE_MS = 1_000;

/** Puts a cache together; see `createMedicalCache()`. */
export async function assembleCache(
  config: CacheConfig,
  deps: CacheDeps,
  connect: typeof connectStores,
): Promise<MedicalCache> {
  const { log = logLine, now = Date.now, prefetch, random = Math.random, registry = register } = deps;
  checkCacheConfig(config);
  checkRegistry(registry);
  const { breaker, hot: hotConfig, maxStalenessMs = DEFAULT_MAX_STALENESS_MS, namespace, versions = {} } = config;
  const closing = new AbortController();
  const { signal } = closing;
  const logNames = (['redis', 'database'] as const).filter((name) => config[name] !== undefined);
  const validity = new Validity(logNames.length > 0 ? logNames : ['local'], maxStalenessMs);
  const hot = new HotTier(hotConfig);
  const metrics = new CacheMetrics(registry, hot.counts, () => logAges(validity, now));
  const rings = new RingSource(config, log, metrics);
  const tracer = trace.getTracer('mediform/cache');
  const stores = await connect(config, { breaker, log, metrics, now, random, tracer });
  const chain = new TierChain(hot, stores.tiers, validity, metrics, now);
  const rates = new UpdateRates(random);

  const under = new Set<Promise<unknown>>();
  const background = (work: Promise<unknown>): void => {
    const settled = work.catch(() => undefined).finally(() => under.delete(settled));
    under.add(settled);
  };

  const onRecords = (records: readonly LogRecord[]): void => {
    records
      .filter(({ dataType }) => dataType === CacheKind.MODEL_OUTPUT)
      .forEach(({ at, dataId }) => rates.record(dataId, at));
  };
  const followers = stores.logs.map(
    (store) =>
      new LogFollower(store, validity, now, maxStalenessMs / 4, Math.min(1_000, maxStalenessMs / 2), onRecords),
  );
  const logs = followers.length > 0 ? followers : [localLog(validity, now, random, onRecords)];
  const invalidation = new LoggedInvalidation(new LogWriter(logs, signal), () => rings.ring, metrics);

  const core: CacheCore = {
    chain,
    leases: stores.leases,
    metrics,
    rates,
    tracer,
    now,
    random,
    signal,
    ring: () => rings.ring,
    background,
    asked: (id) => prefetcher.asked(id),
  };
  const spaces: readonly KeySpace[] = CACHE_KINDS.map((kind) => ({ kind, namespace, version: versions[kind] ?? 1 }));
  const caches = Object.fromEntries(spaces.map((space) => [space.kind, new TieredKindCache(space, core)])) as {
    readonly [K in CacheKind]: TieredKindCache;
  };
  const of = (kind: CacheKind): TieredKindCache => caches[kind];
  const userKey = randomBytes(32);
  const hashUser = (user: string): string => createHmac('sha256', userKey).update(user).digest('base64url');
  const prefetcher = new Prefetcher(prefetch, of, hashUser, metrics, now, config.prefetch);
  const optimizer = new TierOptimizer({
    chain,
    spaces,
    ring: () => rings.ring,
    cacheOf: of,
    prefetcher,
    invalidation,
    metrics,
    now,
    signal,
    config: config.warmUp,
    background,
  });

  const ringCheck = new RingCheck(namespace, stores.tiers, () => rings.ring, metrics, log);
  const sweeping = setInterval(() => {
    hot.sweep(now());
    prefetcher.sweep();
    background(ringCheck.run());
    background(stores.purge());
  }, SWEEP_MS);
  sweeping.unref();
  const following = followers.map((follower) => follower.follow());
  await Promise.race([Promise.all(followers.map(({ first }) => first)), pause()]);

  return {
    diagnosis: caches.diagnosis,
    knowledge: caches.knowledge,
    modelOutput: caches.model_output,
    invalidation,
    optimizer,
    of,
    status: () => status(validity, stores, now),
    close: async () => {
      clearInterval(sweeping);
      rings.close();
      await Promise.race([Promise.all(under), pause()]);
      closing.abort();
      followers.forEach((follower) => follower.close());
      await stores.close();
      await Promise.race([Promise.all(following), pause()]);
      Object.values(CacheMetric).forEach((name) => registry.removeSingleMetric(name));
    },
  };
}

/** Else prom-client would say that it knows a name already. */
function checkRegistry(registry: Registry): void {
  const problems = new Problems();
  problems.check(
    registry.getSingleMetric(CacheMetric.LOOKUPS) === undefined,
    'registry',
    'of an open cache',
    'be one that no other open cache has',
    'their metrics have the same names',
  );
  problems.throwIfAny();
}

/** Where no process shares anything, what is recorded is in force at once. */
function localLog(
  validity: Validity,
  now: () => number,
  random: () => number,
  onRecords: (records: readonly LogRecord[]) => void,
): EventLog {
  const view = validity.view('local');
  view.begin(newIncarnation(random));
  validity.confirm(view, Infinity);
  return {
    name: 'local',
    append: (events: readonly LogEvent[]) => {
      const records = events.map((event, index) => ({ ...event, seq: view.seq + 1 + index, at: now() }));
      view.apply(records);
      onRecords(records);
      return Promise.resolve();
    },
  };
}

function logAges(validity: Validity, now: () => number): { readonly [log: string]: number } {
  const known = validity.views.filter(({ name }) => name !== 'local');
  return Object.fromEntries(known.map(({ confirmedAt, name }) => [name, (now() - confirmedAt) / 1000]));
}

function status(validity: Validity, { tiers }: Stores, now: () => number): CacheStatus {
  return {
    serving: validity.serving(now()),
    tiers: { hot: 'ok', ...Object.fromEntries(tiers.map(({ guard, name }) => [name, guard.breaker.state])) },
  };
}

function pause(): Promise<void> {
  return sleep(PATIENCE_MS, undefined, { ref: false });
}

function logLine(level: string, event: string, facts: { readonly [fact: string]: string | number }): void {
  process.stderr.write(`${JSON.stringify({ level, event, ...facts })}\n`);
}
