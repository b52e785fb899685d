import { App, Chart, Duration, Size, Testing } from 'cdk8s';
import {
  MedicalInferenceService,
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
import type { PrometheusRule } from '../constructs/imports/prometheus-rule';
import type { StatefulSet } from '../constructs/imports/stateful-set';
import { latePlaceholder } from '../constructs/plan/late-values';
import { findObject, synthObjects, type KubeObject } from '../constructs/testing';
import {
  ELSEWHERE,
  IN_CLUSTER,
  cacheChart,
  cachedService,
  renderCache,
  renderedOf,
  secret,
} from './support/tiered-cache';

function podOf(server: 'redis' | 'memcached', props?: Partial<TieredCacheProps>): PodSpec {
  return renderedOf<StatefulSet>('StatefulSet', `results-${server}`, props).spec?.template.spec as PodSpec;
}

function configOf(props?: Partial<TieredCacheProps>, base = IN_CLUSTER): CacheConfig {
  return new TieredCache(cacheChart(), 'results', { ...base, ...props }).plan.config;
}

describe('who may reach the servers', () => {
  const ingress = (objects: KubeObject[], server = 'redis'): NonNullable<NetworkPolicy['spec']>['ingress'] =>
    (findObject(objects, 'NetworkPolicy', `results-${server}`) as unknown as NetworkPolicy).spec?.ingress;

  it('is nobody but Prometheus and the Jobs', () => {
    const [users, prometheus] = ingress(renderCache()) ?? [];
    expect(users).toEqual({
      from: [{ podSelector: { matchLabels: { 'app.kubernetes.io/name': 'results-maintenance' } } }],
      ports: [{ protocol: 'TCP', port: 6379 }],
    });
    expect(prometheus?.ports).toEqual([{ protocol: 'TCP', port: 9121 }]);
    // a rule without peers would let everybody in
    expect(ingress(renderCache({ warmUp: 'off' }))).toEqual([prometheus]);
    const policy = renderedOf<NetworkPolicy>('NetworkPolicy', 'results-memcached');
    expect(policy.spec?.policyTypes).toEqual(['Ingress', 'Egress']);
    expect(policy.spec?.egress).toBeUndefined();
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
    new MedicalInferenceService(imaging, 'ct', cachedService(results));
    const namespace = (name: string): object => ({ matchLabels: { 'kubernetes.io/metadata.name': name } });
    expect(ingress(synthObjects(app), 'memcached')?.[0]?.from).toEqual([
      { namespaceSelector: namespace('research'), podSelector: { matchLabels: { app: 'study' } } },
      { namespaceSelector: namespace('imaging'), podSelector: { matchLabels: { 'app.kubernetes.io/name': 'ct' } } },
    ]);
  });
});

describe('services that use a cache', () => {
  const chart = (base: TieredCacheProps): { objects: KubeObject[]; cache: TieredCache } => {
    const own = cacheChart();
    const cache = new TieredCache(own, 'results', base);
    new MedicalInferenceService(own, 'search', cachedService(cache));
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
      const file = (objects as unknown as ConfigMap[]).find(({ metadata }) =>
        metadata.name.startsWith('search-gateway-'),
      );
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
      'results-memcached-client tls.crt cache/memcached/tls.crt',
      'results-memcached-client tls.key cache/memcached/tls.key',
      'results-database database cache/database/password',
    ]);
  });

  it('bring the certificate that they show to Memcached, once in a namespace, where an issuer may sign there', () => {
    const certificates = (props: Partial<TieredCacheProps>): unknown[] => {
      const app = new App();
      const cache = new TieredCache(new Chart(app, 'caches', { namespace: 'caches' }), 'results', {
        ...IN_CLUSTER,
        ...props,
      });
      for (const [id, namespace] of [
        ['a', 'imaging'],
        ['b', 'imaging'],
        ['c', 'records'],
        ['d', 'caches'],
      ] as const) {
        new MedicalInferenceService(new Chart(app, id, { namespace }), `of-${id}`, cachedService(cache));
      }
      return (synthObjects(app) as unknown as Certificate[])
        .filter(({ kind, metadata }) => kind === 'Certificate' && metadata.name !== 'results')
        .map(({ metadata, spec }) => [
          metadata.namespace,
          spec?.secretName,
          spec?.usages?.at(-1),
          spec?.issuerRef.kind,
        ]);
    };
    const shown = (namespace: string, kind: string): unknown => [
      namespace,
      'results-memcached-client',
      'client auth',
      kind,
    ];
    expect(certificates({})).toEqual(['caches', 'imaging', 'records'].map((ns) => shown(ns, 'ClusterIssuer')));
    const issuer = { name: 'hospital', kind: 'Issuer' };
    expect(certificates({ tls: { issuer } })).toEqual([shown('caches', 'Issuer')]);
    expect(certificates({ tls: { secret: 'own-tls' } })).toEqual([]);
    expect(certificates({ memcached: { password: secret('memcached') } })).toEqual([]);
    const authority = { configMap: 'callers', key: 'ca.pem' };
    expect(certificates({ memcached: { clients: { secret: 'caller', authority } } })).toEqual([]);
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

  it('takes endpoints that only the deployment knows', () => {
    const host = latePlaceholder(7);
    const database = { ...(ELSEWHERE.database as NonNullable<TieredCacheProps['database']>), host };
    const config = configOf({ redis: { endpoint: host }, memcached: { endpoints: [host] }, database }, ELSEWHERE);
    expect(config).toMatchObject({
      redis: { url: `rediss://${host}:6379` },
      memcached: { servers: [`${host}:11211`] },
      database: { host },
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
    expect(size({})).toBe('--max-item-size=1m');
    expect(size({ memcached: { maxEntry: Size.mebibytes(4) } })).toBe('--max-item-size=5m');
  });
});

describe('Jobs', () => {
  const job = (props?: Partial<TieredCacheProps>): Job =>
    renderCache(props).find(({ kind }) => kind === 'Job') as unknown as Job;
  const container = (pod: PodSpec | undefined): Container => pod?.containers[0] as Container;
  const maintenance = (props?: Partial<TieredCacheProps>): { [file: string]: string } =>
    renderedOf<ConfigMap>('ConfigMap', 'results-maintenance', props).data ?? {};

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

  it('run on another image of Node where one is named', () => {
    const runtimeImage = 'registry.hospital.example/node:24';
    const cron = renderedOf<CronJob>('CronJob', 'results-warm-up', { runtimeImage }).spec?.jobTemplate.spec;
    expect([job({ runtimeImage }).spec, cron].map((spec) => container(spec?.template.spec).image)).toEqual([
      runtimeImage,
      runtimeImage,
    ]);
    expect(container(job().spec?.template.spec).image).toMatch(/^docker\.io\/library\/node:24\./);
  });

  it('fill the tiers above the database once an hour, with the configuration of all users', () => {
    const cron = renderedOf<CronJob>('CronJob', 'results-warm-up').spec;
    expect(cron).toMatchObject({ schedule: '17 * * * *', timeZone: 'Etc/UTC', concurrencyPolicy: 'Forbid' });
    const pod = cron?.jobTemplate.spec?.template.spec;
    expect(container(pod).command).toEqual(['node', '/opt/mediform/start.js', 'warm-up']);
    expect(JSON.parse(maintenance()['warm-up.json'] ?? '')).toEqual(configOf());
    const kinds = renderCache({ warmUp: 'off' }).map(({ kind }) => kind);
    expect(kinds).not.toContain('CronJob');
  });

  it('meet the Pod Security standard "restricted"', () => {
    const pod = job().spec?.template.spec;
    expect(pod).toMatchObject({ automountServiceAccountToken: false, securityContext: { runAsNonRoot: true } });
    expect(container(pod).securityContext).toMatchObject({ readOnlyRootFilesystem: true });
  });
});
