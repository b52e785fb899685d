import { FAILED, type GuardedTier } from './guarded-tier';
import type { KeyRing, TenantKey } from './key-ring';
import type { CacheMetrics } from './metrics';

/** How long a note stays: a process that has gone is soon forgotten. */
const NOTE_MS = 300_000;

/**
 * Finds out that another process of the namespace has a key ring with no key of this one's. Entries are looked up under
 * keyed hashes, so such processes never meet each other's entries: each finds nothing, and hears nothing of what the other
 * invalidates. So each leaves a note with a keyed hash of nothing for each of its keys, in the first shared tier that
 * answers.
 */
export class RingCheck {
  private readonly key: string;

  constructor(
    namespace: string,
    private readonly tiers: readonly GuardedTier[],
    private readonly ring: () => KeyRing,
    private readonly metrics: CacheMetrics,
    private readonly log: (level: 'error', event: string, facts: { readonly [fact: string]: string }) => void,
  ) {
    this.key = `${namespace}:key_ring`;
  }

  /** Reads the note that is there, alarms where it is a stranger's, and leaves an own one. */
  async run(): Promise<void> {
    for (const { guard, name, tier } of this.tiers) {
      const found = await guard.run('get', 0, () => tier.get([this.key]));
      if (found === FAILED) {
        continue;
      }
      const own = this.ring().keys.map(markOf);
      const theirs = found ? Buffer.from(found).toString('latin1').split(' ') : own;
      if (!theirs.some((mark) => own.includes(mark))) {
        this.metrics.keyFault('unknown_key');
        this.log('error', 'cache_key_ring_differs', { tier: name });
      }
      const note = Buffer.from(own.join(' '), 'latin1');
      await guard.run('set', note.byteLength, () => tier.set(this.key, note, NOTE_MS, 0));
      return;
    }
  }
}

function markOf(key: TenantKey): string {
  return key.hash(['key_ring']);
}
