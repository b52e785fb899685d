/** A hit in the Redis tier, decrypted and checked, against a bare GET of the same sealed entry by the same client. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { CacheKey } from 'mediform/cache';
import { open, readHeader } from '../../runtime/cache/envelope';
import { readKeyRing } from '../../runtime/cache/key-ring';
import { connectRedis } from '../../runtime/cache/tiers/redis-connection';
import { body, measure, median, openCache, perSecond, query, type Setting } from './setting';

const ENTRIES = 200;

/** To as many bare GETs. */
interface Ratios {
  readonly hits: number;
  /** Bare GETs whose answers are decrypted. */
  readonly decrypted: number;
}

measure(async (setting: Setting) => {
  // nothing is small enough for the hot tier, so that every hit is one of Redis
  const cache = await openCache(setting, {
    hot: { maxBytes: 1_048_576, maxEntryBytes: 1_024 },
    // a machine that stands still for a moment is slow, on both sides, and no failure
    redis: { ...setting.redis, deadlineMs: 5_000 },
    maxStalenessMs: 10_000,
  });
  // the cache's own kind of connection, with its own settings; and ready before anything is asked of it
  const client = await connectRedis(setting.redis);
  while (client.epoch === 0) {
    await sleep(10);
  }

  const ring = readKeyRing(setting.keyRingFile, 'bench');

  const compare = async (bytes: number, atATime: number, calls: number): Promise<Ratios> => {
    const value = { body: body(bytes), contentType: 'application/json' };
    const keys = Array.from({ length: ENTRIES }, (_, index) => cache.diagnosis.key(query(bytes * 1000 + index)));
    const tierOf = async (key: CacheKey): Promise<string | undefined> => (await cache.diagnosis.get(key))?.tier;
    for (const key of keys) {
      // again where the connection was not there yet
      while ((await tierOf(key)) !== 'redis') {
        await cache.diagnosis.set(key, { value }, cache.diagnosis.mark());
        await sleep(1);
      }
    }
    const names = keys.map(({ id }) => `bench:${id}`);
    const ours = async (index: number): Promise<void> => {
      const tier = await tierOf(keys[index % ENTRIES] as CacheKey);
      if (tier !== 'redis') {
        throw new Error(`answered by ${tier}`);
      }
    };
    const bare = (index: number): Promise<Buffer> => client.command(['GET', names[index % ENTRIES] as string]);
    // what no cache can do without that keeps nothing in the clear
    const opened = async (index: number): Promise<void> => {
      const sealed = await bare(index);
      const header = readHeader(sealed);
      if (header === undefined || typeof open(ring, names[index % ENTRIES] as string, header, sealed) === 'string') {
        throw new Error('not opened');
      }
    };
    for (const work of [ours, opened, bare]) {
      await perSecond(calls, atATime, work);
    }
    const hits: number[] = [];
    const decrypted: number[] = [];
    for (let round = 0; round < setting.rounds; round++) {
      const hit = await perSecond(calls, atATime, ours);
      const get = await perSecond(calls, atATime, bare);
      hits.push(hit / get);
      decrypted.push((await perSecond(calls, atATime, opened)) / get);
    }
    return { hits: median(hits), decrypted: median(decrypted) };
  };

  const small = await compare(800, 1, 5_000);
  return {
    small: small.hits,
    decrypted: small.decrypted,
    medium: (await compare(8_192, 1, 5_000)).hits,
    concurrent: (await compare(800, 16, 20_000)).hits,
  };
});
