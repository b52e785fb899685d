/** The cache on real servers: tiers, processes and invalidations working together. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CacheConfig, MedicalCache } from 'mediform/cache';
import { createClient } from 'redis';
import { CacheFleet, study } from './support/cache-fleet';
import type { Ask, Told } from './support/cache-process';
import { describeWithStores } from './support/stores';
import { waitFor } from './support/wait';

describeWithStores('cache', ['redis', 'memcached', 'postgres'], () => {
  let fleet: CacheFleet;
  const children: ChildProcess[] = [];
  beforeAll(async () => {
    fleet = await CacheFleet.start();
  }, 180_000);
  afterEach(async () => {
    children.splice(0).forEach((child) => child.disconnect());
    await fleet.closeCaches();
  });
  afterAll(() => fleet.stop());

  const text = (body: string) => () => Promise.resolve({ value: { body: Buffer.from(body) } });
  const inTier = (cache: MedicalCache, index: number): Promise<string | undefined> =>
    cache.diagnosis.get(study(index)).then((answer) => answer?.tier);

  /** Another process, and how to ask it. */
  async function otherProcess(config: CacheConfig): Promise<(ask: Ask) => Promise<Told>> {
    const child = fork(join(__dirname, 'support/cache-process.ts'), [JSON.stringify(config)], {
      execArgv: ['--import', 'tsx'],
    });
    children.push(child);
    await once(child, 'message');
    return async (ask) => {
      child.send(ask);
      const [told] = (await once(child, 'message')) as [Told];
      return told;
    };
  }

  test('two processes and one key are one computation', async () => {
    const config = fleet.config();
    const [first, second] = await Promise.all([otherProcess(config), otherProcess(config)]);
    const answers = await Promise.all([first({ index: 1, computeMs: 700 }), second({ index: 1, computeMs: 700 })]);
    expect(answers.filter(({ computed }) => computed)).toHaveLength(1);
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(answers.map(({ tier }) => tier).sort()).toEqual(['compute', 'redis']);
  }, 180_000);

  test('so they are with the database alone to agree on', async () => {
    const config = fleet.config({ redis: undefined, memcached: undefined });
    const [first, second] = await Promise.all([otherProcess(config), otherProcess(config)]);
    const answers = await Promise.all([first({ index: 1, computeMs: 700 }), second({ index: 1, computeMs: 700 })]);
    expect(answers.filter(({ computed }) => computed)).toHaveLength(1);
  }, 180_000);

  test('a process that dies while it computes holds no one up for long', async () => {
    const config = fleet.config();
    const dying = await otherProcess(config);
    void dying({ index: 1, computeMs: 60_000 }).catch(() => undefined);
    await sleep(300);
    children.pop()?.kill('SIGKILL');
    const { cache } = await fleet.open(config);
    const answer = await cache.diagnosis.getOrCompute(study(1), text('by the survivor'));
    expect(answer.tier).toBe('compute');
  }, 180_000);

  test('an invalidation reaches another process at once, and who listens to the channel', async () => {
    const config = fleet.config();
    const [{ cache }, { cache: other }] = [await fleet.open(config), await fleet.open(config)];
    const { url, caFile = '', passwordFile = '' } = fleet.redis.config;
    const listener = createClient({
      url,
      password: readFileSync(passwordFile, 'utf8'),
      socket: { tls: true, ca: readFileSync(caFile) },
    });
    await listener.connect();
    const heard: unknown[] = [];
    await listener.subscribe('cache_invalidation', (message) => heard.push(JSON.parse(message)));
    for (let round = 0; round < 20; round++) {
      await cache.diagnosis.getOrCompute(study(1), text('x'));
      await waitFor('the other process to have it', async () => (await inTier(other, 1)) !== undefined, { pauseMs: 5 });
      const { dataId, dataType } = await cache.invalidation.diagnosis('study-1');
      expect(await inTier(cache, 1)).toBeUndefined();
      await waitFor('the invalidation', async () => (await inTier(other, 1)) === undefined, { pauseMs: 1 });
      await waitFor('the message', () => heard.length > round, { pauseMs: 1 });
      expect(heard[round]).toEqual({ data_type: dataType, data_id: dataId });
    }
    listener.destroy();
  }, 180_000);

  test('all knowledge goes at once, however much there is', async () => {
    const { cache } = await fleet.open(fleet.config());
    const questions = Array.from({ length: 300 }, (_, index) => ({ ...study(index), ids: [] }));
    await Promise.all(questions.map((query) => cache.knowledge.getOrCompute(query, text('x'))));
    await sleep(200);
    await cache.invalidation.knowledge();
    const found = await Promise.all(questions.map((query) => cache.knowledge.get(query)));
    expect(found.filter((answer) => answer !== undefined)).toEqual([]);
  }, 180_000);

  test('a warm-up fills a process that starts from the database', async () => {
    const config = fleet.config();
    const { cache, metrics } = await fleet.open(config);
    for (let index = 0; index < 20; index++) {
      await cache.diagnosis.getOrCompute(study(index), text(`${index}`));
    }
    const written = (): Promise<number> => metrics(/tier_seconds_count.*tier="database".*operation="set"/);
    await waitFor('the database to have them', async () => (await written()) === 20);
    const { cache: fresh } = await fleet.open({ ...config, warmUp: { perSecond: 1_000 } });
    expect(await fresh.optimizer.warmUp()).toBe(20);
    const tiers = await Promise.all(Array.from({ length: 20 }, (_, index) => inTier(fresh, index)));
    expect(new Set(tiers)).toEqual(new Set(['hot']));
  }, 180_000);

  test('keys rotate under load, and no answer is lost or mixed up', async () => {
    const config = fleet.config({ hot: { maxBytes: 1_048_576, maxEntryBytes: 1_024 } });
    const opened = [await fleet.open(config), await fleet.open(config)];
    const load = fleet.load(
      opened.map(({ cache }) => cache),
      50,
    );
    await load.allAnswered();
    await fleet.rotate();
    const report = await load.report();
    // once at first; a key that was retired may cost an entry that nobody had asked for in between
    expect(report.computations).toBeLessThanOrEqual(60);
    expect(report.byTier.redis).toBeGreaterThan(200);
    for (const { metrics } of opened) {
      expect(await metrics(/key_faults_total/)).toBe(0);
    }
    fleet.writeRing('first', ['first']);
  }, 180_000);
});
