/** Gateways that share real Redis, Memcached and PostgreSQL, each in a process of its own, as replicas do. */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from 'redis';
import { createMedicalCache, migrate, type CacheConfig } from '../../runtime/cache';
import type { GatewayModel } from '../../constructs/plan/gateway/config';
import type { DatabaseTierConfig, MemcachedTierConfig, RedisTierConfig } from '../../constructs/plan/cache/config';
import { PATIENT } from './support/cache-fleet';
import { bundleGateway, GatewayProcess, type Bundle } from './support/gateway/bundle';
import { call, gatewayConfig, how, metric, type Answer, type Call } from './support/gateway/gateway';
import { Model } from './support/gateway/model';
import { Processes } from './support/processes';
import { describeWithStores, startMemcached, startPostgres, startRedis, type Store } from './support/stores';
import { waitFor } from './support/wait';

describeWithStores('gateways with shared tiers', ['redis', 'memcached', 'postgres'], () => {
  let processes: Processes;
  let bundle: Bundle;
  let redis: Store<RedisTierConfig>;
  let memcached: Store<MemcachedTierConfig>;
  let database: Store<DatabaseTierConfig>;
  let cache: CacheConfig;
  let model: Model;
  const running: GatewayProcess[] = [];

  beforeAll(async () => {
    bundle = await bundleGateway();
    processes = await Processes.start();
    [redis, memcached, database] = await Promise.all([
      startRedis(processes, { tls: true, password: 'for-tests' }),
      startMemcached(processes),
      startPostgres(processes, { tls: true }),
    ]);
    await migrate(database.config);
    const keyRingFile = join(processes.folder, 'keyring.json');
    const keys = { one: randomBytes(32).toString('base64') };
    writeFileSync(keyRingFile, JSON.stringify({ current: 'one', keys }), { mode: 0o600 });
    cache = {
      namespace: 'test.imaging',
      keyRingFile,
      redis: { ...redis.config, ...PATIENT },
      memcached: { ...memcached.config, ...PATIENT },
      database: { ...database.config, ...PATIENT },
      // what a tier answers shows only where nothing was loaded ahead
      warmUp: { maxEntries: 0 },
    };
  }, 240_000);
  afterAll(async () => {
    await processes.stop();
    bundle.remove();
  });
  beforeEach(async () => {
    model = await Model.start();
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((gateway) => gateway.stop()));
    await model.stop();
  });

  /** A gateway like all others, in a process of its own. */
  async function replica(versions: Partial<GatewayModel> = {}, own = cache): Promise<GatewayProcess> {
    const config = await gatewayConfig(model.port, {
      model: { name: 'resnet50', version: '1.4.2', preprocessingVersion: '3', ...versions },
      routes: [{ path: '/diagnose', cache: { kind: 'diagnosis', idHeaders: ['X-Study'] } }],
      trustedCallers: [{ cidrs: ['127.0.0.0/8'] }],
      admission: { concurrency: 2 },
      cache: own,
    });
    const gateway = GatewayProcess.run(bundle, config);
    running.push(gateway);
    await gateway.ready();
    return gateway;
  }
  const ask = ({ url }: GatewayProcess, body: string, headers: Call['headers'] = {}): Promise<Answer> =>
    call(`${url}/diagnose`, { body, headers });
  const hit = (tier: string): unknown => expect.stringMatching(`^hit; tier=${tier}; age=`);
  /** Waits until a replica has written to a shared tier so often in all. */
  const writes = ({ admin }: GatewayProcess, tier: string, count: number): Promise<unknown> =>
    waitFor(`${count} writes to ${tier}`, async () => {
      const labels = { tier, operation: 'set' };
      return (await metric(admin, 'mediform_cache_tier_seconds_count', labels)) === count;
    });
  /** Asks a replica that has nothing in memory, until the writes of another one have arrived. */
  const found = (gateway: GatewayProcess, body: string): Promise<Answer> =>
    waitFor('another replica finds it', async () => {
      const answer = await ask(gateway, body);
      return String(how(answer)).startsWith('hit') ? answer : false;
    });

  test('one replica finds what another one computed, and nothing of it is readable where it lies', async () => {
    const [first, second] = await Promise.all([replica(), replica()]);
    const computed = await ask(first, 'image of Mustermann', { 'X-Study': 'study-of-Erika' });
    expect(how(computed)).toBe('miss');
    await writes(first, 'redis', 1);
    const other = await ask(second, 'image of Mustermann', { 'X-Study': 'study-of-Erika' });
    expect([how(other), other.text]).toEqual([hit('redis'), computed.text]);
    expect(how(await ask(second, 'image of Mustermann', { 'X-Study': 'study-of-Erika' }))).toEqual(hit('hot'));
    expect(model.asked).toHaveLength(1);

    const client = createClient({
      url: redis.config.url,
      password: 'for-tests',
      socket: { tls: true, rejectUnauthorized: false },
    });
    await client.connect();
    const stored: string[] = [];
    for await (const names of client.scanIterator()) {
      for (const name of [names].flat()) {
        stored.push(name, (await client.dump(name)) ?? '');
      }
    }
    await client.close();
    expect(stored.length).toBeGreaterThan(0);
    for (const secret of ['Mustermann', 'Erika', 'finding']) {
      expect([secret, stored.join('\n').includes(secret)]).toEqual([secret, false]);
      expect([secret, [first, second].some(({ output }) => output.includes(secret))]).toEqual([secret, false]);
    }
  }, 180_000);

  test('a new version of the model, or of what is done to images before it, finds nothing of the one before', async () => {
    const first = await replica();
    await ask(first, 'image of two versions');
    await found(await replica(), 'image of two versions');
    for (const versions of [{ version: '1.5.0' }, { preprocessingVersion: '4' }, { name: 'unet' }]) {
      const next = await replica(versions);
      expect([versions, how(await ask(next, 'image of two versions'))]).toEqual([versions, 'miss']);
      const { headers } = await ask(next, 'image of two versions');
      const { name = 'resnet50', version = '1.4.2' } = versions as Partial<GatewayModel>;
      expect(headers['x-mediform-model']).toBe(`${name}; version=${version}`);
    }
    expect(model.asked).toHaveLength(4);
  }, 180_000);

  test('two replicas that are asked the same at a time compute it once', async () => {
    const gateways = await Promise.all([replica(), replica()]);
    model.behaviour = async (_, response) => {
      await sleep(500);
      response.end('{"finding":"once"}');
    };
    const answers = await Promise.all([...gateways, ...gateways].map((gateway) => ask(gateway, 'the same image')));
    expect(answers.map(({ status, text }) => [status, text])).toEqual(Array(4).fill([200, '{"finding":"once"}']));
    expect(model.asked).toHaveLength(1);
  }, 180_000);

  test('an emergency waits for no other replica', async () => {
    const [first, second] = await Promise.all([replica(), replica()]);
    const answers: (() => void)[] = [];
    model.behaviour = (_, response) => answers.push(() => response.end());
    const batch = ask(first, 'urgent after all', { 'X-Mediform-Priority': 'batch' });
    await waitFor('the model works', () => answers.length === 1);
    const emergency = ask(second, 'urgent after all', { 'X-Mediform-Priority': 'emergency' });
    await waitFor('the model works for the emergency too', () => answers.length === 2);
    answers[1]?.();
    expect(await emergency).toMatchObject({ status: 200 });
    answers[0]?.();
    await batch;
  }, 180_000);

  test('what is invalidated is served by no replica any more', async () => {
    const [first, second] = await Promise.all([replica(), replica()]);
    const study = { 'X-Study': 'study-0815' };
    await ask(first, 'image', study);
    await ask(first, 'image of another study', { 'X-Study': 'study-0816' });
    await writes(first, 'redis', 2);
    expect(how(await ask(second, 'image', study))).toEqual(hit('redis'));
    const office = await createMedicalCache(cache);
    await office.invalidation.diagnosis('study-0815');
    await office.close();
    // by default in force everywhere within two seconds, as fast as the machine is
    const inForce = async (): Promise<boolean> => how(await ask(first, 'image', study)) === 'miss';
    await waitFor('the invalidation', inForce, { timeoutMs: 10_000 });
    expect(how(await ask(first, 'image of another study', { 'X-Study': 'study-0816' }))).toEqual(hit('hot'));
    await writes(first, 'redis', 3);
    const renewed = async (): Promise<boolean> => String(how(await ask(second, 'image', study))).includes('tier=redis');
    await waitFor('the other one to obey', renewed, { timeoutMs: 10_000 });
    expect(model.asked).toHaveLength(3);
  }, 180_000);

  test('the death of a tier, and of all, only makes it slower', async () => {
    const first = await replica();
    await ask(first, 'image that outlives');
    for (const tier of ['redis', 'memcached', 'database']) {
      await writes(first, tier, 1);
    }

    await redis.kill();
    const second = await replica();
    expect(how(await found(second, 'image that outlives'))).toEqual(hit('memcached'));
    await memcached.kill();
    const third = await replica();
    expect(how(await found(third, 'image that outlives'))).toEqual(hit('database'));

    await database.kill();
    const fourth = await replica();
    for (let time = 0; time < 20; time++) {
      const answer = await ask(fourth, `image ${time}`, { 'X-Mediform-Priority': 'emergency' });
      expect([answer.status, how(answer)]).toEqual([200, 'miss']);
    }
    expect(await call(`${fourth.admin}/readyz`)).toMatchObject({ status: 200 });

    await Promise.all([redis.start(), memcached.start(), database.start()]);
    await waitFor('the cache is back', async () => {
      await ask(fourth, 'image after the outage');
      return how(await ask(fourth, 'image after the outage')) !== 'miss';
    });
    expect(await metric(fourth.admin, 'requests_total', { code: '503', priority: 'normal' })).toBe(0);
  }, 240_000);

  test('a tier that hangs holds nobody up', async () => {
    const gateway = await replica({}, { ...cache, redis: redis.config });
    await ask(gateway, 'warm');
    redis.pause();
    try {
      for (let time = 0; time < 30; time++) {
        expect(await ask(gateway, `while it hangs ${time}`)).toMatchObject({ status: 200 });
      }
      // and after some waits for the deadline there are no more
      expect(await metric(gateway.admin, 'mediform_cache_breaker_state', { tier: 'redis' })).toBe(2);
    } finally {
      redis.resume();
    }
  }, 180_000);
});
