/**
 * A service with its gateway, cache and Jobs as they are deployed: the bundled programs on the image's Node, with the
 * commands, variables and files of the manifests, against real servers that run as their StatefulSets say.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConfigMap } from '../../constructs/imports/config-map';
import type { CronJob } from '../../constructs/imports/cron-job';
import type { Deployment } from '../../constructs/imports/deployment';
import type { Job } from '../../constructs/imports/job';
import type { PodSpec } from '../../constructs/imports/k8s';
import type { StatefulSet } from '../../constructs/imports/stateful-set';
import type { CacheConfig, DatabaseTierConfig } from '../../constructs/plan/cache/config';
import { CACHE_MIGRATIONS } from '../../constructs/plan/cache/database';
import { CacheMetric } from '../../constructs/plan/cache/metrics';
import { AdminPath, GatewayMetric } from '../../constructs/plan/gateway/names';
import { findObject, synthObjects, type KubeObject } from '../../constructs/testing';
import { CertificateAuthority } from './support/certificates';
import {
  certificate,
  clientCertificate,
  hospital,
  makeRoles,
  sql,
  startModel,
  type Model,
} from './support/cached-service';
import { PATIENT } from './support/cache-fleet';
import { layOut, runToEnd, type Contents, type Runnable } from './support/containers';
import { nodeRuntime } from './support/node-runtime';
import { freePorts } from './support/ports';
import { Processes } from './support/processes';
import { describeWithStores, startPostgres, type Store } from './support/stores';
import { waitFor } from './support/wait';
import { describeUnless } from './support/suite';

const IMAGE = randomBytes(50_000);
const STUDY = '1.2.840.113619.2.55.3';

const describeDeployment = (name: string, suite: () => void): void => {
  if (nodeRuntime.missing === undefined) {
    describeWithStores(name, ['redis', 'memcached', 'postgres'], suite);
  } else {
    describeUnless(nodeRuntime.missing, name, suite);
  }
};

describeDeployment('a cached service as it is deployed', () => {
  const authority = new CertificateAuthority('deployment of a test');
  const passwords = { redis: 'redis-password', app: 'app-password', owner: 'owner-password' };
  let processes: Processes;
  let database: Store<DatabaseTierConfig>;
  let model: Model;
  /** Without a warm-up, which would answer before any tier. */
  let objects: readonly KubeObject[];
  /** The same with it. */
  let warming: readonly KubeObject[];
  let contents: Contents;
  let ports: {
    readonly port: number;
    readonly adminPort: number;
    readonly redis: number;
    readonly memcached: readonly [number, number];
    readonly local: readonly [number, number];
  };
  let hosts: { readonly [hostAndPort: string]: number };

  beforeAll(async () => {
    processes = await Processes.start();
    database = await startPostgres(processes, { tls: true });
    await makeRoles(database.config, passwords);
    model = await startModel();
    const [port = 0, adminPort = 0, redis = 0, first = 0, second = 0, local1 = 0, local2 = 0] = await freePorts(7);
    ports = { port, adminPort, redis, memcached: [first, second], local: [local1, local2] };
    const { app, cache } = hospital(database.port, model.port, ports, 'off');
    objects = patient(synthObjects(app));
    warming = patient(synthObjects(hospital(database.port, model.port, ports).app));
    contents = {
      keyring: {
        'keyring.json': JSON.stringify({ current: '2026', keys: { 2026: randomBytes(32).toString('base64') } }),
      },
      redis: { password: passwords.redis },
      database: { password: passwords.app },
      owner: { password: passwords.owner },
      rds: { 'ca.pem': readFileSync(database.config.caFile as string, 'utf8') },
      'results-memcached-client': clientCertificate(authority),
      'results-tls': { ...certificate(authority, cache.plan.certificateNames), 'ca.crt': authority.certificate },
    };
    hosts = {
      'results-redis.cache.svc:6379': redis,
      'results-memcached-0.results-memcached.cache.svc:11211': first,
      'results-memcached-1.results-memcached.cache.svc:11211': second,
    };
    startServer('redis', 'redis', { 6379: redis });
    startServer('memcached', 'memcached-0', { 11211: first, 11212: local1 });
    startServer('memcached', 'memcached-1', { 11211: second, 11212: local2 });
  }, 240_000);
  afterAll(async () => {
    model?.server.close();
    model?.server.closeAllConnections();
    await processes?.stop();
  });

  /** A server of the cache, on other ports: here all share one address. */
  function startServer(tier: string, name: string, moved: { readonly [port: string]: number }): void {
    const text = Object.entries(moved).reduce(
      (result, [from, to]) => result.replaceAll(new RegExp(`\\b${from}\\b`, 'g'), String(to)),
      JSON.stringify(objects)
        .replaceAll('0.0.0.0:', '127.0.0.1:')
        // Redis 7 does not know what Valkey 9.1 has learned
        .replaceAll(/tls-auto-reload-interval \d+\\n/g, ''),
    );
    const own = JSON.parse(text) as KubeObject[];
    const pod = (findObject(own, 'StatefulSet', `results-${tier}`) as unknown as StatefulSet).spec?.template.spec;
    const { command, args, env } = layOut(
      join(processes.folder, name),
      pod as PodSpec,
      pod?.containers[0]?.name ?? '',
      { objects: own, contents },
    );
    // in a container Memcached is never root, and then needs not be told that it may be
    const asRoot = tier === 'memcached' && process.getuid?.() === 0 ? ['--user=root'] : [];
    processes.run({ name, command, args: [...args, ...asRoot], env });
  }

  function container(name: string, pod: PodSpec | undefined, among = objects): Runnable {
    const folder = join(processes.folder, `${name}-${randomBytes(4).toString('hex')}`);
    const containerName = pod?.containers.some((candidate) => candidate.name === 'gateway') ? 'gateway' : name;
    return layOut(folder, pod as PodSpec, containerName, { objects: among, contents, hosts });
  }

  const migration = (): Runnable => {
    const job = objects.find(({ kind }) => kind === 'Job') as unknown as Job;
    return container('migrate', job.spec?.template.spec);
  };
  const warmUp = (): Runnable => {
    const cron = findObject(warming, 'CronJob', 'results-warm-up') as unknown as CronJob;
    return container('warm-up', cron.spec?.jobTemplate.spec?.template.spec, warming);
  };

  /** Starts a fresh gateway, whose hot tier is empty, and waits until the kubelet would send requests to it. */
  async function startGateway(): Promise<void> {
    const deployment = findObject(objects, 'Deployment', 'ct') as unknown as Deployment;
    const { command, args, env } = container('gateway', deployment.spec?.template.spec);
    processes.run({ name: 'gateway', command, args, env });
    const probe = deployment.spec?.template.spec?.containers[1]?.readinessProbe?.httpGet;
    expect(probe?.port).toBe('admin');
    await waitFor('the gateway', async () => (await admin(probe?.path ?? '')).ok, {
      guard: () => processes.assertRunning(),
    });
    // nothing is served from the cache before a log of invalidations is heard
    await waitFor('a log', async () => {
      const text = await (await admin(AdminPath.METRICS)).text();
      return /^mediform_cache_log_age_seconds\{.* \d/m.test(text);
    });
  }

  const admin = (path: string): Promise<Response> => fetch(`http://127.0.0.1:${ports.adminPort}${path}`);
  const diagnose = async (query = ''): Promise<{ status: number; text: string; cache: string }> => {
    const answer = await fetch(`http://127.0.0.1:${ports.port}/v1/diagnose${query}`, {
      method: 'POST',
      body: IMAGE,
      headers: { 'content-type': 'application/octet-stream', 'x-study-uid': STUDY },
    });
    return { status: answer.status, text: await answer.text(), cache: answer.headers.get('x-mediform-cache') ?? '' };
  };
  const inDatabase = async (): Promise<number> => {
    const { rows } = await sql<{ count: string }>(database.config, 'SELECT count(*) FROM mediform_cache_entries');
    return Number(rows[0]?.count);
  };

  it('has its tables made by their owner, once', async () => {
    expect(JSON.parse(await runToEnd(migration()))).toEqual({ event: 'migrated', steps: CACHE_MIGRATIONS.length });
    expect(JSON.parse(await runToEnd(migration()))).toEqual({ event: 'migrated', steps: 0 });
    const { rows } = await sql<{ tableowner: string }>(
      database.config,
      "SELECT DISTINCT tableowner FROM pg_tables WHERE tablename LIKE 'mediform_cache%'",
    );
    expect(rows).toEqual([{ tableowner: 'results_owner' }]);
  }, 180_000);

  it('answers from the model once, and then from every tier in turn as those above are gone', async () => {
    await startGateway();
    expect(await diagnose()).toMatchObject({ status: 200, text: 'diagnosis 1', cache: 'miss' });
    const again = await diagnose();
    expect(again.text).toBe('diagnosis 1');
    expect(again.cache).toMatch(/^hit; tier=hot/);
    await waitFor('the database', async () => (await inDatabase()) === 1);

    const tiers = ['redis', 'memcached', 'database'] as const;
    for (const tier of tiers) {
      await processes.kill('gateway');
      await startGateway();
      const answer = await waitFor(`a hit in ${tier}`, async () => {
        const { text, cache } = await diagnose();
        expect(text).toBe('diagnosis 1');
        return cache.includes('tier=') && cache;
      });
      expect(answer).toContain(`tier=${tier}`);
      await processes.kill('gateway');
      if (tier === 'redis') {
        await processes.kill('redis');
      } else if (tier === 'memcached') {
        await Promise.all([processes.kill('memcached-0'), processes.kill('memcached-1')]);
      }
    }
    expect(model.calls).toBe(1);
  }, 240_000);

  it('fills servers that came back empty from the database', async () => {
    startServer('redis', 'redis', { 6379: ports.redis });
    const [first, second] = ports.memcached;
    startServer('memcached', 'memcached-0', { 11211: first, 11212: ports.local[0] });
    startServer('memcached', 'memcached-1', { 11211: second, 11212: ports.local[1] });
    const loaded = await waitFor('an entry to be loaded', async () => {
      const { entries } = JSON.parse(await runToEnd(warmUp())) as { readonly entries: number };
      return entries;
    });
    expect(loaded).toBe(1);
    await startGateway();
    expect((await diagnose()).cache).toMatch(/^hit; tier=(hot|redis)/);
    expect(model.calls).toBe(1);
  }, 180_000);

  it('tells Prometheus what the scaling rules and the alerts read', async () => {
    const text = await (await admin('/metrics')).text();
    for (const name of [
      ...Object.values({ ...GatewayMetric, ...CacheMetric }),
      'request_queue_length',
      'request_duration_seconds',
      'requests_total',
    ]) {
      expect(text).toMatch(new RegExp(`^# TYPE ${name} `, 'm'));
    }
    expect(text).not.toContain(STUDY);
  });

  it('finishes what it works on before the model may stop', async () => {
    const slow = diagnose('?ms=4000');
    await waitFor('the request to reach the model', () => model.calls === 2);
    const drained = admin('/drained');
    processes.signal('gateway', 'SIGTERM');
    await expect(slow).resolves.toMatchObject({ status: 200, text: 'diagnosis 2' });
    expect((await drained).status).toBe(200);
    await waitFor('the gateway to be gone', () =>
      admin('/healthz').then(
        () => false,
        () => true,
      ),
    );
    await expect(diagnose()).rejects.toThrow();
  }, 180_000);
});

/** The same objects, whose programs do not take a busy machine for a server that hangs. */
function patient(objects: readonly KubeObject[]): KubeObject[] {
  return objects.map((object) => {
    const { data } = object as Partial<ConfigMap>;
    const text = data?.['config.json'];
    if (text === undefined) {
      return object;
    }
    const config = JSON.parse(text) as { readonly cache?: CacheConfig };
    const { redis, memcached, database } = config.cache ?? (config as CacheConfig);
    const tiers = {
      redis: { ...redis, ...PATIENT },
      memcached: { ...memcached, ...PATIENT },
      database: { ...database, ...PATIENT },
    };
    const changed = config.cache ? { ...config, cache: { ...config.cache, ...tiers } } : { ...config, ...tiers };
    return { ...object, data: { ...data, 'config.json': JSON.stringify(changed) } };
  });
}
