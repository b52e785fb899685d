/** Who computes, how often, and what happens where that fails. */
import { Registry } from 'prom-client';
import type { Computed } from '../../../runtime/cache/types';
import { Fleet, counting, imageQuery, settle, textOf } from '../../support/cache';

let fleet: Fleet;
beforeEach(() => {
  fleet = new Fleet();
});
afterEach(() => fleet.close());

/** A computation that ends when it is told to. */
function held(): { readonly compute: () => Promise<Computed>; readonly end: (text: string) => void; runs: number } {
  const ends: ((computed: Computed) => void)[] = [];
  const it = {
    runs: 0,
    compute: () => {
      it.runs++;
      return new Promise<Computed>((resolve) => ends.push(resolve));
    },
    end: (text: string) => ends.shift()?.({ value: { body: Buffer.from(text) } }),
  };
  return it;
}

test('many callers in a process are one computation', async () => {
  const cache = await fleet.process();
  const work = held();
  const answers = Array.from({ length: 50 }, () => cache.diagnosis.getOrCompute(imageQuery(), work.compute));
  await settle();
  work.end('once');
  expect(new Set((await Promise.all(answers)).map(textOf))).toEqual(new Set(['once']));
  expect(work.runs).toBe(1);
});

test('many processes are one computation', async () => {
  const processes = await Promise.all([1, 2, 3].map(() => fleet.process()));
  const work = held();
  const answers = processes.map((cache) => cache.diagnosis.getOrCompute(imageQuery(), work.compute));
  await settle();
  expect(work.runs).toBe(1);
  work.end('once');
  const all = await Promise.all(answers);
  expect(all.map(textOf)).toEqual(['once', 'once', 'once']);
  expect(all.map(({ tier }) => tier).sort()).toEqual(['compute', 'redis', 'redis']);
  expect(work.runs).toBe(1);
});

test('who waits for a process that fails computes by itself', async () => {
  const [first, second] = [await fleet.process(), await fleet.process()];
  let fail: (error: Error) => void = () => undefined;
  const failing = first.diagnosis.getOrCompute(imageQuery(), () => new Promise((_, reject) => (fail = reject)));
  await settle();
  const { compute, runs } = counting();
  const waiting = second.diagnosis.getOrCompute(imageQuery(), compute);
  await settle();
  expect(runs()).toBe(0);
  fail(new Error('out of memory'));
  await expect(failing).rejects.toThrow('out of memory');
  expect(textOf(await waiting)).toBe('result 1');
});

test('without a store to agree on, processes compute at once', async () => {
  fleet.servers.redis.down = true;
  fleet.servers.database.down = true;
  const [first, second] = [await fleet.process(), await fleet.process()];
  const { compute, runs } = counting();
  await Promise.all([first, second].map((cache) => cache.diagnosis.getOrCompute(imageQuery(), compute)));
  expect(runs()).toBe(2);
}, 120_000);

test('an error of a computation is the callers, and is not kept', async () => {
  const cache = await fleet.process();
  const failing = (): Promise<never> => Promise.reject(new Error('model is gone'));
  await expect(cache.diagnosis.getOrCompute(imageQuery(), failing)).rejects.toThrow('model is gone');
  expect(textOf(await cache.diagnosis.getOrCompute(imageQuery(), counting().compute))).toBe('result 1');
});

describe('an invalidation during a computation', () => {
  test('keeps its result out of every tier of every process', async () => {
    const [writer, other] = [await fleet.process(), await fleet.process()];
    const work = held();
    const answer = writer.diagnosis.getOrCompute(imageQuery(), work.compute);
    await settle();
    await other.invalidation.diagnosis('study-4711');
    work.end('too late');
    expect(textOf(await answer)).toBe('too late');
    await settle();
    expect(await writer.diagnosis.get(imageQuery())).toBeUndefined();
    expect(await other.diagnosis.get(imageQuery())).toBeUndefined();
  });

  test('fences off a writer that has not heard of it', async () => {
    const [writer, other] = [await fleet.process(['redis']), await fleet.process(['redis'])];
    const before = writer.diagnosis.mark();
    await other.invalidation.diagnosis('study-4711');
    // as by a process that was asleep all the while
    await writer.diagnosis.set(imageQuery(), { value: { body: Buffer.from('old') } }, before);
    expect(await other.diagnosis.get(imageQuery())).toBeUndefined();
    await settle();
    expect(await writer.diagnosis.get(imageQuery())).toBeUndefined();
  });

  test('makes later callers start anew', async () => {
    const cache = await fleet.process();
    const [old, fresh] = [held(), held()];
    const early = cache.diagnosis.getOrCompute(imageQuery(), old.compute);
    await settle();
    await cache.invalidation.diagnosis('study-4711');
    fleet.servers.redis.leases.clear();
    const late = cache.diagnosis.getOrCompute(imageQuery(), fresh.compute);
    await settle();
    old.end('from before');
    fresh.end('from after');
    expect([textOf(await early), textOf(await late)]).toEqual(['from before', 'from after']);
    await settle();
    expect(textOf(await cache.diagnosis.get(imageQuery()))).toBe('from after');
  });
});

describe('where computing anew fails', () => {
  const DAY = 86_400;
  const failing = (): Promise<never> => Promise.reject(new Error('search is down'));

  test('knowledge is served stale, and says so, for a day more', async () => {
    const registry = new Registry();
    const cache = await fleet.process(undefined, {}, { registry });
    await cache.knowledge.getOrCompute(imageQuery(), counting().compute);
    await settle();
    fleet.clock.pass(DAY + 60);
    await settle();
    const answer = await cache.knowledge.getOrCompute(imageQuery(), failing);
    expect([answer.stale, textOf(answer), answer.ageMs]).toEqual([true, 'result 1', (DAY + 60) * 1000]);
    expect(await cache.knowledge.get(imageQuery())).toBeUndefined();
    fleet.clock.pass(DAY - 60);
    await settle();
    await expect(cache.knowledge.getOrCompute(imageQuery(), failing)).rejects.toThrow('search is down');
  });

  test('invalidated knowledge is not served, not even stale', async () => {
    const cache = await fleet.process();
    await cache.knowledge.getOrCompute(imageQuery(), counting().compute);
    await settle();
    await cache.invalidation.knowledge();
    fleet.clock.pass(DAY + 60);
    await settle();
    await expect(cache.knowledge.getOrCompute(imageQuery(), failing)).rejects.toThrow('search is down');
  });

  test.each(['diagnosis', 'model_output'] as const)('%s is never served stale', async (kind) => {
    const cache = await fleet.process();
    await cache.of(kind).getOrCompute(imageQuery(), counting().compute);
    await settle();
    fleet.clock.pass(7 * DAY);
    await settle();
    await expect(cache.of(kind).getOrCompute(imageQuery(), failing)).rejects.toThrow('search is down');
  });
});

describe('an early refresh', () => {
  test('computes once in the background while callers are served', async () => {
    const cache = await fleet.process(undefined, {}, { random: () => 0.9 });
    // takes ten minutes, so that a refresh is due about as long before the end
    const slow = (): Promise<Computed> => {
      fleet.clock.pass(600);
      return Promise.resolve({ value: { body: Buffer.from('first') } });
    };
    await cache.diagnosis.getOrCompute(imageQuery(), slow);
    await settle();
    const work = held();
    const ask = () => cache.diagnosis.getOrCompute(imageQuery(), work.compute);
    fleet.clock.pass(7 * 86_400 - 600 - 1_500);
    await settle();
    await ask();
    await settle();
    // -600 s * ln(0.1) = 1,382 s before the end
    expect(work.runs).toBe(0);
    fleet.clock.pass(200);
    await settle();
    expect((await Promise.all([ask(), ask(), ask()])).map(textOf)).toEqual(['first', 'first', 'first']);
    await settle();
    expect(work.runs).toBe(1);
    work.end('second');
    await settle();
    expect(textOf(await ask())).toBe('second');
  });

  test('is one for all processes', async () => {
    const processes = await Promise.all(
      ['first', 'second'].map(() => fleet.process(undefined, {}, { random: () => 0.9 })),
    );
    const slow = (): Promise<Computed> => {
      fleet.clock.pass(600);
      return Promise.resolve({ value: { body: Buffer.from('first') } });
    };
    await processes[0]?.diagnosis.getOrCompute(imageQuery(), slow);
    await settle();
    fleet.clock.pass(7 * 86_400 - 600 - 100);
    await settle();
    const work = held();
    const ask = () => Promise.all(processes.map((it) => it.diagnosis.getOrCompute(imageQuery(), work.compute)));
    expect((await ask()).map(textOf)).toEqual(['first', 'first']);
    await settle();
    await ask();
    await settle();
    expect(work.runs).toBe(1);
    work.end('second');
    await settle();
  });

  test('that fails is no one else‘s concern', async () => {
    const cache = await fleet.process(undefined, {}, { random: () => 0.999_999 });
    const slow = (): Promise<Computed> => {
      fleet.clock.pass(60);
      return Promise.resolve({ value: { body: Buffer.from('first') } });
    };
    await cache.diagnosis.getOrCompute(imageQuery(), slow);
    await settle();
    fleet.clock.pass(7 * 86_400 - 70);
    await settle();
    const failing = (): Promise<never> => Promise.reject(new Error('busy'));
    expect(textOf(await cache.diagnosis.getOrCompute(imageQuery(), failing))).toBe('first');
    await settle();
    expect(textOf(await cache.diagnosis.getOrCompute(imageQuery(), failing))).toBe('first');
  });
});
