/** What is found where, and what is written where and for how long. */
import zlib from 'node:zlib';
import { Registry } from 'prom-client';
import { TIER_CAP_SECONDS } from '../../../constructs/plan/cache/kinds';
import type { KindCache, MedicalCache } from '../../../runtime/cache/types';
import { Fleet, counting, imageQuery, settle, textOf } from '../../support/cache';

let fleet: Fleet;
beforeEach(() => {
  fleet = new Fleet();
});
afterEach(() => fleet.close());

const NAMES = ['redis', 'memcached', 'database'] as const;
const DAY = 86_400;

async function computed(cache: MedicalCache, kind: KindCache = cache.diagnosis): Promise<void> {
  await kind.getOrCompute(imageQuery(), counting().compute);
  await settle();
}

test('a computed result goes to all tiers, sealed', async () => {
  const cache = await fleet.process();
  const key = cache.diagnosis.key(imageQuery());
  await computed(cache);
  for (const name of NAMES) {
    expect([...fleet.servers[name].entries.keys()]).toEqual([`test:${key.id}`]);
    const sealed = fleet.servers[name].entries.get(`test:${key.id}`)?.sealed ?? [];
    expect(sealed.length).toBeGreaterThan(60);
    expect(Buffer.from(sealed).includes('result')).toBe(false);
  }
});

test.each(NAMES.map((name, depth) => [name, NAMES.slice(0, depth)] as const))(
  'a hit in %s is written back to the tiers above it (%j), and no further',
  async (tier, above) => {
    await computed(await fleet.process());
    const others = NAMES.filter((name) => name !== tier);
    others.forEach((name) => fleet.servers[name].entries.clear());
    const reader = await fleet.process();
    const answer = await reader.diagnosis.get(imageQuery());
    expect([answer?.tier, textOf(answer)]).toEqual([tier, 'result 1']);
    await settle();
    expect(others.filter((name) => fleet.servers[name].entries.size > 0)).toEqual(above);
    expect((await reader.diagnosis.get(imageQuery()))?.tier).toBe('hot');
  },
);

test('each answer says how old it is, by which model, and until when it is fresh', async () => {
  await computed(await fleet.process());
  const start = fleet.clock.ms;
  fleet.clock.pass(90);
  const reader = await fleet.process();
  await settle();
  expect(await reader.diagnosis.get(imageQuery())).toMatchObject({
    ageMs: 90_000,
    modelVersion: '1.0.0',
    stale: false,
    expiresAt: start + 7 * DAY * 1000,
  });
});

test('no tier holds an entry for longer than its cap', async () => {
  await computed(await fleet.process());
  const ttls = NAMES.map((name) => [...fleet.servers[name].entries.values()][0]?.ttlMs);
  expect(ttls).toEqual([DAY, 3 * DAY, 7 * DAY].map((seconds) => seconds * 1000));
  expect(NAMES.map((name) => TIER_CAP_SECONDS[name])).toEqual([DAY, 3 * DAY, 14 * DAY]);
});

test('what is written back lives as long as is left of it', async () => {
  await computed(await fleet.process());
  fleet.servers.redis.entries.clear();
  fleet.clock.pass(6.9 * DAY);
  const reader = await fleet.process();
  await settle();
  expect((await reader.diagnosis.get(imageQuery()))?.tier).toBe('database');
  await settle();
  const [rewritten] = fleet.servers.redis.entries.values();
  expect((rewritten?.ttlMs ?? 0) / 1000).toBeCloseTo(0.1 * DAY, 0);
});

test('the hot tier lets go after its cap, and of what has expired', async () => {
  const cache = await fleet.process();
  await computed(cache);
  fleet.clock.pass(3_599);
  await settle();
  expect((await cache.diagnosis.get(imageQuery()))?.tier).toBe('hot');
  fleet.clock.pass(1);
  await settle();
  expect((await cache.diagnosis.get(imageQuery()))?.tier).toBe('redis');
});

test.each([
  ['diagnosis', 7 * DAY],
  ['knowledge', DAY],
  ['model_output', DAY],
] as const)('%s is fresh for %d seconds, whatever a store keeps', async (kind, seconds) => {
  const cache = await fleet.process();
  await computed(cache, cache.of(kind));
  // a store that forgets to forget
  for (const name of NAMES) {
    for (const [key, entry] of fleet.servers[name].entries) {
      fleet.servers[name].entries.set(key, { ...entry, until: Infinity });
    }
  }
  fleet.clock.pass(seconds - 1);
  await settle();
  expect(await cache.of(kind).get(imageQuery())).toBeDefined();
  fleet.clock.pass(1);
  await settle();
  expect(await cache.of(kind).get(imageQuery())).toBeUndefined();
});

test('an entry that was moved or changed in a store is a miss, and alarms', async () => {
  const registry = new Registry();
  const cache = await fleet.process(['redis'], {}, { registry });
  await computed(cache);
  const [[, entry]] = [...fleet.servers.redis.entries] as [
    [string, { sealed: Uint8Array; until: number; ttlMs: number }],
  ];
  const other = imageQuery({ content: Buffer.from('of another patient') });
  fleet.servers.redis.entries.set(`test:${cache.diagnosis.key(other).id}`, entry);
  expect(await cache.diagnosis.get(other)).toBeUndefined();
  expect(await registry.metrics()).toContain('mediform_cache_key_faults_total{reason="not_authentic"} 1');
});

test('a value that its owner changes afterwards does not change in the cache', async () => {
  const cache = await fleet.process();
  const body = Buffer.from('benign');
  await cache.diagnosis.getOrCompute(imageQuery(), () => Promise.resolve({ value: { body } }));
  body.fill('x');
  expect(textOf(await cache.diagnosis.get(imageQuery()))).toBe('benign');
});

test('media type and metadata come back from every tier', async () => {
  const value = { body: Buffer.from('{}'), contentType: 'application/json', metadata: { encoding: 'identity' } };
  const cache = await fleet.process();
  await cache.diagnosis.set(imageQuery(), { value }, cache.diagnosis.mark());
  const reader = await fleet.process();
  expect((await reader.diagnosis.get(imageQuery()))?.value).toEqual(value);
  expect((await cache.diagnosis.get(imageQuery()))?.value).toMatchObject({
    ...value,
    body: new Uint8Array(value.body),
  });
});

test('a shorter lifetime is kept, a longer one is not', async () => {
  const cache = await fleet.process();
  const store = (content: string, ttlSeconds: number): Promise<void> =>
    cache.knowledge.set(
      imageQuery({ content }),
      { value: { body: Buffer.from('x') }, ttlSeconds },
      cache.knowledge.mark(),
    );
  await store('short', 10);
  await store('long', 10 * DAY);
  const left = async (content: string): Promise<number> =>
    ((await cache.knowledge.get(imageQuery({ content })))?.expiresAt ?? 0) - fleet.clock.ms;
  expect([await left('short'), await left('long')]).toEqual([10_000, DAY * 1000]);
});

test('what must not be kept is not', async () => {
  const cache = await fleet.process();
  const once = { value: { body: Buffer.from('x') }, store: false };
  expect((await cache.diagnosis.getOrCompute(imageQuery(), () => Promise.resolve(once))).tier).toBe('compute');
  await settle();
  expect(await cache.diagnosis.get(imageQuery())).toBeUndefined();
});

test('that there is no answer is kept only where it is asked for, and for as long', async () => {
  const cache = await fleet.process();
  let runs = 0;
  const none = (): Promise<{ value: undefined }> => {
    runs++;
    return Promise.resolve({ value: undefined });
  };
  await cache.knowledge.getOrCompute(imageQuery(), none);
  await cache.knowledge.getOrCompute(imageQuery(), none, { negativeTtlSeconds: 60 });
  await settle();
  const answer = await cache.knowledge.getOrCompute(imageQuery(), none, { negativeTtlSeconds: 60 });
  expect([answer.tier, answer.value, runs]).toEqual(['hot', undefined, 2]);
  const reader = await fleet.process();
  expect(await reader.knowledge.get(imageQuery())).toMatchObject({ value: undefined, tier: 'redis' });
  fleet.clock.pass(60);
  await settle();
  await cache.knowledge.getOrCompute(imageQuery(), none);
  expect(runs).toBe(3);
});

test('a version of the data leaves no older entry readable', async () => {
  await computed(await fleet.process());
  const newer = await fleet.process(undefined, { versions: { diagnosis: 2 } });
  expect(await newer.diagnosis.get(imageQuery())).toBeUndefined();
  const other = await fleet.process(undefined, { versions: { knowledge: 2 } });
  expect(await other.diagnosis.get(imageQuery())).toBeDefined();
});

test('a key of one kind is refused by another', async () => {
  const cache = await fleet.process();
  expect(() => cache.knowledge.peek(cache.diagnosis.key(imageQuery()))).toThrow(
    "'key' (diagnosis) must be of the kind",
  );
});

test('the hot tier alone is a cache too', async () => {
  const cache = await fleet.process([], { keyRingFile: undefined });
  await computed(cache);
  expect((await cache.diagnosis.get(imageQuery()))?.tier).toBe('hot');
  await cache.invalidation.diagnosis('study-4711');
  expect(await cache.diagnosis.get(imageQuery())).toBeUndefined();
});

test('nothing of a patient is in any key, metric or record', async () => {
  const registry = new Registry();
  const lines: string[] = [];
  const log = (...facts: unknown[]): unknown => lines.push(JSON.stringify(facts));
  const cache = await fleet.process(undefined, {}, { registry, log });
  const query = imageQuery({ content: 'Does Mustermann have diabetes?', ids: ['patient-Erika'], variant: 'Schmidt' });
  await cache.knowledge.getOrCompute(query, counting().compute);
  await cache.invalidation.entry('knowledge', 'patient-Erika');
  fleet.servers.redis.down = true;
  await expect(cache.invalidation.entry('knowledge', 'patient-Erika')).rejects.toThrow(/not announced on redis/);
  await cache.knowledge.getOrCompute(query, counting().compute);
  await settle();
  const { database } = fleet.servers;
  const seen = [await registry.metrics(), ...lines, ...database.entries.keys(), JSON.stringify(database.records)];
  expect(database.records.length).toBeGreaterThan(0);
  // no numbers: those of metrics and clocks would match by chance
  expect(seen.join()).not.toMatch(/Mustermann|diabetes|patient-|Schmidt/);
});

test('nothing is compressed for a tier that is left alone', async () => {
  const registry = new Registry();
  const cache = await fleet.process(['redis'], {}, { registry });
  // Zstandard where Node has it
  const name = ('zstdCompress' in zlib ? 'zstdCompress' : 'brotliCompress') as 'brotliCompress';
  const compress = jest.spyOn(zlib, name);
  const value = { body: Buffer.alloc(2_000, 'x') };
  const write = (image: number): Promise<void> =>
    cache.diagnosis.set(imageQuery({ content: `image ${image}` }), { value }, cache.diagnosis.mark());
  fleet.servers.redis.down = true;
  for (const [images, compressed] of [
    [5, 5],
    [20, 5],
  ] as const) {
    for (let image = 0; image < images; image++) {
      await write(image);
    }
    expect(compress).toHaveBeenCalledTimes(compressed);
  }
  expect(await registry.metrics()).toContain(
    'mediform_cache_tier_errors_total{tier="redis",operation="set",reason="breaker"} 20',
  );
});
