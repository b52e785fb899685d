/**
 * Scaling for real: pods' metrics → Prometheus with the rules of each service → prometheus-adapter with the generated
 * configuration → the HPA controller → replicas. One stage for all, on which the scenarios run at the same time.
 */
import { Duration } from 'cdk8s';
import { setTimeout as sleep } from 'node:timers/promises';
import { type KubeObject } from './support/kube-object';
import { type Load, type PodLoad } from './support/scaling/exporter';
import { BUSY, IDLE, shared } from './support/scaling/loads';
import { type ScaledService } from './support/scaling/scaled-service';
import { describeOnStage } from './support/scaling/suite';
import { hours, lastWeek } from './support/scaling/weeks';

/** Longer than the averaging window and the scale-in window together, and a few rounds of the HPA. */
const LONG_ENOUGH_S = 26;
/** Longer than the scale-in window, where the averages have settled. */
const SETTLED_S = 16;
/** What the news of a change may take longer than the news of another; without its pace the HPA steps each second. */
const LATENCY_S = 5;

/** The autoscaler of the reference system, as it was asked for. */
const REFERENCE_SPEC = {
  scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'medical-ai-service' },
  minReplicas: 2,
  maxReplicas: 20,
  metrics: [
    {
      type: 'Pods',
      pods: { metric: { name: 'gpu_utilization' }, target: { type: 'AverageValue', averageValue: '80' } },
    },
    {
      type: 'Pods',
      pods: { metric: { name: 'request_queue_length' }, target: { type: 'AverageValue', averageValue: '10' } },
    },
  ],
  behavior: {
    scaleDown: {
      stabilizationWindowSeconds: 300,
      policies: [{ type: 'Percent', value: 50, periodSeconds: 60 }],
    },
    scaleUp: {
      stabilizationWindowSeconds: 0,
      selectPolicy: 'Max',
      policies: [
        { type: 'Percent', value: 100, periodSeconds: 15 },
        { type: 'Pods', value: 2, periodSeconds: 15 },
      ],
    },
  },
};

interface ScaledObject extends KubeObject {
  readonly spec: { readonly triggers: readonly { readonly metadata: { readonly query: string } }[] };
}

/** A signal just under and just over a threshold. */
interface Threshold {
  readonly signal: string;
  /** What of a load makes the signal. */
  readonly by: keyof PodLoad;
  readonly under: number;
  readonly over: number;
}

describeOnStage('scaling by rules on a real control plane', ({ scenario, finale }) => {
  describe('scales out', () => {
    const scalesOut = async (service: ScaledService, { signal, by, under, over }: Threshold): Promise<void> => {
      service.load = { ...BUSY, [by]: under };
      await service.recordsSignal(signal, under);
      await service.stays(6);
      expect(service.steps()).toEqual([4]);

      service.load = shared({ [by]: over }, 4, BUSY);
      await service.reaches((replicas) => replicas > 4);
      await sleep(SETTLED_S * 1000);
      expect(service.replicas).toBeLessThanOrEqual(8);
      expect(service.hasShrunk()).toBe(false);
      await service.stays(6);
    };

    scenario('over 80 % of GPU utilisation, not at 79 %', { name: 'ct', replicas: 4 }, (_, service) =>
      scalesOut(service, { signal: 'gpu_utilization', by: 'gpu', under: 79, over: 81 }),
    );
    scenario('over 50 waiting requests, not at 49', { name: 'queue-out', replicas: 4 }, (_, service) =>
      scalesOut(service, { signal: 'queue_length', by: 'queue', under: 49, over: 51 }),
    );
    scenario('over 5 s of response time, not at 4.9 s', { name: 'slow', replicas: 4 }, (_, service) =>
      scalesOut(service, { signal: 'response_time_p95', by: 'p95', under: 4.9, over: 5.1 }),
    );
    const eachMinute = { rules: { errorRate: { scaleOutAbove: 1, stepEvery: Duration.minutes(1) } } };
    scenario(
      'by one step a minute over 1 % of errors, not at 0.9 %',
      { name: 'errors', replicas: 4, scaling: eachMinute },
      async (_, service) => {
        service.load = { ...BUSY, errorPercent: 0.9 };
        await service.recordsSignal('error_rate', 0.9);
        await service.stays(6);
        expect(service.steps()).toEqual([4]);

        service.load = { ...BUSY, errorPercent: 1.1 };
        await service.reaches(6, 120_000);
        expect(service.steps()).toEqual([4, 5, 6]);
        expect(service.gaps()[0]).toBeGreaterThan(60 - LATENCY_S);
      },
    );
  });

  describe('scales in', () => {
    const scalesIn = async (service: ScaledService, { signal, by, under, over }: Threshold): Promise<void> => {
      service.load = { ...IDLE, [by]: over };
      await service.recordsSignal(signal, over);
      await service.stays(SETTLED_S);

      service.load = shared({ [by]: under }, 6, IDLE);
      await service.reaches(3);
      await service.stays(SETTLED_S);
      expect(service.steps()).toEqual([6, 3]);
    };

    scenario(
      'under 30 % of GPU utilisation, not at 31 %',
      { name: 'ct', namespace: 'records', replicas: 6 },
      (_, service) => scalesIn(service, { signal: 'gpu_utilization', by: 'gpu', under: 29, over: 31 }),
    );
    scenario('under 5 waiting requests, not at 6', { name: 'queue-in', replicas: 6 }, (_, service) =>
      scalesIn(service, { signal: 'queue_length', by: 'queue', under: 4, over: 6 }),
    );
    scenario('only when no requests fail any more', { name: 'failing', replicas: 6 }, async (_, service) => {
      service.load = { ...IDLE, errorPercent: 1.1 };
      await service.reaches(7);
      await service.stays(LONG_ENOUGH_S);
      service.load = IDLE;
      await service.reaches(2);
    });
  });

  describe('never scales in without', () => {
    const losses: { readonly [name: string]: readonly [what: string, load: Load, hasKubeState?: boolean] } = {
      all: ['any metrics', {}, false],
      service: ['the metrics of the service', {}],
      gpu: ['GPU utilisation', { ...IDLE, gpu: undefined }],
      queue: ['the queue', { ...IDLE, queue: undefined }],
      p95: ['response times', { ...IDLE, p95: undefined }],
      requests: ['requests', { ...IDLE, errorPercent: undefined }],
      replicas: ['kube-state-metrics', IDLE, false],
      pod: ['the metrics of one ready pod', (pod) => (pod === 0 ? {} : IDLE)],
      'pod-gpu': ['the GPU utilisation of one ready pod', (pod) => (pod === 0 ? { ...IDLE, gpu: undefined } : IDLE)],
      'pod-queue': ['the queue of one ready pod', (pod) => (pod === 0 ? { ...IDLE, queue: undefined } : IDLE)],
    };
    for (const [name, [what, load, hasKubeState = true]] of Object.entries(losses)) {
      scenario(what, { name: `without-${name}`, replicas: 6 }, async (_, service) => {
        service.load = load;
        service.hasKubeState = hasKubeState;
        await service.stays(LONG_ENOUGH_S);
        // what was lost is all that it took
        service.load = IDLE;
        service.hasKubeState = true;
        await service.reaches(2);
      });
    }
  });

  describe('keeps its pace', () => {
    scenario(
      'out: the larger of 100 % and two pods in 15 s, up to 20',
      { name: 'pace-out', replicas: 1, scaling: { minReplicas: 1 } },
      async (_, service) => {
        service.load = { ...BUSY, queue: 500 };
        await service.reaches(20, 120_000);
        expect(service.steps()).toEqual([1, 3, 6, 12, 20]);
        expect(Math.min(...service.gaps())).toBeGreaterThan(15 - LATENCY_S);
        await service.stays(6);
      },
    );
    scenario(
      'in: 50 % in a minute, down to 2',
      { name: 'pace-in', replicas: 8, scaling: { scaleIn: { stabilizationWindow: Duration.seconds(10) } } },
      async (_, service) => {
        service.load = IDLE;
        await service.reaches(2, 150_000);
        expect(service.steps()).toEqual([8, 4, 2]);
        expect(Math.min(...service.gaps())).toBeGreaterThan(60 - LATENCY_S);
        await service.stays(6);
      },
    );
  });

  describe('plain targets', () => {
    scenario('of the reference system scale out', [], async (stage) => {
      const service = stage.reference;
      const hpa = await stage.cluster.get('hpa', 'medical-ai-hpa', service.namespace);
      expect(hpa).toMatchObject({ spec: REFERENCE_SPEC });
      await service.stays(6);
      service.load = { gpu: 100, queue: 10 };
      await service.reaches(3);
      service.load = { gpu: 100, queue: 100 };
      await service.reaches(20, 120_000);
      for (const { before, after } of service.growth(15 - LATENCY_S)) {
        expect(after).toBeLessThanOrEqual(Math.max(2 * before, before + 2));
      }
      await service.stays(6);
    });
    scenario(
      'scale in, and not without metrics',
      {
        name: 'plain',
        namespace: 'medical-ai',
        replicas: 8,
        load: { gpu: 73, queue: 9.2 },
        scaling: { targets: { gpuUtilization: 80, queueLength: 10 } },
      },
      async (_, service) => {
        await service.stays(SETTLED_S);
        service.load = {};
        await service.stays(LONG_ENOUGH_S);
        service.load = shared({ gpu: 60, queue: 7 }, 8);
        await service.reaches(6);
        await service.stays(SETTLED_S);
      },
    );
  });

  describe('keeps replicas ready', () => {
    scenario(
      'before a peak, ahead by its lead',
      {
        name: 'morning',
        replicas: 2,
        scaling: (turn) => ({
          peakHours: [{ ...hours(turn, 10, 40, 'Asia/Kathmandu'), replicas: 6, leadTime: Duration.minutes(10) }],
        }),
      },
      async (stage, service) => {
        await service.staysUntil(stage.turn);
        await service.reaches(6);
        await service.stays(6);
      },
    );
    scenario(
      'until a peak is over, and not longer',
      {
        name: 'evening',
        replicas: 5,
        load: IDLE,
        scaling: (turn) => ({ peakHours: [{ ...hours(turn, -60, 0, 'America/New_York'), replicas: 5 }] }),
      },
      async (stage, service) => {
        await service.staysUntil(stage.turn);
        await service.reaches(2);
      },
    );
    scenario(
      'for what last week needed, ahead by its lead',
      {
        name: 'forecast',
        replicas: 3,
        load: IDLE,
        scaling: { forecast: { leadTime: Duration.minutes(2) } },
        history: (turn) => [
          {
            series: 'mediform:demand_replicas{namespace="imaging",service="forecast"}',
            samples: lastWeek(turn, (minute) => (minute < 2 ? 2.5 : 6.5)),
          },
        ],
      },
      async (stage, service) => {
        await service.staysUntil(stage.turn);
        await service.reaches(7);
        expect(Date.now()).toBeLessThan(stage.turn.getTime() + 120_000);
        await service.stays(6);
      },
    );
  });

  describe('KEDA', () => {
    const cast = [
      { name: 'keda-rules', replicas: 2, scaling: { engine: 'keda' } },
      {
        name: 'keda-targets',
        replicas: 2,
        scaling: { engine: 'keda', targets: { gpuUtilization: 80, queueLength: 10 } },
      },
    ] as const;
    scenario('gets one value from each of its queries', cast, async ({ cluster, prometheus }, ...services) => {
      const values = services.map(async ({ name, namespace }) => {
        const object = await cluster.get<ScaledObject>('scaledobject', name, namespace);
        const queries = object?.spec.triggers.map(({ metadata }) => metadata.query) ?? [];
        return Promise.all(queries.map((query) => prometheus.query(query)));
      });
      const only = (value: number): object => [{ labels: {}, value }];
      expect(await Promise.all(values)).toEqual([
        [only(1), only(2)],
        [only(100), only(40)],
      ]);
    });
  });

  const outage = [
    { name: 'outage', replicas: 6 },
    {
      name: 'outage-targets',
      namespace: 'medical-ai',
      replicas: 6,
      load: { gpu: 80, queue: 10 },
      scaling: { targets: { gpuUtilization: 80, queueLength: 10 } },
    },
  ] as const;
  finale('never scales in while Prometheus is down', outage, async ({ cluster, prometheus }, ...services) => {
    services.forEach((service) => (service.load = IDLE));
    await services[0]?.records('mediform:scaling_pressure', (pressure) => pressure < 0.9);
    await prometheus.kill();
    for (const service of services) {
      const isBlind = async (): Promise<boolean> => (await service.condition('ScalingActive')) === 'False';
      await cluster.waitFor('the autoscaler to see it', isBlind);
    }
    await Promise.all(services.map((service) => service.stays(LONG_ENOUGH_S)));
    expect(services.map((service) => service.steps())).toEqual([[6], [6]]);

    await prometheus.run();
    await Promise.all(services.map((service) => service.reaches(2)));
  });
});
