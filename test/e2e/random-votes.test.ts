/** Holds `signalVote` and the recording rules together: the same votes for random rules and loads. */
import fc from 'fast-check';
import { scalingPressure, signalVote, type SignalReadings } from '../../constructs/plan/scaling/votes';
import { describeWithPromtool, testRules } from './support/promtool';
import { groupsOf, recorded, service, workload, type PodLoad } from './support/workload';

interface RandomService {
  readonly rules: NonNullable<NonNullable<Parameters<typeof service>[1]>['scaling']>['rules'];
  readonly pods: readonly PodLoad[];
  /** Pods of these that are not ready. */
  readonly waiting: number;
}

const rounded = (min: number, max: number): fc.Arbitrary<number> =>
  fc.integer({ min: min * 1000, max: max * 1000 }).map((number) => number / 1000);

const randomService: fc.Arbitrary<RandomService> = fc
  .record({
    gpu: rounded(20, 90),
    queue: rounded(10, 100),
    seconds: fc.integer({ min: 1, max: 10 }),
    errors: rounded(1, 50),
    shares: fc.tuple(rounded(0.5, 1), rounded(0.5, 1)),
    // low loads are rare where every pod has its own: draw a level for all
    level: fc.constantFrom(0.1, 1, 2),
    sends: fc.record({ gpus: fc.nat(9), queue: fc.nat(9), p95: fc.nat(9), requests: fc.nat(9) }),
    pods: fc.array(
      fc.record({
        gpus: fc.array(rounded(0, 50), { minLength: 1, maxLength: 2 }),
        queue: rounded(0, 60),
        p95: rounded(0.1, 8),
        failed: rounded(0, 40),
      }),
      { minLength: 1, maxLength: 3 },
    ),
    waiting: fc.nat({ max: 1 }),
  })
  .map(({ gpu, queue, seconds, errors, shares, level, sends, pods, waiting }) => ({
    rules: {
      gpuUtilization: { scaleOutAbove: gpu, scaleInBelow: gpu * 0.4 * shares[0] },
      queueLength: { scaleOutAbove: queue, scaleInBelow: queue * 0.25 * shares[1] },
      responseTimeP95: { scaleOutAbove: { toSeconds: () => seconds } },
      errorRate: { scaleOutAbove: errors },
    },
    pods: pods.map((pod, index) => ({
      // one in ten sends nothing of a kind; of two pods and more, it is the last that is silent
      gpus: sends.gpus === 0 && index === pods.length - 1 ? undefined : pod.gpus.map((gpuLoad) => gpuLoad * level),
      queue: sends.queue === 0 && index === pods.length - 1 ? undefined : pod.queue * level,
      p95: sends.p95 === 0 ? undefined : (pods[0]?.p95 ?? 0) * level,
      requests: sends.requests === 0 ? undefined : { ok: 100 - pod.failed, failed: pod.failed },
    })),
    waiting: Math.min(waiting, pods.length - 1),
  }));

/** What the rules should measure of a random service, computed apart from them. */
function readingsOf({ pods, waiting }: RandomService): SignalReadings {
  const mean = (numbers: readonly number[]): number | undefined =>
    numbers.length === 0 ? undefined : numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
  const gpus = pods.flatMap((pod) => mean(pod.gpus ?? []) ?? []);
  const queues = pods.flatMap((pod) => pod.queue ?? []);
  const failed = pods.flatMap((pod) => pod.requests?.failed ?? []);
  const ready = pods.length - waiting;
  return {
    gpu_utilization: { value: mean(gpus), complete: gpus.length >= ready },
    queue_length: { value: mean(queues), complete: queues.length >= ready },
    response_time_p95: { value: pods[0]?.p95 },
    error_rate: { value: mean(failed) },
  };
}

describeWithPromtool('votes on PromQL', () => {
  it('are those of `signalVote`, for random rules and loads', () => {
    const random = fc.sample(randomService, { numRuns: 60, seed: 20_260_301 });
    const services = random.map(({ rules }, index) => service(`s${index}`, { scaling: { rules } }));
    const series = random.flatMap(({ pods, waiting }, index) =>
      workload(`s${index}`, pods, { ready: pods.length - waiting, samples: 20 }),
    );
    const expected = services.flatMap(({ name, scaling }, index) => {
      const readings = readingsOf(random[index] as RandomService);
      return [
        ...scaling.signals.map((signal): [string, number] => {
          const { value: measured, complete = true } = readings[signal.signal] ?? {};
          return [
            recorded('mediform:signal_pressure', name, { signal: signal.signal }),
            signalVote(signal, measured, complete),
          ];
        }),
        [recorded('mediform:scaling_pressure', name), scalingPressure(scaling.signals, readings)] as [string, number],
      ];
    });
    // all kinds of votes must be among them
    const votes = expected.map(([, number]) => number);
    expect(votes).toHaveLength(300);
    for (const kind of [votes.filter((n) => n > 1), votes.filter((n) => n < 1), votes.filter((n) => n === 1)]) {
      expect(kind.length).toBeGreaterThan(30);
    }
    const expectations = expected.map(([expr, number]) => ({ at: '5m', expr, value: number }));
    testRules({ groups: groupsOf(...services), scenarios: [{ name: 'random', series, expect: expectations }] });
  });
});
