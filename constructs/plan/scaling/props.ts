import type { TimeSpan } from '../quantities';
import type { WeeklyWindow } from '../weekly-window';

/** Scale out above one value, in below another. Between the two, nothing happens. */
export interface BandRule {
  /** Add replicas while the signal is over this. */
  readonly scaleOutAbove: number;

  /**
   * Remove replicas while the signal is under this. At most 0.4 × `scaleOutAbove` (queue: 0.25 ×), or small numbers of
   * replicas could never shrink.
   */
  readonly scaleInBelow: number;
}

/**
 * The signals a service scales on. Units: utilisation and error rate in percent, queue length in requests for each
 * replica, response time as a duration. The largest vote wins; a signal without data votes to stay.
 */
export interface ScalingRules {
  /**
   * Utilisation of the service's GPUs, averaged over its pods.
   *
   * @default - out above 80 %, in below 30 % where the service has GPUs
   */
  readonly gpuUtilization?: BandRule | 'off';

  /**
   * CPU used of the CPU requested, averaged over pods. With this rule the VPA leaves CPU alone.
   *
   * @default - out above 80 %, in below 30 % where the service has no GPUs
   */
  readonly cpuUtilization?: BandRule | 'off';

  /**
   * Requests that wait, for each replica.
   *
   * @default - out above 50, in below 5
   */
  readonly queueLength?: BandRule | 'off';

  /**
   * 95th percentile of the response time. Never asks to scale in, and at most doubles.
   *
   * @default - out above 5 s
   */
  readonly responseTimeP95?: { readonly scaleOutAbove: TimeSpan } | 'off';

  /**
   * Share of requests that fail, in percent. Adds one step (one replica, or a tenth of them) in `stepEvery` and blocks
   * scale-in: errors that more replicas do not cure must not fill the cluster.
   *
   * @default - out above 1 %, a step every 10 minutes
   */
  readonly errorRate?: { readonly scaleOutAbove: number; readonly stepEvery?: TimeSpan } | 'off';
}

/** Plain HPA targets instead of rules: the average over pods that the HPA steers to, within its 10 % tolerance. */
export interface ScalingTargets {
  /** GPU utilisation in percent. */
  readonly gpuUtilization?: number;
  /** Requests that wait, for each replica. */
  readonly queueLength?: number;
  /** Utilisation in percent of `cpu` or `memory` requests. GPUs are not served here: use `gpuUtilization`. */
  readonly resources?: { readonly [resource: string]: number };
}

/** One limit on how fast replicas are added or removed. */
export type ScalingPolicy =
  { readonly percent: number; readonly period: TimeSpan } | { readonly pods: number; readonly period: TimeSpan };

/** How fast replicas follow the metrics in one direction. */
export interface ScalingPace {
  /**
   * Act on the most cautious recommendation of this span.
   *
   * @default - scale-in: 5 minutes, or `modelLoadTime` or `window` where that is longer; scale-out: 0
   */
  readonly stabilizationWindow?: TimeSpan;

  /**
   * Limits; the larger applies.
   *
   * @default - scale-in: 50 % in 60 s; scale-out: 100 % or 2 pods in 15 s
   */
  readonly policies?: readonly ScalingPolicy[];
}

/** A time of the week with a known crowd. */
export interface PeakHours extends WeeklyWindow {
  /** Replicas that must be there, at least. */
  readonly replicas: number;

  /**
   * How long before `start` the replicas are asked for.
   *
   * @default - `modelLoadTime` plus 10 minutes, for a new node to come up
   */
  readonly leadTime?: TimeSpan;
}

/** Replicas ahead of demand, from the same hour of last week. Prometheus must keep eight days of data. */
export interface Forecast {
  /**
   * How far ahead to look.
   *
   * @default - `modelLoadTime` plus 10 minutes, for a new node to come up
   */
  readonly leadTime?: TimeSpan;
}

/** How the number of replicas follows the load. */
export interface ScalingProps {
  /**
   * Name of the HorizontalPodAutoscaler (with KEDA, of the ScaledObject and the HPA that KEDA makes).
   *
   * @default - name of the service
   */
  readonly name?: string;

  /** @default 2 */
  readonly minReplicas?: number;

  /** @default 20 */
  readonly maxReplicas?: number;

  /**
   * Who feeds the HPA: `hpa` through prometheus-adapter, `keda` through a ScaledObject.
   *
   * @default 'hpa'
   */
  readonly engine?: 'hpa' | 'keda';

  /**
   * Address of Prometheus, for KEDA.
   *
   * @default 'http://prometheus-operated.monitoring.svc:9090'
   */
  readonly prometheusAddress?: string;

  /**
   * Thresholds of the rules.
   *
   * @default - as on `ScalingRules`
   */
  readonly rules?: ScalingRules;

  /**
   * Plain HPA targets; excludes `rules`.
   *
   * @default - rules
   */
  readonly targets?: ScalingTargets;

  /** @default - as on `ScalingPace` */
  readonly scaleIn?: ScalingPace;

  /** @default - as on `ScalingPace` */
  readonly scaleOut?: ScalingPace;

  /**
   * Replicas that are there before a known crowd comes, and go after it.
   *
   * @default - none
   */
  readonly peakHours?: readonly PeakHours[];

  /**
   * Replicas ahead of demand, learned from last week.
   *
   * @default - none
   */
  readonly forecast?: Forecast;

  /**
   * Span over which utilisation, response times and errors are averaged. At least four scrape intervals.
   *
   * @default - 2 minutes
   */
  readonly window?: TimeSpan;
}

/** A rule with all its numbers, in the units of its signal (response times in seconds). */
export interface SignalPlan {
  readonly signal: 'gpu_utilization' | 'cpu_utilization' | 'queue_length' | 'response_time_p95' | 'error_rate';
  readonly scaleOutAbove: number;
  /** Absent where the signal never asks to scale in. */
  readonly scaleInBelow?: number;
  /** Value that the HPA steers to once a threshold is passed. */
  readonly target: number;
}

/** A peak with all its numbers. */
export interface PeakPlan {
  readonly window: WeeklyWindow;
  readonly replicas: number;
  readonly leadMinutes: number;
}

/** Everything about a service's scaling, checked and with defaults. Times in seconds. */
export interface ScalingPlan {
  readonly name: string;
  readonly minReplicas: number;
  readonly maxReplicas: number;
  readonly engine: 'hpa' | 'keda';
  readonly prometheusAddress: string;
  /** Empty where `targets` are used. */
  readonly signals: readonly SignalPlan[];
  /** Window of the error rule's step; absent where errors are not a signal. */
  readonly errorStepSeconds?: number;
  readonly targets?: ScalingTargets;
  readonly scaleIn: PacePlan;
  readonly scaleOut: PacePlan;
  readonly peaks: readonly PeakPlan[];
  /** Seconds that the forecast looks ahead; absent where there is none. */
  readonly forecastLeadSeconds?: number;
  readonly windowSeconds: number;
}

/** `ScalingPace` with all its numbers. */
export interface PacePlan {
  readonly stabilizationWindowSeconds: number;
  readonly policies: readonly { type: 'Percent' | 'Pods'; value: number; periodSeconds: number }[];
}
