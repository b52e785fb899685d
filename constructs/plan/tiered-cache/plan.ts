import type { CacheConfig } from '../cache/config';
import { Problems } from '../errors';
import { IMAGES } from '../images';
import { asJson } from '../json';
import type { MountedFile } from '../mounts';
import { Priority } from '../priorities';
import { scheduleWorkload, type WorkloadSchedule } from '../scheduling';
import { checkCache, checkClientConfig } from './checks';
import { clientConfig, clientFiles } from './client';
import type { TieredCacheProps } from './props';
import {
  DEFAULT_MEMCACHED_SERVERS,
  certificateNames,
  labelsOf,
  memcachedServer,
  planServer,
  redisServer,
  tlsSecret,
  type CacheServers,
} from './servers';

/** Everything about one cache, checked and with defaults. */
export interface TieredCachePlan extends CacheServers {
  readonly props: TieredCacheProps;
  readonly name: string;
  readonly namespace: string;
  readonly priority: Priority;
  /** Names that the certificate of the servers in the cluster must have. */
  readonly certificateNames: readonly string[];
  /** Secret with that certificate; absent where there are no servers in the cluster. */
  readonly tlsSecret?: string;
  /** What the users of the cache are told. */
  readonly config: CacheConfig;
  /** Files that `config` names, which their pods mount. */
  readonly files: readonly MountedFile[];
  /** Where the Jobs run. */
  readonly maintenance: { readonly schedule: WorkloadSchedule; readonly image: string };
  /** Labels of every object. */
  readonly labels: { readonly [label: string]: string };
}

/**
 * Plans a cache.
 *
 * @param id the construct's id, from which the name is made where none is given
 * @param chartNamespace namespace of the chart, where it has one
 * @throws ConfigurationError that lists all that is wrong
 */
export function planTieredCache(
  id: string,
  props: TieredCacheProps,
  chartNamespace: string | undefined,
): TieredCachePlan {
  const problems = new Problems();
  const name = props.name ?? id.toLowerCase().replaceAll('_', '-');
  const namespace = props.namespace ?? chartNamespace;
  const priority = props.priority ?? Priority.NORMAL;
  checkCache(problems, name, namespace, props);
  problems.throwIfAny();

  const common = { name, namespace: namespace as string, priority };
  const [redis, memcached] = [redisServer(props), memcachedServer(props)];
  const servers: CacheServers = {
    redis: redis && planServer('redis', common, redis, 1),
    memcached: memcached && planServer('memcached', common, memcached, memcached.servers ?? DEFAULT_MEMCACHED_SERVERS),
  };
  const config = asJson(clientConfig(common, props, servers));
  checkClientConfig(problems, config);
  problems.throwIfAny();
  return {
    props,
    ...common,
    ...servers,
    certificateNames: certificateNames(common.namespace, servers),
    tlsSecret: props.tls && tlsSecret(name, props.tls),
    config,
    files: clientFiles(name, props),
    maintenance: {
      schedule: scheduleWorkload(
        {
          cpu: 0.1,
          memory: { toMebibytes: () => 256 },
          memoryIntensive: redis !== undefined || memcached !== undefined,
        },
        priority,
      ),
      image: props.runtimeImage ?? IMAGES.node,
    },
    labels: labelsOf(name),
  };
}
