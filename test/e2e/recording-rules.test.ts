/** The recording rules on the real PromQL engine: from what exporters send to the pressure that the HPA follows. */
import { Accelerator } from '../../constructs';
import type { SignalPlan } from '../../constructs/plan/scaling/props';
import type { ServicePlan } from '../../constructs/plan/service/plan';
import { checkRules, describeWithPromtool, testRules, type InputSeries } from './support/promtool';
import {
  NAMESPACE,
  deploymentSeries,
  groupsOf,
  podName,
  podSeries,
  recorded,
  selector,
  service,
  workload,
  type PodLoad,
} from './support/workload';

/** A pod at which no rule takes offence. */
const CALM: PodLoad = { gpus: [50], queue: 20, p95: 1, requests: { ok: 100 } };
/** One that is not needed. */
const IDLE: PodLoad = { gpus: [10], queue: 1, p95: 0, requests: { ok: 0, failed: 0 } };
const AT = '5m';

const vote = (signal: SignalPlan['signal'], name = 'ct'): string =>
  recorded('mediform:signal_pressure', name, { signal });
const value = (signal: SignalPlan['signal'], name = 'ct'): string => recorded('mediform:signal', name, { signal });
const pressure = (name = 'ct'): string => recorded('mediform:scaling_pressure', name);

/** Expects values of some expressions, after five minutes of some series. */
function check(
  series: readonly InputSeries[],
  expected: readonly (readonly [expr: string, value: number | undefined])[],
  plan: ServicePlan = service('ct'),
): void {
  const expectations = expected.map(([expr, number]) => ({ at: AT, expr, value: number }));
  testRules({ groups: groupsOf(plan), scenarios: [{ name: 'five minutes', series, expect: expectations }] });
}

/** Two pods with something changed in both. */
const two = (load: PodLoad, change: PodLoad = {}): PodLoad[] => [
  { ...load, ...change },
  { ...load, ...change },
];

describeWithPromtool('recording rules on PromQL', () => {
  it('are valid, with every kind of rule in them', () => {
    const peak = { start: '08:00', end: '12:00', timeZone: 'Europe/Berlin', replicas: 8 };
    const mig = { accelerator: Accelerator.H100, sharing: { mode: 'mig', profile: '1g.10gb' } } as const;
    const services = [
      service('ct', { scaling: { peakHours: [peak], forecast: {} } }),
      service('mri', { gpu: mig, scaling: { rules: { responseTimeP95: 'off' } } }),
      service('notes', { gpu: undefined }),
      service('xray', { scaling: { targets: { gpuUtilization: 80, queueLength: 10 }, peakHours: [peak] } }),
    ];
    expect(checkRules(groupsOf(...services))).toMatch(/SUCCESS: \d+ rules found/);
  });

  describe('thresholds', () => {
    it.each<[string, PodLoad, SignalPlan['signal'], number]>([
      ['GPU at 80 %', { gpus: [80] }, 'gpu_utilization', 1],
      ['GPU over 80 %', { gpus: [80.1] }, 'gpu_utilization', 80.1 / 64],
      ['GPU at 100 %', { gpus: [100] }, 'gpu_utilization', 1.5625],
      ['GPU at 30 %', { gpus: [30] }, 'gpu_utilization', 1],
      ['GPU under 30 %', { gpus: [29.9] }, 'gpu_utilization', 29.9 / 64],
      ['the mean of a pod’s GPUs', { gpus: [100, 90, 80, 60] }, 'gpu_utilization', 82.5 / 64],
      ['a queue of 50', { queue: 50 }, 'queue_length', 1],
      ['a queue over 50', { queue: 51 }, 'queue_length', 51 / 25],
      ['a queue of 5', { queue: 5 }, 'queue_length', 1],
      ['a queue under 5', { queue: 4 }, 'queue_length', 4 / 25],
      ['a response time under 5 s', { p95: 4.99 }, 'response_time_p95', 0],
      ['a response time over 5 s', { p95: 5.01 }, 'response_time_p95', 5.01 / 4],
      ['a response time of a minute', { p95: 60 }, 'response_time_p95', 2],
      ['errors under 1 %', { requests: { ok: 991, failed: 9 } }, 'error_rate', 0],
      ['errors over 1 %', { requests: { ok: 989, failed: 11 } }, 'error_rate', 1],
    ])('%s', (_, change, signal, expected) => {
      check(workload('ct', two(CALM, change)), [
        [vote(signal), expected],
        [pressure(), Math.max(1, expected)],
      ]);
      // beside pods that are not needed, the vote decides alone
      const others = signal === 'gpu_utilization' ? 1 / 25 : 10 / 64;
      check(workload('ct', two(IDLE, change)), [[pressure(), Math.max(others, expected)]]);
    });

    it('the mean over pods', () => {
      check(
        workload('ct', [
          { ...CALM, gpus: [60], queue: 0 },
          { ...CALM, gpus: [100], queue: 100 },
        ]),
        [
          [value('gpu_utilization'), 80],
          [value('queue_length'), 50],
          [pressure(), 1],
        ],
      );
    });

    it('CPU of what is requested, where there is no GPU', () => {
      const plan = service('ct', { gpu: undefined, cpu: 4 });
      const pods = (cores: number): InputSeries[] =>
        workload('ct', two({ queue: 1, p95: 0, requests: { ok: 1 } }, { cores }));
      check(
        pods(3.3),
        [
          [value('cpu_utilization'), 82.5],
          [pressure(), 82.5 / 64],
        ],
        plan,
      );
      check(
        pods(3.1),
        [
          [value('cpu_utilization'), 77.5],
          [pressure(), 1],
        ],
        plan,
      );
      check(
        pods(0.4),
        [
          [value('cpu_utilization'), 10],
          [pressure(), 10 / 64],
        ],
        plan,
      );
    });
  });

  describe('without traffic', () => {
    it('nothing is slow and nothing fails, and replicas may go', () => {
      check(workload('ct', two(IDLE)), [
        [value('response_time_p95'), 0],
        [value('error_rate'), 0],
        [pressure(), 10 / 64],
      ]);
    });

    it('so it is with requests of which none ever failed', () => {
      check(workload('ct', two(CALM)), [
        [value('error_rate'), 0],
        [vote('error_rate'), 0],
      ]);
    });
  });

  describe('missing data', () => {
    it.each<[string, PodLoad, SignalPlan['signal']]>([
      ['GPU utilisation', { gpus: undefined }, 'gpu_utilization'],
      ['the queue', { queue: undefined }, 'queue_length'],
      ['the response time', { p95: undefined }, 'response_time_p95'],
      ['requests', { requests: undefined }, 'error_rate'],
      ['a queue that is not a number', { queue: NaN }, 'queue_length'],
    ])('of %s keeps the replicas', (_, change, signal) => {
      check(workload('ct', two(IDLE, change)), [
        [vote(signal), 1],
        [pressure(), 1],
      ]);
    });

    it('of everything keeps the replicas', () => {
      check(
        [],
        [
          [pressure(), 1],
          [value('gpu_utilization'), undefined],
        ],
      );
      check(workload('ct', two({})), [[pressure(), 1]]);
    });

    it('of a percentile, while requests are counted, is not a fast response', () => {
      const summary = two(IDLE, { p95: undefined }).map((load, index) => podSeries(podName('ct', index), load));
      const counts = selector('request_duration_seconds_count', { namespace: NAMESPACE, pod: podName('ct') });
      check(
        [...deploymentSeries('ct', '2x40'), ...summary.flat(), [counts, '0+5x40']],
        [
          [value('response_time_p95'), undefined],
          [vote('response_time_p95'), 1],
          [pressure(), 1],
        ],
      );
    });

    it('of one ready pod forbids to scale in, and nothing else', () => {
      check(workload('ct', [IDLE, IDLE, { ...IDLE, gpus: undefined }]), [
        [vote('gpu_utilization'), 1],
        [pressure(), 1],
      ]);
      check(workload('ct', [IDLE, IDLE, { ...IDLE, queue: undefined }]), [
        [vote('queue_length'), 1],
        [pressure(), 1],
      ]);
      const busy: PodLoad = { ...IDLE, gpus: [96] };
      check(workload('ct', [busy, busy, { ...IDLE, gpus: undefined }]), [[pressure(), 1.5]]);
    });

    it('of a pod that is not ready does not matter', () => {
      check(workload('ct', [IDLE, IDLE, {}], { ready: 2 }), [[pressure(), 10 / 64]]);
    });

    it('of kube-state-metrics forbids to scale in, and nothing else', () => {
      const pods = (load: PodLoad): InputSeries[] => podSeries(podName('ct'), load);
      check(pods(IDLE), [[pressure(), 1]]);
      check(pods({ ...IDLE, gpus: [96] }), [[pressure(), 1.5]]);
    });

    it('is told after ten minutes', () => {
      const firing = 'count by (signal) (ALERTS{alertname="ScalingSignalMissing",alertstate="firing"})';
      const series = workload('ct', two(CALM, { p95: undefined }), { samples: 60 });
      const expected = [
        { at: '9m45s', expr: `count(${firing})`, value: undefined },
        { at: '10m', expr: `sum(${firing})`, value: 1 },
        { at: '10m', expr: `sum(${firing} and on (signal) ALERTS{signal="response_time_p95"})`, value: 1 },
      ];
      testRules({ groups: groupsOf(service('ct')), scenarios: [{ name: 'no percentile', series, expect: expected }] });
    });
  });

  describe('dcgm-exporter', () => {
    const gpu = recorded('mediform:pod_gpu_utilization', 'ct', { pod: podName('ct') });

    it('may honour labels, or rename them', () => {
      for (const dcgm of ['exported', 'honored'] as const) {
        check(
          [...deploymentSeries('ct', '1x40'), ...podSeries(podName('ct'), { gpus: [90, 80] }, { dcgm })],
          [
            [gpu, 85],
            [value('gpu_utilization'), 85],
          ],
        );
      }
    });

    it('may be replaced: one GPU then has two series for a while', () => {
      const load = { gpus: [90] };
      const before = podSeries(podName('ct'), load, { samples: 16, exporter: 'dcgm-exporter-4xk9d' });
      check([...before, ...podSeries(podName('ct'), load)], [[gpu, 90]]);
    });

    it('measures MIG partitions as a ratio', () => {
      const mig = { accelerator: Accelerator.H100, sharing: { mode: 'mig', profile: '1g.10gb' } } as const;
      const metric = 'DCGM_FI_PROF_GR_ENGINE_ACTIVE';
      for (const dcgm of ['exported', 'honored'] as const) {
        const series = podSeries(podName('ct'), { gpus: [0.75, 0.95] }, { dcgm, metric });
        check(
          [...deploymentSeries('ct', '1x40'), ...series],
          [
            [gpu, 85],
            [vote('gpu_utilization'), 85 / 64],
          ],
          service('ct', { gpu: mig }),
        );
      }
    });
  });

  it('count no pod of another service, whatever it is called', () => {
    const busy: PodLoad = { gpus: [100], queue: 900, p95: 50, requests: { ok: 1, failed: 99 } };
    const others = ['ct-abc', 'ct-bcd', 'a-ct', 'ct2', 'ctx'].flatMap((name) => workload(name, [busy, busy]));
    const elsewhere = workload('ct', [busy]).map(([series, values]): InputSeries => [
      series.replaceAll(`namespace="${NAMESPACE}"`, 'namespace="other"'),
      values,
    ]);
    const unallocated: InputSeries = [
      selector('DCGM_FI_DEV_GPU_UTIL', { exported_namespace: '', exported_pod: '', gpu: '7' }),
      '100x40',
    ];
    check(
      [...workload('ct', two(IDLE)), ...others, ...elsewhere, unallocated],
      [
        [`count(${selector('mediform:pod_gpu_utilization', { service: 'ct' })})`, 2],
        [recorded('mediform:ready_replicas'), 2],
        [pressure(), 10 / 64],
      ],
    );
  });
});
