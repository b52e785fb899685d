import { checkCacheConfig } from '../cache/checks';
import type { CacheConfig } from '../cache/config';
import { ConfigurationError, type Problems } from '../errors';
import { checkReference } from '../mounts';
import { checkCidr } from '../network';
import { checkName, isDnsLabel } from '../names';
import { PRIORITY_CLASSES, unknownPriority } from '../priorities';
import { isTimeZone } from '../weekly-window';
import type { TieredCacheProps } from './props';
import { memcachedServer, redisServer } from './servers';
import { checkDatabase, checkMemcached, checkRedis, checkTier } from './tier-checks';

/** So that the names of all objects made from it are labels too: revisions of `NAME-memcached` add 11 characters. */
const MAX_NAME_LENGTH = 40;
const KEYSPACE = /^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/;
const CRON = /^(\S+ ){4}\S+$/;

/** Checks the properties of a cache. */
export function checkCache(
  problems: Problems,
  name: string,
  namespace: string | undefined,
  props: TieredCacheProps,
): void {
  checkName(problems, name, namespace, {
    maxLength: MAX_NAME_LENGTH,
    name: 'its servers are named after it',
    namespace: 'users of the cache in other namespaces name it in their addresses',
  });
  checkKeys(problems, props);
  checkPriority(problems, props);
  checkTiers(problems, props);
  checkTls(problems, props);
  checkRedis(problems, props);
  checkMemcached(problems, props);
  if (props.database !== undefined) {
    checkDatabase(problems, props.database);
  }
  checkWarmUp(problems, props);
  for (const { cidr } of props.consumers ?? []) {
    if (cidr !== undefined) {
      checkCidr(problems, 'consumers.cidr', cidr);
    }
  }
}

function checkKeys(problems: Problems, { keyRing, keyspace }: TieredCacheProps): void {
  checkReference(problems, 'keyRing', keyRing);
  problems.check(
    keyspace === undefined || KEYSPACE.test(keyspace),
    'keyspace',
    keyspace,
    'be at most 63 lower-case letters, digits, dots and hyphens',
    'every key begins with it',
  );
}

function checkPriority(problems: Problems, { priority }: TieredCacheProps): void {
  if (priority === undefined) {
    return;
  }
  if (!Object.hasOwn(PRIORITY_CLASSES, priority)) {
    problems.add([unknownPriority('priority', priority)]);
  }
  problems.check(
    (priority as string) !== 'batch',
    'priority',
    priority,
    'be emergency or normal',
    'batch nodes vanish within two minutes, and all that they cached would have to be computed again',
  );
}

function checkTiers(problems: Problems, { redis, memcached, database }: TieredCacheProps): void {
  const some = problems.check(
    redis !== undefined || memcached !== undefined || database !== undefined,
    'redis',
    redis,
    "be given, or 'database'",
    'without a shared tier there is nothing to make; a gateway keeps its hot tier by itself',
  );
  problems.check(
    !some || redis !== undefined || database !== undefined,
    'memcached',
    memcached,
    "have 'redis' or 'database' beside it",
    'one of these holds the log of invalidations, without which nothing is answered from the cache',
  );
  for (const [tier, props] of Object.entries({ redis, memcached, database })) {
    if (props !== undefined) {
      checkTier(problems, tier, props);
    }
  }
}

function checkTls(problems: Problems, props: TieredCacheProps): void {
  const { tls } = props;
  const servers = redisServer(props) !== undefined || memcachedServer(props) !== undefined;
  if (tls === undefined) {
    problems.check(
      !servers,
      'tls',
      tls,
      'name a secret or an issuer',
      'servers in the cluster speak TLS alone: results of patients would cross the network in the clear',
    );
    return;
  }
  problems.check(
    servers,
    'tls',
    tls,
    'not be given without a server in the cluster',
    'it is their certificate; endpoints elsewhere have an authority of their own',
  );
  if ('secret' in tls) {
    checkReference(problems, 'tls', { secret: tls.secret, key: 'tls.crt' });
  } else {
    const { issuer } = tls;
    problems.check(isDnsLabel(issuer?.name ?? ''), 'tls.issuer.name', issuer?.name, 'name an issuer', 'it signs');
  }
  if (tls.authority !== undefined) {
    checkReference(problems, 'tls.authority', tls.authority);
  }
}

function checkWarmUp(problems: Problems, { warmUp, redis, memcached, database }: TieredCacheProps): void {
  if (warmUp === undefined || warmUp === 'off') {
    return;
  }
  problems.check(
    database !== undefined && (redis !== undefined || memcached !== undefined),
    'warmUp',
    warmUp,
    "be 'off' without 'database' and a tier above it",
    'it copies entries from the one to the other',
  );
  problems.check(
    warmUp.schedule === undefined || CRON.test(warmUp.schedule),
    'warmUp.schedule',
    warmUp.schedule,
    'have five cron fields, such as 30 5 * * *',
    'a CronJob takes no other form',
  );
  problems.check(
    warmUp.timeZone === undefined || isTimeZone(warmUp.timeZone),
    'warmUp.timeZone',
    warmUp.timeZone,
    'be an IANA time zone such as Europe/Berlin',
    'the schedule is in it',
  );
}

/** What properties are called in the configuration that the programs read. */
const ORIGINS: { readonly [property: string]: string } = {
  'hot.maxBytes': 'hot.memory',
  'hot.maxEntryBytes': 'hot.maxEntry',
  maxStalenessMs: 'maxStaleness',
};

/** Checks what the programs will be told: a pod that does not like it would not start. */
export function checkClientConfig(problems: Problems, config: CacheConfig): void {
  try {
    checkCacheConfig(config);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) {
      throw error;
    }
    problems.add(
      error.problems.map((problem) =>
        problem.replace(/^'([^']+)'/, (quoted, property: string) =>
          ORIGINS[property] === undefined ? quoted : `'${ORIGINS[property]}'`,
        ),
      ),
    );
  }
}
