import type { Tracer } from '@opentelemetry/api';
import { TIER_DEFAULTS, type BreakerConfig, type CacheConfig } from '../../constructs/plan/cache/config';
import type { SharedTier } from '../../constructs/plan/cache/kinds';
import { Breaker, type BreakerState } from './breaker';
import { Guard, GuardedTier } from './guarded-tier';
import { DatabaseLeases, Leases, RedisLeases } from './leases';
import { DatabaseLog } from './logs/database-log';
import type { LogStore } from './logs/log-store';
import { RedisLog } from './logs/redis-log';
import type { CacheMetrics } from './metrics';
import type { CacheTier } from './tier';
import { DatabaseTier } from './tiers/database';
import { connectDatabase } from './tiers/database-connection';
import { MemcachedTier } from './tiers/memcached';
import { RedisTier } from './tiers/redis';
import { connectRedis } from './tiers/redis-connection';

/** What the servers of a configuration give. */
export interface Stores {
  /** In the order in which they are asked. */
  readonly tiers: readonly GuardedTier[];
  readonly logs: readonly LogStore[];
  readonly leases: Leases | undefined;
  /** Deletes some of what has expired where the server does not do so itself. */
  purge(): Promise<void>;
  close(): Promise<void>;
}

interface StoreParts {
  readonly breaker: BreakerConfig | undefined;
  readonly log: (level: 'warn', event: string, facts: { readonly [fact: string]: string }) => void;
  readonly metrics: CacheMetrics;
  readonly now: () => number;
  readonly random: () => number;
  readonly tracer: Tracer;
}

const STATES: { readonly [S in BreakerState]: 0 | 1 | 2 } = { ok: 0, 'half-open': 1, open: 2 };
const PURGE_ROWS = 1_000;

/** Begins to connect to the servers of a configuration. */
export async function connectStores(config: CacheConfig, parts: StoreParts): Promise<Stores> {
  const { metrics, now, random, tracer } = parts;
  const { database, memcached, namespace, redis } = config;
  const tiers: GuardedTier[] = [];
  const logs: LogStore[] = [];
  let leases: Leases | undefined;
  let purge = (): Promise<void> => Promise.resolve();

  const guarded = (tier: CacheTier): Guard => {
    const { deadlineMs, maxEntryBytes } = { ...TIER_DEFAULTS[tier.name], ...config[tier.name] };
    const guard = new Guard(
      tier.name,
      deadlineMs,
      (error) => tier.refused(error),
      breaker(tier.name, parts),
      metrics,
      tracer,
    );
    tiers.push(new GuardedTier(tier, guard, { maxEntryBytes }, metrics));
    return guard;
  };

  if (redis !== undefined) {
    const connection = await connectRedis(redis);
    leases = new Leases(new RedisLeases(connection), guarded(new RedisTier(connection)));
    // entries must not wait behind the log, nor the log behind them
    logs.push(new RedisLog(namespace, await connectRedis(redis), await connectRedis(redis), now, random));
  }
  if (memcached !== undefined) {
    guarded(new MemcachedTier(memcached));
  }
  if (database !== undefined) {
    const connection = await connectDatabase(database);
    const tier = new DatabaseTier(connection);
    const guard = guarded(tier);
    leases ??= new Leases(new DatabaseLeases(connection), guard);
    const log = new DatabaseLog(namespace, await connectDatabase({ ...database, maxConnections: 1 }), random);
    logs.push(log);
    purge = async () => {
      await Promise.all([tier.purge(PURGE_ROWS), log.purge()]);
    };
  }
  return {
    tiers,
    logs,
    leases,
    purge,
    close: async () => {
      await Promise.all(tiers.map(({ tier }) => tier.close()));
    },
  };
}

function breaker(tier: SharedTier, { breaker: config, log, metrics, now, random }: StoreParts): Breaker {
  metrics.breakerState(tier, 0);
  const changed = (state: BreakerState): void => {
    metrics.breakerState(tier, STATES[state]);
    if (state !== 'half-open') {
      log('warn', 'cache_tier', { tier, breaker: state });
    }
  };
  return new Breaker(now, random, changed, config);
}
