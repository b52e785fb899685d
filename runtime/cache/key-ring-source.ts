import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { CacheConfig } from '../../constructs/plan/cache/config';
import { keyRing, parseKeyRing, TenantKey, type KeyRing } from './key-ring';
import type { CacheMetrics } from './metrics';

/** How often the file is looked at; a mounted Secret follows its object within a minute anyway. */
const LOOK_MS = 5_000;

/** The key ring as its file has it; one with a random key where there is no file, for a cache that shares nothing. */
export class RingSource {
  #ring: KeyRing;
  private text = '';
  private readonly looking: NodeJS.Timeout | undefined;

  /** @throws ConfigurationError for a ring that cannot be used */
  constructor(
    { keyRingFile, namespace }: CacheConfig,
    log: (level: 'error', event: string, facts: { readonly [fact: string]: string }) => void,
    metrics: CacheMetrics,
    lookMs = LOOK_MS,
  ) {
    if (keyRingFile === undefined) {
      const key = new TenantKey('random', randomBytes(32), namespace);
      this.#ring = keyRing([key], key);
      return;
    }
    this.text = readFileSync(keyRingFile, 'utf8');
    this.#ring = parseKeyRing(this.text, namespace);
    this.looking = setInterval(() => {
      try {
        const text = readFileSync(keyRingFile, 'utf8');
        if (text !== this.text) {
          this.#ring = parseKeyRing(text, namespace);
          this.text = text;
        }
      } catch (error) {
        // the keys from before are still good; the message says what is wrong and never what a key is
        metrics.keyFault('key_ring');
        log('error', 'cache_key_ring_unreadable', { reason: (error as Error).message });
      }
    }, lookMs);
    this.looking.unref();
  }

  get ring(): KeyRing {
    return this.#ring;
  }

  close(): void {
    clearInterval(this.looking);
  }
}
