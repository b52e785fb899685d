/** The servers that other suites hurt start, die and come back, with and without TLS. */
import { connect as connectTls } from 'node:tls';
import { readFileSync } from 'node:fs';
import { Client } from 'pg';
import { createClient } from 'redis';
import { Processes } from './support/processes';
import { describeWithStores, startMemcached, startPostgres, startRedis } from './support/stores';

describeWithStores('stores', ['redis', 'memcached', 'postgres'], () => {
  let processes: Processes;
  beforeAll(async () => {
    processes = await Processes.start();
  });
  afterAll(() => processes.stop());

  test.each([false, true])(
    'Redis answers, dies and comes back (TLS %s)',
    async (tls) => {
      const store = await startRedis(processes, { tls, password: 'secret' });
      const ping = async (): Promise<string> => {
        const socket = tls ? ({ tls: true, ca: readFileSync(store.config.caFile ?? '') } as const) : {};
        const client = createClient({ url: store.config.url, password: 'secret', socket });
        await client.connect();
        const answer = await client.ping();
        client.destroy();
        return answer;
      };
      expect(await ping()).toBe('PONG');
      await store.kill();
      await store.start();
      expect(await ping()).toBe('PONG');
    },
    180_000,
  );

  test('Memcached speaks TLS', async () => {
    const store = await startMemcached(processes, { tls: true });
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connectTls({ host: '127.0.0.1', port: store.port, ca: readFileSync(store.config.caFile ?? '') });
      socket.once('secureConnect', () => socket.write('version\r\n'));
      socket.once('data', (data: Buffer) => {
        socket.destroy();
        resolve(data.toString());
      });
      socket.once('error', reject);
    });
    expect(answer).toMatch(/^VERSION 1\./);
  }, 180_000);

  test.each([false, true])(
    'PostgreSQL answers, dies and comes back (TLS %s)',
    async (tls) => {
      const store = await startPostgres(processes, { tls });
      const { host, port, database, user, passwordFile = '', caFile } = store.config;
      const select = async (): Promise<unknown> => {
        const ssl = tls && { ca: readFileSync(caFile ?? '', 'utf8') };
        const client = new Client({ host, port, database, user, password: readFileSync(passwordFile, 'utf8'), ssl });
        client.on('error', () => undefined);
        await client.connect();
        const { rows } = await client.query<{ one: number }>('SELECT 1 AS one');
        await client.end();
        return rows;
      };
      expect(await select()).toEqual([{ one: 1 }]);
      await store.kill();
      await store.start();
      await expect(select()).resolves.toEqual([{ one: 1 }]);
    },
    180_000,
  );
});
