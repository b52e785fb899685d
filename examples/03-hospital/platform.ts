import { Chart, Duration, Size, type App } from 'cdk8s';
import {
  Accelerator,
  GpuNodePool,
  NodePool,
  Priority,
  PriorityClasses,
  PrometheusAdapterRules,
  SpotBatchPool,
  type Day,
} from 'mediform';

export const TIME_ZONE = 'Europe/Berlin';
export const WEEKDAYS: readonly Day[] = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri'];

const TAGS = { service: 'node-pools', environment: 'production', 'cost-centre': 'radiology' };

/** What the whole cluster shares: priorities, node pools, and the metrics that the autoscalers read. */
export function platform(app: App, tags: { readonly [key: string]: string } = TAGS): void {
  const chart = new Chart(app, 'platform');
  const cluster = { name: 'hospital-prod', nodeRole: 'hospital-prod-nodes' };
  const pinned = { amiAlias: 'al2023@v20261112', tags };
  const clinicHours = { days: WEEKDAYS, start: '07:00', end: '19:00', timeZone: TIME_ZONE };

  new PriorityClasses(chart, 'priorities');
  new PrometheusAdapterRules(chart, 'adapter-rules', { name: 'hospital-adapter-rules', namespace: 'monitoring' });

  // emergencies have nodes of their own, and no node of theirs is touched while the clinic is open
  new GpuNodePool(chart, 'gpu-emergency', {
    ...pinned,
    cluster,
    accelerators: [Accelerator.A10G],
    maxGpus: 12,
    reservedFor: Priority.EMERGENCY,
    useReservations: true,
    weight: 50,
    clinicHours,
    consolidateAfter: Duration.minutes(30),
  });
  new GpuNodePool(chart, 'gpu-imaging', {
    ...pinned,
    cluster,
    accelerators: [Accelerator.A10G, Accelerator.L4],
    maxGpus: 24,
    clinicHours,
    budgets: [{ nodes: '1' }],
  });
  new GpuNodePool(chart, 'gpu-llm', {
    ...pinned,
    cluster,
    accelerators: [Accelerator.L40S],
    maxGpus: 32,
    clinicHours,
    rootVolume: Size.gibibytes(400),
    zones: ['eu-central-1a', 'eu-central-1b'],
  });
  new NodePool(chart, 'compute', { ...pinned, cluster, type: 'compute-optimized', maxCpu: 192 });
  new NodePool(chart, 'memory', {
    ...pinned,
    cluster,
    type: 'memory-optimized',
    maxCpu: 96,
    maxMemory: Size.gibibytes(768),
    consolidateAfter: Duration.minutes(10),
  });
  new SpotBatchPool(chart, 'batch-gpu', {
    ...pinned,
    cluster,
    accelerators: [Accelerator.T4, Accelerator.A10G, Accelerator.V100],
    maxGpus: 16,
  });
  new SpotBatchPool(chart, 'batch-cpu', { ...pinned, cluster, maxCpu: 128, onDemandFallback: true });
}
