import { App, Chart } from 'cdk8s';
import { PriorityClasses } from 'mediform';
import { synthObjects } from 'mediform/testing';
import { type Cluster, startCluster } from '../cluster';
import { namespacesOf } from '../examples';
import { type KubeObject } from '../kube-object';
import { type Node, type NodePool } from '../nodes';
import { startKarpenter } from './karpenter';

/** Karpenter's reference to the class of a pool's nodes. */
const SIMULATED = { group: 'karpenter.kwok.sh', kind: 'KWOKNodeClass', name: 'simulated' };

interface Pod extends KubeObject {
  readonly spec: { readonly nodeName?: string };
  readonly status: { readonly phase: string };
}

interface Event extends KubeObject {
  readonly involvedObject: { readonly kind: string; readonly name: string };
  readonly message: string;
  readonly source: { readonly component?: string };
}

interface NodeClaim extends KubeObject {
  readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

/** A pod on a node, with what is asked about most. */
export interface Placement {
  readonly service: string;
  readonly pod: string;
  readonly node: Node;
  readonly pool: string;
  readonly instanceType: string;
  readonly capacityType: string;
}

/** A cluster without nodes of its own: Karpenter makes them for the pods that wait. */
export class Testbed {
  private constructor(readonly cluster: Cluster) {}

  static async start(): Promise<Testbed> {
    const cluster = await startCluster();
    await startKarpenter(cluster);
    await cluster.apply(objectsOf('priorities', (chart) => new PriorityClasses(chart, 'priorities')));
    return new Testbed(cluster);
  }

  /** Applies what constructs emit in a chart with this namespace. */
  async define(namespace: string, define: (chart: Chart) => void): Promise<readonly KubeObject[]> {
    const objects = objectsOf(namespace, define);
    await this.apply(objects);
    return objects;
  }

  /**
   * Applies objects: the pools first, then namespaces and all else. Karpenter overlooks a pool until it has called it
   * ready, and would give its pods to another one.
   */
  async apply(objects: readonly KubeObject[]): Promise<void> {
    const pools = objects.filter(isNodePool);
    if (pools.length > 0) {
      await this.cluster.apply(pools);
      const names = pools.map(({ metadata }) => `nodepool/${metadata.name}`);
      await this.cluster.kubectl(['wait', '--for=condition=Ready', '--timeout=30s', ...names]);
    }
    const others = objects.filter((object) => !isNodePool(object));
    if (others.length > 0) {
      await this.cluster.apply([...namespacesOf(others), ...others]);
    }
  }

  /** Waits until so many pods of a namespace run, and says where. */
  async running(namespace: string, count: number): Promise<readonly Placement[]> {
    return this.cluster.waitFor(`${count} pods of ${namespace} to run`, async () => {
      const placements = await this.placements(namespace);
      return placements.length >= count && placements;
    });
  }

  /** Where the running pods of a namespace are. */
  async placements(namespace: string): Promise<readonly Placement[]> {
    const [pods, nodes] = [await this.cluster.list<Pod>('pods', namespace), await this.cluster.list<Node>('nodes')];
    return pods
      .filter(({ status }) => status.phase === 'Running')
      .flatMap(({ metadata, spec }) => {
        const node = nodes.find(({ metadata: { name } }) => name === spec.nodeName);
        const labels = node?.metadata.labels ?? {};
        return node === undefined
          ? []
          : {
              service: metadata.labels?.['app.kubernetes.io/name'] ?? metadata.name,
              pod: metadata.name,
              node,
              pool: labels['karpenter.sh/nodepool'] ?? '',
              instanceType: labels['node.kubernetes.io/instance-type'] ?? '',
              capacityType: labels['karpenter.sh/capacity-type'] ?? '',
            };
      });
  }

  /** Waits until Karpenter has said of so many pods why it makes no node for them. */
  async refused(namespace: string, count: number, reason: RegExp): Promise<void> {
    await this.cluster.waitFor(`Karpenter to refuse ${count} pods of ${namespace}: ${String(reason)}`, async () => {
      const events = await this.cluster.list<Event>('events', namespace);
      const pods = events
        .filter(({ source, message }) => source.component === 'karpenter' && reason.test(message))
        .map(({ involvedObject }) => involvedObject.name);
      const waiting = (await this.cluster.list<Pod>('pods', namespace)).filter(
        ({ metadata, status }) => status.phase === 'Pending' && pods.includes(metadata.name),
      );
      return waiting.length === count;
    });
  }

  /** Names of a pool's nodes. */
  async nodesOf(pool: string): Promise<readonly string[]> {
    const nodes = await this.cluster.list<Node>('nodes');
    return nodes
      .filter(({ metadata }) => metadata.labels?.['karpenter.sh/nodepool'] === pool)
      .map(({ metadata }) => metadata.name)
      .sort();
  }

  /** Waits until Karpenter has given the node of a pool a condition, such as `Drifted`. */
  async nodeIs(condition: string, pool: string): Promise<void> {
    await this.cluster.waitFor(`the node of ${pool} to be ${condition}`, async () => {
      const claims = await this.cluster.list<NodeClaim>('nodeclaims');
      return claims
        .filter(({ metadata }) => metadata.labels?.['karpenter.sh/nodepool'] === pool)
        .some(({ status }) => status.conditions?.some(({ type, status: is }) => type === condition && is === 'True'));
    });
  }
}

/** What constructs emit, for the simulated cloud. */
function objectsOf(namespace: string, define: (chart: Chart) => void): readonly KubeObject[] {
  const app = new App();
  define(new Chart(app, namespace, { namespace }));
  return forSimulatedCloud(synthObjects(app));
}

/** The same objects, but nodes of the simulated cloud's class instead of EC2's. Nothing else is changed. */
export function forSimulatedCloud(objects: readonly KubeObject[]): readonly KubeObject[] {
  return objects
    .filter(({ kind }) => kind !== 'EC2NodeClass')
    .map((object) => (isNodePool(object) ? withNodeClass(object) : object));
}

export function isNodePool(object: KubeObject): object is NodePool {
  return object.kind === 'NodePool';
}

function withNodeClass(pool: NodePool): NodePool {
  const { template } = pool.spec;
  const spec = { ...template.spec, nodeClassRef: SIMULATED };
  return { ...pool, spec: { ...pool.spec, template: { ...template, spec } } };
}
