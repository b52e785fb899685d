import { CACHE_PATHS, CACHE_PORTS, type CacheConfig, type DatabaseTierConfig } from '../cache/config';
import type { AuthorityRef, MountedFile } from '../mounts';
import type { CacheDatabaseProps, CacheTierProps, TieredCacheProps } from './props';
import {
  memcachedClients,
  memcachedServer,
  redisServer,
  serverAuthority,
  type CacheServerPlan,
  type CacheServers,
} from './servers';

/** Folder that everything is mounted at. */
export const MOUNT = '/etc/mediform';
const MIB = 1024 * 1024;

type Tier = 'redis' | 'memcached' | 'database';

/** User that Memcached servers in the cluster know. */
export const MEMCACHED_USER = 'mediform';

/** What the users of a cache are told: the configuration of `mediform/cache`. */
export function clientConfig(
  cache: { readonly name: string; readonly namespace: string },
  props: TieredCacheProps,
  servers: CacheServers,
): CacheConfig {
  const { hot, warmUp } = props;
  return {
    namespace: props.keyspace ?? `${cache.namespace}.${cache.name}`,
    keyRingFile: CACHE_PATHS.keyRing,
    hot: hot && {
      maxBytes: hot.memory && hot.memory.toMebibytes() * MIB,
      maxEntryBytes: hot.maxEntry && hot.maxEntry.toMebibytes() * MIB,
    },
    redis: redis(cache, props, servers.redis),
    memcached: memcached(cache, props, servers.memcached),
    database: props.database && database(props.database, props.database.user, passwordPath('database')),
    versions: props.versions,
    maxStalenessMs: milliseconds(props.maxStaleness),
    warmUp:
      warmUp === 'off' ? { maxEntries: 0 } : warmUp && { maxEntries: warmUp.maxEntries, perSecond: warmUp.perSecond },
  };
}

/** Files that the configuration names, and where they come from. */
export function clientFiles(cacheName: string, props: TieredCacheProps): readonly MountedFile[] {
  const { redis: redisProps, memcached: memcachedProps, database: databaseProps, tls } = props;
  const files: MountedFile[] = [{ path: CACHE_PATHS.keyRing, from: props.keyRing }];
  const add = (path: string, from: AuthorityRef | undefined): void => {
    if (from !== undefined) {
      files.push({ path, from });
    }
  };
  const own = tls && serverAuthority(cacheName, tls);
  add(passwordPath('redis'), redisProps?.password);
  add(authorityPath('redis'), redisServer(props) ? own : authorityOf(redisProps));
  add(passwordPath('memcached'), memcachedProps?.password);
  add(authorityPath('memcached'), memcachedServer(props) ? own : authorityOf(memcachedProps));
  const clients = memcachedClients(cacheName, props);
  Object.values(CLIENT_FILES).forEach((key) => add(clientPath(key), clients && { secret: clients.secret, key }));
  add(passwordPath('database'), databaseProps?.password);
  add(authorityPath('database'), databaseProps?.authority);
  return files;
}

/** The database as one of its roles reaches it. */
export function database(props: CacheDatabaseProps, user: string, passwordFile: string): DatabaseTierConfig {
  const { host, port, database: name, authority, maxConnections } = props;
  return {
    host,
    port: port ?? CACHE_PORTS.database,
    database: name,
    user,
    passwordFile,
    caFile: authority && authorityPath('database'),
    maxConnections,
    ...bounds(props),
  };
}

const CLIENT_FILES = { certificateFile: 'tls.crt', keyFile: 'tls.key' } as const;

/** Where what Memcached is shown is mounted. */
function clientPath(file: string): string {
  return `${MOUNT}/cache/memcached/${file}`;
}

/** Where a tier's password is mounted. */
export function passwordPath(tier: Tier): string {
  return `${MOUNT}/cache/${tier}/password`;
}

/** Where the authority of a tier's certificate is mounted. */
export function authorityPath(tier: Tier): string {
  return `${MOUNT}/cache/${tier}/ca.crt`;
}

/** An address with the port that the tier's servers listen on where none is given. */
export function address(endpoint: string, tier: Tier): { readonly host: string; readonly port: number } {
  const [host = '', port] = endpoint.split(':');
  return { host, port: port === undefined ? CACHE_PORTS[tier] : Number(port) };
}

function redis(
  { namespace }: { readonly namespace: string },
  { redis: props }: TieredCacheProps,
  server: CacheServerPlan | undefined,
): CacheConfig['redis'] {
  if (props === undefined) {
    return undefined;
  }
  if ('endpoint' in props) {
    const { host, port } = address(props.endpoint, 'redis');
    return {
      url: `rediss://${host}:${port}`,
      username: props.username,
      passwordFile: props.password && passwordPath('redis'),
      caFile: props.authority && authorityPath('redis'),
      ...bounds(props),
    };
  }
  return {
    url: `rediss://${server?.name}.${namespace}.svc:${CACHE_PORTS.redis}`,
    passwordFile: passwordPath('redis'),
    caFile: authorityPath('redis'),
    ...bounds(props),
  };
}

function memcached(
  { name, namespace }: { readonly name: string; readonly namespace: string },
  all: TieredCacheProps,
  server: CacheServerPlan | undefined,
): CacheConfig['memcached'] {
  const { memcached: props } = all;
  if (props === undefined) {
    return undefined;
  }
  const passwordFile = props.password && passwordPath('memcached');
  if ('endpoints' in props) {
    return {
      servers: props.endpoints.map((endpoint) => {
        const { host, port } = address(endpoint, 'memcached');
        return `${host}:${port}`;
      }),
      username: props.username,
      passwordFile,
      caFile: props.authority && authorityPath('memcached'),
      ...bounds(props),
    };
  }
  return {
    servers: Array.from(
      { length: server?.servers ?? 0 },
      (_, index) => `${server?.name}-${index}.${server?.name}.${namespace}.svc:${CACHE_PORTS.memcached}`,
    ),
    username: passwordFile && MEMCACHED_USER,
    passwordFile,
    caFile: authorityPath('memcached'),
    ...(memcachedClients(name, all) && {
      certificateFile: clientPath(CLIENT_FILES.certificateFile),
      keyFile: clientPath(CLIENT_FILES.keyFile),
    }),
    ...bounds(props),
  };
}

function bounds({ maxEntry, deadline }: CacheTierProps): { maxEntryBytes?: number; deadlineMs?: number } {
  return { maxEntryBytes: maxEntry && maxEntry.toMebibytes() * MIB, deadlineMs: milliseconds(deadline) };
}

function milliseconds(time: CacheTierProps['deadline']): number | undefined {
  return time && Math.round(time.toSeconds({ integral: false }) * 1000);
}

function authorityOf(props: TieredCacheProps['redis'] | TieredCacheProps['memcached']): AuthorityRef | undefined {
  return props !== undefined && 'authority' in props ? props.authority : undefined;
}
