import { Accelerator } from '../../../constructs';
import type { HorizontalPodAutoscaler } from '../../../constructs/imports/horizontal-pod-autoscaler';
import type { ScaledObject } from '../../../constructs/imports/scaled-object';
import { Problems } from '../../../constructs/plan/errors';
import { horizontalPodAutoscaler, scaledObject } from '../../../constructs/plan/scaling/autoscaler';
import { planScaling } from '../../../constructs/plan/scaling/plan';
import type { ScalingPlan, ScalingProps } from '../../../constructs/plan/scaling/props';
import { recordingRules, type RecordingRule } from '../../../constructs/plan/scaling/rules';
import type { GpuNeeds } from '../../../constructs/plan/scheduling';
import { schemaErrors } from '../../support/schema';

const TARGET = { namespace: 'imaging', service: 'ct', containerName: 'model', labels: { team: 'radiology' } };
const PEAK = { start: '08:00', end: '12:00', timeZone: 'Europe/Berlin', replicas: 8 };

function plan(props: ScalingProps, gpu?: GpuNeeds, serviceName = 'ct'): ScalingPlan {
  const problems = new Problems();
  const result = planScaling(problems, props, { serviceName, gpu, modelLoadSeconds: 300 });
  expect(problems.list).toEqual([]);
  return result;
}

function hpa(props: ScalingProps, gpu: GpuNeeds | undefined = {}): HorizontalPodAutoscaler {
  const manifest = horizontalPodAutoscaler(plan(props, gpu), TARGET);
  expect(schemaErrors(manifest)).toEqual([]);
  return manifest;
}

function keda(props: ScalingProps, gpu: GpuNeeds | undefined = {}): ScaledObject {
  const manifest = scaledObject(plan({ engine: 'keda', ...props }, gpu), TARGET);
  expect(schemaErrors(manifest)).toEqual([]);
  return manifest;
}

const PACE = {
  scaleDown: {
    stabilizationWindowSeconds: 300,
    selectPolicy: 'Max',
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
};

describe('HorizontalPodAutoscaler', () => {
  const external = (name: string, target: object): object => ({
    type: 'External',
    external: { metric: { name, selector: { matchLabels: { service: 'ct' } } }, target },
  });
  const pods = (name: string, averageValue: string): object => ({
    type: 'Pods',
    pods: { metric: { name }, target: { type: 'AverageValue', averageValue } },
  });

  it('is the reference one: GPU utilisation 80, queue length 10, 2 to 20 replicas', () => {
    const scaling = plan(
      { name: 'medical-ai-hpa', targets: { gpuUtilization: 80, queueLength: 10 } },
      {},
      'medical-ai-service',
    );
    const manifest = horizontalPodAutoscaler(scaling, {
      namespace: 'default',
      service: 'medical-ai-service',
      containerName: 'model',
      labels: {},
    });
    expect(schemaErrors(manifest)).toEqual([]);
    expect(manifest).toEqual({
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'medical-ai-hpa', namespace: 'default', labels: {} },
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'medical-ai-service' },
        minReplicas: 2,
        maxReplicas: 20,
        metrics: [pods('gpu_utilization', '80'), pods('request_queue_length', '10')],
        behavior: PACE,
      },
    });
  });

  it('follows the pressure of the rules, and the floor of the error rule', () => {
    const { metadata, spec } = hpa({});
    expect(metadata).toEqual({ name: 'ct', namespace: 'imaging', labels: { team: 'radiology' } });
    expect(spec?.metrics).toEqual([
      external('mediform_scaling_pressure', { type: 'Value', value: '1' }),
      external('mediform_replica_floor', { type: 'AverageValue', averageValue: '1' }),
    ]);
  });

  it('has no floor where nothing sets one', () => {
    expect(hpa({ rules: { errorRate: 'off' } }).spec?.metrics).toEqual([
      external('mediform_scaling_pressure', { type: 'Value', value: '1' }),
    ]);
  });

  it('serves CPU, memory and peak hours beside targets', () => {
    const ofModel = (name: string, averageUtilization: number): object => ({
      type: 'ContainerResource',
      containerResource: { name, container: 'model', target: { type: 'Utilization', averageUtilization } },
    });
    const targets = { queueLength: 4.5, resources: { cpu: 60, memory: 70 } };
    expect(hpa({ targets, peakHours: [PEAK] }).spec?.metrics).toEqual([
      pods('request_queue_length', '4.5'),
      ofModel('cpu', 60),
      ofModel('memory', 70),
      external('mediform_replica_floor', { type: 'AverageValue', averageValue: '1' }),
    ]);
  });
});

describe('ScaledObject', () => {
  const prometheus = (query: string, threshold: string, metricType: string): object => ({
    type: 'prometheus',
    metricType,
    metadata: {
      serverAddress: 'http://prometheus-operated.monitoring.svc:9090',
      query,
      threshold,
      ignoreNullValues: 'false',
    },
  });

  it('asks Prometheus for what the HPA would get, and holds where it has no answer', () => {
    expect(keda({})).toEqual({
      apiVersion: 'keda.sh/v1alpha1',
      kind: 'ScaledObject',
      metadata: { name: 'ct', namespace: 'imaging', labels: { team: 'radiology' } },
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'ct' },
        minReplicaCount: 2,
        maxReplicaCount: 20,
        fallback: { failureThreshold: 3, replicas: 2, behavior: 'currentReplicasIfHigher' },
        advanced: { horizontalPodAutoscalerConfig: { name: 'ct', behavior: PACE } },
        triggers: [
          prometheus('max(mediform:scaling_pressure{namespace="imaging",service="ct"})', '1', 'Value'),
          prometheus('max(mediform:replica_floor{namespace="imaging",service="ct"})', '1', 'AverageValue'),
        ],
      },
    });
  });

  it('adds targets up over pods, and asks for averages', () => {
    const targets = { gpuUtilization: 80, queueLength: 10, resources: { memory: 70 } };
    expect(keda({ targets }).spec.triggers).toEqual([
      prometheus('sum(mediform:pod_gpu_utilization{namespace="imaging",service="ct"})', '80', 'AverageValue'),
      prometheus('sum(mediform:pod_queue_length{namespace="imaging",service="ct"})', '10', 'AverageValue'),
      { type: 'memory', metricType: 'Utilization', metadata: { value: '70', containerName: 'model' } },
    ]);
  });

  it('has no fallback beside resources alone, where KEDA refuses one', () => {
    const { fallback, triggers } = keda({ targets: { resources: { cpu: 60 } } }).spec;
    expect(fallback).toBeUndefined();
    expect(triggers).toEqual([
      { type: 'cpu', metricType: 'Utilization', metadata: { value: '60', containerName: 'model' } },
    ]);
  });

  it('asks the Prometheus it is told', () => {
    const [trigger] = keda({ prometheusAddress: 'http://thanos:10902' }).spec.triggers;
    expect(trigger?.metadata?.serverAddress).toBe('http://thanos:10902');
  });
});

describe('recording rules', () => {
  const rulesOf = (props: ScalingProps, gpu?: GpuNeeds): RecordingRule[] =>
    recordingRules(plan(props, gpu), {
      namespace: 'imaging',
      service: 'ct',
      containerName: 'model',
      gpu,
      cpu: 4,
      metricNames: { queueLength: 'waiting', responseTime: 'duration', requests: 'handled' },
    });
  const exprOf = (rules: readonly RecordingRule[], name: string): string | undefined =>
    rules.find(({ record }) => record === name)?.expr;
  const gpuQuery = (gpu: GpuNeeds): string | undefined => exprOf(rulesOf({}, gpu), 'mediform:pod_gpu_utilization');

  it('read the utilisation of whole and shared GPUs, in percent', () => {
    const shared: GpuNeeds[] = [
      {},
      { sharing: { mode: 'time-slicing', replicas: 4 } },
      { sharing: { mode: 'mps', replicas: 4 } },
    ];
    for (const gpu of shared) {
      expect(gpuQuery(gpu)).toMatch(/^avg by \(pod\) \(.*DCGM_FI_DEV_GPU_UTIL\{/);
      expect(gpuQuery(gpu)).not.toContain('DCGM_FI_PROF');
    }
  });

  it('read the activity of MIG partitions, a ratio', () => {
    const mig = gpuQuery({ accelerator: Accelerator.H100, sharing: { mode: 'mig', profile: '1g.10gb' } });
    expect(mig).toMatch(/^100 \* avg by \(pod\) \(.*DCGM_FI_PROF_GR_ENGINE_ACTIVE\{/);
    expect(mig).not.toContain('DCGM_FI_DEV_GPU_UTIL');
  });

  it('carry the namespace and the service, and come in the order of their use', () => {
    const rules = rulesOf({ forecast: {}, peakHours: [PEAK] }, {});
    for (const { labels } of rules) {
      expect(labels).toMatchObject({ namespace: 'imaging', service: 'ct' });
    }
    const names = rules.map(({ record }) => record);
    rules.forEach(({ expr }, index) => {
      const later = names
        .slice(index)
        .filter((name) => expr.includes(`${name}{`) && !names.slice(0, index).includes(name));
      expect(later).toEqual([]);
    });
  });

  it('read the metrics under the names they are told', () => {
    const exprs = rulesOf({}).map(({ expr }) => expr);
    for (const name of ['waiting{', 'duration_bucket{', 'duration_count{', 'handled{', 'container_cpu_usage_seconds']) {
      expect(exprs.some((expr) => expr.includes(name))).toBe(true);
    }
  });

  it('record no vote where plain targets are used, and the pods’ series that these need', () => {
    const names = rulesOf({ targets: { gpuUtilization: 80, queueLength: 10 } }, {}).map(({ record }) => record);
    expect(names).toEqual([
      'mediform:replicas',
      'mediform:ready_replicas',
      'mediform:pod_gpu_utilization',
      'mediform:pod_queue_length',
    ]);
  });
});
