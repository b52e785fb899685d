/** How the replicas of a service lie over zones and nodes, on a real scheduler with our services and pools. */
import { Size } from 'cdk8s';
import {
  Accelerator,
  GpuNodePool,
  MedicalInferenceService,
  Priority,
  type MedicalInferenceServiceProps,
} from 'mediform';
import { nodesFor } from './support/examples';
import { type KubeObject } from './support/kube-object';
import { type NodeShape } from './support/nodes';
import { TestBed, synth, type Pod } from './support/scheduling';
import { BUILD_TIMEOUT_MS, describeWithCluster } from './support/suite';

const ZONES = ['eu-central-1a', 'eu-central-1b', 'eu-central-1c'] as const;
const GPUS_PER_NODE = 4;

describeWithCluster('replicas on a real scheduler', () => {
  let bed: TestBed;

  beforeAll(async () => {
    bed = await TestBed.start();
  }, BUILD_TIMEOUT_MS);
  afterAll(() => bed?.stop());
  afterEach(() => bed.clear(), 180_000);

  describe('over three zones with three nodes each', () => {
    const nodes = pool('gpu', { zones: ZONES, nodesInZone: 3 });

    it.each([3, 7, 9, 20])(
      'lie evenly, %i of them',
      async (replicas) => {
        await bed.addNodes(...nodes);
        const pods = await run('ct', replicas);
        expect(skew(pods, ZONES, zoneOf)).toBeLessThanOrEqual(1);
        expect(skew(pods, names(nodes), nodeNameOf)).toBeLessThanOrEqual(1);
      },
      180_000,
    );

    it('lie evenly although one zone has much other work', async () => {
      await bed.addNodes(...nodes);
      await bed.cordon(outside(ZONES[0]));
      await run('mri', 9, { cpu: 14, memory: Size.gibibytes(50) });
      await bed.cordon(outside(ZONES[0]), false);
      const pods = await run('ct', 9);
      expect(skew(pods, ZONES, zoneOf)).toBeLessThanOrEqual(1);
    }, 180_000);

    it('lie evenly when a new version has replaced the old, however that lay', async () => {
      await bed.addNodes(...nodes);
      await bed.cordon(outside(ZONES[0]));
      const old = await run('ct', 6);
      await bed.cordon(outside(ZONES[0]), false);
      const pods = await run('ct', 6, { model: { name: 'resnet50', version: '2.0.0' } });
      expect(new Set(old.map(zoneOf))).toEqual(new Set([ZONES[0]]));
      expect(skew(pods, ZONES, zoneOf)).toBeLessThanOrEqual(1);
    }, 180_000);

    it('run all the same where only one zone has room', async () => {
      await bed.addNodes(...nodes);
      const others = outside(ZONES[1]);
      await bed.cordon(nodes.filter((node) => !others.includes(node)));
      await run('mri', others.length * GPUS_PER_NODE);
      await bed.cordon(nodes, false);
      const pods = await run('ct', 9);
      expect(new Set(pods.map(zoneOf))).toEqual(new Set([ZONES[1]]));
    }, 180_000);

    function outside(zone: string): readonly NodeShape[] {
      return nodes.filter((node) => zoneOfNode(node) !== zone);
    }
  });

  describe('with nodes reserved for emergencies', () => {
    const shared = pool('shared', { zones: ZONES, nodesInZone: 2 });

    it('fill those first, where every zone has some, and then run on the rest', async () => {
      const reserved = pool('reserved', { zones: ZONES, nodesInZone: 1, reservedFor: Priority.EMERGENCY });
      await bed.addNodes(...reserved, ...shared);
      const few = await run('ct', 12, { priority: Priority.EMERGENCY });
      expect(few.map(nodeNameOf).filter((name) => !names(reserved).includes(name))).toEqual([]);
      const more = await run('ct', 15, { priority: Priority.EMERGENCY });
      expect(more.map(nodeNameOf).filter((name) => !names(reserved).includes(name))).toHaveLength(3);
    }, 180_000);

    it('do not all stay in the one zone that has some', async () => {
      const zones = ZONES.slice(0, 1);
      const reserved = pool('reserved', { zones, nodesInZone: 2, reservedFor: Priority.EMERGENCY });
      await bed.addNodes(...reserved, ...shared);
      const pods = await run('ct', 6, { priority: Priority.EMERGENCY });
      expect(pods.filter((pod) => names(reserved).includes(nodeNameOf(pod))).length).toBeGreaterThanOrEqual(3);
      expect(new Set(pods.map(zoneOf)).size).toBeGreaterThan(1);
    }, 180_000);

    it('leave them alone where they are of normal priority', async () => {
      const reserved = pool('reserved', { zones: ZONES, nodesInZone: 1, reservedFor: Priority.EMERGENCY });
      await bed.addNodes(...reserved, ...shared);
      const pods = await run('ct', 12);
      expect(pods.map(nodeNameOf).filter((name) => names(reserved).includes(name))).toEqual([]);
    }, 180_000);
  });

  async function run(
    name: string,
    replicas: number,
    props: Partial<MedicalInferenceServiceProps> = {},
  ): Promise<readonly Pod[]> {
    return (await bed.runServices(service(name, props), replicas)).get(name) ?? [];
  }
});

/** All that the API server needs to make the pods of a service. */
function service(name: string, props: Partial<MedicalInferenceServiceProps>): readonly KubeObject[] {
  const objects = synth((chart) => {
    new MedicalInferenceService(chart, name, {
      image: `registry.example/${name}:1`,
      model: { name: 'resnet50', version: '1.0.0' },
      gpu: {},
      ...props,
    });
  });
  return objects.filter(({ kind }) => ['Deployment', 'ServiceAccount'].includes(kind));
}

interface PoolShape {
  readonly zones: readonly string[];
  readonly nodesInZone: number;
  readonly reservedFor?: Priority;
}

/** Nodes of one of our pools, as large as g5.12xlarge. */
function pool(name: string, { zones, nodesInZone, reservedFor }: PoolShape): readonly NodeShape[] {
  const accelerators = [Accelerator.A10G];
  const objects = synth((chart) => {
    new GpuNodePool(chart, name, { cluster: { name: 'hospital' }, accelerators, maxGpus: 64, zones, reservedFor });
  });
  const allocatable = { cpu: '47', memory: '180Gi', 'nvidia.com/gpu': String(GPUS_PER_NODE) };
  return nodesFor(objects).flatMap((node) =>
    Array.from({ length: nodesInZone }, (_, index) => ({
      ...node,
      name: `${name}-${zoneOfNode(node)}-${index}`,
      allocatable,
    })),
  );
}

function names(nodes: readonly NodeShape[]): readonly string[] {
  return nodes.map(({ name }) => name);
}

function zoneOfNode({ labels }: NodeShape): string {
  return labels?.['topology.kubernetes.io/zone'] ?? '';
}

function nodeNameOf({ spec }: Pod): string {
  return spec.nodeName ?? '';
}

function zoneOf(pod: Pod): string {
  return ZONES.find((zone) => nodeNameOf(pod).includes(zone)) ?? '';
}

/** Between the place with the most pods and the one with the fewest. */
function skew(pods: readonly Pod[], places: readonly string[], placeOf: (pod: Pod) => string): number {
  const counts = places.map((place) => pods.filter((pod) => placeOf(pod) === place).length);
  return Math.max(...counts) - Math.min(...counts);
}
