/**
 * Node pools as Karpenter's own controller reads them: which nodes it makes for pods that wait. The cloud is simulated
 * (support/karpenter/instance-types.ts); the pools are what the constructs emit, but for the class of their nodes.
 *
 * Not shown here: reserved capacity, which the simulated cloud does not have; what an EC2NodeClass says; how Spot nodes
 * are taken back.
 */
import { Size, type Chart } from 'cdk8s';
import {
  Accelerator,
  GpuNodePool,
  MedicalInferenceService,
  Priority,
  SpotBatchPool,
  type MedicalInferenceServiceProps,
} from 'mediform';
import { synthExample } from './support/examples';
import { type KubeObject } from './support/kube-object';
import { type NodePool } from './support/nodes';
import { forSimulatedCloud, isNodePool, Testbed, type Placement } from './support/karpenter/testbed';
import { BUILD_TIMEOUT_MS, describeWithCluster } from './support/suite';

const cluster = { name: 'hospital' };

describeWithCluster(
  'nodes that Karpenter makes',
  () => {
    let testbed: Testbed;

    beforeAll(async () => {
      testbed = await Testbed.start();
    }, BUILD_TIMEOUT_MS);
    afterAll(() => testbed?.cluster.stop());

    describe('for the hospital', () => {
      let pools: readonly NodePool[];
      let placements: readonly Placement[];

      beforeAll(async () => {
        const objects = forSimulatedCloud(await synthExample('03-hospital'));
        pools = objects.filter(isNodePool);
        await testbed.apply([...objects, podWithoutGpuOnGpuNodes]);
        await testbed.define('front-desk', (chart) => {
          const light = { gpu: undefined, cpu: 1, memory: Size.gibibytes(2), nodeSelector: {} };
          service(chart, 'portal', light);
          service(chart, 'archive', { ...light, priority: Priority.BATCH });
        });
        const counts = { imaging: 4, records: 2, knowledge: 1, 'front-desk': 2, default: 1 };
        const running = Object.entries(counts).map(([namespace, count]) => testbed.running(namespace, count));
        placements = (await Promise.all(running)).flat();
      }, 240_000);

      it('are of the pool that is meant for the service', () => {
        const poolsOf = (name: string): string[] => [
          ...new Set(placements.filter(({ service }) => service === name).map(({ pool }) => pool)),
        ];
        // those that find the reserved pool full run beside the others
        expect(['gpu-emergency', 'gpu-imaging']).toEqual(expect.arrayContaining(poolsOf('image-diagnosis')));
        expect(poolsOf('image-diagnosis')).toContain('gpu-emergency');
        expect(poolsOf('nightly-reads')).toEqual(['batch-gpu']);
        expect(poolsOf('record-analysis')).toEqual(['gpu-llm']);
        expect(poolsOf('knowledge-retrieval')).toEqual(['memory']);
        expect(poolsOf('portal')).toEqual(['compute']);
        expect(poolsOf('archive')).toEqual(['batch-cpu']);
      });

      it('have the labels and taints of their pool, and meet all its requirements', () => {
        for (const { node, pool } of placements) {
          const { template } = poolNamed(pool).spec;
          expect(node.metadata.labels).toMatchObject(template.metadata?.labels ?? {});
          const taints = node.spec.taints ?? [];
          expect(new Set(taints)).toEqual(new Set(template.spec.taints ?? []));
          expect(template.spec.requirements.filter((requirement) => !meets(node, requirement))).toEqual([]);
        }
      });

      it('are Spot for batch work, and for nothing else', () => {
        const onSpot = placements.filter(({ capacityType }) => capacityType === 'spot').map(({ service }) => service);
        expect(onSpot.sort()).toEqual(['archive', 'nightly-reads']);
      });

      it('are the cheapest that the pool allows: neither small or old ones nor fractions of a GPU', () => {
        const typeOf = (name: string): string | undefined =>
          placements.find(({ service }) => service === name)?.instanceType;
        expect(typeOf('portal')).toBe('c6i.xlarge');
        expect(typeOf('knowledge-retrieval')).toBe('r6i.2xlarge');
        expect(typeOf('image-diagnosis')).toBe('g5.xlarge');
        expect(typeOf('record-analysis')).toBe('g6e.12xlarge');
        expect(typeOf(podWithoutGpuOnGpuNodes.metadata.name)).toBe('g6.xlarge');
      });

      function poolNamed(name: string): NodePool {
        return pools.find(({ metadata }) => metadata.name === name) as NodePool;
      }
    });

    it('never have more GPUs than the limit of their pool', async () => {
      await testbed.define('limits', (chart) => {
        const labels = { wing: 'limits' };
        new GpuNodePool(chart, 'limits-a10g', { cluster, labels, accelerators: [Accelerator.A10G], maxGpus: 3 });
        new GpuNodePool(chart, 'limits-h100', { cluster, labels, accelerators: [Accelerator.H100], maxGpus: 16 });
        service(chart, 'single', { replicas: 5 });
        service(chart, 'whole-node', { gpu: { accelerator: Accelerator.H100, count: 8 }, replicas: 3, ...LARGE });
      });
      await testbed.refused('limits', 3, /all available instance types exceed limits for nodepool/);
      const placements = await testbed.running('limits', 5);
      expect(placements.map(({ pool, instanceType }) => `${pool} ${instanceType}`).sort()).toEqual([
        ...Array<string>(3).fill('limits-a10g g5.xlarge'),
        ...Array<string>(2).fill('limits-h100 p5.48xlarge'),
      ]);
    }, 180_000);

    it('have the A100 that the service asks for, whatever is cheaper', async () => {
      const large = { gpu: { accelerator: Accelerator.A100_80GB, count: 8 }, ...LARGE };
      const { A100_40GB, A100_80GB, H100 } = Accelerator;
      await testbed.define('both', (chart) => {
        const accelerators = [A100_40GB, A100_80GB];
        new GpuNodePool(chart, 'both', { cluster, labels: { wing: 'both' }, accelerators, maxGpus: 16 });
        service(chart, 'large', large);
      });
      // the names and memories of these two GPUs match an A100 of 80 GB too, but its nodes are not wanted
      await testbed.define('neither', (chart) => {
        const accelerators = [A100_40GB, H100];
        new GpuNodePool(chart, 'neither', { cluster, labels: { wing: 'neither' }, accelerators, maxGpus: 16 });
        service(chart, 'large', large);
      });
      const [placement] = await testbed.running('both', 1);
      expect(placement?.instanceType).toBe('p4de.24xlarge');
      await testbed.refused('neither', 1, /no instance type/);
    }, 180_000);

    it('are Spot for batch work, and on-demand only where Spot has none and the pool falls back', async () => {
      const pool = (id: string, accelerator: Accelerator, onDemandFallback: boolean) => (chart: Chart) =>
        new SpotBatchPool(chart, id, {
          cluster,
          labels: { wing: 'batch' },
          accelerators: [accelerator],
          maxGpus: 4,
          onDemandFallback,
        });
      await testbed.define('batch', (chart) => {
        pool('batch-t4', Accelerator.T4, true)(chart);
        // the simulated cloud has no V100 on Spot
        pool('batch-v100', Accelerator.V100, false)(chart);
        service(chart, 'cheap', { priority: Priority.BATCH, gpu: { accelerator: Accelerator.T4 } });
        service(chart, 'scarce', { priority: Priority.BATCH, gpu: { accelerator: Accelerator.V100 } });
        service(chart, 'outpatient', { priority: Priority.NORMAL, gpu: { accelerator: Accelerator.T4 } });
      });
      const [cheap] = await testbed.running('batch', 1);
      expect(cheap).toMatchObject({ service: 'cheap', pool: 'batch-t4', capacityType: 'spot' });
      await testbed.refused('batch', 2, /had a required offering|did not tolerate taint/);

      await testbed.define('batch', pool('batch-v100', Accelerator.V100, true));
      const placements = await testbed.running('batch', 2);
      expect(placements.find(({ service }) => service === 'scarce')).toMatchObject({
        pool: 'batch-v100',
        capacityType: 'on-demand',
      });
      expect(placements.map(({ service }) => service)).not.toContain('outpatient');
    }, 180_000);

    it('are reserved ones for emergencies first, and never for others', async () => {
      const pool = { cluster, accelerators: [Accelerator.A10G], gpusPerNode: [1], labels: { wing: 'priorities' } };
      await testbed.define('priorities', (chart) => {
        new GpuNodePool(chart, 'a-shared', { ...pool, maxGpus: 8 });
        new GpuNodePool(chart, 'b-reserved', { ...pool, maxGpus: 2, reservedFor: Priority.EMERGENCY, weight: 50 });
        new GpuNodePool(chart, 'c-shared', { ...pool, maxGpus: 8 });
        service(chart, 'emergency', { priority: Priority.EMERGENCY, replicas: 3 });
      });
      const emergencies = await testbed.running('priorities', 3);
      expect(emergencies.map(({ pool: name }) => name.slice(2)).sort()).toEqual(['reserved', 'reserved', 'shared']);

      // only now, or an emergency may take a node that was made for these, where it is ready first
      await testbed.define('priorities', (chart) => service(chart, 'outpatient', { replicas: 2 }));
      const outpatients = (await testbed.running('priorities', 5)).filter(({ service: name }) => name === 'outpatient');
      expect(outpatients.map(({ pool: name }) => name.slice(2))).toEqual(['shared', 'shared']);
    }, 180_000);

    it('are of the pool with the largest weight', async () => {
      const pool = { cluster, accelerators: [Accelerator.A10G], maxGpus: 8, labels: { wing: 'weights' } };
      await testbed.define('weights', (chart) => {
        new GpuNodePool(chart, 'a-light', pool);
        new GpuNodePool(chart, 'b-heavy', { ...pool, weight: 80 });
        new GpuNodePool(chart, 'c-lighter', { ...pool, weight: 1 });
        service(chart, 'any', {});
      });
      const [placement] = await testbed.running('weights', 1);
      expect(placement?.pool).toBe('b-heavy');
    }, 180_000);
  },
  ['karpenter'],
);

/** Resources of a pod that takes a whole node with eight GPUs. */
const LARGE = { verticalScaling: 'off', cpu: 64, memory: Size.gibibytes(512) } as const;

/** A service that runs in the part of the hospital that its chart is named after, on the pools of one test alone. */
function service(
  chart: Chart,
  id: string,
  { replicas = 1, ...props }: Partial<MedicalInferenceServiceProps> & { readonly replicas?: number },
): void {
  new MedicalInferenceService(chart, id, {
    image: 'registry.example/model:1',
    model: { name: 'resnet50', version: '1' },
    gpu: { accelerator: Accelerator.A10G },
    nodeSelector: { wing: chart.node.id },
    scaling: { minReplicas: replicas, maxReplicas: 20 },
    checkNodePools: false,
    ...props,
  });
}

/** Nothing but the requirements of the pools keeps it from a node with a fraction of an L4, the cheapest of all. */
const podWithoutGpuOnGpuNodes = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'looks-at-gpus', namespace: 'default' },
  spec: {
    nodeSelector: { accelerator: 'nvidia-gpu', 'karpenter.k8s.aws/instance-gpu-name': 'l4' },
    tolerations: [{ key: 'nvidia.com/gpu', operator: 'Exists' }],
    containers: [{ name: 'main', image: 'registry.example/inventory:1', resources: { requests: { cpu: '1' } } }],
  },
} satisfies KubeObject & { readonly spec: object };

type Requirement = NodePool['spec']['template']['spec']['requirements'][number];

function meets(node: KubeObject, { key, operator, values = [] }: Requirement): boolean {
  const value = node.metadata.labels?.[key];
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'Gt':
      return Number(value) > Number(values[0]);
    default:
      throw new Error(`unknown operator ${operator}`);
  }
}
