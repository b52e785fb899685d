import type { HorizontalPodAutoscaler } from '../../imports/horizontal-pod-autoscaler';
import type { MetricSpec } from '../../imports/k8s';
import type { ScaledObject } from '../../imports/scaled-object';
import { hasFloor } from './demand';
import type { PacePlan, ScalingPlan } from './props';
import { AdapterMetric, Series } from './series';

/** What an autoscaler object must know of the service. */
export interface AutoscalerTarget {
  readonly namespace: string;
  /** Name of the service and of its Deployment. */
  readonly service: string;
  /** Container of the model: what runs beside it has no say in its replicas. */
  readonly containerName: string;
  readonly labels: { readonly [label: string]: string };
}

/** The HorizontalPodAutoscaler of a service, fed by prometheus-adapter. */
export function horizontalPodAutoscaler(scaling: ScalingPlan, target: AutoscalerTarget): HorizontalPodAutoscaler {
  const { service } = target;
  const external = (name: string, type: 'Value' | 'AverageValue'): MetricSpec => ({
    type: 'External',
    external: {
      metric: { name, selector: { matchLabels: { service } } },
      target: type === 'Value' ? { type, value: '1' } : { type, averageValue: '1' },
    },
  });
  const pods = (name: string, average: number): MetricSpec => ({
    type: 'Pods',
    pods: { metric: { name }, target: { type: 'AverageValue', averageValue: String(average) } },
  });

  const metrics: MetricSpec[] = [];
  if (scaling.signals.length > 0) {
    metrics.push(external(AdapterMetric.PRESSURE, 'Value'));
  }
  const { gpuUtilization, queueLength, resources = {} } = scaling.targets ?? {};
  if (gpuUtilization !== undefined) {
    metrics.push(pods(AdapterMetric.GPU, gpuUtilization));
  }
  if (queueLength !== undefined) {
    metrics.push(pods(AdapterMetric.QUEUE, queueLength));
  }
  for (const [name, averageUtilization] of Object.entries(resources)) {
    const utilisation = { type: 'Utilization', averageUtilization } as const;
    metrics.push({
      type: 'ContainerResource',
      containerResource: { name, container: target.containerName, target: utilisation },
    });
  }
  if (hasFloor(scaling)) {
    metrics.push(external(AdapterMetric.FLOOR, 'AverageValue'));
  }

  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: scaling.name, namespace: target.namespace, labels: { ...target.labels } },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: service },
      minReplicas: scaling.minReplicas,
      maxReplicas: scaling.maxReplicas,
      metrics,
      behavior: { scaleDown: pace(scaling.scaleIn), scaleUp: pace(scaling.scaleOut) },
    },
  };
}

/** The ScaledObject of a service: the same metrics, asked of Prometheus by KEDA. */
export function scaledObject(scaling: ScalingPlan, target: AutoscalerTarget): ScaledObject {
  const own = (series: string): string => `${series}{namespace="${target.namespace}",service="${target.service}"}`;
  const trigger = (
    query: string,
    threshold: number,
    metricType: 'Value' | 'AverageValue',
  ): ScaledObject['spec']['triggers'][number] => ({
    type: 'prometheus',
    metricType,
    metadata: {
      serverAddress: scaling.prometheusAddress,
      query,
      threshold: String(threshold),
      // KEDA reads no data as 0 by default, which would scale in
      ignoreNullValues: 'false',
    },
  });

  const triggers: ScaledObject['spec']['triggers'] = [];
  if (scaling.signals.length > 0) {
    triggers.push(trigger(`max(${own(Series.PRESSURE)})`, 1, 'Value'));
  }
  const { gpuUtilization, queueLength, resources = {} } = scaling.targets ?? {};
  if (gpuUtilization !== undefined) {
    triggers.push(trigger(`sum(${own(Series.POD_GPU)})`, gpuUtilization, 'AverageValue'));
  }
  if (queueLength !== undefined) {
    triggers.push(trigger(`sum(${own(Series.POD_QUEUE)})`, queueLength, 'AverageValue'));
  }
  for (const [type, utilisation] of Object.entries(resources)) {
    triggers.push({
      type,
      metricType: 'Utilization',
      metadata: { value: String(utilisation), containerName: target.containerName },
    });
  }
  if (hasFloor(scaling)) {
    triggers.push(trigger(`max(${own(Series.FLOOR)})`, 1, 'AverageValue'));
  }

  return {
    apiVersion: 'keda.sh/v1alpha1',
    kind: 'ScaledObject',
    metadata: { name: scaling.name, namespace: target.namespace, labels: { ...target.labels } },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: target.service },
      minReplicaCount: scaling.minReplicas,
      maxReplicaCount: scaling.maxReplicas,
      // KEDA refuses a fallback where all triggers are of resources, which have none
      ...(triggers.some(({ type }) => type === 'prometheus')
        ? { fallback: { failureThreshold: 3, replicas: scaling.minReplicas, behavior: 'currentReplicasIfHigher' } }
        : {}),
      advanced: {
        horizontalPodAutoscalerConfig: {
          name: scaling.name,
          behavior: { scaleDown: pace(scaling.scaleIn), scaleUp: pace(scaling.scaleOut) },
        },
      },
      triggers,
    },
  };
}

function pace(plan: PacePlan): {
  stabilizationWindowSeconds: number;
  selectPolicy: string;
  policies: { type: string; value: number; periodSeconds: number }[];
} {
  return {
    stabilizationWindowSeconds: plan.stabilizationWindowSeconds,
    selectPolicy: 'Max',
    policies: plan.policies.map((policy) => ({ ...policy })),
  };
}
