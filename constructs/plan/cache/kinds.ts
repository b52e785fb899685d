/** What is cached. Each kind has keys, lifetimes and rules of its own. */
export const CacheKind = {
  /** A diagnosis of an image. Never served stale. */
  DIAGNOSIS: 'diagnosis',
  /** An answer from guidelines and literature. May be served stale, and says so, where computing anew fails. */
  KNOWLEDGE: 'knowledge',
  /** Any other output of a model. Lives as long as its data rarely changes. Never served stale. */
  MODEL_OUTPUT: 'model_output',
} as const;

/** `'diagnosis'`, `'knowledge'` or `'model_output'`. */
export type CacheKind = (typeof CacheKind)[keyof typeof CacheKind];

/** All kinds. */
export const CACHE_KINDS: readonly CacheKind[] = Object.values(CacheKind);

/** Shared tiers in the order in which they are asked; the hot tier in the process comes before them. */
export const SharedTier = { REDIS: 'redis', MEMCACHED: 'memcached', DATABASE: 'database' } as const;

/** `'redis'`, `'memcached'` or `'database'`. */
export type SharedTier = (typeof SharedTier)[keyof typeof SharedTier];

/** A tier as answers, metrics and spans name it. */
export type TierName = 'hot' | SharedTier;

/** Lifetimes of one kind, in seconds. */
export interface CacheLifetime {
  /** How long an entry counts as fresh. For model outputs the most; the observed update rate shortens it. */
  readonly ttlSeconds: number;
  /** The least that the observed update rate leaves; equal to `ttlSeconds` where nothing is observed. */
  readonly minTtlSeconds: number;
  /** How much longer it is kept for the case that computing anew fails. 0 wherever a stale answer could do harm. */
  readonly staleSeconds: number;
}

/** Lifetimes of the kinds: diagnoses 7 days, knowledge 1 day, model outputs a minute to a day. */
export const CACHE_LIFETIMES: { readonly [K in CacheKind]: CacheLifetime } = {
  diagnosis: { ttlSeconds: 604_800, minTtlSeconds: 604_800, staleSeconds: 0 },
  knowledge: { ttlSeconds: 86_400, minTtlSeconds: 86_400, staleSeconds: 86_400 },
  model_output: { ttlSeconds: 86_400, minTtlSeconds: 60, staleSeconds: 0 },
};

/**
 * The longest that a tier keeps any entry, in seconds, however long the entry itself may live: the layers hot, common and
 * cold. What is still asked for after that is written back from the tier below.
 */
export const TIER_CAP_SECONDS: { readonly [T in TierName]: number } = {
  hot: 3_600,
  redis: 86_400,
  memcached: 259_200,
  database: 1_209_600,
};
