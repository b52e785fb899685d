import type { App } from 'cdk8s';

/** A Kubernetes object as it is written to a manifest. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly [field: string]: unknown };
  readonly [field: string]: unknown;
}

/**
 * All objects of all charts of an app, as they would be written.
 *
 * @throws Error with every problem that only shows in the whole app, as `cdk8s synth` would
 */
export function synthObjects(app: App): KubeObject[] {
  // a chart validates the whole app before it renders; its objects alone would not
  return app.charts.flatMap((chart) => chart.toJson() as KubeObject[]);
}

/**
 * The one object of a kind and name.
 *
 * @param objects what `synthObjects` returned
 * @param namespace needed where several namespaces have one of that name
 * @throws Error that lists the objects of that kind, where none or several fit
 */
export function findObject(objects: readonly KubeObject[], kind: string, name: string, namespace?: string): KubeObject {
  const ofKind = objects.filter((object) => object.kind === kind);
  const [found, ...others] = ofKind.filter(
    ({ metadata }) => metadata.name === name && (namespace === undefined || metadata.namespace === namespace),
  );
  if (found === undefined || others.length > 0) {
    const wanted = namespace === undefined ? name : `${namespace}/${name}`;
    const there = ofKind.map(({ metadata }) => [metadata.namespace ?? [], metadata.name].flat().join('/')).sort();
    throw new Error(
      `${found === undefined ? 'no' : 'more than one'} ${kind} ${wanted}; there is: ${there.join(', ') || 'none'}`,
    );
  }
  return found;
}

/** An external metric of an HPA, with what the metrics API serves for it. */
export interface HpaMetric {
  /** Type of the target: `Value` is for all replicas, `AverageValue` for each. */
  readonly type: 'Value' | 'AverageValue';
  /** What was measured; undefined where the metrics API has nothing. */
  readonly value: number | undefined;
  /** @default 1 */
  readonly target?: number;
}

/** What the HPA controller looks at in one round. */
export interface HpaInput {
  /** Replicas that the workload has. */
  readonly replicas: number;
  /** @default - all of them */
  readonly readyReplicas?: number;
  readonly minReplicas: number;
  readonly maxReplicas: number;
  readonly metrics: readonly HpaMetric[];
  /**
   * Part by which a metric may miss its target before the controller acts.
   *
   * @default 0.1
   */
  readonly tolerance?: number;
}

/**
 * Replicas that the HPA controller wants, before `behavior` limits how fast it gets there.
 *
 * Follows pkg/controller/podautoscaler of Kubernetes 1.34: `replica_calculator.go` (GetExternalMetricReplicas,
 * GetExternalPerPodMetricReplicas, Tolerances) and `horizontal.go` (computeReplicasForMetrics, reconcileAutoscaler).
 * Values arrive in thousandths, cut off: so prometheus-adapter (pkg/external-provider/metric_converter.go) and KEDA
 * (pkg/scalers/scaler.go) serve them.
 *
 * - A metric within the tolerance of its target wants the replicas there are; the largest wish counts.
 * - `Value` multiplies the *ready* replicas; `AverageValue` divides the value by the target.
 * - Where a metric is missing, the others count, but not to remove replicas. Where all are missing, nothing changes.
 * - Replicas outside of the bounds go to the bound, whatever the metrics say; a workload at 0 is left alone.
 */
export function hpaDesiredReplicas(input: HpaInput): number {
  const { replicas, readyReplicas = replicas, minReplicas, maxReplicas, metrics, tolerance = 0.1 } = input;
  if (replicas === 0) {
    return 0;
  }
  if (replicas < minReplicas || replicas > maxReplicas) {
    return replicas < minReplicas ? minReplicas : maxReplicas;
  }
  const wishes = metrics.flatMap((metric) => wishOf(metric, replicas, readyReplicas, tolerance) ?? []);
  const wish = Math.max(...wishes);
  const someMissing = wishes.length < metrics.length;
  if (wishes.length === 0 || (someMissing && wish < replicas)) {
    return replicas;
  }
  return Math.min(Math.max(wish, minReplicas), maxReplicas);
}

function wishOf(metric: HpaMetric, replicas: number, ready: number, tolerance: number): number | undefined {
  const { type, value, target = 1 } = metric;
  if (value === undefined) {
    return undefined;
  }
  if (!Number.isFinite(value)) {
    throw new RangeError(`the metrics API cannot serve ${value}`);
  }
  const servedMilli = Math.trunc(value * 1000);
  // quantities are rounded up; the digits beyond these are noise of the multiplication
  const targetMilli = Math.ceil(Number((target * 1000).toFixed(6)));
  const ratio = type === 'Value' ? servedMilli / targetMilli : servedMilli / (targetMilli * replicas);
  if (1 - tolerance <= ratio && ratio <= 1 + tolerance) {
    return replicas;
  }
  return type === 'Value' ? Math.ceil(ratio * ready) : Math.ceil(servedMilli / targetMilli);
}
