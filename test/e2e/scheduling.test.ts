/** Where services land, on a real scheduler: services, node pools and priorities are all made by our constructs. */
import { Size, type Chart } from 'cdk8s';
import {
  Accelerator,
  GpuNodePool,
  MedicalInferenceService,
  NodePool,
  Priority,
  SpotBatchPool,
  type MedicalInferenceServiceProps,
} from 'mediform';
import { nodesFor } from './support/examples';
import { type KubeObject } from './support/kube-object';
import { type NodeShape } from './support/nodes';
import { TestBed, refusal, serviceOf, synth, type Pod } from './support/scheduling';
import { BUILD_TIMEOUT_MS, describeWithCluster } from './support/suite';

const cluster = { name: 'hospital' };
const POOL = 'karpenter.sh/nodepool';
const CAPACITY_TYPE = 'karpenter.sh/capacity-type';
const { EMERGENCY, NORMAL, BATCH } = Priority;

/** Every kind of pool, by its name. */
const POOLS: { readonly [name: string]: (chart: Chart, name: string) => unknown } = {
  'gpu-emergency': (chart, name) => gpuPool(chart, name, Accelerator.A10G, { reservedFor: EMERGENCY, weight: 50 }),
  gpu: (chart, name) => gpuPool(chart, name, Accelerator.A10G),
  't4-normal': (chart, name) => gpuPool(chart, name, Accelerator.T4, { reservedFor: NORMAL }),
  'a100-40': (chart, name) => gpuPool(chart, name, Accelerator.A100_40GB),
  'a100-80': (chart, name) => gpuPool(chart, name, Accelerator.A100_80GB),
  'mig-small': (chart, name) =>
    gpuPool(chart, name, Accelerator.H100, { sharing: { mode: 'mig', profile: '1g.10gb' } }),
  'mig-half': (chart, name) => gpuPool(chart, name, Accelerator.H100, { sharing: { mode: 'mig', profile: '3g.40gb' } }),
  'slices-4': (chart, name) => gpuPool(chart, name, Accelerator.L4, { sharing: { mode: 'time-slicing', replicas: 4 } }),
  'mps-4': (chart, name) => gpuPool(chart, name, Accelerator.L4, { sharing: { mode: 'mps', replicas: 4 } }),
  compute: (chart, name) => new NodePool(chart, name, { cluster, type: 'compute-optimized', maxCpu: 1000 }),
  memory: (chart, name) => new NodePool(chart, name, { cluster, type: 'memory-optimized', maxCpu: 1000 }),
  'batch-gpu': (chart, name) =>
    new SpotBatchPool(chart, name, { cluster, accelerators: [Accelerator.A10G], maxGpus: 64 }),
  'batch-cpu': (chart, name) => new SpotBatchPool(chart, name, { cluster, maxCpu: 1000 }),
  'batch-memory': (chart, name) => new SpotBatchPool(chart, name, { cluster, type: 'memory-optimized', maxCpu: 1000 }),
  'batch-fallback': (chart, name) =>
    new SpotBatchPool(chart, name, {
      cluster,
      accelerators: [Accelerator.V100],
      maxGpus: 64,
      onDemandFallback: true,
    }),
};

type Needs = Omit<MedicalInferenceServiceProps, 'image' | 'model'>;

/** What a service needs, and all the pools it may run on. */
const SERVICES: { readonly [name: string]: readonly [needs: Needs, ...pools: string[]] } = {
  logic: [{}, 'compute'],
  'logic-urgent': [{ priority: EMERGENCY, cpu: 4, memory: Size.gibibytes(16) }, 'compute'],
  cache: [{ cpu: 2, memory: Size.gibibytes(32) }, 'memory'],
  database: [{ priority: EMERGENCY, memoryIntensive: true }, 'memory'],
  'gpu-any-normal': [{ gpu: {} }, 'gpu', 't4-normal', 'a100-40', 'a100-80'],
  'gpu-any-urgent': [{ priority: EMERGENCY, gpu: {} }, 'gpu-emergency'],
  // GPUs come before memory
  'gpu-and-memory': [
    { gpu: { accelerator: Accelerator.A10G }, cpu: 2, memory: Size.gibibytes(64), memoryIntensive: true },
    'gpu',
  ],
  'a10g-normal': [{ gpu: { accelerator: Accelerator.A10G } }, 'gpu'],
  t4: [{ gpu: { accelerator: Accelerator.T4 } }, 't4-normal'],
  'a100-small': [{ gpu: { accelerator: Accelerator.A100_40GB, count: 2 } }, 'a100-40'],
  'a100-large': [{ gpu: { accelerator: Accelerator.A100_80GB, count: 2 } }, 'a100-80'],
  'part-small': [{ gpu: { sharing: { mode: 'mig', profile: '1g.10gb' } } }, 'mig-small'],
  'part-half': [{ priority: EMERGENCY, gpu: { sharing: { mode: 'mig', profile: '3g.40gb' } } }, 'mig-half'],
  slice: [{ gpu: { sharing: { mode: 'time-slicing', replicas: 4 } } }, 'slices-4'],
  'mps-share': [{ priority: EMERGENCY, gpu: { sharing: { mode: 'mps', replicas: 4 } } }, 'mps-4'],
  'reads-gpu': [{ priority: BATCH, gpu: {} }, 'batch-gpu', 'batch-fallback'],
  'reads-a10g': [{ priority: BATCH, gpu: { accelerator: Accelerator.A10G } }, 'batch-gpu'],
  'reads-v100': [{ priority: BATCH, gpu: { accelerator: Accelerator.V100 } }, 'batch-fallback'],
  'reads-cpu': [{ priority: BATCH }, 'batch-cpu'],
  'reads-memory': [{ priority: BATCH, memory: Size.gibibytes(64) }, 'batch-memory'],
};

const ALL = synth((chart) => {
  Object.entries(POOLS).forEach(([name, define]) => define(chart, name));
  Object.entries(SERVICES).forEach(([name, [needs]]) => service(chart, name, needs));
});

describeWithCluster('node pools on a real scheduler', () => {
  let bed: TestBed;

  beforeAll(async () => {
    bed = await TestBed.start();
  }, BUILD_TIMEOUT_MS);
  afterAll(() => bed?.stop());
  afterEach(() => bed.clear(), 180_000);

  it('puts every service on nodes of its pools', async () => {
    await bed.addNodes(...nodesOf());
    const running = await bed.runServices(forServices(), 2);
    const landed = [...running].map(([name, pods]) => [name, pods.map(poolOf)] as const);
    for (const [name, pools] of landed) {
      const [, ...allowed] = SERVICES[name] ?? [{}];
      expect({ name, strangers: pools.filter((pool) => !allowed.includes(pool)) }).toEqual({ name, strangers: [] });
    }
    expect(landed).toHaveLength(Object.keys(SERVICES).length);
  }, 180_000);

  it('lets every service wait where its pools take no more pods, whatever room the others have', async () => {
    await bed.addNodes(...nodesOf());
    for (const [name, [, ...pools]] of Object.entries(SERVICES)) {
      // emergency work prefers the nodes kept free for it, and takes others too
      const own = name === 'gpu-any-urgent' ? [...pools, 'gpu', 'a100-40', 'a100-80'] : pools;
      const full = nodesOf((pool) => own.includes(pool));
      await bed.cordon(full);
      await bed.cluster.apply(forServices(name));
      const reason = await bed.cluster.waitFor(`the refusal of ${name}`, async () => {
        const [pod] = await bed.pods();
        return pod && refusal(pod.status);
      });
      expect(reason).toContain(`0/${nodesOf().length} nodes are available`);
      await bed.clearPods();
      await bed.cordon(full, false);
    }
  }, 240_000);

  it('puts no work but batch on nodes that are bought as Spot, and no batch on others but where fallback is on', async () => {
    await bed.addNodes(...nodesOf());
    const running = await bed.runServices(forServices(), 1);
    const bought = (pods: readonly Pod[]): (string | undefined)[] =>
      pods.map((pod) => nodeOfPod(pod)?.labels?.[CAPACITY_TYPE]);
    const byPriority = (wanted: boolean): Pod[] =>
      [...running.values()].flat().filter((pod) => (pod.spec.priorityClassName === 'batch-priority') === wanted);
    const fallback = byPriority(true).filter((pod) => poolOf(pod) === 'batch-fallback');
    const batch = byPriority(true).filter((pod) => poolOf(pod) !== 'batch-fallback');
    expect(new Set(bought(byPriority(false)))).toEqual(new Set(['on-demand']));
    expect(new Set(bought(batch))).toEqual(new Set(['spot']));
    // the first of the two that it may be bought as
    expect(new Set(bought(fallback))).toEqual(new Set(['on-demand']));
  }, 180_000);
});

function gpuPool(
  chart: Chart,
  name: string,
  accelerator: Accelerator,
  props: Partial<ConstructorParameters<typeof GpuNodePool>[2]> = {},
): GpuNodePool {
  return new GpuNodePool(chart, name, { cluster, accelerators: [accelerator], maxGpus: 64, ...props });
}

function service(chart: Chart, name: string, needs: Needs): void {
  new MedicalInferenceService(chart, name, {
    image: `registry.example/${name}:1`,
    model: { name, version: '1' },
    verticalScaling: 'off',
    ...needs,
  });
}

/** Nodes of pools, as the pools' own objects describe them. */
function nodesOf(wanted: (pool: string) => boolean = () => true): readonly NodeShape[] {
  return nodesFor(ALL.filter(({ metadata }) => wanted(metadata.name)));
}

/** All that the API server needs to make the pods of services. */
function forServices(...names: readonly string[]): readonly KubeObject[] {
  const kinds = ['Deployment', 'ServiceAccount'];
  return ALL.filter(
    (object) => kinds.includes(object.kind) && (names.length === 0 || names.includes(serviceOf(object) ?? '')),
  );
}

function nodeOfPod({ spec }: Pod): NodeShape | undefined {
  return nodesOf().find(({ name }) => name === spec.nodeName);
}

function poolOf(pod: Pod): string {
  return nodeOfPod(pod)?.labels?.[POOL] ?? '';
}
