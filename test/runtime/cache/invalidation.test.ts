/** What is invalidated, where that is recorded, and what is served while it cannot be. */
import { Registry } from 'prom-client';
import type { CacheInvalidation, MedicalCache } from '../../../runtime/cache/types';
import { Fleet, counting, imageQuery, settle, textOf } from '../../support/cache';
import { waitFor } from '../../e2e/support/wait';

let fleet: Fleet;
beforeEach(() => {
  fleet = new Fleet();
});
afterEach(() => fleet.close());

const STUDY = imageQuery();
const OTHER = imageQuery({ content: Buffer.from('other pixels'), ids: ['study-4712'] });
const NEWER = imageQuery({ modelVersion: '1.1.0' });

async function filled(cache: MedicalCache): Promise<void> {
  for (const kind of ['diagnosis', 'knowledge'] as const) {
    for (const query of [STUDY, OTHER, NEWER]) {
      await cache.of(kind).getOrCompute(query, counting().compute);
    }
  }
  await settle();
}

/** Which entries are left: kind and place among the three. */
async function left(cache: MedicalCache): Promise<string> {
  const found: string[] = [];
  for (const kind of ['diagnosis', 'knowledge'] as const) {
    for (const [index, query] of [STUDY, OTHER, NEWER].entries()) {
      if ((await cache.of(kind).get(query)) !== undefined) {
        found.push(`${kind[0]}${index}`);
      }
    }
  }
  return found.join(' ');
}

test.each<[string, (invalidation: CacheInvalidation) => Promise<unknown>, string]>([
  ['one diagnosis by its identifier', (it) => it.diagnosis('study-4711'), 'd1 k0 k1 k2'],
  ['entries by their content', (it) => it.content('diagnosis', Buffer.from('pixels')), 'd1 k0 k1 k2'],
  ['entries of a version', (it) => it.version('diagnosis', 'resnet50', '1.0.0'), 'd2 k0 k1 k2'],
  ['all knowledge', (it) => it.knowledge(), 'd0 d1 d2'],
  ['all of a kind', (it) => it.all('diagnosis'), 'k0 k1 k2'],
  ['another identifier', (it) => it.diagnosis('study-4799'), 'd0 d1 d2 k0 k1 k2'],
])('%s, in this process, in another one and in one that starts later', async (_, invalidate, expected) => {
  const [cache, other] = [await fleet.process(), await fleet.process()];
  await filled(cache);
  await left(other);
  await invalidate(cache.invalidation);
  expect(await left(cache)).toBe(expected);
  await settle();
  expect(await left(other)).toBe(expected);
  expect(await left(await fleet.process())).toBe(expected);
});

test('what is computed afterwards is served again', async () => {
  const cache = await fleet.process();
  await filled(cache);
  await cache.invalidation.diagnosis('study-4711');
  await cache.diagnosis.getOrCompute(STUDY, () => Promise.resolve({ value: { body: Buffer.from('corrected') } }));
  await settle();
  expect(textOf(await (await fleet.process()).diagnosis.get(STUDY))).toBe('corrected');
});

test('a store that was away during the invalidation brings nothing back', async () => {
  const cache = await fleet.process();
  await filled(cache);
  fleet.servers.memcached.down = true;
  await cache.invalidation.diagnosis('study-4711');
  fleet.servers.redis.entries.clear();
  fleet.servers.database.entries.clear();
  fleet.servers.memcached.down = false;
  expect(await (await fleet.process()).diagnosis.get(STUDY)).toBeUndefined();
  expect((await (await fleet.process()).diagnosis.get(OTHER))?.tier).toBe('memcached');
});

test('the message is the kind and a keyed hash', async () => {
  const cache = await fleet.process();
  const receipt = await cache.invalidation.diagnosis('study-4711');
  expect(receipt).toEqual({ dataType: 'diagnosis', dataId: expect.stringMatching(/^[\w-]{43}$/) as string });
  expect(fleet.servers.redis.records).toMatchObject([receipt]);
});

describe('while a log is away', () => {
  test('an invalidation that the other has fails loudly, holds where it is heard of, and is completed later', async () => {
    const registry = new Registry();
    const [cache, other] = [await fleet.process(undefined, {}, { registry }), await fleet.process()];
    await filled(cache);
    await left(other);
    fleet.servers.redis.down = true;
    await expect(cache.invalidation.diagnosis('study-4711')).rejects.toMatchObject({
      name: 'InvalidationError',
      recorded: ['database'],
      missing: ['redis'],
    });
    await settle();
    expect(await left(cache)).toBe('d1 k0 k1 k2');
    expect(await left(other)).toBe('d1 k0 k1 k2');
    expect(await registry.metrics()).toContain('outcome="partial"} 1');
    fleet.servers.redis.down = false;
    await waitFor('the record', () => fleet.servers.redis.records.length > 0);
    expect(fleet.servers.redis.records).toHaveLength(1);
  });

  test('one that no log takes is not pretended', async () => {
    const cache = await fleet.process();
    await filled(cache);
    fleet.servers.redis.down = true;
    fleet.servers.database.down = true;
    const attempt = cache.invalidation.diagnosis('study-4711');
    await expect(attempt).rejects.toMatchObject({ recorded: [], missing: ['redis', 'database'] });
    await expect(attempt).rejects.toThrow(/nothing was invalidated.*try again/);
    fleet.servers.redis.down = false;
    fleet.servers.database.down = false;
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(fleet.servers.redis.records).toEqual([]);
    await cache.invalidation.diagnosis('study-4711');
    expect(await left(cache)).toBe('d1 k0 k1 k2');
  });
});

describe('a process that hears of no log', () => {
  test('serves nothing from the cache until it has heard what it missed', async () => {
    const [cache, other] = [await fleet.process(['redis', 'memcached']), await fleet.process(['redis', 'memcached'])];
    await filled(cache);
    await left(other);
    const cut = fleet.servers.redis;
    cut.down = true;
    fleet.clock.pass(2);
    await settle();
    expect(await left(other)).toBe('');
    expect(other.status().serving).toBe(false);
    const { compute, runs } = counting();
    expect((await other.diagnosis.getOrCompute(STUDY, compute)).tier).toBe('compute');
    expect(runs()).toBe(1);
    cut.down = false;
    await cache.invalidation.diagnosis('study-4711');
    await waitFor('the log to be heard', () => other.status().serving);
    expect(await left(other)).toBe('d1 d2 k0 k1 k2'.replace('d2 ', ''));
  });

  test('goes on while it hears of one of two', async () => {
    const registry = new Registry();
    const cache = await fleet.process(undefined, {}, { registry });
    await filled(cache);
    for (const name of ['redis', 'database'] as const) {
      fleet.servers[name].down = true;
      fleet.clock.pass(3);
      await waitFor('the other log to be heard', () => cache.status().serving);
      expect(await left(cache)).toBe('d0 d1 d2 k0 k1 k2');
      fleet.servers[name].down = false;
      await waitFor('both logs to be heard', async () =>
        (await registry.metrics()).includes(`mediform_cache_log_age_seconds{log="${name}"} 0\n`),
      );
    }
  });
});

test('a Redis that lost its log costs nothing where the database has it, and everything where it has not', async () => {
  const both = await fleet.process();
  await filled(both);
  const { redis } = fleet.servers;
  redis.incarnation++;
  redis.records.length = 0;
  await settle();
  expect(await left(both)).toBe('d0 d1 d2 k0 k1 k2');
  expect(await left(await fleet.process(['redis', 'memcached']))).toBe('');
});
