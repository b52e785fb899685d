import type { Container, PodTemplateSpec, Volume } from '../../imports/k8s';
import type { StatefulSet } from '../../imports/stateful-set';
import { cpuQuantity, memoryQuantity } from '../quantities';
import { containerSecurity, podSecurity, reservedNodesFirst, spread } from '../pods';
import type { TieredCachePlan } from './plan';
import type { CacheServerPlan } from './servers';

/** What the pods of a server are made of. */
export interface ServerPod {
  /** User and group of the server's image. */
  readonly user: number;
  readonly containers: readonly Container[];
  readonly volumes: readonly Volume[];
  readonly claims?: NonNullable<StatefulSet['spec']>['volumeClaimTemplates'];
}

/** Disk that a container may write to, its log included. */
const DISK_MIB = 64;
const EXPORTER = { cpu: 0.05, memoryMiB: 64 };
const GRACE_SECONDS = 30;

/** The StatefulSet of a server: its pods keep their names, by which users spread entries over them. */
export function statefulSet(cache: TieredCachePlan, server: CacheServerPlan, pod: ServerPod): StatefulSet {
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: server.name, namespace: cache.namespace, labels: { ...server.labels } },
    spec: {
      replicas: server.servers,
      serviceName: headlessName(server),
      podManagementPolicy: 'Parallel',
      revisionHistoryLimit: 5,
      // one after the other, so that most of the entries stay
      updateStrategy: { type: 'RollingUpdate' },
      selector: { matchLabels: { ...server.selectorLabels } },
      template: template(cache, server, pod),
      ...(pod.claims === undefined
        ? {}
        : {
            volumeClaimTemplates: pod.claims,
            // a cache leaves nothing behind
            persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Delete', whenScaled: 'Delete' },
          }),
    },
  };
}

/** Name of the Service that gives each pod an address of its own. */
export function headlessName({ tier, name }: CacheServerPlan): string {
  // Memcached has no other; Redis is reached through one that does not change when its pod does
  return tier === 'memcached' ? name : `${name}-pods`;
}

/** Resources of the container that serves. */
export function serverResources({ schedule }: CacheServerPlan): Container['resources'] {
  return {
    requests: { ...schedule.requests, 'ephemeral-storage': memoryQuantity(DISK_MIB) },
    limits: { ...schedule.limits, 'ephemeral-storage': memoryQuantity(2 * DISK_MIB) },
  };
}

/** The Prometheus exporter beside a server. */
export function exporter(server: CacheServerPlan, port: number, rest: Pick<Container, 'args' | 'env'>): Container {
  const memory = memoryQuantity(EXPORTER.memoryMiB);
  return {
    name: 'exporter',
    image: server.exporterImage,
    imagePullPolicy: 'IfNotPresent',
    ...rest,
    ports: [{ name: 'metrics', containerPort: port, protocol: 'TCP' }],
    resources: {
      requests: { cpu: cpuQuantity(EXPORTER.cpu), memory, 'ephemeral-storage': memoryQuantity(DISK_MIB) },
      limits: { memory, 'ephemeral-storage': memoryQuantity(2 * DISK_MIB) },
    },
    livenessProbe: { httpGet: { path: '/', port: 'metrics' }, periodSeconds: 30, timeoutSeconds: 5 },
    securityContext: containerSecurity(),
  };
}

function template(cache: TieredCachePlan, server: CacheServerPlan, pod: ServerPod): PodTemplateSpec {
  return {
    metadata: { labels: { ...server.labels } },
    spec: {
      serviceAccountName: cache.name,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      priorityClassName: server.schedule.priorityClassName,
      nodeSelector: { ...server.schedule.nodeSelector },
      tolerations: server.schedule.tolerations.map((toleration) => ({ ...toleration })),
      affinity: reservedNodesFirst(cache.priority),
      topologySpreadConstraints: spread(server.selectorLabels, 'controller-revision-hash'),
      terminationGracePeriodSeconds: GRACE_SECONDS,
      securityContext: podSecurity(pod.user),
      containers: [...pod.containers],
      volumes: [...pod.volumes],
    },
  };
}
