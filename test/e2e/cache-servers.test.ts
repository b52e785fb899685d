/**
 * The servers of a cache, run as their StatefulSets say: commands, files, probes. Redis stands for Valkey, whose
 * directives it knows but for one; Memcached is Memcached.
 */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { App, Chart, Size } from 'cdk8s';
import { Registry } from 'prom-client';
import { createClient } from 'redis';
import { TieredCache, type TieredCacheProps } from '../../constructs';
import type { PodSpec, Probe } from '../../constructs/imports/k8s';
import type { StatefulSet } from '../../constructs/imports/stateful-set';
import { findObject, synthObjects, type KubeObject } from '../../constructs/testing';
import { CACHE_KINDS } from '../../constructs/plan/cache/kinds';
import { createMedicalCache, type Computed } from '../../runtime/cache';
import { CertificateAuthority } from './support/certificates';
import { layOut, type Contents, type Runnable } from './support/containers';
import { freePorts } from './support/ports';
import { Processes } from './support/processes';
import { describeWithStores } from './support/stores';
import { waitFor } from './support/wait';

/** Memcached takes no spaces, and nobody minds the rest. */
const PASSWORD = 'correct-"horse"-$battery-`staple`-\\-%s';
const KEY = randomBytes(32);
const authority = new CertificateAuthority('cache servers of a test');

function synth(props: Partial<TieredCacheProps> = {}): { objects: KubeObject[]; cache: TieredCache } {
  const app = new App();
  const cache = new TieredCache(new Chart(app, 'caches', { namespace: 'caches' }), 'results', {
    keyRing: { secret: 'keyring', key: 'keyring.json' },
    redis: { password: { secret: 'redis', key: 'password' }, memory: Size.mebibytes(128) },
    memcached: { memory: Size.mebibytes(128), servers: 1 },
    tls: { secret: 'tls' },
    ...props,
  });
  return { objects: synthObjects(app), cache };
}

function certificate(names: readonly string[]): { 'tls.crt': string; 'tls.key': string } {
  const issued = authority.issue({ commonName: 'results', hosts: names });
  return { 'tls.crt': issued.certificate, 'tls.key': issued.key };
}

function podOf(objects: readonly KubeObject[], name: string): PodSpec {
  return (findObject(objects, 'StatefulSet', name) as unknown as StatefulSet).spec?.template.spec as PodSpec;
}

/** Other ports than those of a cluster: here several tests share one address. */
function movePorts<T>(value: T, ports: { readonly [port: string]: number }): T {
  const text = Object.entries(ports).reduce(
    (result, [from, to]) => result.replaceAll(new RegExp(`\\b${from}\\b`, 'g'), String(to)),
    JSON.stringify(value),
  );
  return JSON.parse(text.replaceAll('0.0.0.0:', '127.0.0.1:')) as T;
}

/** Whether a probe's command succeeds. */
async function passes(probe: Probe | undefined, { located, env }: Runnable): Promise<boolean> {
  const [command = '', ...args] = (probe?.exec?.command ?? []).map(located);
  return promisify(execFile)(command, args, { env: { ...env } }).then(
    () => true,
    () => false,
  );
}

describeWithStores('servers of a cache', ['redis', 'memcached'], () => {
  let processes: Processes;

  beforeEach(async () => {
    processes = await Processes.start();
  });
  afterEach(() => processes.stop());

  /** Starts the first container of a server's only pod. */
  async function start(
    tier: 'redis' | 'memcached',
    props: Partial<TieredCacheProps>,
    names = ['results-redis.caches.svc', '*.results-memcached.caches.svc'],
  ): Promise<{ port: number; pod: PodSpec; container: Runnable; folder: string }> {
    const [port = 0, local = 0] = await freePorts(2);
    const ports: { readonly [port: string]: number } =
      tier === 'redis' ? { 6379: port } : { 11211: port, 11212: local };
    const objects = movePorts(
      synth(props).objects.map((object) => withoutNewDirectives(object)),
      ports,
    );
    const pod = podOf(objects, `results-${tier}`);
    const folder = join(processes.folder, tier);
    const contents: Contents = {
      redis: { password: `${PASSWORD}\n` },
      memcached: { password: PASSWORD },
      tls: certificate(names),
    };
    const container = layOut(folder, pod, pod.containers[0]?.name ?? '', { objects, contents });
    processes.run({ name: tier, ...asUser(tier, container) });
    return { port, pod, container, folder };
  }

  it('of Redis start, answer over TLS to who has the password, and pass their probes', async () => {
    const { port, pod, container } = await start('redis', {});
    const [valkey] = pod.containers;
    await waitFor('the startup probe', () => passes(valkey?.startupProbe, container), {
      guard: () => processes.assertRunning(),
    });
    expect(await passes(valkey?.readinessProbe, container)).toBe(true);
    expect(await passes(valkey?.livenessProbe, container)).toBe(true);

    const client = redis(port, PASSWORD);
    await client.connect();
    await client.set('a', '1', { EX: 60 });
    expect(await client.get('a')).toBe('1');
    expect(await client.configGet('maxmemory*')).toMatchObject({
      maxmemory: String(96 * 1024 * 1024),
      'maxmemory-policy': 'volatile-lfu',
    });
    // what the exporter asks
    for (const command of [['INFO'], ['SLOWLOG', 'GET'], ['SLOWLOG', 'LEN'], ['LATENCY', 'LATEST']]) {
      await expect(client.sendCommand(command)).resolves.toBeDefined();
    }
    // what nobody needs
    for (const command of [
      ['FLUSHALL'],
      ['CONFIG', 'SET', 'maxmemory', '0'],
      ['SHUTDOWN'],
      ['KEYS', '*'],
      ['ACL', 'LIST'],
    ]) {
      await expect(client.sendCommand(command)).rejects.toThrow('NOPERM');
    }
    client.destroy();

    const stranger = redis(port, 'guess');
    await expect(stranger.connect()).rejects.toThrow('WRONGPASS');
    stranger.destroy();
    await processes.kill('redis');
    expect(await passes(valkey?.livenessProbe, container)).toBe(false);
  }, 60_000);

  it('of Redis let the cache do all that it does', async () => {
    const { port, container, pod, folder } = await start('redis', {}, ['localhost']);
    await waitFor('the startup probe', () => passes(pod.containers[0]?.startupProbe, container));
    const file = (name: string, content: string): string => {
      writeFileSync(join(folder, name), content);
      return join(folder, name);
    };
    const cache = await createMedicalCache(
      {
        namespace: 'test',
        keyRingFile: file('keyring.json', JSON.stringify({ current: 'a', keys: { a: KEY.toString('base64') } })),
        redis: {
          url: `rediss://localhost:${port}`,
          passwordFile: file('password', PASSWORD),
          caFile: file('ca.crt', authority.certificate),
        },
      },
      { registry: new Registry() },
    );
    await waitFor('the log of invalidations', () => cache.status().serving);
    const query = { content: 'q', model: 'm', modelVersion: '1', preprocessingVersion: '1', ids: ['one'] };
    const compute = (): Promise<Computed> => Promise.resolve({ value: { body: Buffer.from('answer') } });
    for (const kind of CACHE_KINDS) {
      expect((await cache.of(kind).getOrCompute(query, compute)).tier).toBe('compute');
      await cache.of(kind).set(query, await compute(), cache.of(kind).mark());
      expect((await cache.of(kind).get(query))?.value).toBeDefined();
      await cache.invalidation.entry(kind, 'one');
      await cache.invalidation.version(kind, 'm', '1');
      await cache.invalidation.all(kind);
      expect(await cache.of(kind).get(query)).toBeUndefined();
    }
    await cache.close();

    const client = redis(port, PASSWORD, 'localhost');
    await client.connect();
    expect(await client.info('commandstats')).toContain('cmdstat_xadd');
    // whatever is refused is counted, even where the cache gets over it
    expect(await client.info('errorstats')).not.toContain('NOPERM');
    client.destroy();
  }, 60_000);

  it('of Redis keep their entries on a volume', async () => {
    const { port, container, pod } = await start('redis', {
      redis: {
        password: { secret: 'redis', key: 'password' },
        memory: Size.mebibytes(128),
        persistence: { size: Size.gibibytes(1) },
      },
    });
    const ready = (): Promise<unknown> =>
      waitFor('the startup probe', () => passes(pod.containers[0]?.startupProbe, container));
    await ready();
    const before = redis(port, PASSWORD);
    await before.connect();
    await before.set('kept', 'yes', { EX: 600 });
    // the file is synced once a second
    await waitFor('the file', async () => (await before.info('persistence')).includes('aof_pending_bio_fsync:0'));
    before.destroy();
    await processes.kill('redis');
    processes.run({ name: 'redis', ...asUser('redis', container) });
    await ready();
    const after = redis(port, PASSWORD);
    await after.connect();
    expect(await after.get('kept')).toBe('yes');
    after.destroy();
  }, 60_000);

  it.each(['without', 'with'])(
    'of Memcached start %s a password, and take new certificates up',
    async (password) => {
      const memcached: TieredCacheProps['memcached'] = {
        memory: Size.mebibytes(128),
        maxEntry: Size.mebibytes(4),
        servers: 1,
        ...(password === 'with' && { password: { secret: 'memcached', key: 'password' } }),
      };
      const { port, pod, container, folder } = await start('memcached', { memcached }, ['old.example']);
      const [server] = pod.containers;
      await waitFor('the liveness probe', () => passes(server?.livenessProbe, container), {
        guard: () => processes.assertRunning(),
      });
      const stranger = await memcachedSession(port, 'old.example', 'stats');
      expect(/^STAT|unauthenticated/m.exec(stranger.answer)?.[0]).toBe(
        password === 'with' ? 'unauthenticated' : 'STAT',
      );
      const login = `mediform ${PASSWORD}`;
      const auth = password === 'with' ? `set auth 0 0 ${login.length}\r\n${login}\r\n` : '';
      const { answer } = await memcachedSession(port, 'old.example', `${auth}stats settings`);
      expect(answer).toContain('STAT maxbytes 100663296');
      expect(answer).toContain(`STAT item_size_max ${5 * 1024 * 1024}`);
      expect(answer).toContain('STAT flush_enabled no');

      for (const [file, content] of Object.entries(certificate(['new.example']))) {
        writeFileSync(join(folder, '/etc/memcached/tls', file), content);
      }
      expect(await passes(server?.livenessProbe, container)).toBe(true);
      await expect(memcachedSession(port, 'old.example', 'version')).rejects.toThrow('new.example');
      expect((await memcachedSession(port, 'new.example', 'version')).answer).toContain(
        password === 'with' ? 'ERROR' : 'VERSION',
      );
    },
    60_000,
  );
});

function redis(
  port: number,
  password: string,
  servername = 'results-redis.caches.svc',
): ReturnType<typeof createClient> {
  const client = createClient({
    socket: {
      host: '127.0.0.1',
      port,
      tls: true,
      ca: authority.certificate,
      servername,
      reconnectStrategy: false,
    },
    password,
  });
  // said again by the promises
  client.on('error', () => undefined);
  return client as unknown as ReturnType<typeof createClient>;
}

/** Says one thing to Memcached, and hears all that it answers. */
async function memcachedSession(port: number, name: string, say: string): Promise<{ answer: string }> {
  const socket: TLSSocket = connectTls({ host: '127.0.0.1', port, servername: name, ca: authority.certificate });
  await once(socket, 'secureConnect');
  // who is not let in cannot even say good-bye
  socket.setEncoding('utf8').end(`${say}\r\nquit\r\n`);
  let answer = '';
  socket.on('data', (part: string) => (answer += part));
  await once(socket, 'close');
  return { answer };
}

/** Redis 7 does not know what Valkey 9.1 has learned. */
function withoutNewDirectives(object: KubeObject): KubeObject {
  return JSON.parse(JSON.stringify(object).replaceAll(/tls-auto-reload-interval \d+\\n/g, '')) as KubeObject;
}

/** Memcached refuses to run as root without being told to; in a container it never is. */
function asUser(tier: string, { command, args, env }: Runnable): Omit<Runnable, 'located'> {
  return tier === 'memcached' && process.getuid?.() === 0
    ? { command, args: [...args, '--user=root'], env }
    : { command, args, env };
}
