/**
 * Every example on a real control plane: the API server takes each object without an error or a warning, its pods are
 * admitted under the Pod Security standard "restricted" and scheduled to nodes as the node pools make them, a second
 * apply changes nothing, and all of it can be deleted.
 */
import { startCluster, type Cluster } from './support/cluster';
import { exampleNames, namespacesOf, nodesFor, synthExample, volumesFor } from './support/examples';
import { describeObject, type KubeObject } from './support/kube-object';
import { nodeOf, type NodeShape } from './support/nodes';
import { BUILD_TIMEOUT_MS, describeWithCluster } from './support/suite';

/** The example whose node pools serve those that have none. */
const WITH_POOLS = '03-hospital';
const FIELD_MANAGER = 'mediform-examples';

/** A Deployment, or a StatefulSet, which says itself how many pods it has. */
interface Workload extends KubeObject {
  readonly spec: { readonly replicas?: number };
  readonly status: { readonly readyReplicas?: number };
}

interface Job extends KubeObject {
  readonly status: { readonly succeeded?: number };
}

interface HorizontalPodAutoscaler extends KubeObject {
  readonly spec: { readonly minReplicas: number; readonly scaleTargetRef: { readonly name: string } };
}

interface Pod extends KubeObject {
  readonly spec: { readonly nodeName?: string; readonly priorityClassName?: string };
  readonly status: { readonly phase: string };
  readonly metadata: KubeObject['metadata'] & {
    readonly ownerReferences?: readonly { readonly kind: string; readonly name: string }[];
  };
}

describeWithCluster('the examples on a real control plane', () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await startCluster();
  }, BUILD_TIMEOUT_MS);
  afterAll(() => cluster?.stop());

  describe.each(exampleNames)('%s', (example) => {
    let objects: readonly KubeObject[];
    let namespaces: readonly KubeObject[];
    let nodes: readonly NodeShape[];

    beforeAll(async () => {
      objects = await synthExample(example);
      namespaces = namespacesOf(objects);
      nodes = nodesFor(objects);
      if (nodes.length === 0) {
        nodes = nodesFor(await synthExample(WITH_POOLS));
      }
      await cluster.addNodes(...nodes);
      await cluster.apply([...namespaces, ...volumesFor(objects)]);
    }, 240_000);
    // the next example finds none of it, even where a test was left out
    afterAll(() => cluster.delete([...objects, ...namespaces, ...volumesFor(objects), ...nodes.map(nodeOf)]), 240_000);

    it('is accepted without an error or a warning', async () => {
      const applied = await cluster.apply(objects, { fieldManager: FIELD_MANAGER });
      expect(applied.objects.map(describeObject)).toEqual(objects.map(describeObject));
    }, 180_000);

    it('is kept in full: no field is dropped in silence', async () => {
      const kept = await cluster.read(objects);
      expect(kept).toMatchObject(objects.map(asKept));
    }, 180_000);

    it('lives in namespaces that refuse pods below the standard "restricted"', async () => {
      const homes = namespaces.filter(({ metadata }) => Object.keys(metadata.labels ?? {}).length > 0);
      expect(homes).not.toEqual([]);
      for (const { metadata } of homes) {
        const refused = cluster.apply([privilegedPod(metadata.name)], { dryRun: true });
        await expect(refused).rejects.toThrow('violates PodSecurity "restricted:latest"');
      }
    }, 180_000);

    it('runs all replicas and Jobs on the nodes of its pools', async () => {
      const workloads = objects.filter(({ kind }) => kind === 'Deployment' || kind === 'StatefulSet');
      for (const workload of workloads) {
        await cluster.waitFor(
          `all replicas of ${describeObject(workload)}`,
          async () => (await readyReplicas(workload)) === leastReplicas(workload),
          180_000,
        );
      }
      for (const { metadata } of objects.filter(({ kind }) => kind === 'Job')) {
        await cluster.waitFor(`Job ${metadata.name}`, async () => {
          const job = await cluster.get<Job>('job', metadata.name, metadata.namespace);
          return job?.status.succeeded === 1;
        });
      }
      const jobs = new Set(objects.filter(({ kind }) => kind === 'Job').map(({ metadata }) => metadata.name));
      // a CronJob may have its time just now
      const all = (await podsOf(namespaces)).filter((pod) => !isOfJob(pod) || jobs.has(ownerOf(pod)));
      expect(all.filter(isOfJob)).toHaveLength(jobs.size);
      const pods = all.filter((pod) => !isOfJob(pod));
      const replicas = workloads.map(leastReplicas).reduce((sum, count) => sum + count, 0);
      expect(pods.length).toBe(replicas);
      for (const { status } of pods) {
        expect(status.phase).toBe('Running');
      }
      for (const { spec } of all) {
        expect(nodes.map(({ name }) => name)).toContain(spec.nodeName);
      }
    }, 240_000);

    it('keeps batch work and the rest on different nodes', async () => {
      for (const { spec } of await podsOf(namespaces)) {
        const labels = nodes.find(({ name }) => name === spec.nodeName)?.labels;
        const isBatch = spec.priorityClassName === 'batch-priority';
        expect(labels?.['mediform.io/workload']).toBe(isBatch ? 'batch' : undefined);
      }
    }, 180_000);

    it('stays as it is when it is applied again', async () => {
      const before = await cluster.read(objects);
      await cluster.apply(objects, { fieldManager: FIELD_MANAGER });
      const after = await cluster.read(objects);
      expect(after.map(withoutStatus)).toEqual(before.map(withoutStatus));
    }, 180_000);

    it('is deleted without a trace', async () => {
      await cluster.delete([...objects, ...namespaces]);
      expect(await cluster.read([...objects, ...namespaces])).toEqual([]);
      expect(await podsOf(namespaces)).toEqual([]);
    }, 240_000);

    async function readyReplicas({ kind, metadata: { name, namespace } }: KubeObject): Promise<number | undefined> {
      return (await cluster.get<Workload>(kind.toLowerCase(), name, namespace))?.status.readyReplicas;
    }

    /** What its autoscaler holds without a metric; one where KEDA would make the autoscaler. */
    function leastReplicas({ metadata, ...workload }: KubeObject): number {
      const autoscaler = objects.find(
        (object): object is HorizontalPodAutoscaler =>
          object.kind === 'HorizontalPodAutoscaler' &&
          object.metadata.namespace === metadata.namespace &&
          (object as HorizontalPodAutoscaler).spec.scaleTargetRef.name === metadata.name,
      );
      return autoscaler?.spec.minReplicas ?? (workload as Workload).spec.replicas ?? 1;
    }
  });

  async function podsOf(namespaces: readonly KubeObject[]): Promise<Pod[]> {
    const names = namespaces.map(({ metadata }) => metadata.name);
    const pods = await cluster.list<Pod>('pods');
    return pods.filter(({ metadata }) => names.includes(metadata.namespace ?? ''));
  }
});

function isOfJob({ metadata }: Pod): boolean {
  return metadata.ownerReferences?.some(({ kind }) => kind === 'Job') === true;
}

function ownerOf({ metadata }: Pod): string {
  return metadata.ownerReferences?.[0]?.name ?? '';
}

function privilegedPod(namespace: string): KubeObject & { readonly spec: object } {
  const container = { name: 'shell', image: 'shell:1', securityContext: { privileged: true } };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'privileged', namespace },
    spec: { containers: [container] },
  };
}

/** Of these, the API server leaves out what is false or empty. */
const LEFT_OUT = ['globalDefault', 'externalIPs'];

function asKept(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(asKept);
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  const isZero = (field: unknown): boolean => field === false || (Array.isArray(field) && field.length === 0);
  const fields = Object.entries(value).filter(([key, field]) => !(LEFT_OUT.includes(key) && isZero(field)));
  return Object.fromEntries(fields.map(([key, field]) => [key, asKept(field)]));
}

/**
 * What an apply must leave alone. Controllers write to what has a status, so that only its resourceVersion and their
 * own bookkeeping may differ.
 */
function withoutStatus(object: KubeObject & { readonly status?: unknown }): unknown {
  if (object.status === undefined) {
    return object;
  }
  const managedFields = object.metadata.managedFields?.filter(({ manager }) => manager === FIELD_MANAGER);
  return { ...object, status: undefined, metadata: { ...object.metadata, managedFields, resourceVersion: undefined } };
}
