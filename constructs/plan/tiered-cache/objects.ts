import type { Certificate } from '../../imports/certificate';
import type { NetworkPolicyIngressRule } from '../../imports/k8s';
import type { NetworkPolicy } from '../../imports/network-policy';
import type { PodDisruptionBudget } from '../../imports/pod-disruption-budget';
import type { PodMonitor } from '../../imports/pod-monitor';
import type { Service } from '../../imports/service';
import type { ServiceAccount } from '../../imports/service-account';
import { CACHE_PORTS } from '../cache/config';
import { peer, type NetworkPeer } from '../network';
import { MEMCACHED_EXPORTER_PORT } from './memcached';
import type { TieredCachePlan } from './plan';
import type { CacheTlsProps } from './props';
import { REDIS_EXPORTER_PORT } from './redis';
import { CACHE_LABEL, issuerOf, memcachedClients, memcachedServer, type CacheServerPlan } from './servers';
import { headlessName } from './server-pod';

const PRIVATE_KEY = { algorithm: 'ECDSA', size: 256, rotationPolicy: 'Always' } as const;
const EXPORTER_PORTS = { redis: REDIS_EXPORTER_PORT, memcached: MEMCACHED_EXPORTER_PORT };

/** The identity of the pods, which may do nothing. */
export function cacheServiceAccount(cache: TieredCachePlan): ServiceAccount {
  return {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: cache.name, namespace: cache.namespace, labels: { ...cache.labels } },
    automountServiceAccountToken: false,
  };
}

/** The Service that gives each pod of a server an address of its own. */
export function headlessService(cache: TieredCachePlan, server: CacheServerPlan): Service {
  return service(cache, server, headlessName(server), { clusterIP: 'None' });
}

/** The Service of Redis: one address, whatever happens to the pod. */
export function redisService(cache: TieredCachePlan, server: CacheServerPlan): Service {
  return service(cache, server, server.name, { type: 'ClusterIP' });
}

/** The PodDisruptionBudget of a server: one pod at a time. */
export function serverDisruptionBudget(cache: TieredCachePlan, server: CacheServerPlan): PodDisruptionBudget {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: server.name, namespace: cache.namespace, labels: { ...server.labels } },
    spec: {
      // also of a single one: a node that could never be drained would be worse than a cold cache
      maxUnavailable: 1,
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
      selector: { matchLabels: { ...server.selectorLabels } },
    },
  };
}

/**
 * The NetworkPolicy of a server: those who use the cache, and Prometheus; it talks to nobody.
 *
 * @param users who may reach it; with none, nobody may, since a rule without peers would let everybody in
 */
export function serverNetworkPolicy(
  cache: TieredCachePlan,
  server: CacheServerPlan,
  users: readonly NetworkPeer[],
): NetworkPolicy {
  const { monitoring = {} } = cache.props;
  const ingress: NetworkPolicyIngressRule[] = [
    {
      from: [peer({ namespace: monitoring.namespace ?? 'monitoring' })],
      ports: [{ protocol: 'TCP', port: EXPORTER_PORTS[server.tier] }],
    },
  ];
  if (users.length > 0) {
    ingress.unshift({ from: users.map(peer), ports: [{ protocol: 'TCP', port: CACHE_PORTS[server.tier] }] });
  }
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: server.name, namespace: cache.namespace, labels: { ...server.labels } },
    spec: {
      podSelector: { matchLabels: { ...server.selectorLabels } },
      policyTypes: ['Ingress', 'Egress'],
      ingress,
    },
  };
}

/** The PodMonitor of a cache: all its exporters. */
export function cachePodMonitor(cache: TieredCachePlan): PodMonitor {
  const { monitoring = {} } = cache.props;
  return {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PodMonitor',
    metadata: { name: cache.name, namespace: cache.namespace, labels: { ...monitoring.labels, ...cache.labels } },
    spec: {
      selector: { matchLabels: { [CACHE_LABEL]: cache.name } },
      podMetricsEndpoints: [
        { port: 'metrics', path: '/metrics', interval: `${monitoring.interval?.toSeconds() ?? 30}s` },
      ],
    },
  };
}

/** Whether some server of a cache has an exporter. */
export function hasExporter({ redis, memcached, props }: TieredCachePlan): boolean {
  return redis !== undefined || (memcached !== undefined && memcachedServer(props)?.password === undefined);
}

/** The Certificate of the servers, which cert-manager keeps; undefined where the user keeps one. */
export function certificate(cache: TieredCachePlan): Certificate | undefined {
  const { tls } = cache.props as { readonly tls?: CacheTlsProps };
  if (tls === undefined || !('issuer' in tls) || cache.tlsSecret === undefined) {
    return undefined;
  }
  return {
    apiVersion: 'cert-manager.io/v1',
    kind: 'Certificate',
    metadata: { name: cache.name, namespace: cache.namespace, labels: { ...cache.labels } },
    spec: {
      secretName: cache.tlsSecret,
      dnsNames: [...cache.certificateNames],
      issuerRef: issuerOf(tls.issuer),
      privateKey: { ...PRIVATE_KEY },
      usages: ['digital signature', 'server auth'],
    },
  };
}

/**
 * The Certificate that users in a namespace show to Memcached; undefined where the user keeps it, as that of an issuer
 * which other namespaces do not have.
 */
export function clientCertificate(cache: TieredCachePlan, namespace: string): Certificate | undefined {
  const { secret, issuer } = memcachedClients(cache.name, cache.props) ?? {};
  if (secret === undefined || issuer === undefined) {
    return undefined;
  }
  if (namespace !== cache.namespace && !issuer.kind.endsWith('ClusterIssuer')) {
    return undefined;
  }
  return {
    apiVersion: 'cert-manager.io/v1',
    kind: 'Certificate',
    metadata: { name: secret, namespace, labels: { ...cache.labels } },
    spec: {
      secretName: secret,
      // a certificate must have a name, and Memcached asks for none
      commonName: `${cache.name}-memcached-client`,
      issuerRef: { ...issuer },
      privateKey: { ...PRIVATE_KEY },
      usages: ['digital signature', 'client auth'],
    },
  };
}

function service(cache: TieredCachePlan, server: CacheServerPlan, name: string, spec: Service['spec']): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: cache.namespace, labels: { ...server.labels } },
    spec: {
      ...spec,
      selector: { ...server.selectorLabels },
      ports: [{ name: server.tier, port: CACHE_PORTS[server.tier], targetPort: server.tier, protocol: 'TCP' }],
    },
  };
}
