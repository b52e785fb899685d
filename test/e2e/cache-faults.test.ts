/** What the cache does while its servers die, hang, fill up or cannot be reached. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CacheConfig, MedicalCache } from 'mediform/cache';
import { createClient } from 'redis';
import { CacheFleet, PATIENT, study } from './support/cache-fleet';
import { Proxy } from './support/proxy';
import { describeWithStores, startMemcached, startRedis } from './support/stores';
import { waitFor } from './support/wait';

/** Small enough that nearly every answer comes from a shared tier. */
const TINY_HOT = { maxBytes: 1_048_576, maxEntryBytes: 1_024 };
/** How the metrics call the tiers. */
const TIERS = { redis: 'redis', memcached: 'memcached', postgres: 'database' } as const;

describeWithStores('cache under faults', ['redis', 'memcached', 'postgres'], () => {
  let fleet: CacheFleet;
  beforeAll(async () => {
    fleet = await CacheFleet.start();
  }, 180_000);
  afterEach(() => fleet.closeCaches());
  afterAll(() => fleet.stop());

  const text = (body: string) => () => Promise.resolve({ value: { body: Buffer.from(body) } });
  const inTier = (cache: MedicalCache, index: number): Promise<string | undefined> =>
    cache.diagnosis.get(study(index)).then((answer) => answer?.tier);
  const allOk = (cache: MedicalCache): boolean =>
    Object.values(cache.status().tiers).every((state) => state !== 'open');

  test.each(['redis', 'memcached', 'postgres'] as const)(
    '%s is killed and comes back under load: no call fails, and it is used again',
    async (name) => {
      const { cache, metrics } = await fleet.open(fleet.config({ hot: TINY_HOT }));
      const written = (): Promise<number> => metrics(new RegExp(`written_bytes_total.*tier="${TIERS[name]}"`));
      // so many that each is new, and every tier is asked
      const load = fleet.load([cache], 1_000_000);
      await waitFor('the tier to be used', written);
      await fleet[name].kill();
      await load.allAnswered();
      await sleep(1_500);
      await load.allAnswered();
      const before = await written();
      await fleet[name].start();
      await waitFor('all tiers to be used again', () => allOk(cache) && cache.status().serving, { pauseMs: 20 });
      await waitFor('the tier to be written to again', async () => (await written()) > before);
      await load.report();
    },
    180_000,
  );

  test('all die: everything is computed, an invalidation fails loudly, and all is well when they are back', async () => {
    const { cache } = await fleet.open(fleet.config({ hot: TINY_HOT }));
    const load = fleet.load([cache], 100);
    await sleep(500);
    await Promise.all([fleet.redis.kill(), fleet.memcached.kill(), fleet.postgres.kill()]);
    await waitFor('nothing to be served from the cache', () => !cache.status().serving);
    await expect(cache.invalidation.diagnosis('study-1')).rejects.toThrow(/nothing was invalidated/);
    expect((await cache.diagnosis.getOrCompute(study(1), text('computed'))).tier).toBe('compute');
    await load.allAnswered();
    await Promise.all([fleet.redis.start(), fleet.memcached.start(), fleet.postgres.start()]);
    await waitFor('all tiers to be used again', () => allOk(cache) && cache.status().serving, { pauseMs: 20 });
    // one log is enough to serve; the other may still be on its way back, and then a caller is to try again
    await waitFor('an invalidation to be recorded by all', () => cache.invalidation.diagnosis('study-1'));
    const report = await load.report();
    expect(Object.keys(report.byTier)).toEqual(expect.arrayContaining(['redis', 'compute']));
  }, 180_000);

  test('a cache that starts while all are away starts, and becomes fast when they come', async () => {
    await Promise.all([fleet.redis.kill(), fleet.postgres.kill()]);
    const { cache } = await fleet.open(fleet.config());
    expect((await cache.diagnosis.getOrCompute(study(1), text('computed'))).tier).toBe('compute');
    await Promise.all([fleet.redis.start(), fleet.postgres.start()]);
    await waitFor('an answer from the cache', async () => {
      await sleep(50);
      return (await cache.diagnosis.getOrCompute(study(1), text('computed'))).tier === 'hot';
    });
  }, 180_000);

  test.each(['redis', 'memcached'] as const)(
    '%s hangs: calls do not, and it is left alone',
    async (name) => {
      const { config } = fleet[name];
      const { cache, metrics } = await fleet.open(fleet.config({ hot: TINY_HOT, [name]: config }));
      // so many that each is new, and every tier is asked
      const load = fleet.load([cache], 1_000_000);
      await sleep(500);
      fleet[name].pause();
      try {
        await waitFor('the breaker to open', () => cache.status().tiers[name] === 'open', { pauseMs: 5 });
        // it hangs all the while
        await load.allAnswered();
        await sleep(1_000);
        await load.allAnswered();
      } finally {
        fleet[name].resume();
      }
      await waitFor('all tiers to be used again', () => allOk(cache), { pauseMs: 20 });
      await load.report();
      expect(await metrics(new RegExp(`tier_errors_total.*tier="${name}".*reason="deadline"`))).toBeGreaterThan(0);
      expect(await metrics(new RegExp(`tier_errors_total.*tier="${name}".*reason="breaker"`))).toBeGreaterThan(0);
    },
    180_000,
  );

  test('a slow Redis is used as long as it answers in time, and then left alone: nobody waits for it', async () => {
    const redis = await startRedis(fleet.processes);
    const proxy = await Proxy.before(redis.port);
    try {
      const config = fleet.config({ redis: { ...redis.config, ...PATIENT }, memcached: undefined });
      const near = await fleet.open(config);
      const studies = Array.from({ length: 50 }, (_, index) => index);
      await Promise.all(studies.map((index) => near.cache.diagnosis.getOrCompute(study(index), text('x'))));
      const kept = (): Promise<number> => near.metrics(/tier_seconds_count.*tier="redis".*operation="set"/);
      await waitFor('all to be in Redis', async () => (await kept()) === studies.length);

      proxy.slowDown(50);
      const url = `redis://127.0.0.1:${proxy.port}`;
      const { cache, metrics } = await fleet.open({ ...config, redis: { url, deadlineMs: 2_000 } });
      await waitFor('a hit in the slow Redis', async () => (await inTier(cache, studies.pop() ?? 0)) === 'redis');

      proxy.slowDown(6_000);
      const load = fleet.load([cache], 1_000_000);
      await waitFor('the breaker to open', () => cache.status().tiers.redis === 'open');
      await load.allAnswered();
      await load.report();
      expect(await metrics(/tier_errors_total.*tier="redis".*reason="deadline"/)).toBeGreaterThan(0);
    } finally {
      await proxy.close();
    }
  }, 180_000);

  test('full servers refuse or evict entries, and keep the log of invalidations', async () => {
    const redis = await startRedis(fleet.processes, {
      args: ['--maxmemory', '3mb', '--maxmemory-policy', 'volatile-lfu'],
    });
    const memcached = await startMemcached(fleet.processes, { args: ['-m', '2'] });
    const config = fleet.config({ redis: redis.config, memcached: memcached.config, hot: TINY_HOT });
    const { cache } = await fleet.open({ ...config, database: undefined });
    await cache.diagnosis.getOrCompute(study(1), text('x'));
    await cache.invalidation.diagnosis('study-1');
    const noise = execFileSync('head', ['-c', '100000', '/dev/urandom']);
    for (let index = 100; index < 300; index++) {
      const value = { body: noise };
      const answer = await cache.diagnosis.getOrCompute(study(index), () => Promise.resolve({ value }));
      expect(answer.value?.body.byteLength).toBe(noise.length);
    }
    expect(cache.status().serving).toBe(true);
    expect(await inTier(cache, 1)).toBeUndefined();
    const { cache: later } = await fleet.open({ ...config, database: undefined });
    expect(await inTier(later, 1)).toBeUndefined();
    await later.invalidation.diagnosis('study-299');
    await waitFor('the invalidation', async () => (await inTier(cache, 299)) === undefined);
  }, 180_000);

  describe('with Redis alone for the log', () => {
    /** What holds the entry when Redis has lost it: a store that invalidations never reach. */
    const config = (redis: CacheConfig['redis']): CacheConfig => fleet.config({ redis, database: undefined });

    test('a process behind a partition stops serving in time, and never serves what was invalidated meanwhile', async () => {
      const redis = await startRedis(fleet.processes);
      const proxy = await Proxy.before(redis.port);
      const shared = config(redis.config);
      const { cache } = await fleet.open(shared);
      const { cache: cut } = await fleet.open({ ...shared, redis: { url: `redis://127.0.0.1:${proxy.port}` } });
      for (const index of [1, 2]) {
        await cache.diagnosis.getOrCompute(study(index), text('x'));
        await waitFor('the other one to have it', async () => (await inTier(cut, index)) !== undefined);
      }
      proxy.partition();
      await cache.invalidation.diagnosis('study-1');
      // by default within two seconds, as fast as the machine is
      const inTime = { pauseMs: 10, timeoutMs: 10_000 };
      await waitFor('the other one to stop', async () => (await inTier(cut, 1)) === undefined, inTime);
      expect(cut.status().serving).toBe(false);
      expect((await cut.diagnosis.getOrCompute(study(2), text('computed'))).tier).toBe('compute');

      let served = false;
      let watching = true;
      const watch = (async () => {
        while (watching) {
          served ||= (await inTier(cut, 1)) !== undefined;
          await sleep(1);
        }
      })();
      proxy.heal();
      await waitFor('the other one to serve again', async () => (await inTier(cut, 2)) !== undefined, { pauseMs: 10 });
      await sleep(300);
      watching = false;
      await watch;
      expect(served).toBe(false);
      await proxy.close();
    }, 180_000);

    test('a Redis that comes back without its last records takes nothing of the time before on trust', async () => {
      const redis = await startRedis(fleet.processes);
      const shared = config(redis.config);
      const { cache } = await fleet.open(shared);
      await cache.diagnosis.getOrCompute(study(1), text('x'));
      await sleep(200);
      const client = createClient({ url: redis.config.url });
      client.on('error', () => undefined);
      await client.connect();
      await client.sendCommand(['SAVE']);
      await cache.invalidation.diagnosis('study-1');
      await redis.kill();
      client.destroy();
      // it loads what it had saved before the invalidation
      await redis.start();
      await waitFor('the log to be heard again', () => cache.status().serving);
      await sleep(500);
      expect(await inTier(cache, 1)).toBeUndefined();
      const { cache: fresh } = await fleet.open(shared);
      expect(await inTier(fresh, 1)).toBeUndefined();
      await fresh.diagnosis.getOrCompute(study(1), text('corrected'));
      expect(await inTier(fresh, 1)).toBe('hot');
    }, 180_000);

    test('a Redis that is emptied while it runs costs the cache, and no more', async () => {
      const redis = await startRedis(fleet.processes);
      const { cache } = await fleet.open(config(redis.config));
      await cache.diagnosis.getOrCompute(study(1), text('x'));
      const client = createClient({ url: redis.config.url });
      await client.connect();
      await client.flushAll();
      client.destroy();
      await waitFor('a new life of the log', async () => (await inTier(cache, 1)) === undefined);
      await cache.diagnosis.getOrCompute(study(1), text('again'));
      await waitFor('the cache to be used again', async () => {
        await cache.diagnosis.getOrCompute(study(1), text('again'));
        return inTier(cache, 1);
      });
      await cache.invalidation.diagnosis('study-1');
      expect(await inTier(cache, 1)).toBeUndefined();
    }, 180_000);
  });

  test('Redis is away during an invalidation: the database has it, all who reach it obey, Redis gets it later', async () => {
    const config = fleet.config();
    const [{ cache }, { cache: other }] = [await fleet.open(config), await fleet.open(config)];
    await cache.diagnosis.getOrCompute(study(1), text('x'));
    await waitFor('the other one to have it', async () => (await inTier(other, 1)) !== undefined);
    await fleet.redis.kill();
    await expect(cache.invalidation.diagnosis('study-1')).rejects.toMatchObject({
      recorded: ['database'],
      missing: ['redis'],
    });
    expect(await inTier(cache, 1)).toBeUndefined();
    await waitFor('the other one to obey', async () => (await inTier(other, 1)) === undefined);
    await fleet.redis.start();
    const { url, caFile = '', passwordFile = '' } = fleet.redis.config;
    const socket = { tls: true, ca: readFileSync(caFile) } as const;
    const client = createClient({ url, password: readFileSync(passwordFile, 'utf8'), socket });
    await client.connect();
    await waitFor('the record', async () => (await client.xLen(`{${config.namespace}}:cache_invalidation`)) === 1);
    client.destroy();
  }, 180_000);
});
