/** Names of the cache's metrics. No key, query or identifier is ever in a label. */
export const CacheMetric = {
  /**
   * Counter `{kind, tier, outcome}`: outcome `hit`, `miss`, `stale`, `invalidated`, `unreadable` (wrong or missing key,
   * tampered or unknown format), `error` or `skipped` (breaker open, tier busy, no log of invalidations in reach).
   */
  LOOKUPS: 'mediform_cache_lookups_total',
  /** Histogram `{tier, operation}` in seconds: operation `get`, `set`, `delete` or `lease`. Shared tiers only. */
  TIER_SECONDS: 'mediform_cache_tier_seconds',
  /** Counter `{tier, operation, reason}`: reason `deadline`, `connection`, `server`, `breaker`, `busy` or `too_large`. */
  TIER_ERRORS: 'mediform_cache_tier_errors_total',
  /** Gauge `{tier}`: 0 closed, 1 half-open, 2 open. */
  BREAKER: 'mediform_cache_breaker_state',
  /** Gauge `{tier, kind}`: bytes held; tier `hot` only, the servers' exporters tell of the others. */
  BYTES: 'mediform_cache_bytes',
  /** Gauge `{tier, kind}`: entries held; tier `hot` only. */
  ENTRIES: 'mediform_cache_entries',
  /** Counter `{kind}`: entries that the hot tier gave up for room. */
  EVICTIONS: 'mediform_cache_evictions_total',
  /** Counter `{tier, kind}`: bytes written to a shared tier. */
  WRITTEN_BYTES: 'mediform_cache_written_bytes_total',
  /** Counter `{kind, outcome}`: outcome `stored`, `not_stored` or `failed`. */
  COMPUTATIONS: 'mediform_cache_computations_total',
  /** Counter `{kind, scope}`: callers who waited for another's computation; scope `process` or `cluster`. */
  COALESCED: 'mediform_cache_coalesced_total',
  /** Counter `{kind}`: computations before expiry. */
  EARLY_REFRESHES: 'mediform_cache_early_refreshes_total',
  /** Counter `{data_type, outcome}`: outcome `recorded`, `partial` or `failed`. */
  INVALIDATIONS: 'mediform_cache_invalidations_total',
  /** Gauge `{log}`: seconds since the log of invalidations was last heard of; log `redis` or `database`. */
  LOG_AGE: 'mediform_cache_log_age_seconds',
  /** Counter `{reason}`, to be alarmed on: reason `unknown_key`, `not_authentic`, `bad_format` or `key_ring`. */
  KEY_FAULTS: 'mediform_cache_key_faults_total',
  /** Counter `{outcome}`: outcome `issued`, `used`, `wasted`, `denied`, `cached` or `over_budget`. */
  PREFETCHES: 'mediform_cache_prefetches_total',
  /** Counter `{outcome}`: outcome `loaded`, `skipped` or `failed`. */
  WARM_UPS: 'mediform_cache_warm_up_entries_total',
} as const;
