import { Size } from 'cdk8s';
import fc from 'fast-check';
import { ACCELERATORS, Accelerator } from '../../constructs/plan/accelerators';
import { PRIORITY_CLASSES, Priority, parsePriority } from '../../constructs/plan/priorities';
import { scheduleWorkload, type WorkloadNeeds } from '../../constructs/plan/scheduling';

const selector = (needs: WorkloadNeeds, priority: Priority = Priority.NORMAL): object =>
  scheduleWorkload(needs, priority).nodeSelector;

describe('node selection', () => {
  it('puts a workload with GPUs on GPU nodes, memory-intensive or not', () => {
    expect(selector({ gpu: {}, memoryIntensive: true })).toEqual({ accelerator: 'nvidia-gpu' });
  });

  it('puts a memory-intensive workload on memory-optimised nodes', () => {
    expect(selector({ memoryIntensive: true })).toEqual({ 'node-type': 'memory-optimized' });
    expect(selector({ cpu: 2, memory: Size.gibibytes(9) })).toEqual({ 'node-type': 'memory-optimized' });
  });

  it('puts everything else on compute-optimised nodes', () => {
    expect(selector({})).toEqual({ 'node-type': 'compute-optimized' });
    expect(selector({ cpu: 2, memory: Size.gibibytes(8) })).toEqual({ 'node-type': 'compute-optimized' });
    expect(selector({ cpu: 2, memory: Size.gibibytes(64), memoryIntensive: false })).toEqual({
      'node-type': 'compute-optimized',
    });
  });

  it('names the memory where the GPU name alone fits two models', () => {
    expect(selector({ gpu: { accelerator: Accelerator.A100_80GB } })).toEqual({
      accelerator: 'nvidia-gpu',
      'karpenter.k8s.aws/instance-gpu-name': 'a100',
      'karpenter.k8s.aws/instance-gpu-memory': '81920',
    });
    expect(selector({ gpu: { accelerator: Accelerator.L4 } })).toEqual({
      accelerator: 'nvidia-gpu',
      'karpenter.k8s.aws/instance-gpu-name': 'l4',
    });
  });

  it('sends batch work to batch nodes, and nothing else there', () => {
    expect(selector({ gpu: {} }, Priority.BATCH)).toEqual({
      accelerator: 'nvidia-gpu',
      'mediform.io/workload': 'batch',
    });
    for (const priority of [Priority.EMERGENCY, Priority.NORMAL]) {
      const { tolerations } = scheduleWorkload({ gpu: {} }, priority);
      expect(tolerations.map(({ key }) => key)).not.toContain('mediform.io/workload');
    }
  });

  it('sends a part of a GPU to pools that are divided in the same way, and tolerates only those', () => {
    const { nodeSelector, tolerations } = scheduleWorkload(
      { gpu: { accelerator: Accelerator.H100, sharing: { mode: 'mig', profile: '1g.10gb' } } },
      Priority.NORMAL,
    );
    expect(nodeSelector['mediform.io/gpu-sharing']).toBe('mig-1g.10gb');
    expect(tolerations).toContainEqual({
      key: 'mediform.io/gpu-sharing',
      operator: 'Equal',
      value: 'mig-1g.10gb',
      effect: 'NoSchedule',
    });
    expect(scheduleWorkload({ gpu: {} }, Priority.NORMAL).tolerations.map(({ key }) => key)).not.toContain(
      'mediform.io/gpu-sharing',
    );
  });
});

describe('priority', () => {
  it('ranks emergency over normal over batch, with normal as the default and batch that never preempts', () => {
    const { emergency, normal, batch } = PRIORITY_CLASSES;
    expect([emergency.name, normal.name, batch.name]).toEqual([
      'emergency-priority',
      'normal-priority',
      'batch-priority',
    ]);
    expect(emergency.value).toBeGreaterThan(normal.value);
    expect(normal.value).toBeGreaterThan(batch.value);
    expect(Object.values(PRIORITY_CLASSES).filter(({ globalDefault }) => globalDefault)).toEqual([normal]);
    expect(batch.preemptionPolicy).toBe('Never');
  });

  it('reaches the pod', () => {
    expect(scheduleWorkload({}, Priority.EMERGENCY).priorityClassName).toBe('emergency-priority');
  });

  it.each(['urgent', '', 'Emergency', 'toString'])('is never guessed from %p', (value) => {
    const message = `'priority' (${value}) must be one of emergency, normal, batch because a priority is never guessed`;
    expect(() => parsePriority(value)).toThrow(message);
    expect(() => scheduleWorkload({}, value as Priority)).toThrow(message);
  });
});

describe('resources', () => {
  it('are what was asked for, with memory and GPUs limited to their requests and CPU free', () => {
    const { requests, limits } = scheduleWorkload(
      { cpu: 2.5, memory: Size.gibibytes(24), gpu: { count: 2 } },
      Priority.NORMAL,
    );
    expect(requests).toEqual({ cpu: '2500m', memory: '24Gi', 'nvidia.com/gpu': '2' });
    expect(limits).toEqual({ memory: '24Gi', 'nvidia.com/gpu': '2' });
  });

  it('default to three quarters of what the host has for each GPU', () => {
    expect(scheduleWorkload({ gpu: { accelerator: Accelerator.A10G } }, Priority.NORMAL).requests).toMatchObject({
      cpu: '3',
      memory: '12Gi',
    });
    expect(scheduleWorkload({ gpu: { accelerator: Accelerator.A100_40GB } }, Priority.NORMAL).requests).toMatchObject({
      cpu: '9',
      memory: '64Gi',
    });
    expect(scheduleWorkload({}, Priority.NORMAL).requests).toEqual({ cpu: '2', memory: '8Gi' });
  });

  it('default to something that every node of the accelerator can hold', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...Object.values(Accelerator)),
        fc.integer({ min: 1, max: 8 }),
        (accelerator, count) => {
          const spec = ACCELERATORS[accelerator];
          const node = spec.gpusPerNode.find((gpus) => gpus >= count) ?? 0;
          const { cpu, memoryMiB } = scheduleWorkload({ gpu: { accelerator, count } }, Priority.NORMAL);
          expect(cpu).toBeLessThanOrEqual(spec.hostCpuPerGpu * node);
          expect(memoryMiB / 1024).toBeLessThan(spec.hostMemoryGiBPerGpu * node);
        },
      ),
    );
  });

  it.each<[WorkloadNeeds, string]>([
    [{ cpu: 0 }, "'cpu' (0) must be at least 0.001 cores because Kubernetes counts in millicores"],
    [{ cpu: Number.NaN }, "'cpu' (NaN) must be at least 0.001 cores because Kubernetes counts in millicores"],
    [{ memory: Size.mebibytes(0) }, "'memory' (0 MiB) must be at least 1 MiB because a container cannot start in less"],
    [
      { gpu: { count: 0.5 } },
      "'gpu.count' (0.5) must be a whole number of at least 1 because a GPU cannot be split by asking for a fraction; see gpu.sharing",
    ],
    [
      { gpu: { accelerator: 'b200' as Accelerator } },
      "'gpu.accelerator' (b200) must be one of v100, t4, a10g, a100-40gb, a100-80gb, l4, l40s, h100, h200 because only for these are the hardware facts known",
    ],
    [
      { gpu: { accelerator: Accelerator.L4, count: 9 } },
      "'gpu.count' (9) must be at most 8 because no l4 node has more",
    ],
    [
      { gpu: { accelerator: Accelerator.T4, sharing: { mode: 'mig', profile: '1g.5gb' } } },
      "'sharing.profile' (1g.5gb) must not be given for t4 because t4 has no MIG",
    ],
    [
      { gpu: { accelerator: Accelerator.H100, sharing: { mode: 'mig', profile: '1g.5gb' } } },
      "'sharing.profile' (1g.5gb) must be one of 1g.10gb, 1g.20gb, 2g.20gb, 3g.40gb, 4g.40gb, 7g.80gb because these are the MIG profiles of h100",
    ],
    [
      { gpu: { count: 2, sharing: { mode: 'time-slicing', replicas: 4 } } },
      "'gpu.count' (2) must be 1 because two time-slicing shares may be of the same GPU and give no more of it",
    ],
    [
      { gpu: { sharing: { mode: 'mps', replicas: 1 } } },
      "'sharing.replicas' (1) must be a whole number of at least 2 because one replica is a whole GPU",
    ],
  ])('refuses %j', (needs, message) => {
    expect(() => scheduleWorkload(needs, Priority.NORMAL)).toThrow(message);
  });

  it('tells all that is wrong at once', () => {
    expect(() => scheduleWorkload({ cpu: -1, gpu: { count: 0 } }, Priority.NORMAL)).toThrow(
      /'cpu' \(-1\).*\n'gpu.count' \(0\)/,
    );
  });
});
