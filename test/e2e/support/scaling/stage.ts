import { CLUSTER_BINARIES, ensureBinaries } from '../binaries';
import { startCluster, type Cluster } from '../cluster';
import { namespacesOf, nodesFor, synthExample } from '../examples';
import { type KubeObject } from '../kube-object';
import { type NodeShape } from '../nodes';
import { type RuleGroup } from '../promtool';
import { startAdapter } from './adapter';
import { Exporter, type Exported } from './exporter';
import { BUSY } from './loads';
import { DEFAULT_NAMESPACE, manifests, type ServiceSpec } from './manifests';
import { Prometheus } from './prometheus';
import { conditionOf, ScaledService, type Autoscaler } from './scaled-service';
import { Watch } from './watch';

interface Deployment extends KubeObject {
  readonly spec: { readonly replicas: number };
  readonly status?: { readonly replicas?: number; readonly readyReplicas?: number };
}

interface Pod extends KubeObject {
  readonly metadata: KubeObject['metadata'] & { readonly deletionTimestamp?: string };
  readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

interface Rules extends KubeObject {
  readonly spec: { readonly groups: readonly RuleGroup[] };
}

/** The example whose service is on the stage as it is written, at first at both targets of its autoscaler. */
const REFERENCE = {
  example: '02-reference-system',
  namespace: 'medical-ai',
  name: 'medical-ai-service',
  load: { gpu: 80, queue: 10 },
};
/** Of all that is made for a service, what takes part in its scaling or lets its pods start. */
const KINDS = [
  'PriorityClass',
  'ServiceAccount',
  'Deployment',
  'HorizontalPodAutoscaler',
  'ScaledObject',
  'PrometheusRule',
  'ConfigMap',
];
/** Least time that the first peak leaves for the stage to be ready. */
const PREPARATION_MS = 90_000;
const NODES = 10;
const GPUS_PER_NODE = '32';

/** Services under load on a real control plane, with a real Prometheus and prometheus-adapter. */
export class Stage {
  private constructor(
    readonly cluster: Cluster,
    readonly prometheus: Prometheus,
    /** The full minute at which peaks begin and end. */
    readonly turn: Date,
    /** By namespace and name. */
    private readonly services: ReadonlyMap<string, ScaledService>,
    private readonly closers: readonly (() => void)[],
  ) {}

  /** All services are up, and their autoscalers have metrics, when the promise resolves. */
  static async open(specs: readonly ServiceSpec[]): Promise<Stage> {
    await ensureBinaries([...CLUSTER_BINARIES, 'prometheus-adapter']);
    const [cluster, reference] = await Promise.all([startCluster(), synthExample(REFERENCE.example)]);
    const closers: (() => void)[] = [];
    try {
      return await Stage.prepare(cluster, specs, reference, closers);
    } catch (error) {
      const logs = cluster.processes.keepLogs();
      closers.forEach((close) => close());
      await cluster.stop();
      throw new Error(`no stage; the logs are in ${logs}`, { cause: error });
    }
  }

  private static async prepare(
    cluster: Cluster,
    specs: readonly ServiceSpec[],
    reference: readonly KubeObject[],
    closers: (() => void)[],
  ): Promise<Stage> {
    const turn = new Date(Math.ceil((Date.now() + PREPARATION_MS) / 60_000) * 60_000);
    const own = manifests(specs, turn);
    const objects = [...own, ...reference.filter(({ metadata }) => metadata.namespace === REFERENCE.namespace)].filter(
      ({ kind }) => KINDS.includes(kind),
    );
    await cluster.addNodes(...nodes(own));
    await cluster.apply(namespacesOf(objects));

    const prometheus = await Prometheus.on(cluster);
    const services = new Map<string, ScaledService>();
    for (const { namespace = DEFAULT_NAMESPACE, name, load = BUSY } of [...specs, REFERENCE]) {
      services.set(`${namespace}/${name}`, new ScaledService(cluster, prometheus, namespace, name, load));
    }
    const deployments = await Watch.open<Deployment>(cluster, '/apis/apps/v1/deployments', (deployment) =>
      services.get(keyOf(deployment))?.isGiven(deployment.spec.replicas),
    );
    closers.push(() => deployments.close());
    const pods = await Watch.open<Pod>(cluster, '/api/v1/pods');
    closers.push(() => pods.close());
    const autoscalers = await Watch.open<Autoscaler>(cluster, '/apis/autoscaling/v2/horizontalpodautoscalers');
    closers.push(() => autoscalers.close());
    const exporter = await Exporter.start(() => exported(deployments.objects, pods.objects, services));
    closers.push(() => exporter.close());

    const applied = await cluster.apply(objects);
    const kept = <T extends KubeObject>(kind: string): T[] =>
      applied.objects.filter((object): object is T => object.kind === kind);
    await cluster.waitFor('all replicas', () =>
      [...services.values()].every(({ replicas, name, namespace }) =>
        deployments.objects.some(
          ({ metadata, status }) =>
            metadata.name === name && metadata.namespace === namespace && status?.readyReplicas === replicas,
        ),
      ),
    );
    await prometheus.start({
      target: exporter.address,
      groups: kept<Rules>('PrometheusRule').flatMap(({ spec }) => spec.groups),
      history: specs.flatMap(({ history }) => history?.(turn) ?? []),
    });
    const [config] = kept<KubeObject & { readonly data: { readonly [file: string]: string } }>('ConfigMap');
    await startAdapter(cluster, prometheus.url, config?.data['config.yaml'] ?? '');
    const stage = new Stage(cluster, prometheus, turn, services, closers);
    await cluster.waitFor('metrics in all autoscalers', () =>
      kept<Autoscaler>('HorizontalPodAutoscaler').every((autoscaler) =>
        autoscalers.objects.some(
          (known) => keyOf(known) === keyOf(autoscaler) && conditionOf(known, 'ScalingActive') === 'True',
        ),
      ),
    );
    return stage;
  }

  service(name: string, namespace = DEFAULT_NAMESPACE): ScaledService {
    const service = this.services.get(`${namespace}/${name}`);
    if (service === undefined) {
      throw new Error(`no service ${namespace}/${name} is on the stage`);
    }
    return service;
  }

  /** The service of the reference system. */
  get reference(): ScaledService {
    return this.service(REFERENCE.name, REFERENCE.namespace);
  }

  async close(): Promise<void> {
    this.closers.forEach((close) => close());
    await this.cluster.stop();
  }
}

/** Nodes as Karpenter would make them for the pool, with more GPUs than any real one, so that few will do. */
function nodes(objects: readonly KubeObject[]): NodeShape[] {
  return nodesFor(objects).flatMap((node) =>
    Array.from({ length: NODES }, (_, index) => ({
      ...node,
      name: `${node.name}-${index}`,
      allocatable: { 'nvidia.com/gpu': GPUS_PER_NODE },
    })),
  );
}

function exported(
  deployments: readonly Deployment[],
  pods: readonly Pod[],
  services: ReadonlyMap<string, ScaledService>,
): Exported[] {
  return deployments.flatMap((deployment) => {
    const { status } = deployment;
    const { namespace = '', name } = deployment.metadata;
    const service = services.get(keyOf(deployment));
    if (service === undefined) {
      return [];
    }
    const own = pods.filter(
      ({ metadata }) => metadata.namespace === namespace && metadata.labels?.['app.kubernetes.io/name'] === name,
    );
    return {
      namespace,
      name,
      replicas: status?.replicas ?? 0,
      readyReplicas: status?.readyReplicas ?? 0,
      pods: own
        .filter(isReady)
        .map(({ metadata }) => metadata.name)
        .sort(),
      load: service.load,
      hasKubeState: service.hasKubeState,
    };
  });
}

function isReady({ metadata, status }: Pod): boolean {
  const ready = status.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True');
  return ready === true && metadata.deletionTimestamp === undefined;
}

function keyOf({ metadata }: KubeObject): string {
  return `${metadata.namespace}/${metadata.name}`;
}
