/** getOrCompute of what the process itself has, with Redis below: ours, bentocache's and cache-manager's. */
import KeyvRedis from '@keyv/redis';
import { createCache } from 'cache-manager';
import { Keyv } from 'keyv';
import { body, measure, median, openCache, perSecond, query, type Setting } from './setting';

const ENTRIES = 1_000;
const CALLS = 50_000;

measure(async (setting: Setting) => {
  const value = { body: body(800), contentType: 'application/json' };
  const ours = await openCache(setting);
  const keys = Array.from({ length: ENTRIES }, (_, index) => ours.diagnosis.key(query(index)));
  const never = (): never => {
    throw new Error('computed what was there');
  };

  const { BentoCache, bentostore } = await import('bentocache');
  const { memoryDriver } = await import('bentocache/drivers/memory');
  const { redisDriver } = await import('bentocache/drivers/redis');
  const { hostname: host, port } = new URL(setting.redis.url);
  const bento = new BentoCache({
    default: 'tiered',
    stores: {
      tiered: bentostore()
        .useL1Layer(memoryDriver({ maxSize: '64mb' }))
        .useL2Layer(redisDriver({ connection: { host, port: Number(port) } })),
    },
  });
  const manager = createCache({
    stores: [new Keyv(), new Keyv({ store: new KeyvRedis(setting.redis.url), namespace: 'manager' })],
  });

  // text is what both of the others keep best: they would turn bytes into JSON
  const text = value.body.toString();
  const names = keys.map(({ id }) => id);
  const at = (index: number): number => index % ENTRIES;
  const contenders = {
    ours: {
      fill: (i: number) => ours.diagnosis.getOrCompute(keys[i] as never, () => Promise.resolve({ value })),
      hit: (i: number) => ours.diagnosis.getOrCompute(keys[at(i)] as never, never),
    },
    bentocache: {
      fill: (i: number) => bento.getOrSet({ key: names[i] as string, ttl: '1h', factory: () => text }),
      hit: (i: number) => bento.getOrSet({ key: names[at(i)] as string, ttl: '1h', factory: never }),
    },
    cacheManager: {
      fill: (i: number) => manager.wrap(names[i] as string, () => text, 3_600_000),
      hit: (i: number) => manager.wrap(names[at(i)] as string, never, 3_600_000),
    },
  };

  for (const { fill, hit } of Object.values(contenders)) {
    await perSecond(ENTRIES, 1, fill);
    await perSecond(CALLS, 1, hit);
  }
  const ratios = { bentocache: [] as number[], cacheManager: [] as number[] };
  for (let round = 0; round < setting.rounds; round++) {
    const own = await perSecond(CALLS, 1, contenders.ours.hit);
    ratios.bentocache.push(own / (await perSecond(CALLS, 1, contenders.bentocache.hit)));
    ratios.cacheManager.push(own / (await perSecond(CALLS, 1, contenders.cacheManager.hit)));
  }
  return { bentocache: median(ratios.bentocache), cacheManager: median(ratios.cacheManager) };
});
