import type { PrometheusRule } from '../../imports/prometheus-rule';
import { CacheMetric } from '../cache/metrics';
import { GatewayMetric } from '../gateway/names';
import type { TieredCachePlan } from './plan';
import type { CacheServerPlan } from './servers';

type Alert = NonNullable<NonNullable<PrometheusRule['spec']['groups']>[number]['rules']>[number];

/** Evictions a second, over hours, from which on more memory would pay. */
const EVICTIONS_A_SECOND = 1;
/** Part of cacheable requests under which the cache costs more than it saves, and requests from which on that is said. */
const LOW_HIT_RATIO = 0.1;
const LEAST_REQUESTS = 100;
/** Counters of the exporters, per server. */
const EVICTED = { redis: 'redis_evicted_keys_total', memcached: 'memcached_items_evicted_total' };

/** The PrometheusRule of a cache's servers; undefined where there are none in the cluster. */
export function cacheServerRule(cache: TieredCachePlan): PrometheusRule | undefined {
  const servers = [cache.redis, cache.memcached].filter((server) => server !== undefined);
  if (servers.length === 0) {
    return undefined;
  }
  return {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata: {
      name: cache.name,
      namespace: cache.namespace,
      labels: { ...cache.props.monitoring?.labels, ...cache.labels },
    },
    spec: {
      groups: [
        {
          name: `mediform-${cache.namespace}-${cache.name}`,
          rules: servers.flatMap((server) => serverAlerts(cache, server)),
        },
      ],
    },
  };
}

function serverAlerts({ namespace, name: cache }: TieredCachePlan, server: CacheServerPlan): Alert[] {
  const { tier, name } = server;
  const labels = { namespace, cache, tier };
  const set = `{namespace="${namespace}",statefulset="${name}"}`;
  const pods = `{namespace="${namespace}",pod=~"${name}-[0-9]+"}`;
  return [
    {
      alert: 'CacheServerDown',
      expr: `kube_statefulset_status_replicas_ready${set} < kube_statefulset_replicas${set}`,
      for: '5m',
      labels: { severity: 'warning', ...labels },
      annotations: {
        summary: `${namespace}/${name} has servers that do not answer`,
        description: 'Services go on without them, slower. What they held is computed again.',
      },
    },
    {
      alert: 'CacheTooSmall',
      expr: `sum(rate(${EVICTED[tier]}${pods}[1h])) > ${EVICTIONS_A_SECOND}`,
      for: '6h',
      labels: { severity: 'info', ...labels },
      annotations: {
        summary: `${namespace}/${name} gives up entries before their time, every second`,
        description: `With more ${tier}.memory they would be found again instead of computed again.`,
      },
    },
  ];
}

/**
 * Alerts of a service on the cache that it uses.
 *
 * @param pods matchers of the service's pods
 */
export function cacheUserAlerts(service: { readonly namespace: string; readonly name: string }, pods: string): Alert[] {
  const { namespace, name } = service;
  const labels = { namespace, service: name };
  const answers = (result: string): string =>
    `sum(increase(${GatewayMetric.CACHE_ANSWERS}{${pods},result=~"${result}"}[6h]))`;
  return [
    {
      alert: 'CacheKeyFault',
      expr: `sum by (reason) (increase(${CacheMetric.KEY_FAULTS}{${pods}}[10m])) > 0`,
      labels: { severity: 'critical', ...labels },
      annotations: {
        summary: `${namespace}/${name} cannot open entries of its cache ({{ $labels.reason }})`,
        description: 'Such entries count as misses. A key is missing or wrong, or an entry was tampered with.',
      },
    },
    {
      alert: 'CacheTierUnavailable',
      expr: `max by (tier) (${CacheMetric.BREAKER}{${pods}}) == 2`,
      for: '5m',
      labels: { severity: 'warning', ...labels },
      annotations: {
        summary: `${namespace}/${name} goes without the {{ $labels.tier }} tier of its cache`,
        description: 'The tier fails or is too slow. Answers come from the other tiers, or are computed.',
      },
    },
    {
      alert: 'CacheHitRatioLow',
      expr: `${answers('hit')} / (${answers('hit|miss')} > ${LEAST_REQUESTS}) < ${LOW_HIT_RATIO}`,
      for: '1h',
      labels: { severity: 'info', ...labels },
      annotations: {
        summary: `${namespace}/${name} finds less than ${LOW_HIT_RATIO * 100} % of its answers in the cache`,
        description: 'Look at what makes the key: the same question may be asked in different words.',
      },
    },
  ];
}
