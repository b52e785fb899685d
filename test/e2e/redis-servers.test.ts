/**
 * The Redis of a cache, run as its StatefulSet says: commands, files, probes. Redis stands for Valkey, whose directives it
 * knows but for one.
 */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Size } from 'cdk8s';
import { Registry } from 'prom-client';
import { createClient } from 'redis';
import type { TieredCacheProps } from '../../constructs';
import { CACHE_KINDS } from '../../constructs/plan/cache/kinds';
import { createMedicalCache, type Computed } from '../../runtime/cache';
import { PASSWORD, passes, startServer, type StartedServer } from './support/cache-servers';
import { CertificateAuthority } from './support/certificates';
import { Processes } from './support/processes';
import { describeWithStores } from './support/stores';
import { waitFor } from './support/wait';

const KEY = randomBytes(32);

describeWithStores('Redis of a cache', ['redis'], () => {
  let processes: Processes;
  let authority: CertificateAuthority;

  beforeEach(async () => {
    processes = await Processes.start();
    authority = new CertificateAuthority('cache servers of a test');
  });
  afterEach(() => processes.stop());

  const start = (props: Partial<TieredCacheProps>, names?: string[]): Promise<StartedServer> =>
    startServer(processes, 'redis', props, authority, names);

  it('starts, answers over TLS to who has the password, and passes its probes', async () => {
    const { port, pod, container } = await start({});
    const [valkey] = pod.containers;
    await waitFor('the startup probe', () => passes(valkey?.startupProbe, container), {
      guard: () => processes.assertRunning(),
    });
    expect(await passes(valkey?.readinessProbe, container)).toBe(true);
    expect(await passes(valkey?.livenessProbe, container)).toBe(true);

    const client = redisClient(authority, port, PASSWORD);
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

    const stranger = redisClient(authority, port, 'guess');
    await expect(stranger.connect()).rejects.toThrow('WRONGPASS');
    stranger.destroy();
    await processes.kill('redis');
    expect(await passes(valkey?.livenessProbe, container)).toBe(false);
  }, 180_000);

  it('lets the cache do all that it does', async () => {
    const { port, container, pod, folder } = await start({}, ['localhost']);
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

    const client = redisClient(authority, port, PASSWORD, 'localhost');
    await client.connect();
    expect(await client.info('commandstats')).toContain('cmdstat_xadd');
    // whatever is refused is counted, even where the cache gets over it
    expect(await client.info('errorstats')).not.toContain('NOPERM');
    client.destroy();
  }, 180_000);

  it('keeps its entries on a volume', async () => {
    const { port, container, pod } = await start({
      redis: {
        password: { secret: 'redis', key: 'password' },
        memory: Size.mebibytes(128),
        persistence: { size: Size.gibibytes(1) },
      },
    });
    const ready = (): Promise<unknown> =>
      waitFor('the startup probe', () => passes(pod.containers[0]?.startupProbe, container));
    await ready();
    const before = redisClient(authority, port, PASSWORD);
    await before.connect();
    await before.set('kept', 'yes', { EX: 600 });
    // the file is synced once a second
    await waitFor('the file', async () => (await before.info('persistence')).includes('aof_pending_bio_fsync:0'));
    before.destroy();
    await processes.kill('redis');
    processes.run({ name: 'redis', ...container });
    await ready();
    const after = redisClient(authority, port, PASSWORD);
    await after.connect();
    expect(await after.get('kept')).toBe('yes');
    after.destroy();
  }, 180_000);
});

function redisClient(
  authority: CertificateAuthority,
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
