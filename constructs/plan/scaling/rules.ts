import type { GpuNeeds } from '../scheduling';
import { demandRules } from './demand';
import type { ScalingPlan, SignalPlan } from './props';
import { Series, type MetricNames } from './series';
import { MAX_RESPONSE_TIME_PRESSURE } from './votes';

/** One entry of a PrometheusRule group that records a series. */
export interface RecordingRule {
  readonly record: string;
  readonly expr: string;
  readonly labels: { readonly [label: string]: string };
}

/** What the rules must know of the service. */
export interface RuleContext {
  readonly namespace: string;
  readonly service: string;
  readonly containerName: string;
  readonly gpu?: GpuNeeds;
  /** Cores requested for each pod. */
  readonly cpu: number;
  readonly metricNames: Required<MetricNames>;
}

/** Characters in the names that Kubernetes generates. */
const GENERATED = '[bcdfghjklmnpqrstvwxz2456789]';

/**
 * The recording rules of one service, in the order in which they must be evaluated.
 *
 * From raw metrics to one number: per-pod series → a value for each signal → a vote for each signal → the largest vote
 * (`mediform:scaling_pressure`). Votes are value/target outside the band, and 1 inside it or without data; so missing
 * data can never scale in. A vote to scale in also needs data from every ready pod.
 */
export function recordingRules(scaling: ScalingPlan, context: RuleContext): RecordingRule[] {
  const labels = { namespace: context.namespace, service: context.service };
  const record = (name: string, expr: string, extra?: { [label: string]: string }): RecordingRule => ({
    record: name,
    expr,
    labels: { ...labels, ...extra },
  });
  const own = (series: string, extra = ''): string =>
    `${series}{namespace="${context.namespace}",service="${context.service}"${extra}}`;

  const window = `[${scaling.windowSeconds}s]`;
  const deployment = `{namespace="${context.namespace}",deployment="${context.service}"}`;
  const rules = [
    record(Series.REPLICAS, `max(kube_deployment_status_replicas${deployment})`),
    record(Series.READY_REPLICAS, `max(kube_deployment_status_replicas_ready${deployment})`),
    ...podRules(scaling, context, window, record),
  ];
  for (const signal of scaling.signals) {
    rules.push(record(Series.SIGNAL, signalValue(signal, context, window, own), { signal: signal.signal }));
  }
  for (const signal of scaling.signals) {
    rules.push(record(Series.SIGNAL_PRESSURE, signalPressure(signal, window, own), { signal: signal.signal }));
  }
  if (scaling.signals.length > 0) {
    rules.push(record(Series.PRESSURE, `max(${own(Series.SIGNAL_PRESSURE)})`));
  }
  return [...rules, ...demandRules(scaling, record, own)];
}

type Recorder = (name: string, expr: string, extra?: { [label: string]: string }) => RecordingRule;
type OwnSeries = (series: string, extra?: string) => string;

function podRules(scaling: ScalingPlan, context: RuleContext, window: string, record: Recorder): RecordingRule[] {
  const pods = podMatchers(context);
  const rules: RecordingRule[] = [];
  const uses = (signal: SignalPlan['signal']): boolean => scaling.signals.some((other) => other.signal === signal);
  if (context.gpu !== undefined) {
    rules.push(record(Series.POD_GPU, gpuUtilization(context, window)));
  }
  if (uses('cpu_utilization')) {
    const used = `rate(container_cpu_usage_seconds_total{${pods},container="${context.containerName}"}${window})`;
    rules.push(record(Series.POD_CPU, `100 * sum by (pod) (${used}) / ${context.cpu}`));
  }
  if (uses('queue_length') || scaling.targets?.queueLength !== undefined) {
    rules.push(record(Series.POD_QUEUE, `sum by (pod) (${context.metricNames.queueLength}{${pods}})`));
  }
  return rules;
}

/** Matches the pods of the service's Deployment, and of no other whose name begins alike. */
export function podMatchers(context: RuleContext, prefix = ''): string {
  const name = `${context.service}-${GENERATED}{1,10}-${GENERATED}{5}`;
  return `${prefix}namespace="${context.namespace}",${prefix}pod=~"${name}"`;
}

/**
 * GPU utilisation of each pod, 0 to 100, averaged over its GPUs (a sum would pass 100).
 *
 * `DCGM_FI_DEV_GPU_UTIL` does not work under MIG; there `DCGM_FI_PROF_GR_ENGINE_ACTIVE`, a ratio, does. Of a
 * time-sliced GPU both show the whole device, in every pod on it (dcgm-exporter must run with KUBERNETES_VIRTUAL_GPUS).
 * dcgm-exporter's own scrape config renames the pod's labels to `exported_...`; with honorLabels it does not: take both.
 */
function gpuUtilization(context: RuleContext, window: string): string {
  const mig = context.gpu?.sharing?.mode === 'mig';
  const metric = mig ? 'DCGM_FI_PROF_GR_ENGINE_ACTIVE' : 'DCGM_FI_DEV_GPU_UTIL';
  // averaged before the label is renamed: a restarted dcgm-exporter leaves two series of one GPU that differ in it alone
  const exported = `avg by (exported_pod) (avg_over_time(${metric}{${podMatchers(context, 'exported_')}}${window}))`;
  const renamed = `label_replace(${exported}, "pod", "$1", "exported_pod", "(.+)")`;
  const honored = `avg by (pod) (avg_over_time(${metric}{${podMatchers(context)}}${window}))`;
  const average = `avg by (pod) (${renamed} or ${honored})`;
  return mig ? `100 * ${average}` : average;
}

function podSeries(signal: SignalPlan['signal']): string | undefined {
  switch (signal) {
    case 'gpu_utilization':
      return Series.POD_GPU;
    case 'cpu_utilization':
      return Series.POD_CPU;
    case 'queue_length':
      return Series.POD_QUEUE;
    default:
      return undefined;
  }
}

function signalValue(plan: SignalPlan, context: RuleContext, window: string, own: OwnSeries): string {
  const pods = podSeries(plan.signal);
  if (pods !== undefined) {
    return `avg(${own(pods)})`;
  }
  const matchers = podMatchers(context);
  const { requests, responseTime } = context.metricNames;
  if (plan.signal === 'response_time_p95') {
    const buckets = `sum by (le) (rate(${responseTime}_bucket{${matchers}}${window}))`;
    const count = `sum(rate(${responseTime}_count{${matchers}}${window}))`;
    // without requests the quantile is NaN: nothing is slow then. With requests, no quantile is no data
    return `histogram_quantile(0.95, ${buckets}) >= 0 or 0 * (${count} == 0)`;
  }
  const all = `sum(rate(${requests}{${matchers}}${window}))`;
  const failed = `sum(rate(${requests}{${matchers},code=~"5.."}${window}))`;
  return `100 * ${failed} / (${all} > 0) or 0 * ${all}`;
}

function signalPressure(plan: SignalPlan, window: string, own: OwnSeries): string {
  const value = `max(${own(Series.SIGNAL, `,signal="${plan.signal}"`)})`;
  const pods = podSeries(plan.signal);
  if (plan.signal === 'error_rate') {
    // errors add replicas through the floor, one step at a time; here they only keep the ones there are
    return `0 * (${value} <= ${plan.scaleOutAbove}) or vector(1)`;
  }
  const over = `(${value} > ${plan.scaleOutAbove}) / ${plan.target}`;
  if (pods === undefined || plan.scaleInBelow === undefined) {
    const out = `clamp_max(${over}, ${MAX_RESPONSE_TIME_PRESSURE})`;
    return `${asMeasured(out, window, own)} or 0 * (${value} <= ${plan.scaleOutAbove}) or vector(1)`;
  }
  // a queue is read as it is now, all else as the average of a window
  const out = plan.signal === 'queue_length' ? over : asMeasured(over, window, own);
  const low = `(${value} < ${plan.scaleInBelow}) / ${plan.target}`;
  const complete = `count(${own(pods)}) >= max(${own(Series.READY_REPLICAS)})`;
  return `${out} or ${low} and ${complete} or vector(1)`;
}

/**
 * A vote to scale out, for the replicas that it was measured on. An average still shows the load from before new replicas
 * came, and the HPA would multiply those too, round after round.
 */
function asMeasured(vote: string, window: string, own: OwnSeries): string {
  const ready = own(Series.READY_REPLICAS);
  return `clamp_min(${vote} * (max(min_over_time(${ready}${window})) / (max(${ready}) > 0)), 1) or ${vote}`;
}
