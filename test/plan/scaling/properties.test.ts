/**
 * Proofs by random search that the rules scale exactly at their thresholds, at every number of replicas, and settle.
 *
 * `signalVote` is what the recording rules compute (test/e2e/recording-rules.test.ts holds the two together), and
 * `hpaDesiredReplicas` what the HPA controller makes of it.
 */
import fc from 'fast-check';
import { Problems } from '../../../constructs/plan/errors';
import type { SignalPlan } from '../../../constructs/plan/scaling/props';
import { planSignals } from '../../../constructs/plan/scaling/signals';
import { scalingPressure, signalVote, type SignalReading } from '../../../constructs/plan/scaling/votes';
import { hpaDesiredReplicas } from '../../../constructs/testing';
import { between, follow, MOST, RUNS, state, with_, type State } from './arbitraries';

/** Signals that pass the planner's own checks. */
function planned(rules: Parameters<typeof planSignals>[1]): SignalPlan[] {
  const problems = new Problems();
  const signals = planSignals(problems, rules, {});
  problems.throwIfAny();
  return signals;
}

const OFF = { gpuUtilization: 'off', queueLength: 'off', responseTimeP95: 'off', errorRate: 'off' } as const;
const band = (most: number, share: number): fc.Arbitrary<{ scaleOutAbove: number; scaleInBelow: number }> =>
  fc.tuple(between(0.5, most), between(0, share)).map(([out, part]) => ({
    scaleOutAbove: out,
    scaleInBelow: part * out,
  }));
const utilisationRule = band(99.9, 0.4).map((rule) => planned({ ...OFF, gpuUtilization: rule }));
const queueRule = band(1000, 0.25).map((rule) => planned({ ...OFF, queueLength: rule }));
const oneBand = fc
  .oneof(utilisationRule, queueRule)
  .map(([signal]) => signal as SignalPlan & { readonly scaleInBelow: number });
const allSignals = fc
  .record({
    gpu: band(99.9, 0.4),
    queue: band(1000, 0.25),
    seconds: fc.integer({ min: 1, max: 60 }),
    errors: between(0.1, 99),
  })
  .map(({ gpu, queue, seconds, errors }) =>
    planned({
      gpuUtilization: gpu,
      queueLength: queue,
      responseTimeP95: { scaleOutAbove: { toSeconds: () => seconds } },
      errorRate: { scaleOutAbove: errors },
    }),
  );

/** Where a value lies: 1 over the band, -1 under it. */
const side = ({ scaleOutAbove, scaleInBelow = 0 }: SignalPlan, value: number): number =>
  Number(value > scaleOutAbove) - Number(value < scaleInBelow);

/** Values near, at and far from the thresholds of a signal. */
const valueOf = ({ scaleOutAbove, scaleInBelow = 0 }: SignalPlan): fc.Arbitrary<number> =>
  fc.oneof(
    between(0, 4 * scaleOutAbove),
    between(scaleInBelow, scaleOutAbove),
    between(0, scaleInBelow),
    fc.constantFrom(0, scaleInBelow, scaleOutAbove, scaleInBelow * (1 - 1e-9), scaleOutAbove * (1 + 1e-9)),
  );

describe('exactness', () => {
  it('one signal: out above its threshold, in below, nothing between, at every number of replicas', () => {
    fc.assert(
      fc.property(with_(oneBand, valueOf), state, ([signal, value], at) => {
        const { replicas, minReplicas, maxReplicas } = at;
        const desired = follow(at, signalVote(signal, value, true));
        const expected = side(signal, value);
        if (expected > 0) {
          expect(desired > replicas || replicas === maxReplicas).toBe(true);
        } else if (expected < 0) {
          expect(desired < replicas || replicas === minReplicas).toBe(true);
        } else {
          expect(desired).toBe(replicas);
        }
      }),
      RUNS,
    );
  });

  it('two replicas at 29 % shrink to one, and at 80 % stay', () => {
    const [gpu] = planned({ ...OFF, gpuUtilization: { scaleOutAbove: 80, scaleInBelow: 30 } });
    const at = (value: number, replicas: number): number =>
      follow({ replicas, minReplicas: 1, maxReplicas: 20 }, signalVote(gpu as SignalPlan, value, true));
    expect([29.99, 30, 80, 80.01].map((value) => at(value, 2))).toEqual([1, 2, 2, 3]);
    expect([29.99, 30, 80, 80.01].map((value) => at(value, 10))).toEqual([5, 10, 10, 13]);
  });

  it('all signals: any out wins; in needs every band under its threshold, no slow response and no errors', () => {
    const readings = allSignals.chain((signals) =>
      fc.tuple(fc.constant(signals), fc.tuple(...signals.map((signal) => valueOf(signal)))),
    );
    fc.assert(
      fc.property(readings, state, ([signals, values], at) => {
        const { replicas, minReplicas, maxReplicas } = at;
        const value = new Map(signals.map(({ signal }, index) => [signal, values[index] as number]));
        const sides = signals.map((signal, index) => side(signal, values[index] as number));
        const [gpu, queue, slow, errors] = sides as [number, number, number, number];
        const pressure = scalingPressure(
          signals,
          Object.fromEntries([...value].map(([signal, measured]) => [signal, { value: measured }])),
        );
        const desired = follow(at, pressure);
        if (gpu > 0 || queue > 0 || slow > 0) {
          expect(desired > replicas || replicas === maxReplicas).toBe(true);
        } else if (gpu < 0 && queue < 0 && errors <= 0) {
          expect(desired < replicas || replicas === minReplicas).toBe(true);
        } else {
          expect(desired).toBe(replicas);
        }
      }),
      RUNS,
    );
  });

  it('a slow response doubles at most', () => {
    const [slow] = planned({ gpuUtilization: 'off', errorRate: 'off' }).slice(1);
    fc.assert(
      fc.property(between(5.0001, 1e6), state, (value, at) => {
        expect(follow(at, signalVote(slow as SignalPlan, value, true))).toBeLessThanOrEqual(2 * at.replicas);
      }),
      RUNS,
    );
  });
});

describe('no flapping', () => {
  /** Follows a constant load until nothing changes; fails when it turns around or never rests. */
  function settle(at: State, pressureAt: (replicas: number) => number): number {
    let { replicas } = at;
    let direction = 0;
    for (let round = 0; round < 2 * MOST; round++) {
      const desired = follow({ ...at, replicas }, pressureAt(replicas));
      if (desired === replicas) {
        return replicas;
      }
      const step = Math.sign(desired - replicas);
      if (direction * step < 0) {
        throw new Error(`turns around at ${replicas}`);
      }
      direction = step;
      replicas = desired;
    }
    throw new Error('never rests');
  }

  const load = (signal: SignalPlan): fc.Arbitrary<number> =>
    fc.oneof(between(0, signal.scaleOutAbove * MOST * 1.5), between(0, signal.scaleOutAbove * 10));

  it('a shared load settles without turning around, inside the band or at a bound', () => {
    fc.assert(
      fc.property(with_(oneBand, load), state, ([signal, total], at) => {
        const rest = settle(at, (replicas) => signalVote(signal, total / replicas, true));
        const outside = side(signal, total / rest);
        expect(outside <= 0 || rest === at.maxReplicas).toBe(true);
        expect(outside >= 0 || rest === at.minReplicas).toBe(true);
      }),
      RUNS,
    );
  });

  it('so does utilisation that saturates at 100 %', () => {
    fc.assert(
      fc.property(
        with_(utilisationRule, ([signal]) => load(signal as SignalPlan)),
        state,
        ([[signal], total], at) => {
          const plan = signal as SignalPlan;
          const rest = settle(at, (replicas) => signalVote(plan, Math.min(total / replicas, 100), true));
          expect(side(plan, total / rest) <= 0 || rest === at.maxReplicas).toBe(true);
        },
      ),
      RUNS,
    );
  });

  it('so do utilisation and queue together', () => {
    const both = fc.tuple(utilisationRule, queueRule).map((plans) => plans.flat() as [SignalPlan, SignalPlan]);
    const loads = ([gpu, queue]: [SignalPlan, SignalPlan]): fc.Arbitrary<[number, number]> =>
      fc.tuple(load(gpu), load(queue));
    fc.assert(
      fc.property(with_(both, loads), state, ([signals, [gpu, queue]], at) => {
        settle(at, (replicas) =>
          scalingPressure(signals, {
            gpu_utilization: { value: Math.min(gpu / replicas, 100) },
            queue_length: { value: queue / replicas },
          }),
        );
      }),
      RUNS,
    );
  });
});

describe('missing data', () => {
  const missing = fc.constantFrom<SignalReading>({}, { value: NaN }, { value: undefined, complete: false });
  const readings = (
    signals: readonly SignalPlan[],
    gap: (plan: SignalPlan) => fc.Arbitrary<SignalReading>,
  ): fc.Arbitrary<{ [signal: string]: SignalReading }> =>
    fc
      .tuple(
        fc.nat({ max: signals.length - 1 }),
        fc.tuple(
          ...signals.map((plan) =>
            fc.oneof(
              valueOf(plan).map((value) => ({ value })),
              gap(plan),
            ),
          ),
        ),
        fc.tuple(...signals.map((plan) => gap(plan))),
      )
      .map(([one, some, gaps]) =>
        // at least one signal has the gap
        Object.fromEntries(signals.map(({ signal }, i) => [signal, (i === one ? gaps[i] : some[i]) ?? {}])),
      );

  it('of any signals never scales in, and never hides a signal that scales out', () => {
    fc.assert(
      fc.property(
        with_(allSignals, (signals) => readings(signals, () => missing)),
        state,
        ([signals, given], at) => {
          const desired = follow(at, scalingPressure(signals, given));
          expect(desired).toBeGreaterThanOrEqual(at.replicas);
          const out = signals.some(
            (plan) => plan.signal !== 'error_rate' && (given[plan.signal]?.value ?? NaN) > plan.scaleOutAbove,
          );
          expect(desired > at.replicas || !out || at.replicas === at.maxReplicas).toBe(true);
        },
      ),
      RUNS,
    );
  });

  it('of some ready pods never scales in', () => {
    const bands = allSignals.map((signals) => signals.filter(({ scaleInBelow }) => scaleInBelow !== undefined));
    const partial = (plan: SignalPlan): fc.Arbitrary<SignalReading> =>
      valueOf(plan).map((value) => ({ value, complete: false }));
    fc.assert(
      fc.property(
        with_(bands, (signals) => readings(signals, partial)),
        state,
        ([signals, given], at) => {
          expect(follow(at, scalingPressure(signals, given))).toBeGreaterThanOrEqual(at.replicas);
        },
      ),
      RUNS,
    );
  });

  it('holds while replicas still load, where no signal asks for more', () => {
    fc.assert(
      fc.property(state, fc.nat({ max: MOST }), (at, ready) => {
        const metrics = [{ type: 'Value', value: 1 } as const];
        const readyReplicas = Math.min(ready, at.replicas);
        expect(hpaDesiredReplicas({ ...at, readyReplicas, metrics })).toBe(at.replicas);
      }),
      RUNS,
    );
  });

  it('of the pressure itself holds, whatever the floor says below it', () => {
    fc.assert(
      fc.property(state, fc.integer({ min: 1, max: MOST }), (at, floor) => {
        expect(follow(at, undefined, floor)).toBeGreaterThanOrEqual(at.replicas);
        expect(follow(at, undefined)).toBe(at.replicas);
      }),
      RUNS,
    );
  });
});
