import { ConfigurationError, Problems } from '../errors';
import type { CacheConfig } from './config';
import { CACHE_KINDS } from './kinds';

interface Fields {
  readonly [field: string]: unknown;
}

/** One field of the configuration. */
interface Rule {
  readonly ok: (value: unknown) => boolean;
  readonly must: string;
  readonly because: string;
  readonly required?: boolean;
}

const NAMESPACE = /^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/;
const HOST_PORT = /^(\[[0-9a-f:.]+\]|[A-Za-z0-9._-]+):\d{1,5}$/i;
const LOOPBACK = /^(localhost|127(\.\d+){3}|\[?::1\]?)$/;

const between = (least: number, most: number, because: string): Rule => ({
  ok: (value) => typeof value === 'number' && value >= least && value <= most,
  must: `be a number from ${least} to ${most}`,
  because,
});
const whole = (least: number, most: number, because: string): Rule => ({
  ok: (value) => Number.isInteger(value) && (value as number) >= least && (value as number) <= most,
  must: `be a whole number from ${least} to ${most}`,
  because,
});
const text = (because: string): Rule => ({
  ok: (value) => typeof value === 'string' && value !== '',
  must: 'be a text',
  because,
});
const flag = (because: string): Rule => ({
  ok: (value) => typeof value === 'boolean',
  must: 'be true or false',
  because,
});
const path: Rule = {
  ok: (value) => typeof value === 'string' && value.startsWith('/'),
  must: 'be an absolute path',
  because: 'secrets and certificates are files, never values',
};
const required = (rule: Rule): Rule => ({ ...rule, required: true });

const SHARED = {
  caFile: path,
  passwordFile: path,
  deadlineMs: between(1, 10_000, 'a request waits for it'),
  maxEntryBytes: whole(1_024, 134_217_728, 'it bounds the memory of one entry'),
};
const ROOT: { readonly [field: string]: Rule } = {
  namespace: {
    ok: (value) => typeof value === 'string' && NAMESPACE.test(value),
    must: 'be 1 to 63 lower-case letters, digits, dots and dashes',
    because: 'every key begins with it',
    required: true,
  },
  keyRingFile: path,
  maxStalenessMs: whole(200, 60_000, 'an invalidation is in force everywhere within that time'),
};
const SECTIONS: { readonly [section: string]: { readonly [field: string]: Rule } } = {
  hot: {
    maxBytes: whole(1_048_576, 17_179_869_184, 'it is memory of the process'),
    maxEntryBytes: SHARED.maxEntryBytes,
  },
  redis: {
    ...SHARED,
    url: {
      ok: (value) => typeof value === 'string' && redisUrl(value),
      must: 'be rediss://host:port without user and password (redis:// on the loopback interface only)',
      because: 'entries cross the network over TLS, and secrets are files',
      required: true,
    },
    username: text('it names a user of the ACL'),
  },
  memcached: {
    ...SHARED,
    servers: {
      ok: (value) =>
        Array.isArray(value) && value.length > 0 && value.every((server) => HOST_PORT.test(String(server))),
      must: 'be a list of host:port',
      because: 'keys are spread over them',
      required: true,
    },
    tls: flag('it says whether the servers speak TLS'),
    username: text('it names a user of the servers'),
    certificateFile: path,
    keyFile: path,
  },
  database: {
    ...SHARED,
    host: required(text('it names the server')),
    port: whole(1, 65_535, 'it is a TCP port'),
    database: required(text('it names the database')),
    user: required(text('it names the role')),
    tls: flag('it says whether the server speaks TLS'),
    maxConnections: whole(1, 64, 'a server has few connections, and every pod takes as many'),
  },
  versions: Object.fromEntries(CACHE_KINDS.map((kind) => [kind, whole(1, 999_999, 'it is part of every key')])),
  breaker: {
    failures: whole(1, 1_000, 'that many failures in a row open it'),
    openMs: whole(100, 600_000, 'the tier is left alone for so long'),
  },
  warmUp: {
    maxEntries: whole(0, 1_000_000, 'it bounds the work'),
    perSecond: between(1, 100_000, 'it bounds the load on the database'),
    maxSeconds: between(1, 3_600, 'it bounds the time'),
  },
  prefetch: {
    perSecond: between(0, 1_000, 'it bounds computations that nobody has asked for'),
    concurrency: whole(1, 64, 'it bounds computations that nobody has asked for'),
    minProbability: between(0.01, 1, 'it is a probability'),
  },
};

/**
 * Checks a configuration of the cache, as it is written or as it is read back from JSON.
 *
 * @param prefix of the properties in messages, such as `cache.`
 * @throws ConfigurationError naming everything that is wrong
 */
export function checkCacheConfig(config: unknown, prefix = ''): CacheConfig {
  const problems = new Problems();
  if (!isObject(config)) {
    throw new ConfigurationError([`'${prefix}config' must be an object because it is a CacheConfig`]);
  }
  const sections = Object.fromEntries(Object.entries(config).filter(([field]) => Object.hasOwn(SECTIONS, field)));
  const root = Object.fromEntries(Object.entries(config).filter(([field]) => !Object.hasOwn(SECTIONS, field)));
  checkFields(problems, root, ROOT, prefix);
  for (const [section, value] of Object.entries(sections)) {
    if (value === undefined) {
      continue;
    }
    if (problems.check(isObject(value), prefix + section, value, 'be an object', 'it is a section')) {
      checkFields(problems, value as Fields, SECTIONS[section] ?? {}, `${prefix}${section}.`);
    }
  }
  checkTogether(problems, config, prefix);
  problems.throwIfAny();
  return config as unknown as CacheConfig;
}

function checkFields(
  problems: Problems,
  fields: Fields,
  rules: { readonly [field: string]: Rule },
  prefix: string,
): void {
  for (const [field, { because, must, ok, required: isRequired = false }] of Object.entries(rules)) {
    const value = fields[field];
    problems.check(value === undefined ? !isRequired : ok(value), prefix + field, value, must, because);
  }
  for (const [field, value] of Object.entries(fields)) {
    const known = Object.keys(rules).join(', ');
    problems.check(Object.hasOwn(rules, field), prefix + field, value, 'not be given', `the fields here are ${known}`);
  }
}

function checkTogether(problems: Problems, config: Fields, prefix: string): void {
  const { database, keyRingFile, memcached, redis } = config;
  const shared = [redis, memcached, database].some((section) => section !== undefined);
  problems.check(
    !shared || keyRingFile !== undefined,
    `${prefix}keyRingFile`,
    keyRingFile,
    'be given with redis, memcached or database',
    'what leaves the process is encrypted',
  );
  problems.check(
    memcached === undefined || redis !== undefined || database !== undefined,
    `${prefix}memcached`,
    memcached,
    "come with 'redis' or 'database'",
    'only these keep the log of invalidations, without which an invalidated entry could come back',
  );
  if (isObject(memcached)) {
    const { certificateFile, keyFile, passwordFile, servers, tls, username } = memcached;
    problems.check(
      (passwordFile === undefined) === (username === undefined),
      `${prefix}memcached.username`,
      username,
      'come with passwordFile, and passwordFile with it',
      'the server asks for both',
    );
    problems.check(
      (certificateFile === undefined) === (keyFile === undefined) && (certificateFile === undefined || tls !== false),
      `${prefix}memcached.certificateFile`,
      certificateFile,
      'come with keyFile, and keyFile with it, and neither where tls is off',
      'a certificate is shown in TLS, with its key',
    );
    problems.check(
      tls !== false || (Array.isArray(servers) && servers.every((server) => isLoopback(String(server)))),
      `${prefix}memcached.tls`,
      tls,
      'not be off but on the loopback interface',
      'entries cross the network over TLS',
    );
  }
  if (isObject(database)) {
    problems.check(
      database.tls !== false || LOOPBACK.test(String(database.host)),
      `${prefix}database.tls`,
      database.tls,
      'not be off but on the loopback interface',
      'entries cross the network over TLS',
    );
  }
}

/** Without Node's `URL`: a plan runs wherever TypeScript does. */
function redisUrl(url: string): boolean {
  const [, scheme, host = ''] = /^(rediss?):\/\/([^/?#@]+)\/?$/.exec(url) ?? [];
  return scheme === 'rediss' || (scheme === 'redis' && isLoopback(host));
}

function isLoopback(hostPort: string): boolean {
  return LOOPBACK.test(hostPort.replace(/:\d+$/, ''));
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
