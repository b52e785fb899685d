/** Gateways under load while the servers of their cache die, hang and fill up, and while keys change. */
import { createHash } from 'node:crypto';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createMedicalCache, type CacheConfig } from '../../runtime/cache';
import { CacheFleet } from './support/cache-fleet';
import { bundleGateway, GatewayProcess, type Bundle } from './support/gateway/bundle';
import { call, gatewayConfig, how, metric } from './support/gateway/gateway';
import { Model } from './support/gateway/model';
import { Proxy } from './support/proxy';
import { describeWithStores, startMemcached, startRedis } from './support/stores';
import { allAnswered, waitFor } from './support/wait';

/** Answers are larger than the largest entry: a shared tier is asked each time. */
const NO_HOT = { maxBytes: 1_048_576, maxEntryBytes: 1_024 };

/** What nobody can compress, and everybody can check. */
function diagnosisOf(image: string, bytes: number): string {
  let text = '';
  for (let index = 0; text.length < bytes; index++) {
    text += createHash('sha512').update(`${image} ${index}`).digest('hex');
  }
  return text.slice(0, bytes);
}

interface Load {
  readonly images: number;
  /** Bytes of an answer. @default 4096 */
  readonly bytes?: number;
}

describeWithStores('gateways under load', ['redis', 'memcached', 'postgres'], () => {
  let fleet: CacheFleet;
  let bundle: Bundle;
  let model: Model;
  let proxies: Proxy[] = [];
  const running: GatewayProcess[] = [];

  beforeAll(async () => {
    bundle = await bundleGateway();
    fleet = await CacheFleet.start();
  }, 240_000);
  afterAll(async () => {
    await fleet.stop();
    bundle.remove();
  });
  beforeEach(async () => {
    model = await Model.start();
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((gateway) => gateway.stop()));
    await model.stop();
    await Promise.all(proxies.splice(0).map((proxy) => proxy.close()));
    proxies = [];
  });

  /** @param warmUp entries that it looks at when it starts */
  async function replica(cache: CacheConfig, warmUp = 0): Promise<GatewayProcess> {
    const config = await gatewayConfig(model.port, {
      routes: [{ path: '/diagnose', cache: { kind: 'diagnosis', idHeaders: ['X-Study'] } }],
      admission: { concurrency: 8 },
      cache: { ...cache, hot: NO_HOT, warmUp: { maxEntries: warmUp } },
    });
    const gateway = GatewayProcess.run(bundle, config);
    running.push(gateway);
    await gateway.ready();
    return gateway;
  }

  /** Asks about images at random until the report is wanted, and checks that each answer is the image's own. */
  function load(gateways: readonly GatewayProcess[], { images, bytes = 4_096 }: Load) {
    model.behaviour = ({ body }, response) => response.end(diagnosisOf(String(body), bytes));
    let over = false;
    const callers = 6;
    const answered = Array<number>(callers).fill(0);
    const answers: { [what: string]: number } = {};
    const worker = async (number: number): Promise<void> => {
      const { url } = gateways[number % gateways.length] as GatewayProcess;
      while (!over) {
        const image = `image ${Math.floor(Math.random() * images)}`;
        const answer = await call(`${url}/diagnose`, { body: image, headers: { 'X-Study': image } });
        answered[number] = (answered[number] ?? 0) + 1;
        const right = answer.status === 200 && answer.text === diagnosisOf(image, bytes);
        const what = right ? String(how(answer)).replace(/; age=.*/, '') : `wrong: ${answer.status}`;
        answers[what] = (answers[what] ?? 0) + 1;
      }
    };
    const workers = Array.from({ length: callers }, (_, number) => worker(number));
    return {
      everybody: () => allAnswered(answered),
      report: async () => {
        over = true;
        await Promise.all(workers);
        return answers;
      },
    };
  }

  const wrong = (answers: { [what: string]: number }): string[] =>
    Object.keys(answers).filter((what) => !/^(miss|hit; tier=\w+)$/.test(what));
  const written = async ({ admin }: GatewayProcess, tier: string): Promise<number> =>
    (await metric(admin, 'mediform_cache_written_bytes_total', { tier })) ?? 0;

  test.each([
    ['redis', 'redis'],
    ['memcached', 'memcached'],
    ['postgres', 'database'],
  ] as const)(
    '%s is killed and started again: every request gets its answer, and the tier is used again',
    async (name, tier) => {
      const gateways = [await replica(fleet.config()), await replica(fleet.config())];
      const { everybody, report } = load(gateways, { images: 1_000_000 });
      await sleep(500);
      await fleet[name].kill();
      await waitFor('the tier to be missed', async () => (await breaker(gateways[0], tier)) === 2);
      await everybody();
      await sleep(1_000);
      await everybody();
      await fleet[name].start();
      const before = await Promise.all(gateways.map((gateway) => written(gateway, tier)));
      await waitFor('the tier to be used again', async () => {
        const now = await Promise.all(gateways.map((gateway) => written(gateway, tier)));
        return now.every((bytes, index) => bytes > (before[index] ?? NaN) + 100_000);
      });
      expect(wrong(await report())).toEqual([]);
      // a request that the model answers is never the cache's fault
      for (const { admin } of gateways) {
        expect(await metric(admin, 'requests_total', { code: '200', priority: 'normal' })).toBeGreaterThan(0);
        expect(await metric(admin, 'requests_total', { code: '503', priority: 'normal' })).toBe(0);
      }
    },
    180_000,
  );

  test('Redis hangs: no request does', async () => {
    const cache = fleet.config({ redis: fleet.redis.config });
    const gateways = [await replica(cache), await replica(cache)];
    const { everybody, report } = load(gateways, { images: 200 });
    const hits = (tier: string) => (): Promise<unknown> =>
      waitFor(`hits in ${tier}`, async () => {
        const labels = { kind: 'diagnosis', tier, outcome: 'hit' };
        return (await metric(gateways[0]?.admin ?? '', 'mediform_cache_lookups_total', labels)) ?? 0;
      });
    await hits('redis')();
    fleet.redis.pause();
    try {
      await waitFor('it to be left alone', async () => (await breaker(gateways[0], 'redis')) === 2);
      // it hangs all the while
      await everybody();
      await hits('memcached')();
      await everybody();
    } finally {
      fleet.redis.resume();
    }
    await waitFor('it to be asked again', async () => (await breaker(gateways[0], 'redis')) === 0);
    expect(wrong(await report())).toEqual([]);
  }, 240_000);

  test('full servers are no reason to fail, and still find what they have kept', async () => {
    const [redis, memcached] = await Promise.all([
      startRedis(fleet.processes, { args: ['--maxmemory', '6mb', '--maxmemory-policy', 'volatile-lfu'] }),
      startMemcached(fleet.processes, { args: ['-m', '2'] }),
    ]);
    const cache = fleet.config({ redis: redis.config, memcached: memcached.config, database: undefined });
    const gateways = [await replica(cache), await replica(cache)];
    // 20 MB of answers
    const { report } = load(gateways, { images: 400, bytes: 50_000 });
    await waitFor('more to be written than there is room for', async () => {
      const bytes = await Promise.all(gateways.map((gateway) => written(gateway, 'redis')));
      return bytes.reduce((sum, one) => sum + one, 0) > 20_000_000;
    });
    const answers = await report();
    expect(wrong(answers)).toEqual([]);
    expect(answers['hit; tier=redis']).toBeGreaterThan(0);
  }, 240_000);

  test('keys rotate: no answer is lost, mixed up or computed anew', async () => {
    const cache = fleet.config();
    const gateways = [await replica(cache), await replica(cache)];
    const { everybody, report } = load(gateways, { images: 40 });
    await everybody();
    await fleet.rotate();
    const answers = await report();
    expect(wrong(answers)).toEqual([]);
    // once at first; a key that was retired may cost what nobody had asked for in between
    expect(answers.miss).toBeLessThanOrEqual(60);
    expect(answers['hit; tier=redis']).toBeGreaterThan(200);
    for (const { admin } of gateways) {
      const { text } = await call(`${admin}/metrics`);
      expect(text).not.toMatch(/^mediform_cache_key_faults_total\{.* [1-9]\d*$/m);
      const hits = { kind: 'diagnosis', tier: 'redis', outcome: 'hit' };
      expect(await metric(admin, 'mediform_cache_lookups_total', hits)).toBeGreaterThan(50);
    }

    // a key that is wrong is a miss, an alarm where entries are read that it should open, and never a failure
    const outdated = join(fleet.processes.folder, 'outdated.json');
    copyFileSync(fleet.keyRingFile, outdated);
    fleet.writeRing('third', ['third']);
    const stranger = await replica(cache, 100);
    const answer = await call(`${stranger.url}/diagnose`, { body: 'image 1', headers: { 'X-Study': 'image 1' } });
    expect([how(answer), answer.status, answer.text]).toEqual(['miss', 200, diagnosisOf('image 1', 4_096)]);
    await waitFor('the alarm', async () => {
      const alarms = await metric(stranger.admin, 'mediform_cache_key_faults_total', { reason: 'unknown_key' });
      return (alarms ?? 0) > 0;
    });
    // and where nothing is read: the others have the new ring by now, and none of this one's keys
    await replica({ ...cache, keyRingFile: outdated });
    await waitFor(
      'the alarm of a replica that reads nothing',
      async () => {
        const [{ admin }] = gateways as [GatewayProcess];
        return ((await metric(admin, 'mediform_cache_key_faults_total', { reason: 'unknown_key' })) ?? 0) > 0;
      },
      { timeoutMs: 120_000 },
    );
    fleet.writeRing('first', ['first']);
  }, 240_000);

  test('a replica that the bus does not reach answers nothing from the cache, and nothing old when it is back', async () => {
    const redis = await startRedis(fleet.processes);
    const proxy = await Proxy.before(redis.port);
    proxies.push(proxy);
    const cache = fleet.config({ redis: redis.config, database: undefined });
    const near = await replica(cache);
    const cut = await replica({ ...cache, redis: { url: `redis://127.0.0.1:${proxy.port}` } });
    model.behaviour = (_, response) => response.end(diagnosisOf(`answer ${model.asked.length}`, 4_096));
    const study = { body: 'image', headers: { 'X-Study': 'study-1' } };
    const ask = async ({ url }: GatewayProcess): Promise<[how: string, text: string]> => {
      const answer = await call(`${url}/diagnose`, study);
      return [String(how(answer)), answer.text];
    };
    const [, old] = await ask(near);
    await waitFor('the other one to have it', async () => (await ask(cut))[0].startsWith('hit'));

    proxy.partition();
    const office = await createMedicalCache(cache);
    await office.invalidation.diagnosis('study-1');
    await office.close();
    // by default within two seconds, as fast as the machine is
    const stopped = async (): Promise<boolean> => (await ask(cut))[0] === 'miss';
    await waitFor('it to stop serving', stopped, { timeoutMs: 10_000 });
    for (let time = 0; time < 3; time++) {
      const [behind, computed] = await ask(cut);
      expect([behind, computed === old]).toEqual(['miss', false]);
    }
    proxy.heal();
    await waitFor('it to be served again', async () => {
      const [from, text] = await ask(cut);
      expect(text).not.toBe(old);
      return from.startsWith('hit');
    });
  }, 240_000);

  async function breaker(gateway: GatewayProcess | undefined, tier: string): Promise<number | undefined> {
    return gateway && metric(gateway.admin, 'mediform_cache_breaker_state', { tier });
  }
});
