/** The apps that are measured: pools and priorities that are shared, and as many services as wanted. */
import { App, Chart, Duration, Size } from 'cdk8s';
import {
  Accelerator,
  GpuNodePool,
  MedicalInferenceService,
  NodePool,
  PriorityClasses,
  PrometheusAdapterRules,
  SpotBatchPool,
  type MedicalInferenceServiceProps,
} from 'mediform';

/** More than any number of services here could ask for. */
const PLENTY = 1_000_000;

/** What the services differ in; they take turns. */
const SHAPES: readonly Omit<MedicalInferenceServiceProps, 'image' | 'model'>[] = [
  { priority: 'emergency', gpu: { accelerator: Accelerator.A10G }, modelLoadTime: Duration.minutes(3) },
  { gpu: { count: 2, accelerator: Accelerator.L40S }, cpu: 6, memory: Size.gibibytes(48) },
  { priority: 'batch', gpu: { accelerator: Accelerator.T4 }, verticalScaling: 'off' },
  { cpu: 2, scaling: { minReplicas: 3, maxReplicas: 12 } },
  { gpu: { count: 1 }, scaling: { engine: 'keda' } },
];

/** An app of `services` services, spread over `charts` charts with a namespace each. */
export function hospital(outdir: string, services: number, charts = 1): App {
  const app = new App({ outdir });
  platform(new Chart(app, 'platform'));
  for (let chart = 0; chart < charts; chart++) {
    const scope = new Chart(app, `imaging-${chart}`, { namespace: `imaging-${chart}` });
    for (let number = chart; number < services; number += charts) {
      new MedicalInferenceService(scope, `model-${number}`, {
        image: `registry.hospital.example/model-${number}:1.0.0`,
        model: { name: `model-${number}`, version: '1.0.0' },
        ...SHAPES[number % SHAPES.length],
      });
    }
  }
  return app;
}

function platform(chart: Chart): void {
  const cluster = { name: 'bench' };
  new PriorityClasses(chart, 'priorities');
  new PrometheusAdapterRules(chart, 'adapter-rules');
  new GpuNodePool(chart, 'gpu', { cluster, accelerators: [Accelerator.A10G, Accelerator.L4], maxGpus: PLENTY });
  new GpuNodePool(chart, 'gpu-llm', { cluster, accelerators: [Accelerator.L40S], maxGpus: PLENTY });
  new NodePool(chart, 'compute', { cluster, type: 'compute-optimized', maxCpu: PLENTY });
  new NodePool(chart, 'memory', { cluster, type: 'memory-optimized', maxCpu: PLENTY });
  new SpotBatchPool(chart, 'batch', { cluster, accelerators: [Accelerator.T4], maxGpus: PLENTY });
}
