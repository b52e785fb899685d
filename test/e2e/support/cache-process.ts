// A process of its own that uses the cache as its parent tells it. Argument: the configuration as JSON.
import { setTimeout as sleep } from 'node:timers/promises';
import { Registry } from 'prom-client';
import type { CacheConfig } from '../../../constructs/plan/cache/config';
import { createMedicalCache } from '../../../runtime/cache';
import { study } from './cache-fleet';

/** Asks about a study; computing takes a while, and gives the process's own number. */
export interface Ask {
  readonly index: number;
  readonly computeMs: number;
}

/** What came of it. */
export interface Told {
  readonly tier: string;
  readonly text: string;
  readonly computed: boolean;
}

async function main(): Promise<void> {
  const config = JSON.parse(process.argv[2] ?? '') as CacheConfig;
  const cache = await createMedicalCache(config, { registry: new Registry(), log: () => undefined });
  process.on('message', ({ computeMs, index }: Ask) => {
    void (async () => {
      let computed = false;
      const { tier, value } = await cache.diagnosis.getOrCompute(study(index), async () => {
        computed = true;
        await sleep(computeMs);
        return { value: { body: Buffer.from(`by process ${process.pid}`) } };
      });
      process.send?.({ tier, text: Buffer.from(value?.body ?? []).toString(), computed } satisfies Told);
    })();
  });
  process.on('disconnect', () => process.exit());
  process.send?.('ready');
}

void main();
