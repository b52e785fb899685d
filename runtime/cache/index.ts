/** The tiered cache (`mediform/cache`). */
export type { CacheConfig, KeyRingFile } from '../../constructs/plan/cache/config';
export { CacheKind, type TierName } from '../../constructs/plan/cache/kinds';
export type { CacheKey } from './keys';
export type { CacheDeps } from './assemble';
export { createMedicalCache } from './create';
export { InvalidationError } from './errors';
export { migrate } from './migrate';
export type { CacheTier } from './tier';
export type {
  CacheAnswer,
  CacheInvalidation,
  CacheMark,
  CacheOptimizer,
  CacheQuery,
  CacheStatus,
  CacheValue,
  Compute,
  ComputeOptions,
  Computed,
  ContentHash,
  InvalidationReceipt,
  KindCache,
  MedicalCache,
  PrefetchCandidate,
  PrefetchSource,
} from './types';
