/** Filling the cache before it is asked. */
import { Registry } from 'prom-client';
import type { PrefetchCandidate, PrefetchSource } from '../../../runtime/cache/types';
import { HotTier } from '../../../runtime/cache/hot-tier';
import { CacheMetrics } from '../../../runtime/cache/metrics';
import { Prefetcher } from '../../../runtime/cache/prefetcher';
import { waitFor } from '../../e2e/support/wait';
import { Fleet, counting, imageQuery, settle } from '../../support/cache';

const PREFETCHES = 'mediform_cache_prefetches_total';
const WARM_UPS = 'mediform_cache_warm_up_entries_total';

let fleet: Fleet;
beforeEach(() => {
  fleet = new Fleet();
});
afterEach(() => fleet.close());

const question = (content: string) => imageQuery({ content, ids: [] });

async function counts(registry: Registry, metric: string): Promise<{ [outcome: string]: number }> {
  const text = await registry.getSingleMetricAsString(metric);
  const found = [...text.matchAll(/outcome="(\w+)"} (\d+)/g)];
  return Object.fromEntries(found.map(([, name = '', count]) => [name, Number(count)]));
}

describe('a warm-up', () => {
  test('loads what was stored last into all tiers above the database', async () => {
    const cache = await fleet.process();
    for (const content of ['first', 'second', 'third']) {
      await cache.knowledge.getOrCompute(question(content), counting().compute);
      await settle();
    }
    fleet.servers.redis.entries.clear();
    const registry = new Registry();
    const fresh = await fleet.process(undefined, { warmUp: { maxEntries: 2, perSecond: 1_000 } }, { registry });
    expect(await fresh.optimizer.warmUp()).toBe(2);
    const tiers = await Promise.all(
      ['first', 'second', 'third'].map(async (content) => (await fresh.knowledge.get(question(content)))?.tier),
    );
    expect(tiers).toEqual(['memcached', 'hot', 'hot']);
    expect(fleet.servers.redis.entries.size).toBeGreaterThanOrEqual(2);
    expect(await counts(registry, 'mediform_cache_warm_up_entries_total')).toEqual({ loaded: 2 });
  });

  test('skips what was invalidated, and what is of another version', async () => {
    const cache = await fleet.process();
    await cache.knowledge.getOrCompute(question('first'), counting().compute);
    await settle();
    const newer = await fleet.process(undefined, { versions: { knowledge: 2 } });
    expect(await newer.optimizer.warmUp()).toBe(0);
    await cache.invalidation.knowledge();
    expect(await (await fleet.process()).optimizer.warmUp()).toBe(0);
  });

  function* endless(): Generator<PrefetchCandidate> {
    for (let index = 0; ; index++) {
      yield { kind: 'knowledge', query: question(`${index}`), compute: counting().compute };
    }
  }

  test('ends after so many, also of queries of the service', async () => {
    const cache = await fleet.process(undefined, { warmUp: { maxEntries: 7, perSecond: 1_000 } });
    expect(await cache.optimizer.warmUpWith(endless())).toBe(7);
  });

  test('ends when its time is over', async () => {
    const cache = await fleet.process(undefined, { warmUp: { maxSeconds: 1, perSecond: 20 } });
    const loaded = await cache.optimizer.warmUpWith(endless());
    expect(loaded).toBeGreaterThan(1);
    expect(loaded).toBeLessThanOrEqual(21);
  });

  test('goes on after one that fails, and survives a database that is away', async () => {
    const registry = new Registry();
    const cache = await fleet.process(undefined, { warmUp: { perSecond: 1_000 } }, { registry });
    const bad = { kind: 'knowledge', query: question('bad'), compute: () => Promise.reject(new Error('no')) } as const;
    const good = { kind: 'knowledge', query: question('good'), compute: counting().compute } as const;
    expect(await cache.optimizer.warmUpWith([bad, good])).toBe(1);
    fleet.servers.database.down = true;
    expect(await cache.optimizer.warmUp()).toBe(0);
    expect(await counts(registry, 'mediform_cache_warm_up_entries_total')).toEqual({ loaded: 1, failed: 2 });
  });

  test('reads the database no faster than it may', async () => {
    const cache = await fleet.process();
    for (let index = 0; index < 10; index++) {
      await cache.knowledge.getOrCompute(question(`${index}`), counting().compute);
    }
    await settle();
    const slow = await fleet.process(undefined, { warmUp: { maxSeconds: 1, perSecond: 4 } });
    // the first at once, then one each quarter of a second, none after the second is over
    const loaded = await slow.optimizer.warmUp();
    expect(loaded).toBeGreaterThanOrEqual(1);
    expect(loaded).toBeLessThanOrEqual(5);
  });

  test('comes again after each pause, until the cache is closed', async () => {
    const cache = await fleet.process();
    await cache.knowledge.getOrCompute(question('first'), counting().compute);
    await settle();
    const registry = new Registry();
    const warmed = await fleet.process(undefined, { warmUp: { perSecond: 1_000 } }, { registry });
    warmed.optimizer.schedule(0.02);
    await waitFor('warm-ups', async () => ((await counts(registry, WARM_UPS)).loaded ?? 0) >= 3);
    await Promise.all([warmed.close(), cache.close()]);
    const asked = jest.spyOn(fleet.servers.database, 'answer');
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(asked).not.toHaveBeenCalled();
  });

  test('again and again needs a pause', async () => {
    const cache = await fleet.process();
    expect(() => cache.optimizer.schedule(0)).toThrow("'everySeconds' (0) must be more than 0");
  });
});

describe('asking ahead', () => {
  const compute = counting().compute;
  const candidate = (content: string): PrefetchCandidate => ({ kind: 'knowledge', query: question(content), compute });

  /** After a CT users ask for the prior one, as three have shown. */
  async function trained(source: Partial<PrefetchSource>, prefetch = {}) {
    const registry = new Registry();
    const { candidates = (user: string) => Promise.resolve([candidate(`prior of ${user}`)]) } = source;
    let learning = true;
    const whole: PrefetchSource = {
      candidates: (user, queryClass) =>
        learning || queryClass !== 'prior' ? Promise.resolve([]) : candidates(user, queryClass),
      authorise: source.authorise ?? (() => Promise.resolve(true)),
    };
    const cache = await fleet.process(undefined, { prefetch }, { registry, prefetch: whole });
    for (const user of ['a', 'b', 'c']) {
      cache.optimizer.observe(user, 'ct');
      cache.optimizer.observe(user, 'prior');
    }
    await settle();
    learning = false;
    return { cache, outcomes: () => counts(registry, 'mediform_cache_prefetches_total') };
  }

  test('computes what will probably be asked next, and tells whether it was', async () => {
    const { cache, outcomes } = await trained({});
    cache.optimizer.observe('dr-k', 'ct');
    await settle();
    expect((await cache.knowledge.get(question('prior of dr-k')))?.tier).toBe('hot');
    expect(await outcomes()).toEqual({ issued: 1, used: 1 });
  });

  test('skips what is there already', async () => {
    const { cache, outcomes } = await trained({});
    await cache.knowledge.getOrCompute(question('prior of dr-k'), compute);
    cache.optimizer.observe('dr-k', 'ct');
    await settle();
    expect(await outcomes()).toEqual({ cached: 1 });
  });

  test('does not compute what the user may not see', async () => {
    const asked: string[] = [];
    const { cache, outcomes } = await trained({
      authorise: (user) => {
        asked.push(user);
        return Promise.resolve(false);
      },
    });
    cache.optimizer.observe('dr-k', 'ct');
    await settle();
    expect(asked).toEqual(['dr-k']);
    expect(await cache.knowledge.get(question('prior of dr-k'))).toBeUndefined();
    expect(await outcomes()).toEqual({ denied: 1 });
  });

  test('asks each time anew whether the user may: a right that has ended is none', async () => {
    let allowed = true;
    let day = 1;
    const { cache, outcomes } = await trained({
      candidates: (user) => Promise.resolve([candidate(`prior of ${user}, day ${day}`)]),
      authorise: () => Promise.resolve(allowed),
    });
    cache.optimizer.observe('dr-k', 'ct');
    await settle();
    expect(await outcomes()).toEqual({ issued: 1 });
    [allowed, day] = [false, 2];
    cache.optimizer.observe('dr-k', 'ct');
    await settle();
    expect(await outcomes()).toEqual({ issued: 1, denied: 1 });
    expect(await cache.knowledge.get(question('prior of dr-k, day 2'))).toBeUndefined();
  });

  test('counts as wasted what nobody has asked for in ten minutes', async () => {
    const registry = new Registry();
    const cache = await fleet.process();
    const metrics = new CacheMetrics(registry, new HotTier().counts, () => ({}));
    const source: PrefetchSource = {
      candidates: (_user, queryClass) => Promise.resolve([candidate(queryClass)]),
      authorise: () => Promise.resolve(true),
    };
    const { now } = fleet.clock;
    const prefetcher = new Prefetcher(
      source,
      (kind) => cache.of(kind),
      (user) => user,
      metrics,
      now,
    );
    for (const queryClass of ['ct', 'prior', 'ct']) {
      await prefetcher.observe('dr-k', queryClass);
    }
    fleet.clock.pass(599);
    prefetcher.sweep();
    expect(await counts(registry, PREFETCHES)).toEqual({ issued: 1 });
    fleet.clock.pass(1);
    prefetcher.sweep();
    expect(await counts(registry, PREFETCHES)).toEqual({ issued: 1, wasted: 1 });
    // too late to count as a use
    prefetcher.asked(cache.knowledge.key(question('prior')).id);
    expect(await counts(registry, PREFETCHES)).toEqual({ issued: 1, wasted: 1 });
  });

  test('keeps to its budget, which fills up again', async () => {
    const many = Array.from({ length: 50 }, (_, index) => candidate(`${index}`));
    const { cache, outcomes } = await trained({ candidates: () => Promise.resolve(many) }, { perSecond: 1 });
    cache.optimizer.observe('dr-k', 'ct');
    await settle();
    expect(await outcomes()).toEqual({ issued: 10, over_budget: 40 });
    fleet.clock.pass(5);
    await settle();
    cache.optimizer.observe('dr-l', 'ct');
    await settle();
    expect((await outcomes()).issued).toBe(15);
  });

  test('a source that fails harms no one', async () => {
    const { cache } = await trained({ candidates: () => Promise.reject(new Error('no')) });
    cache.optimizer.observe('dr-k', 'ct');
    await settle();
    expect((await cache.knowledge.getOrCompute(question('x'), compute)).tier).toBe('compute');
  });
});

test('updates shorten the life of model outputs in every process, also in one that starts later', async () => {
  const [cache, other] = [await fleet.process(), await fleet.process()];
  for (let hour = 0; hour < 200; hour++) {
    fleet.clock.pass(3_600);
    await settle();
    await cache.optimizer.recordUpdate('triage');
  }
  await settle();
  for (const it of [cache, other, await fleet.process()]) {
    const query = imageQuery({ model: 'triage', content: String(Math.random()) });
    const answer = await it.modelOutput.getOrCompute(query, counting().compute);
    const seconds = (answer.expiresAt - fleet.clock.ms) / 1000;
    expect(seconds).toBeGreaterThan(300);
    expect(seconds).toBeLessThan(3_600);
  }
}, 120_000);
