/**
 * Disruption budgets of our services on a real API server: what the eviction API, by which nodes are drained, gives away
 * and what it keeps, and what a budget means to preemption.
 */
import { MedicalInferenceService, Priority, scheduleWorkload, type MedicalInferenceServiceProps } from 'mediform';
import { type KubeObject } from './support/kube-object';
import { type NodeShape } from './support/nodes';
import { NAMESPACE, TestBed, podOf, serviceOf, synth, type Pod } from './support/scheduling';
import { BUILD_TIMEOUT_MS, describeWithCluster } from './support/suite';

const REFUSED = "Cannot evict pod as it would violate the pod's disruption budget";

interface PodDisruptionBudget extends KubeObject {
  readonly status?: {
    readonly currentHealthy: number;
    readonly expectedPods: number;
    readonly disruptionsAllowed: number;
  };
}

describeWithCluster('disruption budgets on a real API server', () => {
  let bed: TestBed;

  beforeAll(async () => {
    bed = await TestBed.start();
  }, BUILD_TIMEOUT_MS);
  afterAll(() => bed?.stop());
  afterEach(() => bed.clear(), 180_000);

  it('let one pod go at a time, and the next when its replacement is ready', async () => {
    await bed.addNodes(node('one'));
    const [first, second] = (await run('ct', 3)) as [Pod, Pod];
    await bed.cordon([node('one')]);

    expect(await bed.evict(first)).toBeUndefined();
    expect(await bed.evict(second)).toContain(REFUSED);
    expect(await namesOf('ct')).toContain(second.metadata.name);

    await bed.addNodes(node('two'));
    await healthy('ct', 3);
    expect(await bed.evict(second)).toBeUndefined();
  }, 180_000);

  it('let a whole node be drained, pod by pod', async () => {
    await bed.addNodes(node('one'));
    await run('ct', 3);
    await run('mri', 2);
    await bed.addNodes(node('two'));
    await bed.cluster.kubectl(['drain', 'one', '--delete-emptydir-data', '--timeout=40s']);
    await healthy('ct', 3);
    await healthy('mri', 2);
    const places = (await bed.pods()).map(({ spec }) => spec.nodeName);
    expect(places).toEqual(['two', 'two', 'two', 'two', 'two']);
  }, 180_000);

  it('do not let pods that are not ready block a drain', async () => {
    await bed.addNodes(node('one'));
    const [broken, alsoBroken, sound] = (await run('ct', 3)) as [Pod, Pod, Pod];
    const status = { conditions: [{ type: 'Ready', status: 'False' }] };
    const patch = ['--subresource=status', `--namespace=${NAMESPACE}`, '--patch', JSON.stringify({ status })];
    for (const { metadata } of [broken, alsoBroken]) {
      await bed.cluster.kubectl(['patch', 'pod', metadata.name, ...patch]);
    }
    await budget('ct', ({ currentHealthy }) => currentHealthy === 1);

    expect(await bed.evict(sound)).toContain(REFUSED);
    expect(await bed.evict(broken)).toBeUndefined();
  }, 180_000);

  it.each<[string, number, Partial<MedicalInferenceServiceProps>]>([
    ['by default', 2, {}],
    ['with one replica', 1, { scaling: { minReplicas: 1 } }],
    ['with minAvailable', 3, { scaling: { minReplicas: 3 }, disruption: { minAvailable: 2 } }],
    ['with maxUnavailable', 4, { scaling: { minReplicas: 4 }, disruption: { maxUnavailable: 2 } }],
    ['of batch work', 1, { priority: Priority.BATCH, scaling: { minReplicas: 1 } }],
  ])(
    'can be met at minimum replicas, %s',
    async (_, minReplicas, props) => {
      await bed.addNodes(node('one'));
      const [pod] = (await run('ct', minReplicas, props)) as [Pod];
      const { expectedPods } = await budget('ct', ({ disruptionsAllowed }) => disruptionsAllowed >= 1);
      expect(expectedPods).toBe(minReplicas);
      expect(await bed.evict(pod)).toBeUndefined();
    },
    180_000,
  );

  it('do not stop an emergency', async () => {
    await bed.addNodes(node('one', 4));
    await run('ct', 4);
    for (const emergency of pods(Priority.EMERGENCY, 3)) {
      await bed.run(emergency);
    }
    expect(await runningOf('ct')).toHaveLength(1);
  }, 180_000);

  // a budget that is spent makes the scheduler look for others first, even of higher priority; these then come back
  it('cost normal work no place for an emergency as long as batch work has some, on nodes open to both', async () => {
    await bed.addNodes(node('one', 4), node('two', 4));
    await run('reads', 4, { priority: Priority.BATCH });
    await run('ct', 4);
    for (const emergency of pods(Priority.EMERGENCY, 4)) {
      await bed.run(emergency);
    }
    await bed.cluster.waitFor('all of the normal work', async () => (await runningOf('ct')).length === 4);
    expect(await runningOf('reads')).toEqual([]);
  }, 180_000);

  async function run(
    name: string,
    replicas: number,
    props: Partial<MedicalInferenceServiceProps> = {},
  ): Promise<readonly Pod[]> {
    const objects = synth((chart) => {
      new MedicalInferenceService(chart, name, {
        image: `registry.example/${name}:1`,
        model: { name: 'resnet50', version: '1.0.0' },
        gpu: {},
        ...props,
      });
    });
    const kinds = ['Deployment', 'ServiceAccount', 'PodDisruptionBudget'];
    const wanted = objects.filter(({ kind }) => kinds.includes(kind));
    const running = await bed.runServices(wanted, replicas);
    await healthy(name, replicas);
    return running.get(name) ?? [];
  }

  /** Waits until a budget counts so many ready pods, no more is expected, and it would let one go. */
  async function healthy(name: string, count: number): Promise<void> {
    await budget(
      name,
      ({ currentHealthy, disruptionsAllowed, expectedPods }) =>
        currentHealthy === count && expectedPods === count && disruptionsAllowed > 0,
    );
  }

  type BudgetStatus = NonNullable<PodDisruptionBudget['status']>;

  async function budget(name: string, condition: (status: BudgetStatus) => boolean): Promise<BudgetStatus> {
    return bed.cluster.waitFor(`the budget of ${name}`, async () => {
      const found = await bed.cluster.get<PodDisruptionBudget>('poddisruptionbudget', name, NAMESPACE);
      return found?.status !== undefined && condition(found.status) && found.status;
    });
  }

  async function namesOf(service: string): Promise<readonly string[]> {
    return (await bed.pods()).filter((pod) => serviceOf(pod) === service).map(({ metadata }) => metadata.name);
  }

  async function runningOf(service: string): Promise<readonly Pod[]> {
    return (await bed.pods()).filter((pod) => serviceOf(pod) === service && pod.spec.nodeName !== undefined);
  }
});

function pods(priority: Priority, count: number): KubeObject[] {
  const schedule = scheduleWorkload({ cpu: 1, gpu: {} }, priority);
  return Array.from({ length: count }, (_, index) => podOf(`${priority}-${index}`, schedule));
}

/** A node of a hospital that has no pools of ours: batch work finds it, and nobody else is kept away. */
function node(name: string, gpus = 8): NodeShape {
  return {
    name,
    labels: { accelerator: 'nvidia-gpu', 'mediform.io/workload': 'batch' },
    taints: [{ key: 'nvidia.com/gpu', value: 'true', effect: 'NoSchedule' }],
    allocatable: { 'nvidia.com/gpu': String(gpus) },
  };
}
