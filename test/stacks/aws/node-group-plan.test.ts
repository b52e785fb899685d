import fc from 'fast-check';
import { ACCELERATORS, Accelerator } from '../../../constructs/plan/accelerators';
import { planGpuNodePool, planNodePool, planSpotBatchPool } from '../../../constructs/plan/node-pools/plan';
import type { NodePoolSpec } from '../../../constructs/plan/node-pools/spec';
import { INSTANCE_TYPES } from '../../../stacks/aws/node-pools/instance-types';
import { planNodeGroup, type ManagedPool } from '../../../stacks/aws/node-pools/node-group-plan';
import { problemsOf } from '../../support/aws-stores';

const cluster = { name: 'hospital' };
const l4 = planGpuNodePool({ name: 'gpu', cluster, accelerators: ['l4'], maxGpus: 10, gpusPerNode: [1] });
const compute = planNodePool({ name: 'logic', cluster, type: 'compute-optimized', maxCpu: 64 });
const memory = planNodePool({ name: 'stores', cluster, type: 'memory-optimized', maxMemoryGiB: 200 });
const batch = planSpotBatchPool({ name: 'batch', cluster, maxCpu: 64 });

/** Properties that are wrong with a pool. */
function wrong(pool: ManagedPool): (string | undefined)[] {
  return problemsOf(() => planNodeGroup(pool)).map((problem) => /'(\S+)'/.exec(problem)?.[1]);
}

test('a GPU pool: the NVIDIA image, its taint, the labels by which pods choose the GPU, as many nodes as GPUs', () => {
  expect(planNodeGroup({ spec: l4, nodeSize: '4xlarge' })).toEqual({
    name: 'gpu',
    amiType: 'AL2023_x86_64_NVIDIA',
    capacityType: 'ON_DEMAND',
    instanceTypes: ['g6.4xlarge', 'gr6.4xlarge'],
    labels: {
      accelerator: 'nvidia-gpu',
      'karpenter.k8s.aws/instance-gpu-name': 'l4',
      'karpenter.k8s.aws/instance-gpu-memory': '22888',
    },
    taints: [{ key: 'nvidia.com/gpu', value: 'true', effect: 'NO_SCHEDULE' }],
    minNodes: 1,
    maxNodes: 10,
    maxUnavailable: { percentage: 10 },
    volumes: [{ deviceName: '/dev/xvda', sizeGiB: 200 }],
    tags: { 'mediform.io/node-pool': 'gpu' },
  });
});

test('of an accelerator that comes in one size only, nothing has to be said', () => {
  const spec = planGpuNodePool({ name: 'a100', cluster, accelerators: ['a100-80gb'], maxGpus: 20 });
  expect(planNodeGroup({ spec })).toMatchObject({ instanceTypes: ['p4de.24xlarge'], maxNodes: 2 });
});

test('several GPUs a node', () => {
  const spec = planGpuNodePool({ name: 'gpu', cluster, accelerators: ['a10g'], maxGpus: 10, gpusPerNode: [4] });
  expect(planNodeGroup({ spec, nodeSize: '12xlarge', minNodes: 0 })).toMatchObject({
    instanceTypes: ['g5.12xlarge'],
    minNodes: 0,
    maxNodes: 2,
  });
});

test('instance types that the pool names', () => {
  const instanceTypes = ['g6.2xlarge'];
  const spec = planGpuNodePool({ name: 'gpu', cluster, accelerators: ['l4'], maxGpus: 3, instanceTypes });
  expect(planNodeGroup({ spec })).toMatchObject({ instanceTypes, maxNodes: 3 });
});

test('a pool without GPUs, bounded by vCPUs or by memory', () => {
  expect(planNodeGroup({ spec: compute, nodeSize: '2xlarge' })).toMatchObject({
    amiType: 'AL2023_x86_64_STANDARD',
    instanceTypes: ['c6i.2xlarge', 'c6a.2xlarge', 'c7i.2xlarge', 'c7a.2xlarge'],
    labels: { 'node-type': 'compute-optimized' },
    taints: [],
    maxNodes: 8,
  });
  expect(planNodeGroup({ spec: memory, nodeSize: '2xlarge' })).toMatchObject({
    instanceTypes: ['r6i.2xlarge', 'r6a.2xlarge', 'r7i.2xlarge', 'r7a.2xlarge'],
    maxNodes: 3,
  });
});

test('Spot', () => {
  expect(planNodeGroup({ spec: batch, nodeSize: 'xlarge', minNodes: 0 })).toMatchObject({
    capacityType: 'SPOT',
    instanceTypes: ['c', 'm', 'r'].flatMap((category) =>
      ['6i', '6a', '7i', '7a'].map((it) => `${category}${it}.xlarge`),
    ),
    taints: [{ key: 'mediform.io/workload', value: 'batch', effect: 'NO_SCHEDULE' }],
    maxNodes: 16,
  });
});

test('machine images by family and architecture', () => {
  const of = (amiAlias: string, architecture: 'amd64' | 'arm64', releaseVersion?: string): string =>
    planNodeGroup({
      spec: planNodePool({
        name: 'logic',
        cluster,
        type: 'compute-optimized',
        maxCpu: 64,
        amiAlias,
        architectures: [architecture],
      }),
      nodeSize: 'xlarge',
      releaseVersion,
    }).amiType;
  expect(of('al2023@latest', 'arm64')).toBe('AL2023_ARM_64_STANDARD');
  expect(of('bottlerocket@latest', 'amd64')).toBe('BOTTLEROCKET_x86_64');
  expect(of('bottlerocket@v1.50.0', 'arm64', '1.50.0-5d5c4b1e')).toBe('BOTTLEROCKET_ARM_64');
  const gpu = { ...l4, nodeClass: { ...l4.nodeClass, amiAlias: 'bottlerocket@latest' } };
  expect(planNodeGroup({ spec: gpu, nodeSize: 'xlarge' })).toMatchObject({
    amiType: 'BOTTLEROCKET_x86_64_NVIDIA',
    volumes: [
      { deviceName: '/dev/xvda', sizeGiB: 4 },
      { deviceName: '/dev/xvdb', sizeGiB: 200 },
    ],
  });
});

test('zones of the pool', () => {
  const spec = planNodePool({ name: 'a', cluster, type: 'compute-optimized', maxCpu: 8, zones: ['eu-central-1b'] });
  expect(planNodeGroup({ spec, nodeSize: 'xlarge' }).zones).toEqual(['eu-central-1b']);
});

describe('what a node group cannot be is refused', () => {
  const gpu = { name: 'gpu', cluster, accelerators: ['l4'], maxGpus: 10, gpusPerNode: [1] } as const;
  const fits = { nodeSize: 'xlarge' };
  const clinicHours = { days: ['Mon'], start: '07:00', end: '19:00', timeZone: 'Europe/Berlin' } as const;
  const cases: readonly (readonly [string, ManagedPool, string[]])[] = [
    [
      'capacity that was reserved',
      { ...fits, spec: planGpuNodePool({ ...gpu, useReservations: true }) },
      ['spec.capacityTypes'],
    ],
    [
      'Spot with a fallback',
      { ...fits, spec: planSpotBatchPool({ name: 'batch', cluster, maxCpu: 64, onDemandFallback: true }) },
      ['spec.capacityTypes'],
    ],
    ['reserved capacity alone', { ...fits, spec: { ...l4, capacityTypes: ['reserved'] } }, ['spec.capacityTypes']],
    [
      'MIG',
      {
        spec: planGpuNodePool({
          name: 'mig',
          cluster,
          accelerators: ['a100-40gb'],
          maxGpus: 8,
          sharing: { mode: 'mig', profile: '1g.5gb' },
        }),
      },
      ['spec.sharing'],
    ],
    [
      'time-slicing',
      { ...fits, spec: planGpuNodePool({ ...gpu, sharing: { mode: 'time-slicing', replicas: 4 } }) },
      ['spec.sharing'],
    ],
    ['a weight', { ...fits, spec: planGpuNodePool({ ...gpu, weight: 10 }) }, ['spec.weight']],
    [
      'a grace period',
      { ...fits, spec: planGpuNodePool({ ...gpu, terminationGracePeriodSeconds: 60 }) },
      ['spec.terminationGracePeriodSeconds'],
    ],
    ['clinic hours', { ...fits, spec: planGpuNodePool({ ...gpu, clinicHours }) }, ['spec.disruption.budgets']],
    [
      'a budget for some reasons',
      { ...fits, spec: planGpuNodePool({ ...gpu, budgets: [{ nodes: '0', reasons: ['Drifted'] }] }) },
      ['spec.disruption.budgets'],
    ],
    [
      'two accelerators',
      { ...fits, spec: planGpuNodePool({ ...gpu, accelerators: ['l4', 'a10g'] }) },
      ['spec.accelerators'],
    ],
    [
      'two architectures',
      {
        ...fits,
        spec: planNodePool({
          name: 'a',
          cluster,
          type: 'compute-optimized',
          maxCpu: 8,
          architectures: ['amd64', 'arm64'],
        }),
      },
      ['spec.architectures'],
    ],
    ['sizes that differ', { spec: l4 }, ['nodeSize']],
    ['a size that none has', { spec: l4, nodeSize: 'nano' }, ['nodeSize']],
    ['fewer GPUs than a node has', { ...fits, spec: { ...l4, limits: { gpus: 0 } } }, ['spec.limits.gpus']],
    ['no limit', { ...fits, spec: { ...l4, limits: {} } }, ['spec.limits']],
    ['more nodes than the limit', { ...fits, spec: l4, minNodes: 11 }, ['minNodes']],
    ['half a node', { ...fits, spec: l4, minNodes: 0.5 }, ['minNodes']],
    ['a release without a pin', { ...fits, spec: l4, releaseVersion: '1.34.2-20251112' }, ['releaseVersion']],
    [
      'a pin without a release',
      { ...fits, spec: planGpuNodePool({ ...gpu, amiAlias: 'al2023@v20251112' }) },
      ['releaseVersion'],
    ],
    [
      'a release that is none',
      { ...fits, spec: planGpuNodePool({ ...gpu, amiAlias: 'al2023@v20251112' }), releaseVersion: 'v20251112' },
      ['releaseVersion'],
    ],
    [
      'a requirement that only Karpenter knows',
      { ...fits, spec: asks('karpenter.k8s.aws/instance-hypervisor', 'nitro') },
      ['spec.requirements.karpenter.k8s.aws/instance-hypervisor'],
    ],
    [
      'zones that it must not be in',
      { ...fits, spec: notIn('topology.kubernetes.io/zone') },
      ['spec.requirements.topology.kubernetes.io/zone'],
    ],
    ['a requirement that no type meets', { spec: asks('karpenter.k8s.aws/instance-cpu', '3') }, ['spec.requirements']],
    ['a minimum of choices', { ...fits, spec: withMinimum() }, ['spec.requirements.kubernetes.io/os.minValues']],
  ];
  test.each(cases)('%s', (_, pool, properties) => {
    expect(wrong(pool)).toEqual(properties);
  });

  test('and everything at once, with what would do', () => {
    expect(
      problemsOf(() => planNodeGroup({ spec: { ...l4, weight: 1, sharing: { mode: 'mps', replicas: 2 } } })),
    ).toEqual([
      expect.stringContaining('\'spec.sharing\' ({"mode":"mps","replicas":2}) must not be given'),
      expect.stringContaining("'spec.weight' (1) must not be given because only Karpenter"),
      expect.stringContaining(
        "'nodeSize' (undefined) must be one of xlarge, 2xlarge, 4xlarge, 8xlarge, 16xlarge because",
      ),
    ]);
  });

  function asks(key: string, value: string): NodePoolSpec {
    return { ...l4, requirements: [...l4.requirements, { key, operator: 'In', values: [value] }] };
  }
  function notIn(key: string): NodePoolSpec {
    return { ...l4, requirements: [...l4.requirements, { key, operator: 'NotIn', values: ['eu-central-1a'] }] };
  }
  function withMinimum(): NodePoolSpec {
    return {
      ...l4,
      requirements: l4.requirements.map((one) => (one.key === 'kubernetes.io/os' ? { ...one, minValues: 1 } : one)),
    };
  }
});

test('the table of instance types agrees with that of accelerators', () => {
  for (const accelerator of Object.values(Accelerator)) {
    const types = INSTANCE_TYPES.filter((type) => type.accelerator === accelerator);
    const { instanceFamilies, gpusPerNode, hostCpuPerGpu, hostMemoryGiBPerGpu } = ACCELERATORS[accelerator];
    expect([...new Set(types.map(({ instanceType }) => instanceType.split('.')[0]))].sort()).toEqual(
      [...instanceFamilies].sort(),
    );
    expect([...new Set(types.map(({ gpus }) => gpus))].sort((a, b) => a - b)).toEqual(gpusPerNode);
    expect(Math.min(...types.map(({ vcpus, gpus }) => vcpus / gpus))).toBe(hostCpuPerGpu);
    expect(Math.min(...types.map(({ memoryMiB, gpus }) => memoryMiB / 1024 / gpus))).toBe(hostMemoryGiBPerGpu);
  }
});

test('whatever the pool: nodes have its GPUs, are alike, and together keep within the limit', () => {
  const pools = fc.record({
    accelerator: fc.constantFrom(...Object.values(Accelerator)),
    maxGpus: fc.integer({ min: 8, max: 200 }),
    index: fc.nat(),
  });
  fc.assert(
    fc.property(pools, ({ accelerator, maxGpus, index }) => {
      const counts = ACCELERATORS[accelerator].gpusPerNode;
      const count = counts[index % counts.length] as number;
      const spec = planGpuNodePool({
        name: 'gpu',
        cluster,
        accelerators: [accelerator],
        maxGpus,
        gpusPerNode: [count],
      });
      const sizes = INSTANCE_TYPES.filter((type) => type.accelerator === accelerator && type.gpus === count);
      for (const { instanceType } of sizes) {
        const plan = planNodeGroup({ spec, nodeSize: instanceType.split('.')[1] });
        const types = INSTANCE_TYPES.filter((type) => plan.instanceTypes.includes(type.instanceType));
        expect(types.every((type) => type.accelerator === accelerator && type.gpus === count)).toBe(true);
        expect(new Set(types.map(({ vcpus }) => vcpus)).size).toBe(1);
        expect(plan.maxNodes * count).toBeLessThanOrEqual(maxGpus);
        expect((plan.maxNodes + 1) * count).toBeGreaterThan(maxGpus);
      }
    }),
  );
});
