import fc from 'fast-check';
import { ACCELERATORS, Accelerator } from '../../constructs/plan/accelerators';
import { planGpuNodePool, planNodePool } from '../../constructs/plan/node-pools/plan';
import { cpu, cpuProblems, gpu, gpuProblems, requirements } from '../support/node-pools';

describe('planGpuNodePool', () => {
  test('makes on-demand nodes with whole GPUs for emergency and outpatient work', () => {
    expect(planGpuNodePool(gpu)).toEqual({
      name: 'gpu',
      kind: 'gpu',
      labels: { accelerator: 'nvidia-gpu' },
      taints: [{ key: 'nvidia.com/gpu', value: 'true', effect: 'NoSchedule' }],
      requirements: [
        { key: 'karpenter.k8s.aws/instance-family', operator: 'In', values: ['g6', 'gr6'] },
        { key: 'karpenter.k8s.aws/instance-gpu-count', operator: 'Gt', values: ['0'] },
        { key: 'karpenter.k8s.aws/instance-gpu-name', operator: 'In', values: ['l4'] },
        { key: 'karpenter.sh/capacity-type', operator: 'In', values: ['on-demand'] },
        { key: 'kubernetes.io/arch', operator: 'In', values: ['amd64'] },
        { key: 'kubernetes.io/os', operator: 'In', values: ['linux'] },
      ],
      capacityTypes: ['on-demand'],
      limits: { gpus: 16 },
      accelerators: ['l4'],
      priorities: ['emergency', 'normal'],
      disruption: { consolidationPolicy: 'WhenEmpty', consolidateAfterSeconds: 600, budgets: [{ nodes: '10%' }] },
      expireAfterSeconds: 720 * 3600,
      nodeClass: {
        amiAlias: 'al2023@latest',
        clusterName: 'hospital',
        nodeRole: 'KarpenterNodeRole-hospital',
        rootVolumeGiB: 200,
        tags: { 'mediform.io/node-pool': 'gpu' },
      },
    });
  });

  test('tells the two A100s apart by family and memory', () => {
    const spec = planGpuNodePool({ ...gpu, accelerators: ['h100', 'a100-40gb', 'h100'] });
    expect(spec.accelerators).toEqual(['a100-40gb', 'h100']);
    expect(requirements(spec)).toMatchObject({
      'karpenter.k8s.aws/instance-family': 'In p4d p5',
      'karpenter.k8s.aws/instance-gpu-name': 'In a100 h100',
      'karpenter.k8s.aws/instance-gpu-memory': 'In 40960 81920',
    });
  });

  test('of all GPU nodes that EC2 has, only those of the chosen accelerators fit', () => {
    const all = Object.values(Accelerator);
    const nodes = all.flatMap((accelerator) =>
      ACCELERATORS[accelerator].instanceFamilies.flatMap((family) =>
        ACCELERATORS[accelerator].gpusPerNode.map((count) => ({ accelerator, family, count })),
      ),
    );
    fc.assert(
      fc.property(fc.uniqueArray(fc.constantFrom(...all), { minLength: 1 }), (accelerators) => {
        const spec = planGpuNodePool({ ...gpu, accelerators });
        for (const { accelerator, family, count } of nodes) {
          const labels: { [key: string]: string } = {
            'karpenter.k8s.aws/instance-family': family,
            'karpenter.k8s.aws/instance-gpu-name': ACCELERATORS[accelerator].gpuName,
            'karpenter.k8s.aws/instance-gpu-memory': String(ACCELERATORS[accelerator].memoryMiB),
            'karpenter.k8s.aws/instance-gpu-count': String(count),
          };
          const fits = spec.requirements
            .filter(({ key }) => key in labels)
            .every(({ key, operator, values }) =>
              operator === 'Gt' ? Number(labels[key]) > Number(values[0]) : values.includes(labels[key] as string),
            );
          expect([accelerator, fits]).toEqual([accelerator, accelerators.includes(accelerator)]);
        }
      }),
    );
  });

  test('takes filters, sorted and without doubles', () => {
    const spec = planGpuNodePool({
      ...gpu,
      gpusPerNode: [4, 1, 8, 1],
      zones: ['eu-central-1b', 'eu-central-1a'],
      instanceTypes: ['gr6.4xlarge', 'g6.xlarge'],
      useReservations: true,
    });
    expect(requirements(spec)).toMatchObject({
      'karpenter.k8s.aws/instance-gpu-count': 'In 1 4 8',
      'topology.kubernetes.io/zone': 'In eu-central-1a eu-central-1b',
      'node.kubernetes.io/instance-type': 'In g6.xlarge gr6.4xlarge',
      'karpenter.sh/capacity-type': 'In on-demand reserved',
    });
    expect(spec.capacityTypes).toEqual(['reserved', 'on-demand']);
    const keys = spec.requirements.map(({ key }) => key);
    expect(keys).toEqual([...keys].sort());
  });

  test('keeps a pool free for one priority', () => {
    const spec = planGpuNodePool({ ...gpu, reservedFor: 'emergency', weight: 10 });
    expect(spec.priorities).toEqual(['emergency']);
    expect(spec.weight).toBe(10);
    expect(spec.labels).toEqual({ accelerator: 'nvidia-gpu', 'mediform.io/reserved-for': 'emergency' });
    expect(spec.taints).toEqual([
      { key: 'mediform.io/reserved-for', value: 'emergency', effect: 'NoSchedule' },
      { key: 'nvidia.com/gpu', value: 'true', effect: 'NoSchedule' },
    ]);
  });

  test('divides GPUs by MIG, time-slicing and MPS', () => {
    const mig = planGpuNodePool({ ...gpu, accelerators: ['a100-40gb'], sharing: { mode: 'mig', profile: '1g.5gb' } });
    expect(mig.labels).toEqual({
      accelerator: 'nvidia-gpu',
      'mediform.io/gpu-sharing': 'mig-1g.5gb',
      'nvidia.com/mig.config': 'all-1g.5gb',
    });
    expect(mig.taints[0]).toEqual({ key: 'mediform.io/gpu-sharing', value: 'mig-1g.5gb', effect: 'NoSchedule' });
    expect(mig.sharing).toEqual({ mode: 'mig', profile: '1g.5gb' });
    for (const mode of ['time-slicing', 'mps'] as const) {
      expect(planGpuNodePool({ ...gpu, sharing: { mode, replicas: 4 } }).labels).toEqual({
        accelerator: 'nvidia-gpu',
        'mediform.io/gpu-sharing': `${mode}-4`,
        'nvidia.com/device-plugin.config': `${mode}-4`,
      });
    }
  });

  const known = Object.keys(ACCELERATORS).join(', ');
  test.each<[object, string]>([
    [
      { accelerators: [] },
      `'accelerators' ([]) must list at least one of ${known} because the pool could have no nodes`,
    ],
    [
      { accelerators: undefined },
      `'accelerators' (undefined) must list at least one of ${known} because the pool could have no nodes`,
    ],
    [
      { accelerators: ['a100'] },
      `'accelerators' (a100) must be one of ${known} because only for these are the hardware facts known`,
    ],
    [
      { maxGpus: 4, accelerators: ['a100-80gb'] },
      `'maxGpus' (4) must be a whole number of at least 8 because the smallest a100-80gb node has 8 GPUs`,
    ],
    [
      { maxGpus: 3, gpusPerNode: [4] },
      `'maxGpus' (3) must be a whole number of at least 4 because the smallest l4 node has 4 GPUs`,
    ],
    ...[0, -1, 1.5, NaN, Infinity, '8', undefined].map((maxGpus): [object, string] => [
      { maxGpus },
      `'maxGpus' (${String(maxGpus)}) must be a whole number of at least 1 because a pool without a limit can grow without bound`,
    ]),
    [
      { gpusPerNode: [2] },
      `'gpusPerNode' ([2]) must include one of 1, 4, 8 because l4 nodes have no other number of GPUs`,
    ],
    [
      { gpusPerNode: [] },
      `'gpusPerNode' ([]) must list at least one whole number because the pool could have no nodes`,
    ],
    [
      { instanceTypes: ['g6.xlarge', 'p5.48xlarge'] },
      `'instanceTypes' (["g6.xlarge","p5.48xlarge"]) must list at least one type, all of the families g6, gr6 because no other family has l4`,
    ],
    [
      { instanceTypes: ['g6f.large'] },
      `'instanceTypes' (["g6f.large"]) must list at least one type, all of the families g6, gr6 because no other family has l4`,
    ],
    [
      { reservedFor: 'batch' },
      `'reservedFor' (batch) must be emergency or normal because batch work belongs on Spot nodes: use SpotBatchPool`,
    ],
    [
      { reservedFor: 'urgent' },
      `'reservedFor' (urgent) must be one of emergency, normal because a priority is never guessed`,
    ],
    [
      { sharing: { mode: 'mig', profile: '1g.5gb' } },
      `'sharing.profile' (1g.5gb) must not be given for l4 because l4 has no MIG`,
    ],
    [
      { sharing: { mode: 'mps', replicas: 1 } },
      `'sharing.replicas' (1) must be a whole number of at least 2 because one replica is a whole GPU`,
    ],
    [
      { sharing: { mode: 'vgpu', replicas: 2 } },
      `'sharing.mode' (vgpu) must be one of mig, time-slicing, mps because NVIDIA divides GPUs in no other way`,
    ],
    [
      { capacityType: 'spot' },
      `'capacityType' (spot) must not be given because Spot capacity is only for batch work, in SpotBatchPool; all other pools are on-demand`,
    ],
    [
      { rootVolumeGiB: 49 },
      `'rootVolume' (49) must be 50 to 16384 whole GiB because container images with CUDA do not fit in less`,
    ],
  ])('refuses %j', (change, message) => {
    expect(gpuProblems(change)).toEqual([message]);
  });
});

describe('planNodePool', () => {
  test('makes on-demand nodes for business logic', () => {
    expect(planNodePool(cpu)).toEqual({
      name: 'cpu',
      kind: 'compute-optimized',
      labels: { 'node-type': 'compute-optimized' },
      taints: [],
      requirements: [
        { key: 'karpenter.k8s.aws/instance-category', operator: 'In', values: ['c'] },
        { key: 'karpenter.k8s.aws/instance-cpu', operator: 'Gt', values: ['3'] },
        { key: 'karpenter.k8s.aws/instance-generation', operator: 'Gt', values: ['4'] },
        { key: 'karpenter.sh/capacity-type', operator: 'In', values: ['on-demand'] },
        { key: 'kubernetes.io/arch', operator: 'In', values: ['amd64'] },
        { key: 'kubernetes.io/os', operator: 'In', values: ['linux'] },
      ],
      capacityTypes: ['on-demand'],
      limits: { cpu: 64 },
      accelerators: [],
      priorities: ['emergency', 'normal', 'batch'],
      disruption: {
        consolidationPolicy: 'WhenEmptyOrUnderutilized',
        consolidateAfterSeconds: 300,
        budgets: [{ nodes: '10%' }],
      },
      expireAfterSeconds: 720 * 3600,
      nodeClass: {
        amiAlias: 'al2023@latest',
        clusterName: 'hospital',
        nodeRole: 'KarpenterNodeRole-hospital',
        rootVolumeGiB: 50,
        tags: { 'mediform.io/node-pool': 'cpu' },
      },
    });
  });

  test('makes on-demand nodes for caches and databases', () => {
    const spec = planNodePool({
      ...cpu,
      type: 'memory-optimized',
      maxCpu: undefined,
      maxMemoryGiB: 512,
      architectures: ['arm64', 'amd64'],
    });
    expect(spec.labels).toEqual({ 'node-type': 'memory-optimized' });
    expect(spec.limits).toEqual({ memoryGiB: 512 });
    expect(requirements(spec)).toMatchObject({
      'karpenter.k8s.aws/instance-category': 'In r',
      'kubernetes.io/arch': 'In amd64 arm64',
    });
  });

  test.each<[object, string]>([
    [
      { maxCpu: undefined },
      `'maxCpu' (undefined) must be given, or 'maxMemory' because a pool without a limit can grow without bound`,
    ],
    ...[3, 4.5, NaN, -8].map((maxCpu): [object, string] => [
      { maxCpu },
      `'maxCpu' (${maxCpu}) must be a whole number of at least 4 because the smallest node has 4 vCPUs`,
    ]),
    [{ maxMemoryGiB: 7 }, `'maxMemory' (7) must be a whole number of at least 8 because the smallest node has 8 GiB`],
    [
      { type: 'memory-optimized', maxMemoryGiB: 16 },
      `'maxMemory' (16) must be a whole number of at least 32 because the smallest node has 32 GiB`,
    ],
    [
      { type: 'gpu' },
      `'type' (gpu) must be one of compute-optimized, memory-optimized because it is the node-type label that pods select by`,
    ],
    [{ architectures: [] }, `'architectures' ([]) must list at least one of amd64, arm64 because EC2 has no other`],
    [
      { architectures: ['x86'] },
      `'architectures' (["x86"]) must list at least one of amd64, arm64 because EC2 has no other`,
    ],
    [
      { capacityType: 'spot' },
      `'capacityType' (spot) must not be given because Spot capacity is only for batch work, in SpotBatchPool; all other pools are on-demand`,
    ],
    [
      { rootVolumeGiB: 10 },
      `'rootVolume' (10) must be 20 to 16384 whole GiB because the machine image does not fit in less`,
    ],
  ])('refuses %j', (change, message) => {
    expect(cpuProblems(change)).toEqual([message]);
  });
});
