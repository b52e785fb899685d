/** A large hospital: 500 nodes of six pools, and 285 services in eight namespaces with 5,000 pods. */
import { App, Chart, Size } from 'cdk8s';
import {
  Accelerator,
  GpuNodePool,
  MedicalInferenceService,
  NodePool,
  Priority,
  PriorityClasses,
  SpotBatchPool,
  type MedicalInferenceServiceProps,
} from 'mediform';
import { synthObjects } from 'mediform/testing';
import { nodesFor } from '../../test/e2e/support/examples';
import { type KubeObject } from '../../test/e2e/support/kube-object';
import { type NodeShape } from '../../test/e2e/support/nodes';

/** Nodes of each pool. */
const NODES: { readonly [pool: string]: number } = {
  'gpu-emergency': 40,
  gpu: 160,
  compute: 110,
  memory: 40,
  'batch-gpu': 110,
  'batch-cpu': 40,
};

interface Group {
  readonly services: number;
  readonly replicas: number;
  readonly props: Partial<MedicalInferenceServiceProps>;
}

/** Services that are alike but for their names. */
const GROUPS: { readonly [name: string]: Group } = {
  triage: { services: 25, replicas: 12, props: { priority: Priority.EMERGENCY, gpu: {}, cpu: 3 } },
  imaging: { services: 55, replicas: 20, props: { gpu: { accelerator: Accelerator.A10G } } },
  'night-reads': { services: 40, replicas: 20, props: { priority: Priority.BATCH, gpu: {}, cpu: 3 } },
  routing: { services: 30, replicas: 10, props: { priority: Priority.EMERGENCY } },
  logic: { services: 70, replicas: 20, props: { cpu: 3 } },
  records: { services: 40, replicas: 15, props: { cpu: 2, memory: Size.gibibytes(32) } },
  reports: { services: 25, replicas: 20, props: { priority: Priority.BATCH } },
};
/** What the control plane works on beside Deployments. There is no autoscaler, so that the replicas stay as they are. */
const SURROUNDINGS = ['PriorityClass', 'ServiceAccount', 'Service', 'PodDisruptionBudget', 'NetworkPolicy'];
const NAMESPACES = 8;
const ZONES = ['eu-central-1a', 'eu-central-1b', 'eu-central-1c'];
/** More than any number of services here could ask for. */
const PLENTY = 1_000_000;

export interface Hospital {
  readonly nodes: readonly NodeShape[];
  /** What is there before the first pod. */
  readonly surroundings: readonly KubeObject[];
  /** With their replicas; there are no autoscalers. */
  readonly deployments: readonly Deployment[];
  readonly podCount: number;
}

export interface Deployment extends KubeObject {
  readonly spec: {
    readonly replicas: number;
    readonly template: { readonly spec: { readonly [field: string]: unknown } };
  };
}

export function hospital(): Hospital {
  const app = new App();
  platform(new Chart(app, 'platform'));
  const charts = Array.from({ length: NAMESPACES }, (_, index) => {
    return new Chart(app, `department-${index}`, { namespace: `department-${index}` });
  });
  const groups = Object.entries(GROUPS).flatMap(([name, group]) =>
    Array.from({ length: group.services }, (_, index) => ({ name: `${name}-${index}`, ...group })),
  );
  groups.forEach(({ name, props }, index) => {
    service(charts[index % NAMESPACES] as Chart, name, props);
  });
  const replicas = new Map(groups.map((group) => [group.name, group.replicas]));

  const objects = synthObjects(app) as unknown as readonly KubeObject[];
  const deployments = objects
    .filter((object): object is Deployment => object.kind === 'Deployment')
    .map((object) => ({ ...object, spec: { ...object.spec, replicas: replicas.get(object.metadata.name) ?? 0 } }));
  return {
    nodes: Object.entries(NODES).flatMap(([pool, count]) => nodesOf(pool, count, objects)),
    surroundings: objects.filter(({ kind }) => SURROUNDINGS.includes(kind)),
    deployments,
    podCount: deployments.reduce((sum, { spec }) => sum + spec.replicas, 0),
  };
}

function platform(chart: Chart): void {
  const common = { cluster: { name: 'bench' }, zones: ZONES };
  const a10g = { ...common, accelerators: [Accelerator.A10G], maxGpus: PLENTY };
  new PriorityClasses(chart, 'priorities');
  new GpuNodePool(chart, 'gpu-emergency', { ...a10g, reservedFor: Priority.EMERGENCY, weight: 50 });
  new GpuNodePool(chart, 'gpu', a10g);
  new NodePool(chart, 'compute', { ...common, type: 'compute-optimized', maxCpu: PLENTY });
  new NodePool(chart, 'memory', { ...common, type: 'memory-optimized', maxCpu: PLENTY });
  new SpotBatchPool(chart, 'batch-gpu', { ...common, accelerators: [Accelerator.T4], maxGpus: PLENTY });
  new SpotBatchPool(chart, 'batch-cpu', { ...common, maxCpu: PLENTY });
}

function service(chart: Chart, name: string, props: Partial<MedicalInferenceServiceProps>): void {
  new MedicalInferenceService(chart, name, {
    image: `registry.hospital.example/${name}:1.0.0`,
    model: { name, version: '1.0.0' },
    ...props,
  });
}

/** So many nodes of one pool, in its zones by turns. */
function nodesOf(pool: string, count: number, objects: readonly KubeObject[]): readonly NodeShape[] {
  const shapes = nodesFor(objects.filter(({ metadata }) => metadata.name === pool));
  return Array.from({ length: count }, (_, index) => {
    return { ...(shapes[index % shapes.length] as NodeShape), name: `${pool}-${index}` };
  });
}
