/** Keys change while processes run. */
import { trace } from '@opentelemetry/api';
import { randomBytes } from 'node:crypto';
import { Registry } from 'prom-client';
import { Breaker } from '../../../runtime/cache/breaker';
import { Guard, GuardedTier } from '../../../runtime/cache/guarded-tier';
import { keyRing, TenantKey } from '../../../runtime/cache/key-ring';
import { RingCheck } from '../../../runtime/cache/ring-check';
import { RingSource } from '../../../runtime/cache/key-ring-source';
import { CacheMetrics } from '../../../runtime/cache/metrics';
import { HotTier } from '../../../runtime/cache/hot-tier';
import { Fleet, counting, imageQuery, settle } from '../../support/cache';

let fleet: Fleet;
beforeEach(() => {
  fleet = new Fleet();
});
afterEach(() => fleet.close());

async function store(): Promise<void> {
  const cache = await fleet.process();
  await cache.diagnosis.getOrCompute(imageQuery(), counting().compute);
  await settle();
}

test('an entry under the previous key is found, and written anew under the current one', async () => {
  await store();
  fleet.keys.second = randomBytes(32).toString('base64');
  fleet.writeRing('second');
  const reader = await fleet.process();
  expect((await reader.diagnosis.get(imageQuery()))?.tier).toBe('redis');
  await settle();
  expect(fleet.servers.redis.entries.size).toBe(2);

  fleet.writeRing('second', ['second']);
  const later = await fleet.process();
  expect((await later.diagnosis.get(imageQuery()))?.tier).toBe('redis');
  await later.invalidation.diagnosis('study-4711');
  expect(await later.diagnosis.get(imageQuery())).toBeUndefined();
});

test('an entry under a key that was taken away is a miss', async () => {
  await store();
  fleet.keys.second = randomBytes(32).toString('base64');
  fleet.writeRing('second', ['second']);
  expect(await (await fleet.process()).diagnosis.get(imageQuery())).toBeUndefined();
});

test('during a rotation processes with the old and the new key hear each other', async () => {
  fleet.keys.second = randomBytes(32).toString('base64');
  fleet.writeRing('first');
  const old = await fleet.process();
  fleet.writeRing('second');
  const renewed = await fleet.process();
  for (const [writer, other] of [
    [old, renewed],
    [renewed, old],
  ] as const) {
    await writer.diagnosis.getOrCompute(imageQuery(), counting().compute);
    await settle();
    expect(await other.diagnosis.get(imageQuery())).toBeDefined();
    await other.invalidation.diagnosis('study-4711');
    await settle();
    expect(await writer.diagnosis.get(imageQuery())).toBeUndefined();
    expect(await other.diagnosis.get(imageQuery())).toBeUndefined();
  }
});

test('a foreign entry where only the previous key leads is a miss like any other, and alarms', async () => {
  await store();
  fleet.keys.second = randomBytes(32).toString('base64');
  const { redis } = fleet.servers;
  const [[key = '', entry] = []] = redis.entries;
  const foreign = Buffer.from(entry?.sealed ?? []);
  foreign.write('other', 4, 'latin1');
  redis.entries.set(key, { sealed: foreign, until: Infinity, ttlMs: 0 });
  fleet.writeRing('second');
  const registry = new Registry();
  const reader = await fleet.process(['redis'], {}, { registry });
  expect(await reader.diagnosis.get(imageQuery())).toBeUndefined();
  expect(await registry.metrics()).toMatch(/key_faults_total\{reason="unknown_key"\} [1-9]/);
});

describe('processes whose key rings share no key', () => {
  interface Checked {
    run(): Promise<void>;
    readonly alarms: string[];
    faults(): Promise<string>;
  }

  /** A process with keys of these names, as it compares them with others. */
  function checking(...names: string[]): Checked {
    const registry = new Registry();
    const metrics = new CacheMetrics(registry, new HotTier().counts, () => ({}));
    const alarms: string[] = [];
    const guarded = (['redis', 'memcached'] as const).map((name) => {
      const tier = fleet.servers[name].tier(name);
      const breaker = new Breaker(
        fleet.clock.now,
        () => 0,
        () => undefined,
      );
      const guard = new Guard(name, 100, () => false, breaker, metrics, trace.getTracer('test'));
      return new GuardedTier(tier, guard, { maxEntryBytes: 1_000 }, metrics);
    });
    const keys = names.map((name) => new TenantKey(name, Buffer.alloc(32, name), 'test'));
    const ring = keyRing(keys, keys[0] as TenantKey);
    const check = new RingCheck(
      'test',
      guarded,
      () => ring,
      metrics,
      (_level, event, { tier }) => {
        alarms.push(`${event} ${tier}`);
      },
    );
    return {
      run: () => check.run(),
      alarms,
      faults: async () => /key_faults_total\{reason="unknown_key"\} (\d+)/.exec(await registry.metrics())?.[1] ?? '',
    };
  }

  test('both alarm, until one has gone', async () => {
    const [ours, stranger] = [checking('ours'), checking('strange')];
    await ours.run();
    expect(ours.alarms).toEqual([]);
    await stranger.run();
    await ours.run();
    for (const process of [ours, stranger]) {
      expect(process.alarms).toEqual(['cache_key_ring_differs redis']);
      expect(await process.faults()).toBe('1');
    }
    await stranger.run();
    fleet.clock.pass(301);
    await ours.run();
    expect(ours.alarms).toHaveLength(1);
  });

  test('none alarms while a rotation goes step by step', async () => {
    const rings = [['one'], ['one', 'two'], ['two', 'one'], ['two']].map((names) => checking(...names));
    for (const [index, check] of rings.entries()) {
      for (const one of [check, rings[index + 1] ?? check, check]) {
        await one.run();
      }
    }
    expect(rings.flatMap(({ alarms }) => alarms)).toEqual([]);
  });

  test('the next tier is asked where one is away, and none where all are', async () => {
    const [ours, stranger] = [checking('ours'), checking('strange')];
    fleet.servers.redis.down = true;
    await ours.run();
    await stranger.run();
    expect(stranger.alarms).toEqual(['cache_key_ring_differs memcached']);
    fleet.servers.memcached.down = true;
    await ours.run();
    expect(ours.alarms).toEqual([]);
  });

  test('what they leave for each other tells nothing', async () => {
    await checking('ours').run();
    const [[key, entry] = []] = fleet.servers.redis.entries;
    expect(key).toBe('test:key_ring');
    expect(Buffer.from(entry?.sealed ?? []).toString()).toMatch(/^[\w-]{43}$/);
  });
});

test('a changed file is read while the process runs; a broken one alarms and changes nothing', async () => {
  const registry = new Registry();
  const metrics = new CacheMetrics(registry, new HotTier().counts, () => ({}));
  const events: string[] = [];
  const log = (_level: string, event: string, facts: object): unknown => events.push(event + JSON.stringify(facts));
  const source = new RingSource({ namespace: 'test', keyRingFile: fleet.keyRingFile }, log, metrics, 5);
  const { ring } = source;
  await settle();
  expect(source.ring).toBe(ring);

  fleet.keys.second = randomBytes(32).toString('base64');
  fleet.writeRing('second');
  await settle();
  expect(source.ring.current.name).toBe('second');

  fleet.writeRing('third');
  await settle();
  source.close();
  expect(source.ring.current.name).toBe('second');
  expect(events[0]).toContain("'keyRing.current' (third) must be one of the keys");
  expect(events.join()).not.toContain(fleet.keys.second);
  expect(await registry.metrics()).toMatch(/key_faults_total\{reason="key_ring"\} [1-9]/);
});
