import { JsonPatch, Size, Testing } from 'cdk8s';
import { TieredCache, type TieredCacheProps } from '../constructs';
import type { Certificate } from '../constructs/imports/certificate';
import type { ConfigMap } from '../constructs/imports/config-map';
import type { PodSpec } from '../constructs/imports/k8s';
import type { PodDisruptionBudget } from '../constructs/imports/pod-disruption-budget';
import type { PodMonitor } from '../constructs/imports/pod-monitor';
import type { PrometheusRule } from '../constructs/imports/prometheus-rule';
import type { Service } from '../constructs/imports/service';
import type { StatefulSet } from '../constructs/imports/stateful-set';
import { ELSEWHERE, IN_CLUSTER, cacheChart, renderCache, renderedOf, secret } from './support/tiered-cache';
import { schemaErrors } from './support/schema';

function podOf(server: 'redis' | 'memcached', props?: Partial<TieredCacheProps>): PodSpec {
  return renderedOf<StatefulSet>('StatefulSet', `results-${server}`, props).spec?.template.spec as PodSpec;
}

describe('objects', () => {
  it('are these, all named after the cache', () => {
    expect(
      renderCache()
        .map(({ kind, metadata }) => `${kind} ${metadata.name.replace(/[0-9a-f]{10}$/, '#')}`)
        .sort(),
    ).toEqual([
      'Certificate results',
      'Certificate results-memcached-client',
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
      renderCache({}, ELSEWHERE)
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
    [
      'certificates of users and a password',
      { memcached: { password: secret('memcached'), clients: { authority: { configMap: 'clients', key: 'ca.pem' } } } },
      IN_CLUSTER,
    ],
  ])('pass the strict schemas: %s', (_, props, base) => {
    expect(renderCache(props, base).flatMap(schemaErrors)).toEqual([]);
  });

  it('can each be patched', () => {
    const chart = cacheChart();
    const { redis, memcached, ...cache } = new TieredCache(chart, 'results', IN_CLUSTER);
    const children = [
      redis?.configMap,
      redis?.service,
      ...[redis, memcached].flatMap((server) => [
        server?.statefulSet,
        server?.pods,
        server?.podDisruptionBudget,
        server?.networkPolicy,
      ]),
      cache.serviceAccount,
      cache.certificate,
      cache.clientCertificate,
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
      (renderCache(props) as unknown as ConfigMap[]).find(({ data }) => data?.['valkey.conf'] !== undefined)?.data?.[
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
    const conf = JSON.stringify(renderCache());
    expect(conf).toContain('maxmemory-policy volatile-lfu');
    expect(
      JSON.stringify(renderCache({ redis: { password: secret('redis'), evictionPolicy: 'volatile-ttl' } })),
    ).toContain('maxmemory-policy volatile-ttl');
  });

  it('restart when their configuration changes', () => {
    const template = (props: Partial<TieredCacheProps>): string => JSON.stringify(podOf('redis', props).volumes);
    const password = secret('redis');
    expect(template({ redis: { password, memory: Size.gibibytes(8) } })).not.toBe(template({ redis: { password } }));
    expect(template({ redis: { password, cpu: 2 } })).toBe(template({ redis: { password } }));
  });

  it('speak TLS alone, and no password is on a command line', () => {
    const objects = JSON.stringify(renderCache({ memcached: { password: secret('memcached') } }));
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
      renderedOf<StatefulSet>('StatefulSet', 'results-redis', {
        redis: { password: secret('redis'), persistence: { size: Size.gibibytes(20), storageClass: 'gp3' } },
      }).spec ?? {};
    expect(volumeClaimTemplates).toMatchObject([
      { metadata: { name: 'data' }, spec: { storageClassName: 'gp3', resources: { requests: { storage: '20Gi' } } } },
    ]);
    expect(persistentVolumeClaimRetentionPolicy).toEqual({ whenDeleted: 'Delete', whenScaled: 'Delete' });
    expect(podOf('redis').volumes).toContainEqual({ name: 'data', emptyDir: { sizeLimit: '1Mi' } });
  });

  it('of Memcached are found one by one, and Redis at one address', () => {
    expect(renderedOf<StatefulSet>('StatefulSet', 'results-memcached').spec).toMatchObject({
      replicas: 2,
      serviceName: 'results-memcached',
    });
    expect(renderedOf<Service>('Service', 'results-memcached').spec?.clusterIP).toBe('None');
    expect(renderedOf<Service>('Service', 'results-redis').spec).toMatchObject({ type: 'ClusterIP' });
    expect(new TieredCache(cacheChart(), 'results', IN_CLUSTER).plan.config.memcached?.servers).toEqual([
      'results-memcached-0.results-memcached.caches.svc:11211',
      'results-memcached-1.results-memcached.caches.svc:11211',
    ]);
    expect(new TieredCache(cacheChart(), 'results', IN_CLUSTER).plan.config.redis?.url).toBe(
      'rediss://results-redis.caches.svc:6379',
    );
  });

  it('have a certificate with just the names that they are reached by', () => {
    expect(renderedOf<Certificate>('Certificate', 'results').spec).toMatchObject({
      secretName: 'results-tls',
      dnsNames: ['results-redis.caches.svc', '*.results-memcached.caches.svc'],
      issuerRef: { name: 'hospital', kind: 'ClusterIssuer' },
    });
  });

  it('of Memcached let in who shows a certificate of the authority, unless there is a password', () => {
    const command = (props: Partial<TieredCacheProps>): string =>
      podOf('memcached', props).containers[0]?.command?.join(' ') ?? '';
    const authority = (props: Partial<TieredCacheProps>): unknown =>
      podOf('memcached', props)
        .volumes?.find(({ name }) => name === 'config')
        ?.projected?.sources?.flatMap((source) => source.secret ?? source.configMap ?? [])
        .find(({ items }) => items?.some(({ path }) => path === 'clients/ca.crt'))?.name;
    const verified = ',ssl_ca_cert=/etc/memcached/clients/ca.crt,ssl_verify_mode=2';
    const password = secret('memcached');
    const clients = { authority: { configMap: 'callers', key: 'ca.pem' } };
    expect([command({}).includes(verified), authority({})]).toEqual([true, 'results-tls']);
    const own: Partial<TieredCacheProps> = { memcached: { clients } };
    expect([command(own).includes(verified), authority(own)]).toEqual([true, 'callers']);
    expect(command({ memcached: { password } })).not.toContain('ssl_verify_mode');
    const both = command({ memcached: { password, clients } });
    expect([both.includes(verified), both.includes('--auth-file')]).toEqual([true, true]);
  });

  it('let any node be drained', () => {
    for (const name of ['results-redis', 'results-memcached']) {
      expect(renderedOf<PodDisruptionBudget>('PodDisruptionBudget', name).spec).toMatchObject({ maxUnavailable: 1 });
    }
  });

  it('have exporters, but where the exporter could not log in', () => {
    expect(podOf('redis').containers.map(({ name }) => name)).toEqual(['valkey', 'exporter']);
    expect(podOf('memcached').containers.map(({ name }) => name)).toEqual(['memcached', 'exporter']);
    const withPassword = podOf('memcached', { memcached: { password: secret('memcached') } });
    expect(withPassword.containers.map(({ name }) => name)).toEqual(['memcached']);
    expect(renderedOf<PodMonitor>('PodMonitor', 'results').spec).toMatchObject({
      selector: { matchLabels: { 'mediform.io/cache': 'results' } },
      podMetricsEndpoints: [{ port: 'metrics' }],
    });
  });

  it('run other images where they are named', () => {
    const images = { image: 'registry.example/server:1', exporterImage: 'registry.example/exporter:1' };
    for (const server of ['redis', 'memcached'] as const) {
      const pod = podOf(server, {
        [server]: { password: server === 'redis' ? secret('redis') : undefined, ...images },
      });
      expect(pod.containers.map(({ image }) => image)).toEqual([images.image, images.exporterImage]);
    }
  });

  it('are watched', () => {
    const rules = renderedOf<PrometheusRule>('PrometheusRule', 'results').spec.groups?.[0]?.rules;
    expect(rules?.map(({ alert, labels }) => [alert, labels?.tier])).toEqual([
      ['CacheServerDown', 'redis'],
      ['CacheTooSmall', 'redis'],
      ['CacheServerDown', 'memcached'],
      ['CacheTooSmall', 'memcached'],
    ]);
  });
});
