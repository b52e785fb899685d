/** Caches that the API server would accept and that could never do what they say. */
import { App, Chart, Duration, Size, Testing } from 'cdk8s';
import { MedicalInferenceService, NodePool, TieredCache, type TieredCacheProps } from '../constructs';
import { synthObjects } from '../constructs/testing';
import { CPU_SERVICE } from './support/app';
import { IN_CLUSTER, cacheChart, cachedService, secret } from './support/tiered-cache';

describe('dead configurations', () => {
  const password = secret('redis');
  const database = IN_CLUSTER.database as NonNullable<TieredCacheProps['database']>;

  it.each<[string, Partial<TieredCacheProps>, string]>([
    ['no key ring', { keyRing: undefined }, "'keyRing.secret' (undefined) must be the name of a Secret"],
    [
      'a secret without a name',
      { redis: { password: { secret: '', key: 'k' } } },
      "'redis.password.secret' () must be the name of a Secret because it is mounted from there, and no value is ever written into a manifest",
    ],
    [
      'servers in the clear',
      { tls: undefined },
      "'tls' (undefined) must name a secret or an issuer because servers in the cluster speak TLS alone",
    ],
    [
      'a certificate for nobody',
      { redis: { endpoint: 'redis.example' }, memcached: undefined },
      'must not be given without a server in the cluster',
    ],
    [
      'a batch cache',
      { priority: 'batch' as 'normal' },
      "'priority' (batch) must be emergency or normal because batch nodes vanish within two minutes, and all that they cached would have to be computed again",
    ],
    ['an unknown priority', { priority: 'urgent' as 'normal' }, 'because a priority is never guessed'],
    [
      'more entries than memory',
      { redis: { password, memory: Size.gibibytes(4), maxMemory: Size.gibibytes(4) } },
      "'redis.maxMemory' (4096 MiB) must be over 0 and at most 3686 MiB (nine tenths of 'redis.memory') because the kernel would end the server before it evicts anything",
    ],
    [
      'a policy that evicts the log of invalidations',
      { redis: { password, evictionPolicy: 'allkeys-lru' as 'volatile-lru' } },
      "'redis.evictionPolicy' (allkeys-lru) must be one of volatile-lfu, volatile-lru, volatile-ttl, volatile-random because the log of invalidations has no expiry",
    ],
    [
      'a volume too small for a rewrite',
      { redis: { password, persistence: { size: Size.gibibytes(3) } } },
      "'redis.persistence.size' (3072 MiB) must be at least twice 'redis.maxMemory' (2048 MiB)",
    ],
    [
      'items over half of the memory',
      { memcached: { memory: Size.mebibytes(128), maxEntry: Size.mebibytes(64) } },
      "'memcached.maxEntry' (64 MiB) must be under half of 'memcached.maxMemory' (96 MiB)",
    ],
    ['entries without bound', { database: { ...database, maxEntry: Size.gibibytes(1) } }, 'be from 1 to 128 MiB'],
    [
      'Memcached without a log of invalidations',
      { redis: undefined, database: undefined },
      "'memcached' ({}) must have 'redis' or 'database' beside it",
    ],
    [
      'no tier at all',
      { redis: undefined, memcached: undefined, database: undefined, tls: undefined },
      "'redis' (undefined) must be given, or 'database'",
    ],
    [
      'an endpoint with a scheme',
      { redis: { endpoint: 'rediss://redis.example:6379' } },
      "'redis.endpoint' (rediss://redis.example:6379) must be a host, or a host and a port from 1 to 65535, without a scheme",
    ],
    [
      'a user without a password',
      { memcached: { endpoints: ['memcached.example'], username: 'results' } },
      "'memcached.username' (results) must go with 'memcached.password'",
    ],
    [
      'an authority without a name',
      { memcached: { clients: { authority: { secret: '', key: 'ca.crt' } } } },
      "'memcached.clients.authority.secret' () must be the name of a Secret",
    ],
    [
      'a certificate without a name',
      { memcached: { clients: { secret: 'Not A Name' } } },
      "'memcached.clients.secret' (Not A Name) must be the name of a Secret",
    ],
    ['no server', { memcached: { servers: 0 } }, "'memcached.servers' (0) must be a whole number from 1 to 32"],
    [
      'a warm-up from nowhere',
      { database: undefined, warmUp: {} },
      "'warmUp' ({}) must be 'off' without 'database' and a tier above it",
    ],
    ['a schedule that is none', { warmUp: { schedule: 'hourly' } }, "'warmUp.schedule' (hourly) must have five cron"],
    ['a time zone that is none', { warmUp: { timeZone: 'Berlin' } }, "'warmUp.timeZone' (Berlin) must be an IANA"],
    [
      'an owner who is no other',
      { database: { ...database, owner: { user: 'results', password } } },
      "'database.owner.user' (results) must be the name of a role other than 'database.user'",
    ],
    ['a version of 0', { versions: { diagnosis: 0 } }, "'versions.diagnosis' (0) must be a whole number from 1"],
    ['too small a hot tier', { hot: { memory: Size.mebibytes(0) } }, "'hot.memory' (0) must be a whole number from"],
    ['a deadline of a minute', { redis: { password, deadline: Duration.minutes(1) } }, "'redis.deadline' (60 s) must"],
    [
      'an address that is none',
      { consumers: [{ cidr: '10.0.0.0' }] },
      "'consumers.cidr' (10.0.0.0) must be an address",
    ],
    ['a keyspace that is none', { keyspace: 'Results!' }, "'keyspace' (Results!) must"],
    ['a name too long for its pods', { name: 'x'.repeat(41) }, 'be a DNS label of at most 40 characters'],
  ])('refuses %s', (_, props, message) => {
    const make = (): TieredCache => new TieredCache(cacheChart(), 'results', { ...IN_CLUSTER, ...props });
    expect(make).toThrow(message);
    expect(make).toThrow(/^(\[test\/results\] .*(\n|$))+$/);
  });

  it('refuses two caches of one name', () => {
    const app = new App();
    const first = new Chart(app, 'first', { namespace: 'caches' });
    const second = new Chart(app, 'second', { namespace: 'caches' });
    new TieredCache(first, 'results', IN_CLUSTER);
    new TieredCache(second, 'results', IN_CLUSTER);
    expect(() => synthObjects(app)).toThrow(
      "[second/results] 'name' (caches/results) must be unique in its namespace because first/results makes objects of that name",
    );
  });

  it('refuses a service of the name of a cache', () => {
    const chart = cacheChart();
    new TieredCache(chart, 'results', IN_CLUSTER);
    new MedicalInferenceService(chart, 'service', { ...CPU_SERVICE, name: 'results' });
    expect(() => Testing.synth(chart) as unknown).toThrow(
      "[test/results] 'name' (caches/results) must be unique in its namespace because test/service makes objects of that name",
    );
  });

  it('refuses a cache that fits no node pool of its app', () => {
    const chart = cacheChart();
    const cluster = { name: 'prod' };
    new NodePool(chart, 'compute', { cluster, type: 'compute-optimized', maxCpu: 64 });
    new TieredCache(chart, 'results', IN_CLUSTER);
    expect(() => Testing.synth(chart) as unknown).toThrow(
      `[test/results] 'redis' ({"node-type":"memory-optimized"}) must fit a node pool of the app because its pods would wait for ever (compute: has no nodes with node-type=memory-optimized); set checkNodePools to false where the pool is defined elsewhere`,
    );
    new NodePool(chart, 'memory', { cluster, type: 'memory-optimized', maxCpu: 64 });
    expect(() => Testing.synth(chart) as unknown).not.toThrow();
  });

  it('refuses a cache without a gateway to use it, or a route', () => {
    const chart = cacheChart();
    const cache = new TieredCache(chart, 'results', IN_CLUSTER);
    expect(() => new MedicalInferenceService(chart, 'off', { ...cachedService(cache), gateway: 'off' })).toThrow(
      "'cache' (results) must not be given with 'gateway' off because it is the gateway that answers from it",
    );
    expect(() => new MedicalInferenceService(chart, 'none', { ...cachedService(cache), gateway: {} })).toThrow(
      "'cache' (caches.results) must not be given unless a route has a 'cache'",
    );
  });
});
