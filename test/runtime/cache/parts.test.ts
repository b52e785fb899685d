/** The small parts: breaker, guard, deadlines, update rates, Markov model, metrics. */
import { trace } from '@opentelemetry/api';
import fc from 'fast-check';
import { Registry } from 'prom-client';
import { Breaker } from '../../../runtime/cache/breaker';
import { createMedicalCache } from '../../../runtime/cache/create';
import { FAILED, Guard } from '../../../runtime/cache/guarded-tier';
import { HotTier } from '../../../runtime/cache/hot-tier';
import { NextClassModel } from '../../../runtime/cache/markov';
import { CacheMetrics } from '../../../runtime/cache/metrics';
import { DistributionHistogram, TallyCounter } from '../../../runtime/cache/tallies';
import { UpdateRates } from '../../../runtime/cache/update-rates';
import { Clock } from '../../support/cache';

describe('a breaker', () => {
  function breaker(): { breaker: Breaker; clock: Clock; states: string[] } {
    const clock = new Clock();
    const states: string[] = [];
    const config = { failures: 3, openMs: 5_000 };
    return {
      breaker: new Breaker(
        clock.now,
        () => 0,
        (state) => states.push(state),
        config,
      ),
      clock,
      states,
    };
  }
  const fail = (it: Breaker, times: number): void => {
    for (let time = 0; time < times; time++) {
      it.admits();
      it.failed();
    }
  };

  test('opens after failures in a row, and only in a row', () => {
    const { breaker: it } = breaker();
    fail(it, 2);
    it.succeeded();
    fail(it, 2);
    expect(it.admits()).toBe(true);
    it.failed();
    expect(it.admits()).toBe(false);
  });

  test('lets one try after a while; its success closes it', () => {
    const { breaker: it, clock, states } = breaker();
    fail(it, 3);
    clock.pass(4.9);
    expect(it.admits()).toBe(false);
    clock.pass(0.1);
    expect([it.admits(), it.admits()]).toEqual([true, false]);
    it.succeeded();
    expect(it.admits()).toBe(true);
    expect(states).toEqual(['open', 'half-open', 'ok']);
  });

  test('opens again when the one fails', () => {
    const { breaker: it, clock } = breaker();
    fail(it, 3);
    clock.pass(5);
    fail(it, 1);
    expect(it.state).toBe('open');
    clock.pass(4.9);
    expect(it.admits()).toBe(false);
  });
});

describe('a guard', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  function guard(): { guard: Guard; registry: Registry; breaker: Breaker } {
    const registry = new Registry();
    const metrics = new CacheMetrics(registry, new HotTier().counts, () => ({}));
    const breaker = new Breaker(
      Date.now,
      () => 0,
      () => undefined,
      { failures: 2, openMs: 5_000 },
    );
    const refused = (error: unknown): boolean => String(error).includes('refused');
    const tracer = trace.getTracer('test');
    return { guard: new Guard('redis', 100, refused, breaker, metrics, tracer), registry, breaker };
  }
  const errors = async (registry: Registry): Promise<string[]> =>
    (await registry.getSingleMetricAsString('mediform_cache_tier_errors_total'))
      .split('\n')
      .flatMap((line) => /reason="(\w+)"} (\d+)/.exec(line)?.slice(1).join(' ') ?? []);

  test('gives what the work gives', async () => {
    await expect(guard().guard.run('get', 0, () => Promise.resolve(7))).resolves.toBe(7);
  });

  test('does not wait longer than its deadline, nor for the others of the same time', async () => {
    const { guard: it, registry } = guard();
    const slow = [1, 2].map(() => it.run('get', 0, () => new Promise(() => undefined)));
    const late = it.run('get', 0, () => new Promise((resolve) => setTimeout(() => resolve('in time'), 90)));
    await jest.advanceTimersByTimeAsync(101);
    expect(await Promise.all(slow)).toEqual([FAILED, FAILED]);
    expect(await late).toBe('in time');
    expect(await errors(registry)).toEqual(['deadline 2']);
  });

  test('a deadline that is set later is met later', async () => {
    const { guard: it } = guard();
    const outcomes: string[] = [];
    void it.run('get', 0, () => new Promise(() => undefined)).then(() => outcomes.push('first'));
    await jest.advanceTimersByTimeAsync(60);
    void it.run('get', 0, () => new Promise(() => undefined)).then(() => outcomes.push('second'));
    await jest.advanceTimersByTimeAsync(50);
    expect(outcomes).toEqual(['first']);
    await jest.advanceTimersByTimeAsync(60);
    expect(outcomes).toEqual(['first', 'second']);
  });

  test('lost connections open the breaker, refusals do not', async () => {
    const { breaker, guard: it, registry } = guard();
    const failing = (message: string) => it.run('set', 0, () => Promise.reject(new Error(message)));
    for (const message of ['refused', 'refused', 'refused', 'lost', 'lost', 'lost']) {
      expect(await failing(message)).toBe(FAILED);
    }
    expect(breaker.state).toBe('open');
    expect(await errors(registry)).toEqual(['server 3', 'connection 2', 'breaker 1']);
  });

  test('work that throws at once is a failure like others', async () => {
    const outcome = guard().guard.run('get', 0, () => {
      throw new Error('at once');
    });
    await expect(outcome).resolves.toBe(FAILED);
  });

  test('does not begin what is too much', async () => {
    const { guard: it, registry } = guard();
    const hang = (): Promise<never> => new Promise(() => undefined);
    void it.run('set', 60_000_000, hang);
    expect(await it.run('set', 60_000_000, hang)).toBe(FAILED);
    for (let index = 0; index < 511; index++) {
      void it.run('get', 0, hang);
    }
    expect(await it.run('get', 0, () => Promise.resolve(1))).toBe(FAILED);
    expect(await errors(registry)).toContainEqual('busy 1');
  });
});

describe('the lifetime of model outputs', () => {
  const DAY = 86_400;
  const rates = (random = 0): UpdateRates => new UpdateRates(() => random);

  test('is the longest where nothing was ever updated', () => {
    expect(rates().ttlSeconds('m', 0)).toBe(DAY);
  });

  test('keeps the probability of a change at a tenth, once updates come steadily', () => {
    const it = rates();
    const every = 3_600;
    const weeks = 10;
    for (let at = 0; at <= weeks * 7 * DAY; at += every) {
      it.record('m', at * 1000);
    }
    const ttl = it.ttlSeconds('m', weeks * 7 * DAY * 1000);
    // 1 - exp(-ttl / every) = 0.1
    expect(ttl / (-Math.log(0.9) * every)).toBeCloseTo(1, 1);
  });

  test('stays within its bounds, and grows again when updates stop', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 40 * DAY }), { maxLength: 500 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (times, random) => {
          const it = rates(random);
          times.sort((a, b) => a - b).forEach((at) => it.record('m', at * 1000));
          const [soon, later] = [40 * DAY, 400 * DAY].map((at) => it.ttlSeconds('m', at * 1000)) as [number, number];
          expect(soon).toBeGreaterThanOrEqual(60);
          expect(later).toBeLessThanOrEqual(DAY);
          expect(later).toBeGreaterThanOrEqual(soon);
        },
      ),
    );
  });

  test('is up to a tenth shorter at random', () => {
    expect(rates(0.5).ttlSeconds('m', 0)).toBeCloseTo(0.95 * DAY);
  });

  test('is each model its own', () => {
    const it = rates();
    for (let index = 0; index < 1_000; index++) {
      it.record('busy', 0);
    }
    expect(it.ttlSeconds('quiet', 0)).toBe(DAY);
    expect(it.ttlSeconds('busy', 0)).toBeLessThan(DAY / 2);
  });
});

describe('the next class', () => {
  test('is what mostly follows', () => {
    const model = new NextClassModel();
    ['prior', 'prior', 'prior', 'guideline'].forEach((next) => model.learn('ct', next));
    expect(model.next('ct', 0.5)).toEqual(['prior']);
    expect(model.next('ct', 0.1)).toEqual(['prior', 'guideline']);
    expect(model.next('mri', 0)).toEqual([]);
  });

  test('follows habits that change', () => {
    const model = new NextClassModel();
    for (let index = 0; index < 3_000; index++) {
      model.learn('ct', 'old');
    }
    for (let index = 0; index < 3_000; index++) {
      model.learn('ct', 'new');
    }
    expect(model.next('ct', 0.6)).toEqual(['new']);
  });

  test('probabilities never sum to more than one, however many classes there are', () => {
    const name = fc.integer({ min: 0, max: 60 }).map(String);
    fc.assert(
      fc.property(fc.array(fc.tuple(name, name), { maxLength: 400 }), (pairs) => {
        const model = new NextClassModel();
        pairs.forEach(([from, to]) => model.learn(from, to));
        for (const [from] of pairs) {
          expect(model.next(from, 0.51).length).toBeLessThanOrEqual(1);
          expect(model.next(from, 0).length).toBeLessThanOrEqual(16);
        }
      }),
    );
  });

  test('forgets the class that was seen longest ago', () => {
    const model = new NextClassModel();
    model.learn('first', 'x');
    for (let index = 0; index < 512; index++) {
      model.learn(`class ${index}`, 'x');
    }
    expect(model.next('first', 0)).toEqual([]);
    expect(model.next('class 0', 0)).toEqual(['x']);
  });
});

describe('metrics', () => {
  test('of one open cache are in a registry; they leave it when it closes', async () => {
    const registry = new Registry();
    const first = await createMedicalCache({ namespace: 'test' }, { registry });
    await expect(createMedicalCache({ namespace: 'test' }, { registry })).rejects.toThrow(
      "'registry' (of an open cache) must be one that no other open cache has because",
    );
    await first.close();
    expect(await registry.metrics()).toBe('\n');
    const second = await createMedicalCache({ namespace: 'test' }, { registry });
    expect(await registry.metrics()).toContain('mediform_cache_lookups_total');
    await second.close();
  });

  test('a histogram reads as one of prom-client with the same observations', async () => {
    const values = [0.0001, 0.0005, 0.0007, 0.3, 7];
    const [own, theirs] = [new Registry(), new Registry()];
    const { Histogram } = await import('prom-client');
    const words = { name: 'seconds', help: 'Seconds', labelNames: ['tier'] as const };
    const bounds = [0.0005, 0.001, 0.5];
    const distribution = new DistributionHistogram(own, words, bounds).begin({ tier: 'redis' });
    const histogram = new Histogram({
      ...words,
      labelNames: [...words.labelNames],
      buckets: bounds,
      registers: [theirs],
    });
    values.forEach((value) => {
      distribution.observe(value);
      histogram.observe({ tier: 'redis' }, value);
    });
    expect(await own.metrics()).toBe(await theirs.metrics());
    own.setDefaultLabels({ service: 'ct' });
    expect(await own.metrics()).toContain('seconds_bucket{le="0.0005",tier="redis",service="ct"} 2');
  });

  test('a counter takes in each count once', async () => {
    const registry = new Registry();
    const counter = new TallyCounter(registry, { name: 'hits', help: 'Hits', labelNames: ['tier'] });
    const tally = counter.begin({ tier: 'hot' }, { count: 0 });
    tally.count += 3;
    expect(await registry.metrics()).toContain('hits{tier="hot"} 3');
    tally.count += 2;
    expect(await registry.metrics()).toContain('hits{tier="hot"} 5');
    expect(await registry.metrics()).toContain('hits{tier="hot"} 5');
  });
});
