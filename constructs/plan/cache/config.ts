import type { CacheKind } from './kinds';

/** The in-process tier. */
export interface HotTierConfig {
  /** Memory for entries, in bytes, values and bookkeeping. @default 67_108_864 (64 MiB) */
  readonly maxBytes?: number;
  /** Larger entries stay in the shared tiers. @default - an eighth of `maxBytes` */
  readonly maxEntryBytes?: number;
}

/** What all shared tiers have. */
export interface SharedTierConfig {
  /** PEM file with the certificates that the server's must lead to. @default - Node's own list, where TLS is on */
  readonly caFile?: string;
  /** Longest wait for one operation, in milliseconds. @default - see `TIER_DEFAULTS` */
  readonly deadlineMs?: number;
  /** Largest sealed entry, in bytes; larger ones skip this tier. @default - see `TIER_DEFAULTS` */
  readonly maxEntryBytes?: number;
}

/**
 * Redis 7 or Valkey 7.2 and newer: one primary (a cluster-mode endpoint is not supported). Its `maxmemory-policy` must be
 * a `volatile-*` one, since the log of invalidations has no expiry and must never be evicted.
 */
export interface RedisTierConfig extends SharedTierConfig {
  /** `rediss://host:6379`, without user and password; `redis://` only for tests on the loopback interface. */
  readonly url: string;
  /** User of the ACL. @default 'default' */
  readonly username?: string;
  /** File with the password. @default - no authentication */
  readonly passwordFile?: string;
}

/** Memcached 1.6 and newer, over TLS where `tls` is on. Keys are spread over the servers by rendezvous hashing. */
export interface MemcachedTierConfig extends SharedTierConfig {
  /** `host:port` of each server. */
  readonly servers: readonly string[];
  /** @default true */
  readonly tls?: boolean;
  /** User of memcached's `--auth-file`. @default - no authentication */
  readonly username?: string;
  /** File with that user's password, which has no white space. @default - no authentication */
  readonly passwordFile?: string;
  /** PEM file with the certificate that is shown to the servers, read again for each connection. @default - none */
  readonly certificateFile?: string;
  /** PEM file with the key of `certificateFile`. @default - none */
  readonly keyFile?: string;
}

/** PostgreSQL 13 and newer. `migrate()` of `mediform/cache` makes its tables. */
export interface DatabaseTierConfig extends SharedTierConfig {
  readonly host: string;
  /** @default 5432 */
  readonly port?: number;
  readonly database: string;
  readonly user: string;
  /** File with the password. @default - no authentication */
  readonly passwordFile?: string;
  /** Off only for tests on the loopback interface. @default true */
  readonly tls?: boolean;
  /** Most connections of one process. @default 4 */
  readonly maxConnections?: number;
}

/** When a tier that fails is left alone. */
export interface BreakerConfig {
  /** Failures in a row that open the breaker. @default 5 */
  readonly failures?: number;
  /** How long it stays open before one operation may try again, in milliseconds. @default 5_000 */
  readonly openMs?: number;
}

/** Filling the hot tier before traffic comes. */
export interface WarmUpConfig {
  /** Most entries to load. @default 1_000 */
  readonly maxEntries?: number;
  /** Most entries a second. @default 200 */
  readonly perSecond?: number;
  /** Longest time, in seconds. @default 20 */
  readonly maxSeconds?: number;
}

/** Asking ahead for users. */
export interface PrefetchConfig {
  /** Most computations a second that nobody has asked for yet. @default 1 */
  readonly perSecond?: number;
  /** Most of them at a time. @default 2 */
  readonly concurrency?: number;
  /** Least probability of the next question. @default 0.3 */
  readonly minProbability?: number;
}

/**
 * Configuration of the cache: plain JSON as mounted from a ConfigMap. Secrets are paths of files. Without `redis`,
 * `memcached` and `database` there is the hot tier alone.
 */
export interface CacheConfig {
  /**
   * First part of every key and part of what is authenticated: environment and owner, such as `production.imaging`.
   * Lower-case letters, digits, `.` and `-`; at most 63 characters. Processes that are to share entries share it.
   */
  readonly namespace: string;

  /**
   * JSON file with the keys, as on `KeyRingFile`; read again when it changes.
   *
   * @default - none, which is allowed for the hot tier alone: its keys are then random
   */
  readonly keyRingFile?: string;

  /** @default - 64 MiB */
  readonly hot?: HotTierConfig;
  /** @default - no such tier */
  readonly redis?: RedisTierConfig;
  /** Needs `redis` or `database` beside it, which hold the log of invalidations. @default - no such tier */
  readonly memcached?: MemcachedTierConfig;
  /** @default - no such tier */
  readonly database?: DatabaseTierConfig;

  /** Version of each kind's data. A higher number leaves no older entry readable. @default - 1 each */
  readonly versions?: { readonly [K in CacheKind]?: number };

  /**
   * How long a process may answer from the cache without having heard from a log of invalidations, in milliseconds: the
   * time within which an invalidation is in force everywhere.
   *
   * @default 2_000
   */
  readonly maxStalenessMs?: number;

  /** @default - see `BreakerConfig` */
  readonly breaker?: BreakerConfig;
  /** @default - see `WarmUpConfig` */
  readonly warmUp?: WarmUpConfig;
  /** @default - see `PrefetchConfig` */
  readonly prefetch?: PrefetchConfig;
}

/**
 * Content of the key ring file. Every key is 32 random bytes in base64. New entries are sealed with the current one; all
 * are read. To rotate: add the new key everywhere, then make it current everywhere, and after the longest lifetime (14
 * days) take the old one away.
 */
export interface KeyRingFile {
  /** Name of the key that seals. */
  readonly current: string;
  /** Keys by name; a name is 1 to 32 of `[A-Za-z0-9._-]`. */
  readonly keys: { readonly [name: string]: string };
}

/** Defaults of the shared tiers. Memcached's own limit is 1 MiB with its header. */
export const TIER_DEFAULTS = {
  redis: { deadlineMs: 100, maxEntryBytes: 8_388_608 },
  memcached: { deadlineMs: 100, maxEntryBytes: 1_000_000 },
  database: { deadlineMs: 250, maxEntryBytes: 8_388_608 },
} as const;

/** Default of `CacheConfig.maxStalenessMs`. */
export const DEFAULT_MAX_STALENESS_MS = 2_000;

/** Ports that the servers listen on where nothing else is said. */
export const CACHE_PORTS = { redis: 6379, memcached: 11211, database: 5432 } as const;

/** The only policy under which Redis evicts entries and never the log of invalidations. */
export const REDIS_EVICTION_POLICY = 'volatile-lfu';

/** Where a pod that uses the cache finds its files. */
export const CACHE_PATHS = {
  /** `CacheConfig` as JSON. */
  config: '/etc/mediform/cache/config.json',
  /** `KeyRingFile` as JSON. */
  keyRing: '/etc/mediform/keys/keyring.json',
} as const;

/** Redis channel on which invalidations are announced, each as the JSON object `{data_type, data_id}`. */
export const INVALIDATION_CHANNEL = 'cache_invalidation';
