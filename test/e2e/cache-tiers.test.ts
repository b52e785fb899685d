/** The tiers on real servers, with and without TLS: one suite for all, and what is special about each. */
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { migrate } from 'mediform/cache';
import type { CacheTier } from '../../runtime/cache/tier';
import { DatabaseTier } from '../../runtime/cache/tiers/database';
import { connectDatabase } from '../../runtime/cache/tiers/database-connection';
import { MemcachedTier } from '../../runtime/cache/tiers/memcached';
import { MemcachedConnection } from '../../runtime/cache/tiers/memcached-connection';
import { RedisTier } from '../../runtime/cache/tiers/redis';
import { connectRedis } from '../../runtime/cache/tiers/redis-connection';
import { describeTier, type TierUnderTest } from '../support/tier-conformance';
import { Processes } from './support/processes';
import { describeWithStores, startMemcached, startPostgres, startRedis } from './support/stores';
import { waitFor } from './support/wait';

let processes: Processes;
const tiers: CacheTier[] = [];

async function opened(tier: CacheTier): Promise<TierUnderTest> {
  tiers.push(tier);
  await waitFor(`${tier.name} to answer`, () => tier.get(['none']).then(() => true), { pauseMs: 10 });
  return {
    get: (keys) => tier.get(keys),
    set: (key, value, ttlMs, seq) => tier.set(key, value, ttlMs, seq),
    delete: (keys) => tier.delete(keys),
    pass: (ms) => sleep(ms),
  };
}

beforeAll(async () => {
  processes = await Processes.start();
});
afterAll(async () => {
  await Promise.all(tiers.map((tier) => tier.close()));
  await processes.stop();
});

describeWithStores('redis', ['redis'], () => {
  describe.each([false, true])('TLS %s', (tls) => {
    describeTier(
      'Redis',
      async () => {
        const { config } = await startRedis(processes, { tls, password: 'only for tests' });
        return opened(new RedisTier(await connectRedis(config)));
      },
      { grainMs: 20, maxBytes: 8_000_000 },
    );
  });

  test('a full one refuses, and says that it is up', async () => {
    const { config } = await startRedis(processes, {
      args: ['--maxmemory', '2mb', '--maxmemory-policy', 'noeviction'],
    });
    const tier = new RedisTier(await connectRedis(config));
    await opened(tier);
    const fill = async (): Promise<never> => {
      for (let index = 0; ; index++) {
        await tier.set(`key ${index}`, Buffer.alloc(100_000), 60_000);
      }
    };
    const error: unknown = await fill().catch((problem: unknown) => problem);
    expect(tier.refused(error)).toBe(true);
    expect(await tier.get(['key 0'])).toHaveLength(100_000);
  });

  test('a wrong password or an unknown authority is no connection', async () => {
    const { config } = await startRedis(processes, { tls: true, password: 'right' });
    const other = await startRedis(processes, { tls: true, password: 'wrong' });
    for (const wrong of [
      { ...config, passwordFile: other.config.passwordFile },
      { ...config, caFile: other.config.caFile },
    ]) {
      const connection = await connectRedis(wrong);
      await sleep(300);
      await expect(connection.command(['PING'])).rejects.toThrow();
      expect(connection.epoch).toBe(0);
      connection.close();
    }
  });
});

describeWithStores('memcached', ['memcached'], () => {
  describe.each([false, true])('TLS and password %s', (tls) => {
    describeTier(
      'Memcached',
      async () => {
        const { config } = await startMemcached(processes, { tls, ...(tls && { password: 'only-for-tests' }) });
        return opened(new MemcachedTier(config));
      },
      { grainMs: 1_000, maxBytes: 1_000_000 },
    );
  });

  test('each key has one of several servers; what one server loses the others keep', async () => {
    const stores = await Promise.all([1, 2, 3].map(() => startMemcached(processes)));
    const config = { servers: stores.flatMap(({ config: { servers } }) => servers), tls: false };
    const tier = new MemcachedTier(config);
    await opened(tier);
    const keys = Array.from({ length: 300 }, (_, index) => `key-${index}`);
    await waitFor('all servers', () => Promise.all(keys.map((key) => tier.get([key]))).then(() => true));
    await Promise.all(keys.map((key) => tier.set(key, Buffer.from(key), 60_000)));
    const present = async (): Promise<number> =>
      (await Promise.all(keys.map((key) => tier.get([key]).catch(() => undefined)))).filter(Boolean).length;
    expect(await present()).toBe(300);
    await stores[0]?.kill();
    const left = await present();
    expect(left).toBeGreaterThan(150);
    expect(left).toBeLessThan(250);
    // the ring without it leads the others' keys where they were
    const fewer = new MemcachedTier({ servers: config.servers.slice(1), tls: false });
    await opened(fewer);
    await waitFor('both servers', () => Promise.all(keys.map((key) => fewer.get([key]))).then(() => true));
    const found = await Promise.all(keys.map((key) => fewer.get([key])));
    expect(found.filter((value) => value !== undefined)).toHaveLength(left);
  });

  test('what is too large for the server is refused, and the connection stays good', async () => {
    const { config } = await startMemcached(processes);
    const tier = new MemcachedTier(config);
    await opened(tier);
    const error: unknown = await tier
      .set('large', Buffer.alloc(1_100_000), 60_000)
      .catch((problem: unknown) => problem);
    expect(tier.refused(error)).toBe(true);
    await tier.set('small', Buffer.from('x'), 60_000);
    expect(String(await tier.get(['small']))).toBe('x');
  });

  test('a wrong password is no connection', async () => {
    const right = await startMemcached(processes, { password: 'right' });
    const wrong = await startMemcached(processes, { password: 'wrong' });
    const tier = new MemcachedTier({ ...right.config, passwordFile: wrong.config.passwordFile });
    tiers.push(tier);
    await sleep(300);
    await expect(tier.get(['key'])).rejects.toThrow('not connected');
  });

  test('answers are understood in whatever pieces they come', async () => {
    const value = Buffer.from('VA 3\r\nEND\r\n\r\n');
    const answers = Buffer.concat([Buffer.from(`VA ${value.length}\r\n`), value, Buffer.from('\r\nEN\r\nHD\r\n')]);
    for (let piece = 1; piece < answers.length; piece++) {
      const server = createServer((socket) => {
        socket.once('data', () => {
          void (async () => {
            for (let at = 0; at < answers.length; at += piece) {
              socket.write(answers.subarray(at, at + piece));
              await new Promise(setImmediate);
            }
          })();
        });
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const { port } = server.address() as AddressInfo;
      const connection = new MemcachedConnection({ host: '127.0.0.1', port });
      await waitFor('the connection', () => connection.connected, { pauseMs: 1 });
      const replies = await Promise.all(['a', 'b', 'c'].map((key) => connection.command(`mg ${key} v`)));
      expect(replies).toEqual([{ code: 'VA', value }, { code: 'EN' }, { code: 'HD' }]);
      connection.close();
      server.close();
    }
  });
});

describeWithStores('database', ['postgres'], () => {
  describe.each([false, true])('TLS %s', (tls) => {
    describeTier(
      'PostgreSQL',
      async () => {
        const { config } = await startPostgres(processes, { tls });
        expect(await migrate(config)).toBeGreaterThan(0);
        return opened(new DatabaseTier(await connectDatabase({ ...config, deadlineMs: 5_000 })));
      },
      { grainMs: 20, maxBytes: 8_000_000 },
    );
  });

  describe('one', () => {
    let tier: DatabaseTier;
    let config: Awaited<ReturnType<typeof startPostgres>>['config'];
    beforeAll(async () => {
      ({ config } = await startPostgres(processes));
      // several at a time, as the pods of a rollout might
      const steps = await Promise.all([migrate(config), migrate(config), migrate(config)]);
      expect(steps.filter((count) => count > 0)).toHaveLength(1);
      tier = new DatabaseTier(await connectDatabase({ ...config, deadlineMs: 5_000 }));
      tiers.push(tier);
    }, 180_000);

    test('never replaces what is true as of later', async () => {
      await tier.set('key', Buffer.from('later'), 60_000, 5);
      await tier.set('key', Buffer.from('earlier'), 60_000, 4);
      expect(String(await tier.get(['key']))).toBe('later');
      await tier.set('brief', Buffer.from('later'), 10, 5);
      await sleep(30);
      await tier.set('brief', Buffer.from('earlier'), 60_000, 4);
      expect(String(await tier.get(['brief']))).toBe('earlier');
    });

    test('tells what was stored last, page by page, of one namespace', async () => {
      for (let index = 0; index < 250; index++) {
        await tier.set(`page:${index}`, Buffer.from(`${index}`), 60_000, 0);
      }
      await tier.set('other:1', Buffer.from('x'), 60_000, 0);
      const keys: string[] = [];
      for await (const { key } of tier.recent('page:', 240)) {
        keys.push(key);
      }
      expect(keys).toEqual(Array.from({ length: 240 }, (_, index) => `page:${249 - index}`));
    });

    test('deletes what has expired, some at a time', async () => {
      await Promise.all([1, 2, 3].map((index) => tier.set(`gone:${index}`, Buffer.from('x'), 5, 0)));
      await sleep(30);
      expect(await tier.purge(2)).toBe(2);
      expect(await tier.purge(100)).toBeGreaterThanOrEqual(1);
      expect(await tier.purge(100)).toBe(0);
    });

    test('without its tables it refuses, and says that it is up', async () => {
      const { config: empty } = await startPostgres(processes);
      const bare = new DatabaseTier(await connectDatabase(empty));
      tiers.push(bare);
      const error: unknown = await bare.get(['key']).catch((problem: unknown) => problem);
      expect(bare.refused(error)).toBe(true);
    }, 180_000);

    test('a wrong password is no connection, and is not told', async () => {
      const { config: other } = await startPostgres(processes, { password: 'another secret' });
      const wrong = new DatabaseTier(await connectDatabase({ ...config, passwordFile: other.passwordFile }));
      tiers.push(wrong);
      const error: unknown = await wrong.get(['key']).catch((problem: unknown) => problem);
      expect(String(error)).toMatch(/password authentication failed/);
      expect(String(error)).not.toContain('another secret');
    }, 180_000);
  });
});

test('a port where nobody listens is no connection', async () => {
  const tier = new MemcachedTier({ servers: ['127.0.0.1:1'], tls: false });
  tiers.push(tier);
  await expect(tier.get(['key'])).rejects.toThrow('not connected');
});
