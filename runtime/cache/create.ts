import type { CacheConfig } from '../../constructs/plan/cache/config';
import { assembleCache, type CacheDeps } from './assemble';
import { connectStores } from './stores';
import type { MedicalCache } from './types';

/**
 * Makes the cache, reads the secrets and begins to connect. Waits for the logs of invalidations for a second at most: with
 * servers that are away the cache starts as slow as no cache, and becomes fast when they come.
 *
 * @throws ConfigurationError naming everything that is wrong with the configuration or the key ring
 */
export function createMedicalCache(config: CacheConfig, deps: CacheDeps = {}): Promise<MedicalCache> {
  return assembleCache(config, deps, connectStores);
}
