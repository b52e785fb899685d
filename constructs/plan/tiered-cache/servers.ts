import { IMAGES } from '../images';
import { ServiceLabel } from '../labels';
import type { Priority } from '../priorities';
import { scheduleWorkload, type WorkloadSchedule } from '../scheduling';
import type { AuthorityRef } from '../mounts';
import type {
  CacheIssuer,
  CacheServerProps,
  CacheTlsProps,
  MemcachedServerProps,
  RedisServerProps,
  TieredCacheProps,
} from './props';

/** Label of all objects of one cache. */
export const CACHE_LABEL = 'mediform.io/cache';

/** One kind of server in the cluster. Memory in MiB. */
export interface CacheServerPlan {
  readonly tier: 'redis' | 'memcached';
  /** Name of the StatefulSet and its Service. */
  readonly name: string;
  readonly servers: number;
  readonly schedule: WorkloadSchedule;
  readonly memoryMiB: number;
  readonly maxMemoryMiB: number;
  readonly image: string;
  readonly exporterImage: string;
  readonly selectorLabels: { readonly [label: string]: string };
  readonly labels: { readonly [label: string]: string };
}

/** The servers of a cache that are in the cluster. */
export interface CacheServers {
  readonly redis?: CacheServerPlan;
  readonly memcached?: CacheServerPlan;
}

/** Part of a server's memory for entries: the rest is for connections, buffers and fragmentation (ElastiCache reserves a quarter). */
const ENTRIES_SHARE = 0.75;
/** The same where Valkey forks to rewrite its file: pages that change meanwhile exist twice. */
const PERSISTENT_ENTRIES_SHARE = 0.5;
const DEFAULT_MEMORY_MIB = 4096;
/** Memcached servers where none are counted. */
export const DEFAULT_MEMCACHED_SERVERS = 2;

/** Properties of the Redis tier where it is a server in the cluster. */
export function redisServer({ redis }: TieredCacheProps): RedisServerProps | undefined {
  return redis === undefined || 'endpoint' in redis ? undefined : redis;
}

/** Properties of the Memcached tier where it is servers in the cluster. */
export function memcachedServer({ memcached }: TieredCacheProps): MemcachedServerProps | undefined {
  return memcached === undefined || 'endpoints' in memcached ? undefined : memcached;
}

/** Secret with the certificate of the servers in the cluster. */
export function tlsSecret(cacheName: string, tls: CacheTlsProps): string {
  return 'secret' in tls ? tls.secret : `${cacheName}-tls`;
}

/** Where the authority of that certificate is found. */
export function serverAuthority(cacheName: string, tls: CacheTlsProps): AuthorityRef {
  return tls.authority ?? { secret: tlsSecret(cacheName, tls), key: 'ca.crt' };
}

/** The certificates that users of Memcached must show. */
export interface MemcachedClients {
  /** Secret with such a certificate, in each namespace of users. */
  readonly secret: string;
  /** Who has signed it. */
  readonly authority: AuthorityRef;
  /** Issuer that is asked for it; absent where the user keeps it. */
  readonly issuer?: Required<CacheIssuer>;
}

/** The same; undefined where Memcached lets in who has the password, or is elsewhere. */
export function memcachedClients(cacheName: string, props: TieredCacheProps): MemcachedClients | undefined {
  const server = memcachedServer(props);
  const { tls } = props;
  if (server === undefined || tls === undefined || (server.password !== undefined && server.clients === undefined)) {
    return undefined;
  }
  const { secret = `${cacheName}-memcached-client`, authority } = server.clients ?? {};
  return {
    secret,
    authority: authority ?? serverAuthority(cacheName, tls),
    ...('issuer' in tls && authority === undefined && { issuer: issuerOf(tls.issuer) }),
  };
}

/** An issuer, with defaults. */
export function issuerOf({
  name,
  kind = 'ClusterIssuer',
  group = 'cert-manager.io',
}: CacheIssuer): Required<CacheIssuer> {
  return { name, kind, group };
}

/** Memory of one server, and its part for entries, in MiB. */
export function serverMemory(props: CacheServerProps | RedisServerProps): { memoryMiB: number; maxMemoryMiB: number } {
  const memoryMiB = props.memory?.toMebibytes() ?? DEFAULT_MEMORY_MIB;
  const persistent = 'persistence' in props && props.persistence !== undefined;
  const share = persistent ? PERSISTENT_ENTRIES_SHARE : ENTRIES_SHARE;
  return { memoryMiB, maxMemoryMiB: props.maxMemory?.toMebibytes() ?? Math.floor(memoryMiB * share) };
}

/** Plans one kind of server. */
export function planServer(
  tier: 'redis' | 'memcached',
  cache: { readonly name: string; readonly priority: Priority },
  props: CacheServerProps,
  servers: number,
): CacheServerPlan {
  const name = `${cache.name}-${tier}`;
  const { memoryMiB, maxMemoryMiB } = serverMemory(props);
  const needs = { cpu: props.cpu ?? 1, memory: { toMebibytes: () => memoryMiB }, memoryIntensive: true };
  const selectorLabels = { [ServiceLabel.NAME]: name };
  const images = {
    redis: [IMAGES.valkey, IMAGES.valkeyExporter],
    memcached: [IMAGES.memcached, IMAGES.memcachedExporter],
  };
  return {
    tier,
    name,
    servers,
    schedule: scheduleWorkload(needs, cache.priority),
    memoryMiB,
    maxMemoryMiB,
    image: props.image ?? (images[tier][0] as string),
    exporterImage: props.exporterImage ?? (images[tier][1] as string),
    selectorLabels,
    labels: { ...selectorLabels, ...labelsOf(cache.name) },
  };
}

/** Labels of every object of a cache. */
export function labelsOf(name: string): { readonly [label: string]: string } {
  return { [ServiceLabel.MANAGED_BY]: 'mediform', [CACHE_LABEL]: name };
}

/** Names under which the servers are reached: the Service of Redis, and each Memcached server by itself. */
export function certificateNames(namespace: string, { redis, memcached }: CacheServers): readonly string[] {
  return [
    ...(redis === undefined ? [] : [`${redis.name}.${namespace}.svc`]),
    ...(memcached === undefined ? [] : [`*.${memcached.name}.${namespace}.svc`]),
  ];
}
