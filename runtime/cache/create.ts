import type { Registry } from 'prom-client';
import type { CacheConfig } from '../../constructs/plan/cache/config';
import type { MedicalCache, PrefetchSource } from './types';

/** What the cache takes from its surroundings. */
export interface CacheDeps {
  /** Where its metrics go; its default labels become theirs. @default - prom-client's global one */
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

/**
 * Makes the cache, reads the secrets and begins to connect. Does not wait for servers that are away: the cache then
 * starts as slow as no cache, and becomes fast when they come.
 *
 * @throws ConfigurationError naming everything that is wrong with the configuration or the key ring
 */
export function createMedicalCache(config: CacheConfig, deps: CacheDeps = {}): Promise<MedicalCache> {
  void config;
  void deps;
  throw new Error('to come');
}
