import { prometheusRule } from '../../../constructs/plan/service/monitoring';
import { planService, type ServicePlan } from '../../../constructs/plan/service/plan';
import type { MedicalInferenceServiceProps } from '../../../constructs/plan/service/props';
import type { InputSeries, RuleGroup } from './promtool';

export const NAMESPACE = 'imaging';

/** A service of the namespace `imaging`; with a GPU where the properties do not say otherwise. */
export function service(name: string, props: Partial<MedicalInferenceServiceProps> = {}): ServicePlan {
  const model = { name: 'resnet50', version: '1' };
  return planService(name, { image: 'registry.example/model:1', model, gpu: {}, ...props }, NAMESPACE);
}

/** The rule groups of some services, as they are written to the cluster. */
export function groupsOf(...services: readonly ServicePlan[]): RuleGroup[] {
  return services.flatMap((plan) => prometheusRule(plan).spec.groups ?? []);
}

/** A recorded series of a service, as one element without labels. */
export function recorded(series: string, name = 'ct', labels: { readonly [label: string]: string } = {}): string {
  return `max(${selector(series, { namespace: NAMESPACE, service: name, ...labels })})`;
}

/** Name of a service's pod, of the shape that Kubernetes generates. */
export function podName(name: string, index = 0): string {
  const alphabet = 'bcdfghjklmnpqrstvwxz2456789';
  return `${name}-7d9c6b5f84-x${alphabet[Math.floor(index / 27)]}${alphabet[index % 27]}q2`;
}

/** A metric with labels. */
export function selector(metric: string, labels: { readonly [label: string]: string }): string {
  const list = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return `${metric}{${list.join(',')}}`;
}

/** A gauge that stays the same. */
const constant = (value: number, samples: number): string => `${value}+0x${samples}`;
/** A counter that grows by the same at every scrape. */
const growing = (step: number, samples: number): string => `0+${step}x${samples}`;

/** What one pod sends. Undefined: it sends nothing of the kind. */
export interface PodLoad {
  /** Utilisation of each GPU, in percent. */
  readonly gpus?: readonly number[];
  /** Cores used. */
  readonly cores?: number;
  readonly queue?: number;
  /** 95th percentile of the response time in seconds; 0 where there are no requests. */
  readonly p95?: number;
  /** Requests for each scrape. */
  readonly requests?: { readonly ok: number; readonly failed?: number };
}

/** How dcgm-exporter is installed. */
export type DcgmLabels = 'exported' | 'honored';

/** How a pod is scraped. */
export interface PodSeriesOptions {
  /** Samples after the first. */
  readonly samples?: number;
  readonly dcgm?: DcgmLabels;
  /** GPU metric. */
  readonly metric?: string;
  /** Pod of dcgm-exporter. */
  readonly exporter?: string;
}

/** The scraped series of one pod. */
export function podSeries(pod: string, load: PodLoad, options: PodSeriesOptions = {}): InputSeries[] {
  const {
    samples = 40,
    dcgm = 'exported',
    metric = 'DCGM_FI_DEV_GPU_UTIL',
    exporter = 'dcgm-exporter-q7wzx',
  } = options;
  const labels = { namespace: NAMESPACE, pod };
  const series: InputSeries[] = (load.gpus ?? []).map((utilisation, gpu) => [
    selector(metric, { ...dcgmLabels(pod, dcgm, exporter), gpu: String(gpu), UUID: `GPU-${pod}-${gpu}` }),
    constant(utilisation, samples),
  ]);
  if (load.cores !== undefined) {
    const used = selector('container_cpu_usage_seconds_total', { ...labels, container: 'model' });
    series.push([used, growing(15 * load.cores, samples)]);
  }
  if (load.queue !== undefined) {
    series.push([selector('request_queue_length', labels), constant(load.queue, samples)]);
  }
  if (load.p95 !== undefined) {
    series.push(...histogram(labels, load.p95, samples));
  }
  if (load.requests !== undefined) {
    const { ok, failed } = load.requests;
    series.push([selector('requests_total', { ...labels, code: '200' }), growing(ok, samples)]);
    if (failed !== undefined) {
      series.push([selector('requests_total', { ...labels, code: '503' }), growing(failed, samples)]);
    }
  }
  return series;
}

/** All requests are in one bucket, between 0 and 1/0.95 of the percentile. */
function histogram(labels: { readonly [label: string]: string }, p95: number, samples: number): InputSeries[] {
  const counts = growing(p95 === 0 ? 0 : 10, samples);
  const bucket = (le: string): InputSeries => [selector('request_duration_seconds_bucket', { ...labels, le }), counts];
  return [
    bucket(String((p95 || 1) / 0.95)),
    bucket('+Inf'),
    [selector('request_duration_seconds_count', labels), counts],
  ];
}

function dcgmLabels(pod: string, dcgm: DcgmLabels, exporter: string): { [label: string]: string } {
  return dcgm === 'honored'
    ? { namespace: NAMESPACE, pod, container: 'model', Hostname: 'node-1' }
    : {
        exported_namespace: NAMESPACE,
        exported_pod: pod,
        exported_container: 'model',
        namespace: 'gpu-operator',
        pod: exporter,
        container: 'dcgm-exporter',
        Hostname: 'node-1',
      };
}

/** What kube-state-metrics says of a Deployment. */
export function deploymentSeries(name: string, replicas: string, ready = replicas): InputSeries[] {
  const labels = { namespace: NAMESPACE, deployment: name };
  return [
    [selector('kube_deployment_status_replicas', labels), replicas],
    [selector('kube_deployment_status_replicas_ready', labels), ready],
  ];
}

/** The scraped series of a service whose pods are all ready. */
export function workload(
  name: string,
  pods: readonly PodLoad[],
  { ready = pods.length, samples = 40 } = {},
): InputSeries[] {
  return [
    ...deploymentSeries(name, constant(pods.length, samples), constant(ready, samples)),
    ...pods.flatMap((load, index) => podSeries(podName(name, index), load, { samples })),
  ];
}
