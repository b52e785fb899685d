/** Recorded series of each service, all with the labels `namespace` and `service`. */
export const Series = {
  /** Replicas that the Deployment has. */
  REPLICAS: 'mediform:replicas',
  /** Replicas that are ready. */
  READY_REPLICAS: 'mediform:ready_replicas',
  /** Per pod: GPU utilisation in percent, averaged over the pod's GPUs. */
  POD_GPU: 'mediform:pod_gpu_utilization',
  /** Per pod: CPU used of the CPU requested, in percent. */
  POD_CPU: 'mediform:pod_cpu_utilization',
  /** Per pod: requests that wait. */
  POD_QUEUE: 'mediform:pod_queue_length',
  /** Value of each signal (label `signal`), in its own unit. */
  SIGNAL: 'mediform:signal',
  /** Vote of each signal (label `signal`): over 1 out, under 1 in, 1 stay. */
  SIGNAL_PRESSURE: 'mediform:signal_pressure',
  /** The largest vote. */
  PRESSURE: 'mediform:scaling_pressure',
  /** Replicas that the load needs at the target utilisation. */
  DEMAND: 'mediform:demand_replicas',
  /** Minute of the week, from Monday 00:00, in a time zone (label `time_zone`). */
  WEEK_MINUTE: 'mediform:week_minute',
  /** Fewest replicas that each reason (label `reason`) asks for. */
  FLOOR_REASON: 'mediform:replica_floor_reason',
  /** The highest floor. */
  FLOOR: 'mediform:replica_floor',
} as const;

/** Names under which prometheus-adapter serves series to the HPA. */
export const AdapterMetric = {
  /** External: `Series.PRESSURE`. */
  PRESSURE: 'mediform_scaling_pressure',
  /** External: `Series.FLOOR`. */
  FLOOR: 'mediform_replica_floor',
  /** Pods: `Series.POD_GPU`. */
  GPU: 'gpu_utilization',
  /** Pods: `Series.POD_QUEUE`. */
  QUEUE: 'request_queue_length',
} as const;

/** Metrics that a service must send, and under which names. */
export interface MetricNames {
  /**
   * Gauge: requests that wait.
   *
   * @default 'request_queue_length'
   */
  readonly queueLength?: string;

  /**
   * Histogram (name without `_bucket`): response time in seconds.
   *
   * @default 'request_duration_seconds'
   */
  readonly responseTime?: string;

  /**
   * Counter with a label `code` that holds the HTTP status.
   *
   * @default 'requests_total'
   */
  readonly requests?: string;
}
