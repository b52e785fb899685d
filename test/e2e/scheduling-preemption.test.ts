/**
 * Who gives way to whom, on a real scheduler with our PriorityClasses.
 *
 * The node pools of this library keep batch work and the rest apart, by a label and a taint, so that these never compete.
 * They do where a hospital has few GPUs and labels nodes of its own for both: the nodes here carry `accelerator` and
 * `mediform.io/workload`, and only the GPU taint. KWOK ends a pod at once; a real one finishes its requests first, so
 * that the times here are those of the decision.
 */
import { Priority, scheduleWorkload, type WorkloadNeeds } from 'mediform';
import { type KubeObject } from './support/kube-object';
import { BUILD_TIMEOUT_MS, describeWithCluster } from './support/suite';
import { type NodeShape } from './support/nodes';
import { TestBed, podOf } from './support/scheduling';

const SMALL: WorkloadNeeds = { cpu: 1, gpu: {} };
/** Long enough for a machine that does much other work too; the scheduler itself takes milliseconds. */
const AT_ONCE_MS = 20_000;

describeWithCluster('priorities on a real scheduler', () => {
  let bed: TestBed;

  beforeAll(async () => {
    bed = await TestBed.start();
  }, BUILD_TIMEOUT_MS);
  afterAll(() => bed?.stop());
  afterEach(() => bed.clear(), 180_000);

  it.each([
    [Priority.EMERGENCY, Priority.BATCH],
    [Priority.EMERGENCY, Priority.NORMAL],
    [Priority.NORMAL, Priority.BATCH],
  ])(
    'lets %s work take one place of %s work at once, on full GPUs open to both',
    async (urgent, other) => {
      await bed.addNodes(openToAll('shared', 4));
      const others = pods(other, 4);
      await bed.run(...others);

      const milliseconds = await bed.run(...pods(urgent, 1));
      expect(milliseconds).toBeLessThan(AT_ONCE_MS);
      const left = await bed.names();
      expect(left.filter((name) => name.startsWith(other))).toHaveLength(3);
      expect(left).toHaveLength(4);
    },
    180_000,
  );

  it('takes the places of batch work first, then of normal work, and never of emergency work', async () => {
    await bed.addNodes(openToAll('one', 3), openToAll('two', 3));
    // on both nodes, so that the choice is among pods and among nodes
    await bed.run(...pods(Priority.NORMAL, 4));
    await bed.run(...pods(Priority.BATCH, 2));

    const count = async (priority: Priority): Promise<number> =>
      (await bed.names()).filter((name) => name.startsWith(priority)).length;
    const seen: number[][] = [];
    for (const pod of pods(Priority.EMERGENCY, 6)) {
      await bed.run(pod);
      seen.push([await count(Priority.BATCH), await count(Priority.NORMAL)]);
    }
    expect(seen).toEqual([
      [1, 4],
      [0, 4],
      [0, 3],
      [0, 2],
      [0, 1],
      [0, 0],
    ]);
    expect(await bed.reject(podOf('emergency-too-many', schedule(Priority.EMERGENCY)))).toContain(
      'No preemption victims found',
    );
    expect(await count(Priority.EMERGENCY)).toBe(7);
  }, 180_000);

  it('takes several places of batch work for one large emergency pod rather than one of normal work', async () => {
    await bed.addNodes(openToAll('shared', 4));
    await bed.run(podOf('normal-large', schedule(Priority.NORMAL, { cpu: 1, gpu: { count: 2 } })));
    await bed.run(...pods(Priority.BATCH, 2));
    await bed.run(podOf('emergency-large', schedule(Priority.EMERGENCY, { cpu: 1, gpu: { count: 2 } })));
    expect(await bed.names()).toEqual(['emergency-large', 'normal-large']);
  }, 180_000);

  it('never lets normal work take the place of emergency work', async () => {
    await bed.addNodes(openToAll('shared', 2));
    const running = pods(Priority.EMERGENCY, 2);
    await bed.run(...running);
    const before = await uids(running);

    const reason = await bed.reject(podOf('normal-late', schedule(Priority.NORMAL)));
    expect(reason).toContain('Insufficient nvidia.com/gpu');
    expect(reason).toContain('No preemption victims found');
    expect(await uids(running)).toEqual(before);
  }, 180_000);

  it.each([Priority.EMERGENCY, Priority.NORMAL])(
    'lets batch work wait on GPUs that are full of %s work, and run when there is room',
    async (other) => {
      await bed.addNodes(openToAll('shared', 2));
      const running = pods(other, 2);
      await bed.run(...running);
      const before = await uids(running);

      const waiting = podOf('batch-late', schedule(Priority.BATCH));
      expect(await bed.reject(waiting)).toContain('not eligible due to preemptionPolicy=Never');
      expect(await uids(running)).toEqual(before);

      await bed.cluster.delete(running.slice(0, 1));
      await bed.run(waiting);
    },
    180_000,
  );

  it('lets batch work not even take the place of placeholders under it, which emergency work does', async () => {
    const placeholders = {
      apiVersion: 'scheduling.k8s.io/v1',
      kind: 'PriorityClass',
      metadata: { name: 'placeholders' },
      value: -10,
      description: 'Keeps room.',
    };
    await bed.cluster.apply([placeholders]);
    await bed.addNodes(openToAll('shared', 1));
    await bed.run(podOf('placeholder', { ...schedule(Priority.NORMAL), priorityClassName: 'placeholders' }));

    const reason = await bed.reject(podOf('batch-late', schedule(Priority.BATCH)));
    expect(reason).toContain('not eligible due to preemptionPolicy=Never');
    expect(await bed.names()).toEqual(['batch-late', 'placeholder']);

    await bed.run(podOf('emergency', schedule(Priority.EMERGENCY)));
    expect(await bed.names()).toEqual(['batch-late', 'emergency']);
  }, 180_000);

  it('gives pods that name no class the priority of normal work', async () => {
    await bed.addNodes(openToAll('shared', 1));
    const { nodeSelector, tolerations, requests, limits } = schedule(Priority.NORMAL);
    await bed.run(podOf('of-no-class', { nodeSelector, tolerations, requests, limits }));
    expect((await bed.pod('of-no-class')).spec).toMatchObject({
      priorityClassName: 'normal-priority',
      priority: 100_000,
      preemptionPolicy: 'PreemptLowerPriority',
    });
    // neither over nor under it
    expect(await bed.reject(podOf('normal-late', schedule(Priority.NORMAL)))).toContain('No preemption victims found');
    await bed.run(podOf('emergency', schedule(Priority.EMERGENCY)));
    expect(await bed.names()).toEqual(['emergency', 'normal-late']);
  }, 180_000);

  it('refuses pods of a class that does not exist, instead of guessing one', async () => {
    const pod = podOf('urgent', { ...schedule(Priority.NORMAL), priorityClassName: 'urgent-priority' });
    await expect(bed.cluster.apply([pod])).rejects.toThrow('no PriorityClass with name urgent-priority was found');
  }, 180_000);

  async function uids(objects: readonly KubeObject[]): Promise<readonly (string | undefined)[]> {
    return (await bed.cluster.read(objects)).map(({ metadata }) => metadata.uid);
  }
});

function schedule(priority: Priority, needs: WorkloadNeeds = SMALL): ReturnType<typeof scheduleWorkload> {
  return scheduleWorkload(needs, priority);
}

function pods(priority: Priority, count: number): KubeObject[] {
  return Array.from({ length: count }, (_, index) => podOf(`${priority}-${index}`, schedule(priority)));
}

/** A node of a hospital that has no pools of ours: batch work finds it, and nobody else is kept away. */
function openToAll(name: string, gpus: number): NodeShape {
  return {
    name,
    labels: { accelerator: 'nvidia-gpu', 'mediform.io/workload': 'batch' },
    taints: [{ key: 'nvidia.com/gpu', value: 'true', effect: 'NoSchedule' }],
    allocatable: { 'nvidia.com/gpu': String(gpus) },
  };
}
