import { planGpuNodePool, planNodePool, planSpotBatchPool } from '../../constructs/plan/node-pools/plan';
import type { Priority } from '../../constructs/plan/priorities';
import { scheduleWorkload, type WorkloadNeeds } from '../../constructs/plan/scheduling';
import { batch, batchProblems, cpu, gpu, requirements } from '../support/node-pools';

describe('planSpotBatchPool', () => {
  test('makes Spot nodes of many types for batch work alone', () => {
    const spec = planSpotBatchPool(batch);
    expect(spec).toMatchObject({
      kind: 'batch',
      labels: { 'mediform.io/workload': 'batch', 'node-type': 'compute-optimized' },
      taints: [{ key: 'mediform.io/workload', value: 'batch', effect: 'NoSchedule' }],
      capacityTypes: ['spot'],
      limits: { cpu: 64 },
      priorities: ['batch'],
      disruption: { consolidationPolicy: 'WhenEmpty', consolidateAfterSeconds: 60, budgets: [{ nodes: '10%' }] },
      expireAfterSeconds: 720 * 3600,
    });
    expect(requirements(spec)).toMatchObject({
      'karpenter.sh/capacity-type': 'In spot',
      'karpenter.k8s.aws/instance-category': 'In c m r',
    });
  });

  test('has GPU and memory-optimised nodes, and on-demand ones only when asked', () => {
    const gpus = planSpotBatchPool({ ...batch, accelerators: ['l4', 't4'], maxGpus: 32, onDemandFallback: true });
    expect(gpus.labels).toEqual({ 'mediform.io/workload': 'batch', accelerator: 'nvidia-gpu' });
    expect(gpus.taints.map(({ key }) => key)).toEqual(['mediform.io/workload', 'nvidia.com/gpu']);
    expect(gpus.capacityTypes).toEqual(['spot', 'on-demand']);
    expect(gpus.limits).toEqual({ gpus: 32, cpu: 64 });
    expect(gpus.nodeClass.rootVolumeGiB).toBe(200);
    expect(requirements(gpus)['karpenter.k8s.aws/instance-family']).toBe('In g4dn g6 gr6');
    expect(requirements(gpus)['karpenter.k8s.aws/instance-category']).toBeUndefined();

    const memory = planSpotBatchPool({ ...batch, type: 'memory-optimized' });
    expect(memory.labels).toEqual({ 'mediform.io/workload': 'batch', 'node-type': 'memory-optimized' });
    expect(requirements(memory)['karpenter.k8s.aws/instance-category']).toBe('In r');
  });

  test.each<[object, string]>([
    [{ maxCpu: undefined }, `'maxCpu' (undefined) must be given because a pool without a limit can grow without bound`],
    [{ maxGpus: 8 }, `'maxGpus' (8) must not be given because a pool without 'accelerators' has no GPUs`],
    [
      { accelerators: ['l4'] },
      `'maxGpus' (undefined) must be a whole number of at least 1 because a pool without a limit can grow without bound`,
    ],
    [
      { type: 'spot' },
      `'type' (spot) must be one of compute-optimized, memory-optimized because it is the node-type label that pods select by`,
    ],
    [
      { clinicHours: 'always' },
      `'clinicHours' (always) must not be given because Spot nodes may be lost at any hour, and batch work can wait`,
    ],
  ])('refuses %j', (change, message) => {
    expect(batchProblems(change).slice(0, 1)).toEqual([message]);
  });
});

describe('pods find the pools that are for them', () => {
  const pools = {
    gpu: planGpuNodePool(gpu),
    emergency: planGpuNodePool({ ...gpu, reservedFor: 'emergency' }),
    mig: planGpuNodePool({ ...gpu, accelerators: ['a100-40gb'], sharing: { mode: 'mig', profile: '1g.5gb' } }),
    compute: planNodePool(cpu),
    memory: planNodePool({ ...cpu, type: 'memory-optimized' }),
    batch: planSpotBatchPool(batch),
    batchMemory: planSpotBatchPool({ ...batch, type: 'memory-optimized' }),
    batchGpu: planSpotBatchPool({ ...batch, accelerators: ['l4'], maxGpus: 8 }),
  };
  const memory = { toMebibytes: () => 64 * 1024 };

  test.each<[string, WorkloadNeeds, Priority, (keyof typeof pools)[]]>([
    ['emergency inference', { gpu: {} }, 'emergency', ['gpu', 'emergency']],
    ['outpatient inference', { gpu: {} }, 'normal', ['gpu']],
    ['training', { gpu: {} }, 'batch', ['batchGpu']],
    ['a part of a GPU', { gpu: { sharing: { mode: 'mig', profile: '1g.5gb' } } }, 'normal', ['mig']],
    ['a GPU model', { gpu: { accelerator: 'l4' } }, 'normal', ['gpu']],
    ['business logic', {}, 'normal', ['compute']],
    ['a database', { memory }, 'emergency', ['memory']],
    ['a report', {}, 'batch', ['batch']],
    ['a large report', { memory }, 'batch', ['batchMemory']],
  ])('%s', (_, needs, priority, expected) => {
    const pod = scheduleWorkload(needs, priority);
    const fitting = Object.entries(pools).filter(([, pool]) => {
      const offered = (key: string): readonly string[] =>
        pool.labels[key] === undefined
          ? (pool.requirements.find((requirement) => requirement.key === key)?.values ?? [])
          : [pool.labels[key]];
      const selected = Object.entries(pod.nodeSelector).every(([key, value]) => offered(key).includes(value));
      const tolerated = pool.taints.every((taint) =>
        pod.tolerations.some(
          ({ key, operator, value }) => key === taint.key && (operator === 'Exists' || value === taint.value),
        ),
      );
      return selected && tolerated;
    });
    expect(fitting.map(([name]) => name)).toEqual(expected);
    expect(fitting.every(([, pool]) => pool.priorities.includes(priority))).toBe(true);
  });
});
