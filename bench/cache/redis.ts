/** A hit in the Redis tier, decrypted and checked, against a bare GET of the same bytes through the same client. */
import { createClient, RESP_TYPES } from 'redis';
import { body, measure, median, openCache, perSecond, query, type Setting } from './setting';

const ENTRIES = 200;

measure(async (setting: Setting) => {
  // nothing is small enough for the hot tier, so that every hit is one of Redis
  const cache = await openCache(setting, { hot: { maxBytes: 1_048_576, maxEntryBytes: 1_024 } });
  const client = createClient({
    url: setting.redis.url,
    // as the cache's own connection is set up: no signal for each command
    commandOptions: { timeout: undefined, typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } },
  });
  client.on('error', () => undefined);
  await client.connect();

  const compare = async (bytes: number, atATime: number, calls: number): Promise<number> => {
    const value = { body: body(bytes), contentType: 'application/json' };
    const keys = Array.from({ length: ENTRIES }, (_, index) => cache.diagnosis.key(query(bytes * 1000 + index)));
    for (const key of keys) {
      await cache.diagnosis.set(key, { value }, cache.diagnosis.mark());
    }
    const names = keys.map(({ id }) => `bench:${id}`);
    const ours = async (index: number): Promise<void> => {
      const answer = await cache.diagnosis.get(keys[index % ENTRIES] as never);
      if (answer?.tier !== 'redis') {
        throw new Error(`answered by ${answer?.tier}`);
      }
    };
    const bare = (index: number): Promise<unknown> => client.get(names[index % ENTRIES] as string);
    await perSecond(calls, atATime, ours);
    await perSecond(calls, atATime, bare);
    const ratios: number[] = [];
    for (let round = 0; round < setting.rounds; round++) {
      ratios.push((await perSecond(calls, atATime, ours)) / (await perSecond(calls, atATime, bare)));
    }
    return median(ratios);
  };

  return {
    small: await compare(800, 1, 5_000),
    medium: await compare(8_192, 1, 5_000),
    concurrent: await compare(800, 16, 20_000),
  };
});
