/** A cluster on which tests place pods: nodes as our pools describe them, pods as our scheduling part wants them. */
import { App, Chart } from 'cdk8s';
import { PriorityClasses, type WorkloadSchedule } from 'mediform';
import { synthObjects } from 'mediform/testing';
import { startCluster, type Cluster } from './cluster';
import { type KubeObject } from './kube-object';
import { type NodeShape } from './nodes';

/** Where the tests' pods live. */
export const NAMESPACE = 'imaging';
const UNSCHEDULABLE = 'Unschedulable';

export interface Pod extends KubeObject {
  readonly spec: {
    readonly nodeName?: string;
    readonly priority?: number;
    readonly priorityClassName?: string;
    readonly preemptionPolicy?: string;
  };
  readonly status: {
    readonly nominatedNodeName?: string;
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason?: string;
      readonly message?: string;
    }[];
  };
}

interface Deployment extends KubeObject {
  readonly spec: object;
  readonly status: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly updatedReplicas?: number;
    readonly readyReplicas?: number;
  };
}

/** Objects of constructs, as they would be written. */
export function synth(define: (chart: Chart) => void): readonly KubeObject[] {
  const app = new App();
  define(new Chart(app, 'test', { namespace: NAMESPACE }));
  return synthObjects(app);
}

/** A pod that nothing replaces when it goes, with the scheduling part that our library gave. */
export function podOf(name: string, { priorityClassName, ...schedule }: Partial<WorkloadSchedule>): KubeObject {
  const { nodeSelector, tolerations, requests, limits } = schedule;
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: NAMESPACE },
    spec: {
      priorityClassName,
      nodeSelector,
      tolerations,
      containers: [{ name: 'model', image: 'registry.example/model:1', resources: { requests, limits } }],
    },
  };
  return pod;
}

/** Objects of services with a number of replicas in place of autoscalers, which would have a number of their own. */
export function withReplicas(objects: readonly KubeObject[], replicas: number): readonly KubeObject[] {
  return objects
    .filter(({ kind }) => kind !== 'HorizontalPodAutoscaler')
    .map((object) =>
      object.kind === 'Deployment' ? { ...object, spec: { ...(object as Deployment).spec, replicas } } : object,
    );
}

/** A cluster with our priority classes. */
export class TestBed {
  private constructor(readonly cluster: Cluster) {}

  static async start(): Promise<TestBed> {
    const cluster = await startCluster();
    try {
      const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } };
      await cluster.apply([namespace, ...synth((chart) => new PriorityClasses(chart, 'priorities'))]);
      await cluster.waitFor('a service account', () => cluster.get('serviceaccount', 'default', NAMESPACE));
      return new TestBed(cluster);
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    await this.cluster.stop();
  }

  /** Takes all workloads away, and then all nodes. */
  async clear(): Promise<void> {
    await this.clearPods();
    await this.cluster.kubectl(['delete', 'nodes', '--all']);
  }

  /** Takes all workloads away. */
  async clearPods(): Promise<void> {
    const all = ['--all', '--force', '--grace-period=0', '--ignore-not-found', `--namespace=${NAMESPACE}`];
    const kinds = 'deployments,replicasets,poddisruptionbudgets,pods';
    await this.cluster.kubectl(['delete', kinds, '--cascade=background', ...all]);
    await this.cluster.waitFor('no pods', async () => (await this.pods()).length === 0);
  }

  async addNodes(...nodes: readonly NodeShape[]): Promise<void> {
    await this.cluster.addNodes(...nodes);
  }

  /** Lets no more pods onto nodes, or lets them again. */
  async cordon(nodes: readonly NodeShape[], closed = true): Promise<void> {
    await this.cluster.kubectl([closed ? 'cordon' : 'uncordon', ...nodes.map(({ name }) => name)]);
  }

  async pods(): Promise<readonly Pod[]> {
    return this.cluster.list<Pod>('pods', NAMESPACE);
  }

  async pod(name: string): Promise<Pod> {
    const pod = await this.cluster.get<Pod>('pod', name, NAMESPACE);
    if (pod === undefined) {
      throw new Error(`no pod ${name}`);
    }
    return pod;
  }

  /** Names of the pods that are there, running or not. */
  async names(): Promise<readonly string[]> {
    return (await this.pods()).map(({ metadata }) => metadata.name).sort();
  }

  /** Applies pods and waits until each has a node; gives the milliseconds that took. */
  async run(...pods: readonly KubeObject[]): Promise<number> {
    const start = performance.now();
    await this.cluster.apply(pods);
    const wanted = pods.map(({ metadata }) => metadata.name);
    await this.cluster.waitFor(`a node for ${wanted.join(', ')}`, async () => {
      const bound = (await this.pods()).filter(({ spec }) => spec.nodeName !== undefined);
      const names = bound.map(({ metadata }) => metadata.name);
      return wanted.every((name) => names.includes(name));
    });
    return performance.now() - start;
  }

  /** Applies a pod and waits until the scheduler has given up; gives its reason. */
  async reject(pod: KubeObject): Promise<string> {
    await this.cluster.apply([pod]);
    return this.cluster.waitFor(`the scheduler's refusal of ${pod.metadata.name}`, async () => {
      const { spec, status } = await this.pod(pod.metadata.name);
      if (spec.nodeName !== undefined) {
        throw new Error(`it runs on ${spec.nodeName}`);
      }
      return refusal(status);
    });
  }

  /** Applies services and waits until all replicas are ready; gives their pods by the name of the service. */
  async runServices(objects: readonly KubeObject[], replicas: number): Promise<ReadonlyMap<string, readonly Pod[]>> {
    await this.cluster.apply(withReplicas(objects, replicas));
    const names = objects.filter(({ kind }) => kind === 'Deployment').map(({ metadata }) => metadata.name);
    await this.cluster.waitFor(`${replicas} replicas of ${names.join(', ')}`, async () => {
      const deployments = await this.cluster.list<Deployment>('deployments', NAMESPACE);
      const ready = deployments.filter((deployment) => isComplete(deployment, replicas));
      return names.every((name) => ready.some(({ metadata }) => metadata.name === name));
    });
    const pods = await this.pods();
    return new Map(names.map((name) => [name, pods.filter((pod) => serviceOf(pod) === name)]));
  }

  /** Asks the eviction API to take a pod away, as a drain does; gives its refusal, or undefined where it agreed. */
  async evict({ metadata: { name, namespace } }: KubeObject): Promise<string | undefined> {
    const path = `/api/v1/namespaces/${namespace}/pods/${name}/eviction`;
    const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace } };
    try {
      await this.cluster.kubectl(['create', '--raw', path, '-f', '-'], JSON.stringify(eviction));
      return undefined;
    } catch (error) {
      return String(error);
    }
  }
}

/** Whether all replicas are ready and of the newest version. */
function isComplete({ metadata, status }: Deployment, replicas: number): boolean {
  const { observedGeneration, replicas: all, updatedReplicas, readyReplicas } = status;
  return (
    observedGeneration === metadata.generation &&
    [all, updatedReplicas, readyReplicas].every((count) => count === replicas)
  );
}

/** Name of the service that a pod belongs to. */
export function serviceOf({ metadata }: KubeObject): string | undefined {
  return metadata.labels?.['app.kubernetes.io/name'];
}

/** Why the scheduler has found no node for a pod; undefined where it has, or has not tried yet. */
export function refusal({ conditions = [] }: Pod['status']): string | undefined {
  return conditions.find(({ type, reason }) => type === 'PodScheduled' && reason === UNSCHEDULABLE)?.message;
}
