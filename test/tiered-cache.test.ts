import { App, Chart, Duration, JsonPatch, Size, Testing } from 'cdk8s';
import {
  MedicalInferenceService,
  NodePool,
  TieredCache,
  type CacheConfig,
  type GatewayConfig,
  type TieredCacheProps,
} from '../constructs';
import type { Certificate } from '../constructs/imports/certificate';
import type { ConfigMap } from '../constructs/imports/config-map';
import type { CronJob } from '../constructs/imports/cron-job';
import type { Deployment } from '../constructs/imports/deployment';
import type { Job } from '../constructs/imports/job';
import type { Container, PodSpec } from '../constructs/imports/k8s';
import type { NetworkPolicy } from '../constructs/imports/network-policy';
import type { PodDisruptionBudget } from '../constructs/imports/pod-disruption-budget';
import type { PodMonitor } from '../constructs/imports/pod-monitor';
import type { PrometheusRule } from '../constructs/imports/prometheus-rule';
import type { Service } from '../constructs/imports/service';
import type { StatefulSet } from '../constructs/imports/stateful-set';
import { findObject, synthObjects, type KubeObject } from '../constructs/testing';
import { CPU_SERVICE } from './support/app';
import { schemaErrors } from './support/schema';

const secret = (name: string): { secret: string; key: string } => ({ secret: `results-${name}`, key: name });

/** Servers in the cluster, and a database elsewhere. */
const IN_CLUSTER: TieredCacheProps = {
  keyRing: secret('keyring'),
  redis: { password: secret('redis') },
  memcached: {},
  database: { host: 'db.hospital.example', database: 'cache', user: 'results', password: secret('database') },
  tls: { issuer: { name: 'hospital' } },
};

/** Nothing in the cluster. */
const ELSEWHERE: TieredCacheProps = {
  keyRing: secret('keyring'),
  redis: { endpoint: 'redis.hospital.example', password: secret('redis') },
  memcached: { endpoints: ['memcached.hospital.example:11311'], cidr: '10.3.0.0/16' },
  database: {
    ...(IN_CLUSTER.database as NonNullable<TieredCacheProps['database']>),
    authority: { configMap: 'rds', key: 'ca.pem' },
  },
};

function testChart(): Chart {
  return new Chart(new App(), 'test', { namespace: 'caches' });
}

function render(props: Partial<TieredCacheProps> = {}, base = IN_CLUSTER): KubeObject[] {
  const chart = testChart();
  new TieredCache(chart, 'results', { ...base, ...props });
  return Testing.synth(chart) as KubeObject[];
}

function rendered<T>(kind: string, name: string, props?: Partial<TieredCacheProps>, base?: TieredCacheProps): T {
  return findObject(render(props, base), kind, name) as unknown as T;
}

function podOf(server: 'redis' | 'memcached', props?: Partial<TieredCacheProps>): PodSpec {
  return rendered<StatefulSet>('StatefulSet', `results-${server}`, props).spec?.template.spec as PodSpec;
}

function configOf(props?: Partial<TieredCacheProps>, base = IN_CLUSTER): CacheConfig {
  return new TieredCache(testChart(), 'results', { ...base, ...props }).plan.config;
}

describe('objects', () => {
  it('are these, all named after the cache', () => {
    expect(
      render()
        .map(({ kind, metadata }) => `${kind} ${metadata.name.replace(/[0-9a-f]{10}$/, '#')}`)
        .sort(),
    ).toEqual([
      'Certificate results',
      'ConfigMap mediform-cache-#',
      'ConfigMap results-maintenance',
      'ConfigMap results-redis-#',
      'CronJob results-warm-up',
      'Job results-migrate-#',
      'NetworkPolicy results-maintenance',
      'NetworkPolicy results-memcached',
      'NetworkPolicy results-redis',
      'PodDisruptionBudget results-memcached',
      'PodDisruptionBudget results-redis',
      'PodMonitor results',
      'PrometheusRule results',
      'Service results-memcached',
      'Service results-redis',
      'Service results-redis-pods',
      'ServiceAccount results',
      'StatefulSet results-memcached',
      'StatefulSet results-redis',
    ]);
  });

  it('are few where everything is elsewhere', () => {
    expect(
      render({}, ELSEWHERE)
        .map(({ kind }) => kind)
        .sort(),
    ).toEqual(['ConfigMap', 'ConfigMap', 'CronJob', 'Job', 'NetworkPolicy', 'ServiceAccount']);
  });

  it.each<[string, Partial<TieredCacheProps>, TieredCacheProps]>([
    ['servers in the cluster', {}, IN_CLUSTER],
    ['servers elsewhere', {}, ELSEWHERE],
    ['Redis alone', { memcached: undefined, database: undefined }, IN_CLUSTER],
    ['a database alone', { redis: undefined, memcached: undefined }, ELSEWHERE],
    [
      'a volume',
      { redis: { password: secret('redis'), persistence: { size: Size.gibibytes(8), storageClass: 'gp3' } } },
      IN_CLUSTER,
    ],
    ['a password for Memcached', { memcached: { password: secret('memcached') } }, IN_CLUSTER],
    ['a certificate of the user', { tls: { secret: 'own-tls' } }, IN_CLUSTER],
  ])('pass the strict schemas: %s', (_, props, base) => {
    expect(render(props, base).flatMap(schemaErrors)).toEqual([]);
  });

  it('can each be patched', () => {
    const chart = testChart();
    const { redis, memcached, ...cache } = new TieredCache(chart, 'results', IN_CLUSTER);
    const children = [
      ...Object.values(redis ?? {}),
      ...Object.values(memcached ?? {}),
      cache.serviceAccount,
      cache.certificate,
      cache.maintenance?.config,
      cache.maintenance?.networkPolicy,
      cache.maintenance?.migration,
      cache.maintenance?.warmUp,
      cache.podMonitor,
      cache.prometheusRule,
    ];
    children.forEach((child) => child?.addJsonPatch(JsonPatch.add('/metadata/annotations', { patched: 'yes' })));
    const unpatched = (Testing.synth(chart) as { metadata: { name: string; annotations?: object } }[]).filter(
      ({ metadata }) => metadata.annotations === undefined,
    );
    expect(unpatched.map(({ metadata }) => metadata.name)).toEqual([expect.stringMatching(/^mediform-cache-/)]);
  });
});

describe('servers', () => {
  it.each(['redis', 'memcached'] as const)('of %s meet the Pod Security standard "restricted"', (server) => {
    const pod = podOf(server);
    expect(pod).toMatchObject({
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    });
    expect(pod.hostNetwork ?? pod.hostPID ?? pod.hostIPC).toBeUndefined();
    for (const container of pod.containers) {
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        runAsNonRoot: true,
        capabilities: { drop: ['ALL'] },
      });
      expect(container.resources?.limits?.memory).toBeDefined();
      expect(container.livenessProbe).toBeDefined();
      expect(container.image).toMatch(/:v?\d+\.\d+\.\d+/);
    }
  });

  it.each(['redis', 'memcached'] as const)('of %s run on memory-optimised nodes, apart from each other', (server) => {
    const pod = podOf(server, { priority: 'emergency' });
    expect(pod.nodeSelector).toEqual({ 'node-type': 'memory-optimized' });
    expect(pod.priorityClassName).toBe('emergency-priority');
    expect(pod.topologySpreadConstraints?.map(({ topologyKey }) => topologyKey)).toEqual([
      'topology.kubernetes.io/zone',
      'kubernetes.io/hostname',
    ]);
  });

  it('use three quarters of their memory for entries, and half where Redis rewrites a file', () => {
    const conf = (props: Partial<TieredCacheProps>): string | undefined =>
      (render(props) as unknown as ConfigMap[]).find(({ data }) => data?.['valkey.conf'] !== undefined)?.data?.[
        'valkey.conf'
      ];
    const password = secret('redis');
    const memory = Size.gibibytes(8);
    expect(conf({ redis: { password, memory } })).toContain('\nmaxmemory 6144mb\n');
    const persistence = { size: Size.gibibytes(8) };
    expect(conf({ redis: { password, memory, persistence } })).toContain('\nmaxmemory 4096mb\n');
    expect(conf({ redis: { password, memory, maxMemory: Size.gibibytes(7) } })).toContain('\nmaxmemory 7168mb\n');
    expect(podOf('memcached', { memcached: { memory } }).containers[0]?.command).toContain('--memory-limit=6144');
  });

  it('evict entries, and never the log of invalidations', () => {
    const conf = JSON.stringify(render());
    expect(conf).toContain('maxmemory-policy volatile-lfu');
    expect(JSON.stringify(render({ redis: { password: secret('redis'), evictionPolicy: 'volatile-ttl' } }))).toContain(
      'maxmemory-policy volatile-ttl',
    );
  });

  it('restart when their configuration changes', () => {
    const template = (props: Partial<TieredCacheProps>): string => JSON.stringify(podOf('redis', props).volumes);
    const password = secret('redis');
    expect(template({ redis: { password, memory: Size.gibibytes(8) } })).not.toBe(template({ redis: { password } }));
    expect(template({ redis: { password, cpu: 2 } })).toBe(template({ redis: { password } }));
  });

  it('speak TLS alone, and no password is on a command line', () => {
    const objects = JSON.stringify(render({ memcached: { password: secret('memcached') } }));
    expect(objects).toContain('port 0\\ntls-port 6379');
    expect(objects).toContain('--enable-ssl');
    const commands = [...podOf('redis').containers, ...podOf('memcached').containers].flatMap((container) => [
      ...(container.command ?? []),
      ...(container.args ?? []),
    ]);
    expect(commands.join(' ')).not.toMatch(/requirepass|\$\([A-Z_]+\)/);
  });

  it('keep what they write in memory, or on a volume that goes with them', () => {
    const { volumeClaimTemplates, persistentVolumeClaimRetentionPolicy } =
      rendered<StatefulSet>('StatefulSet', 'results-redis', {
        redis: { password: secret('redis'), persistence: { size: Size.gibibytes(20), storageClass: 'gp3' } },
      }).spec ?? {};
    expect(volumeClaimTemplates).toMatchObject([
      { metadata: { name: 'data' }, spec: { storageClassName: 'gp3', resources: { requests: { storage: '20Gi' } } } },
    ]);
    expect(persistentVolumeClaimRetentionPolicy).toEqual({ whenDeleted: 'Delete', whenScaled: 'Delete' });
    expect(podOf('redis').volumes).toContainEqual({ name: 'data', emptyDir: { sizeLimit: '1Mi' } });
  });

  it('of Memcached are found one by one, and Redis at one address', () => {
    expect(rendered<StatefulSet>('StatefulSet', 'results-memcached').spec).toMatchObject({
      replicas: 2,
      serviceName: 'results-memcached',
    });
    expect(rendered<Service>('Service', 'results-memcached').spec?.clusterIP).toBe('None');
    expect(rendered<Service>('Service', 'results-redis').spec).toMatchObject({ type: 'ClusterIP' });
    expect(configOf().memcached?.servers).toEqual([
      'results-memcached-0.results-memcached.caches.svc:11211',
      'results-memcached-1.results-memcached.caches.svc:11211',
    ]);
    expect(configOf().redis?.url).toBe('rediss://results-redis.caches.svc:6379');
  });

  it('have a certificate with just the names that they are reached by', () => {
    expect(rendered<Certificate>('Certificate', 'results').spec).toMatchObject({
      secretName: 'results-tls',
      dnsNames: ['results-redis.caches.svc', '*.results-memcached.caches.svc'],
      issuerRef: { name: 'hospital', kind: 'ClusterIssuer' },
    });
  });

  it('let any node be drained', () => {
    for (const name of ['results-redis', 'results-memcached']) {
      expect(rendered<PodDisruptionBudget>('PodDisruptionBudget', name).spec).toMatchObject({ maxUnavailable: 1 });
    }
  });

  it('have exporters, but where the exporter could not log in', () => {
    expect(podOf('redis').containers.map(({ name }) => name)).toEqual(['valkey', 'exporter']);
    expect(podOf('memcached').containers.map(({ name }) => name)).toEqual(['memcached', 'exporter']);
    const withPassword = podOf('memcached', { memcached: { password: secret('memcached') } });
    expect(withPassword.containers.map(({ name }) => name)).toEqual(['memcached']);
    expect(rendered<PodMonitor>('PodMonitor', 'results').spec).toMatchObject({
      selector: { matchLabels: { 'mediform.io/cache': 'results' } },
      podMetricsEndpoints: [{ port: 'metrics' }],
    });
  });

  it('are watched', () => {
    const rules = rendered<PrometheusRule>('PrometheusRule', 'results').spec.groups?.[0]?.rules;
    expect(rules?.map(({ alert, labels }) => [alert, labels?.tier])).toEqual([
      ['CacheServerDown', 'redis'],
      ['CacheTooSmall', 'redis'],
      ['CacheServerDown', 'memcached'],
      ['CacheTooSmall', 'memcached'],
    ]);
  });
});

describe('who may reach the servers', () => {
  const ingress = (objects: KubeObject[], server = 'redis'): NonNullable<NetworkPolicy['spec']>['ingress'] =>
    (findObject(objects, 'NetworkPolicy', `results-${server}`) as unknown as NetworkPolicy).spec?.ingress;

  it('is nobody but Prometheus and the Jobs', () => {
    const [users, prometheus] = ingress(render()) ?? [];
    expect(users).toEqual({
      from: [{ podSelector: { matchLabels: { 'app.kubernetes.io/name': 'results-maintenance' } } }],
      ports: [{ protocol: 'TCP', port: 6379 }],
    });
    expect(prometheus?.ports).toEqual([{ protocol: 'TCP', port: 9121 }]);
    // a rule without peers would let everybody in
    expect(ingress(render({ warmUp: 'off' }))).toEqual([prometheus]);
    const policy = rendered<NetworkPolicy>('NetworkPolicy', 'results-memcached');
    expect(policy.spec).toMatchObject({ policyTypes: ['Ingress', 'Egress'], egress: [] });
  });

  it('is who is named, and each service that uses the cache, whatever namespace it is in', () => {
    const app = new App();
    const caches = new Chart(app, 'caches', { namespace: 'caches' });
    const results = new TieredCache(caches, 'results', {
      ...IN_CLUSTER,
      warmUp: 'off',
      consumers: [{ namespace: 'research', podLabels: { app: 'study' } }],
    });
    const imaging = new Chart(app, 'imaging', { namespace: 'imaging' });
    new MedicalInferenceService(imaging, 'ct', service(results));
    const namespace = (name: string): object => ({ matchLabels: { 'kubernetes.io/metadata.name': name } });
    expect(ingress(synthObjects(app), 'memcached')?.[0]?.from).toEqual([
      { namespaceSelector: namespace('research'), podSelector: { matchLabels: { app: 'study' } } },
      { namespaceSelector: namespace('imaging'), podSelector: { matchLabels: { 'app.kubernetes.io/name': 'ct' } } },
    ]);
  });
});

const service = (cache: TieredCache): ConstructorParameters<typeof MedicalInferenceService>[2] => ({
  ...CPU_SERVICE,
  model: { ...CPU_SERVICE.model, preprocessingVersion: '1' },
  cache,
  gateway: { routes: [{ path: '/v1/search', cache: { kind: 'knowledge' } }] },
});

describe('services that use a cache', () => {
  const chart = (base: TieredCacheProps): { objects: KubeObject[]; cache: TieredCache } => {
    const own = testChart();
    const cache = new TieredCache(own, 'results', base);
    new MedicalInferenceService(own, 'search', service(cache));
    return { objects: Testing.synth(own) as KubeObject[], cache };
  };
  const gatewayFiles = (objects: KubeObject[]): string[] => {
    const deployment = findObject(objects, 'Deployment', 'search') as unknown as Deployment;
    const volume = deployment.spec?.template.spec?.volumes?.find(({ name }) => name === 'gateway');
    return (volume?.projected?.sources ?? []).flatMap(({ secret: of, configMap }) =>
      (of?.items ?? configMap?.items ?? []).map(({ key, path }) => `${of?.name ?? configMap?.name} ${key} ${path}`),
    );
  };

  it('are told of it, and find every file that they are told of', () => {
    for (const base of [IN_CLUSTER, ELSEWHERE]) {
      const { objects, cache } = chart(base);
      const file = (objects as unknown as ConfigMap[]).find(({ metadata }) => /^search-gateway-/.test(metadata.name));
      const config = JSON.parse(file?.data?.['config.json'] ?? '') as GatewayConfig;
      expect(config.cache).toEqual(cache.plan.config);
      const named = [...JSON.stringify(config).matchAll(/"(\/etc\/mediform\/[^"]+)"/g)].map(([, path]) => path);
      const mounted = gatewayFiles(objects).map((line) => `/etc/mediform/${line.split(' ')[2]}`);
      expect([...named, '/etc/mediform/config.json'].sort()).toEqual(mounted.sort());
    }
  });

  it('get the secrets by the names that were given', () => {
    expect(gatewayFiles(chart(IN_CLUSTER).objects).slice(1)).toEqual([
      'results-keyring keyring keys/keyring.json',
      'results-redis redis cache/redis/password',
      'results-tls ca.crt cache/redis/ca.crt',
      'results-tls ca.crt cache/memcached/ca.crt',
      'results-database database cache/database/password',
    ]);
  });

  it('may reach its tiers', () => {
    const policy = (base: TieredCacheProps): unknown[] | undefined =>
      (findObject(chart(base).objects, 'NetworkPolicy', 'search') as unknown as NetworkPolicy).spec?.egress
        ?.slice(1)
        .map(({ to, ports }) => [to?.[0]?.ipBlock?.cidr ?? to?.[0]?.podSelector?.matchLabels, ports?.[0]?.port]);
    expect(policy(IN_CLUSTER)).toEqual([
      [{ 'app.kubernetes.io/name': 'results-redis' }, 6379],
      [{ 'app.kubernetes.io/name': 'results-memcached' }, 11211],
      ['0.0.0.0/0', 5432],
    ]);
    expect(policy(ELSEWHERE)).toEqual([
      ['0.0.0.0/0', 6379],
      ['10.3.0.0/16', 11311],
      ['0.0.0.0/0', 5432],
    ]);
  });

  it('are watched for what goes wrong with it', () => {
    const rule = findObject(chart(IN_CLUSTER).objects, 'PrometheusRule', 'search') as unknown as PrometheusRule;
    const alerts = rule.spec.groups?.[0]?.rules?.flatMap(({ alert }) => alert ?? []);
    expect(alerts).toEqual(expect.arrayContaining(['CacheKeyFault', 'CacheTierUnavailable', 'CacheHitRatioLow']));
  });
});

describe('the configuration of its users', () => {
  it('names endpoints elsewhere as they were given', () => {
    expect(configOf({}, ELSEWHERE)).toEqual({
      namespace: 'caches.results',
      keyRingFile: '/etc/mediform/keys/keyring.json',
      redis: { url: 'rediss://redis.hospital.example:6379', passwordFile: '/etc/mediform/cache/redis/password' },
      memcached: { servers: ['memcached.hospital.example:11311'] },
      database: {
        host: 'db.hospital.example',
        port: 5432,
        database: 'cache',
        user: 'results',
        passwordFile: '/etc/mediform/cache/database/password',
        caFile: '/etc/mediform/cache/database/ca.crt',
      },
    });
  });

  it('has bounds in the units of the programs', () => {
    const config = configOf({
      keyspace: 'production.results',
      hot: { memory: Size.mebibytes(128) },
      redis: { password: secret('redis'), maxEntry: Size.mebibytes(2), deadline: Duration.millis(50) },
      versions: { diagnosis: 3 },
      maxStaleness: Duration.seconds(5),
      warmUp: { maxEntries: 500 },
    });
    expect(config).toMatchObject({
      namespace: 'production.results',
      hot: { maxBytes: 134_217_728 },
      redis: { maxEntryBytes: 2_097_152, deadlineMs: 50 },
      versions: { diagnosis: 3 },
      maxStalenessMs: 5000,
      warmUp: { maxEntries: 500 },
    });
  });

  it('lets Memcached take the largest item', () => {
    const size = (props: Partial<TieredCacheProps>): string | undefined =>
      podOf('memcached', props).containers[0]?.command?.find((arg) => arg.startsWith('--max-item-size'));
    expect(size({})).toBe('--max-item-size=1024k');
    expect(size({ memcached: { maxEntry: Size.mebibytes(4) } })).toBe('--max-item-size=4160k');
  });
});

describe('Jobs', () => {
  const job = (props?: Partial<TieredCacheProps>): Job =>
    render(props).find(({ kind }) => kind === 'Job') as unknown as Job;
  const container = (pod: PodSpec | undefined): Container => pod?.containers[0] as Container;
  const maintenance = (props?: Partial<TieredCacheProps>): { [file: string]: string } =>
    rendered<ConfigMap>('ConfigMap', 'results-maintenance', props).data ?? {};

  it('make the tables, as their owner where there is one', () => {
    expect(container(job().spec?.template.spec).command).toEqual(['node', '/opt/mediform/start.js', 'migrate']);
    const owner = { user: 'owner', password: secret('owner') };
    const props = { database: { ...(IN_CLUSTER.database as NonNullable<TieredCacheProps['database']>), owner } };
    expect(JSON.parse(maintenance(props)['migrate.json'] ?? '')).toMatchObject({
      database: { user: 'owner', passwordFile: '/etc/mediform/cache/owner/password' },
      grantTo: 'results',
    });
    expect(JSON.stringify(job(props).spec?.template.spec?.volumes)).toContain('results-owner');
    // the pods of services never see it
    expect(JSON.stringify(configOf(props))).not.toContain('owner');
  });

  it('are new ones when there is something new to do', () => {
    const name = (props?: Partial<TieredCacheProps>): string => job(props).metadata.name;
    expect(name()).toBe(name({ priority: 'emergency' }));
    expect(name({ runtimeImage: 'registry.hospital.example/node:24' })).not.toBe(name());
  });

  it('fill the tiers above the database once an hour, with the configuration of all users', () => {
    const cron = rendered<CronJob>('CronJob', 'results-warm-up').spec;
    expect(cron).toMatchObject({ schedule: '17 * * * *', timeZone: 'Etc/UTC', concurrencyPolicy: 'Forbid' });
    const pod = cron?.jobTemplate.spec?.template.spec;
    expect(container(pod).command).toEqual(['node', '/opt/mediform/start.js', 'warm-up']);
    expect(JSON.parse(maintenance()['warm-up.json'] ?? '')).toEqual(configOf());
    const kinds = render({ warmUp: 'off' }).map(({ kind }) => kind);
    expect(kinds).not.toContain('CronJob');
  });

  it('meet the Pod Security standard "restricted"', () => {
    const pod = job().spec?.template.spec;
    expect(pod).toMatchObject({ automountServiceAccountToken: false, securityContext: { runAsNonRoot: true } });
    expect(container(pod).securityContext).toMatchObject({ readOnlyRootFilesystem: true });
  });
});

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
    const make = (): TieredCache => new TieredCache(testChart(), 'results', { ...IN_CLUSTER, ...props });
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
    const chart = testChart();
    new TieredCache(chart, 'results', IN_CLUSTER);
    new MedicalInferenceService(chart, 'service', { ...CPU_SERVICE, name: 'results' });
    expect(() => Testing.synth(chart)).toThrow(
      "[test/results] 'name' (caches/results) must be unique in its namespace because test/service makes objects of that name",
    );
  });

  it('refuses a cache that fits no node pool of its app', () => {
    const chart = testChart();
    const cluster = { name: 'prod' };
    new NodePool(chart, 'compute', { cluster, type: 'compute-optimized', maxCpu: 64 });
    new TieredCache(chart, 'results', IN_CLUSTER);
    expect(() => Testing.synth(chart)).toThrow(
      `[test/results] 'redis' ({"node-type":"memory-optimized"}) must fit a node pool of the app because its pods would wait for ever (compute: has no nodes with node-type=memory-optimized); set checkNodePools to false where the pool is defined elsewhere`,
    );
    new NodePool(chart, 'memory', { cluster, type: 'memory-optimized', maxCpu: 64 });
    expect(() => Testing.synth(chart)).not.toThrow();
  });

  it('refuses a cache without a gateway to use it, or a route', () => {
    const chart = testChart();
    const cache = new TieredCache(chart, 'results', IN_CLUSTER);
    expect(() => new MedicalInferenceService(chart, 'off', { ...service(cache), gateway: 'off' })).toThrow(
      "'cache' (results) must not be given with 'gateway' off because it is the gateway that answers from it",
    );
    expect(() => new MedicalInferenceService(chart, 'none', { ...service(cache), gateway: {} })).toThrow(
      "'cache' (caches.results) must not be given unless a route has a 'cache'",
    );
  });
});
