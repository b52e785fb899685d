import { TIER_DEFAULTS } from '../cache/config';
import type { Problems } from '../errors';
import { checkReference } from '../mounts';
import { checkCidr } from '../network';
import { address } from './client';
import { memcachedItemLimitMiB } from './memcached';
import {
  EVICTION_POLICIES,
  type CacheDatabaseProps,
  type CacheServerProps,
  type CacheTierProps,
  type RedisServerProps,
  type TieredCacheProps,
} from './props';
import { DEFAULT_MEMCACHED_SERVERS, serverMemory } from './servers';

/** Host names, addresses, and what stands for a host that only the deployment knows. */
const HOST = /^[A-Za-z0-9]([-A-Za-z0-9._]*[A-Za-z0-9])?$/;
/** Most of a server's memory that may be for entries: less would have the kernel end it before it evicts anything. */
const MOST_ENTRIES_SHARE = 0.9;
const LEAST_MEMORY_MIB = 128;
const MAX_ENTRY_MIB = 128;

/** Checks what all tiers have. */
export function checkTier(problems: Problems, tier: string, props: CacheTierProps): void {
  const deadline = props.deadline?.toSeconds({ integral: false });
  problems.check(
    deadline === undefined || (deadline > 0 && deadline <= 10),
    `${tier}.deadline`,
    `${deadline} s`,
    'be over 0 and at most 10 s',
    'each request may wait so long for a tier that fails',
  );
  const entryMiB = props.maxEntry?.toMebibytes() ?? 1;
  problems.check(
    entryMiB >= 1 && entryMiB <= MAX_ENTRY_MIB,
    `${tier}.maxEntry`,
    `${entryMiB} MiB`,
    `be from 1 to ${MAX_ENTRY_MIB} MiB`,
    'under it nearly everything would skip the tier, and over it one entry would take a pod its memory',
  );
  if ('cidr' in props) {
    checkCidr(problems, `${tier}.cidr`, (props as { readonly cidr: string }).cidr);
  }
  if ('authority' in props) {
    checkReference(problems, `${tier}.authority`, (props as CacheDatabaseProps).authority);
  }
}

/** Checks the Redis tier. */
export function checkRedis(problems: Problems, { redis }: TieredCacheProps): void {
  if (redis === undefined) {
    return;
  }
  if ('endpoint' in redis) {
    checkEndpoint(problems, 'redis.endpoint', redis.endpoint, 'redis');
    if (redis.password !== undefined) {
      checkReference(problems, 'redis.password', redis.password);
    }
    return;
  }
  checkReference(problems, 'redis.password', redis.password);
  checkServer(problems, 'redis', redis);
  problems.check(
    redis.evictionPolicy === undefined || EVICTION_POLICIES.includes(redis.evictionPolicy),
    'redis.evictionPolicy',
    redis.evictionPolicy,
    `be one of ${EVICTION_POLICIES.join(', ')}`,
    'the log of invalidations has no expiry and must never be evicted, and a full server must make room',
  );
  checkPersistence(problems, redis);
}

function checkPersistence(problems: Problems, redis: RedisServerProps): void {
  const { persistence } = redis;
  if (persistence === undefined) {
    return;
  }
  const { maxMemoryMiB } = serverMemory(redis);
  const sizeMiB = persistence.size.toMebibytes();
  problems.check(
    sizeMiB >= 2 * maxMemoryMiB,
    'redis.persistence.size',
    `${sizeMiB} MiB`,
    `be at least twice 'redis.maxMemory' (${maxMemoryMiB} MiB)`,
    'the file is written anew beside the old one',
  );
}

/** Checks the Memcached tier. */
export function checkMemcached(problems: Problems, { memcached }: TieredCacheProps): void {
  if (memcached === undefined) {
    return;
  }
  if (memcached.password !== undefined) {
    checkReference(problems, 'memcached.password', memcached.password);
  }
  if ('endpoints' in memcached) {
    problems.check(
      memcached.endpoints.length > 0,
      'memcached.endpoints',
      memcached.endpoints,
      'name a server',
      'there is none to ask',
    );
    memcached.endpoints.forEach((endpoint) => checkEndpoint(problems, 'memcached.endpoints', endpoint, 'memcached'));
    problems.check(
      (memcached.username === undefined) === (memcached.password === undefined),
      'memcached.username',
      memcached.username,
      "go with 'memcached.password'",
      'neither lets anybody in alone',
    );
    return;
  }
  const { servers = DEFAULT_MEMCACHED_SERVERS, maxEntry, clients = {} } = memcached;
  if (clients.secret !== undefined) {
    checkReference(problems, 'memcached.clients', { secret: clients.secret, key: 'tls.crt' });
  }
  if (clients.authority !== undefined) {
    checkReference(problems, 'memcached.clients.authority', clients.authority);
  }
  problems.check(
    Number.isInteger(servers) && servers >= 1 && servers <= 32,
    'memcached.servers',
    servers,
    'be a whole number from 1 to 32',
    'each pod of a service holds a connection to every one',
  );
  if (checkServer(problems, 'memcached', memcached)) {
    const { maxMemoryMiB } = serverMemory(memcached);
    const limitMiB = memcachedItemLimitMiB(memcached);
    problems.check(
      limitMiB <= maxMemoryMiB / 2,
      'memcached.maxEntry',
      maxEntry === undefined ? `${TIER_DEFAULTS.memcached.maxEntryBytes} bytes` : `${maxEntry.toMebibytes()} MiB`,
      `be under half of 'memcached.maxMemory' (${maxMemoryMiB} MiB)`,
      'Memcached refuses to start with larger items',
    );
  }
}

function checkServer(problems: Problems, tier: string, props: CacheServerProps): boolean {
  const { memoryMiB, maxMemoryMiB } = serverMemory(props);
  const most = Math.floor(memoryMiB * MOST_ENTRIES_SHARE);
  for (const image of ['image', 'exporterImage'] as const) {
    problems.check(
      props[image] === undefined || /^\S+$/.test(props[image]),
      `${tier}.${image}`,
      props[image],
      'name an image',
      'there is nothing to run',
    );
  }
  problems.check(
    props.cpu === undefined || props.cpu >= 0.001,
    `${tier}.cpu`,
    props.cpu,
    'be at least 0.001 cores',
    'Kubernetes counts in millicores',
  );
  return (
    problems.check(
      memoryMiB >= LEAST_MEMORY_MIB,
      `${tier}.memory`,
      `${memoryMiB} MiB`,
      `be at least ${LEAST_MEMORY_MIB} MiB`,
      'connections alone take a good part of that',
    ) &&
    problems.check(
      maxMemoryMiB > 0 && maxMemoryMiB <= most,
      `${tier}.maxMemory`,
      `${maxMemoryMiB} MiB`,
      `be over 0 and at most ${most} MiB (nine tenths of '${tier}.memory')`,
      'the kernel would end the server before it evicts anything',
    )
  );
}

/** Checks the database tier. */
export function checkDatabase(problems: Problems, database: CacheDatabaseProps): void {
  const { port = 5432 } = database;
  checkEndpoint(problems, 'database.host', `${database.host}:${port}`, 'database');
  for (const property of ['database', 'user'] as const) {
    problems.check(
      /^[^\s"\\]{1,63}$/.test(database[property] ?? ''),
      `database.${property}`,
      database[property],
      'be a name of at most 63 characters without spaces, quotes and backslashes',
      'PostgreSQL knows it by that',
    );
  }
  checkReference(problems, 'database.password', database.password);
  if (database.owner !== undefined) {
    checkReference(problems, 'database.owner.password', database.owner.password);
    problems.check(
      /^[^\s"\\]{1,63}$/.test(database.owner.user ?? '') && database.owner.user !== database.user,
      'database.owner.user',
      database.owner.user,
      "be the name of a role other than 'database.user'",
      'the same role needs no owner',
    );
  }
}

function checkEndpoint(
  problems: Problems,
  property: string,
  endpoint: string,
  tier: 'redis' | 'memcached' | 'database',
): void {
  const { host, port } = address(endpoint ?? '', tier);
  problems.check(
    HOST.test(host) && (endpoint ?? '').split(':').length <= 2 && Number.isInteger(port) && port >= 1 && port <= 65_535,
    property,
    endpoint,
    'be a host, or a host and a port from 1 to 65535, without a scheme',
    'it is always reached over TLS',
  );
}
