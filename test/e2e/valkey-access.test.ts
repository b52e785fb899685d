/** What the user of the Valkey cache may do, asked of a real server. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createClient } from 'redis';
import { ACCESS } from '../../stacks/aws/valkey-cache';
import { freePorts } from './support/ports';
import { Processes } from './support/processes';
import { describeWithStores } from './support/stores';
import { waitFor } from './support/wait';

describeWithStores('the user of the Valkey cache', ['redis'], () => {
  let processes: Processes;
  let port: number;
  const clientOf = (credentials: object) =>
    createClient({ socket: { host: '127.0.0.1', port, reconnectStrategy: false }, ...credentials }).on('error', () => {
      // every command says so itself
    });
  const client = () => clientOf({ username: 'mediform', password: 'long-enough' });

  beforeAll(async () => {
    processes = await Processes.start();
    [port = 0] = await freePorts(1);
    const config = join(processes.folder, 'redis.conf');
    const lines = [
      `port ${port}`,
      'bind 127.0.0.1',
      'save ""',
      'user default off',
      // as ElastiCache makes it of the access string and the password
      `user mediform >long-enough ${ACCESS}`,
    ];
    writeFileSync(config, `${lines.join('\n')}\n`);
    processes.run({ name: 'redis', command: 'redis-server', args: [config] });
    await waitFor('Redis to answer', async () => {
      const connection = client();
      try {
        await connection.connect();
        return await connection.ping();
      } catch {
        return undefined;
      } finally {
        connection.destroy();
      }
    });
  }, 180_000);

  afterAll(() => processes.stop());

  test('does all that the cache does', async () => {
    const connection = await client().connect();
    const send = (...args: string[]) => connection.sendCommand(args);
    expect(await send('SET', 'key', 'value', 'PX', '60000')).toBe('OK');
    expect(await send('GET', 'key')).toBe('value');
    expect(await send('MGET', 'key', 'none')).toEqual(['value', null]);
    expect(await send('UNLINK', 'key')).toBe(1);
    const append = "return redis.call('XADD', KEYS[1], '1-0', 'what', redis.call('TIME')[1])";
    expect(await send('EVAL', append, '1', 'log')).toBe('1-0');
    expect(await send('XRANGE', 'log', '-', '+', 'COUNT', '1')).toHaveLength(1);
    expect(await send('XREAD', 'COUNT', '1', 'BLOCK', '10', 'STREAMS', 'log', '0-0')).toHaveProperty('log');
    expect(await send('INFO', 'server')).toContain('run_id');
    connection.destroy();
  });

  test.each([
    ['CONFIG', 'GET', '*'],
    ['FLUSHALL'],
    ['KEYS', '*'],
    ['ACL', 'LIST'],
    ['CLIENT', 'LIST'],
    ['MONITOR'],
    ['SHUTDOWN'],
  ])('may not %s', async (...command) => {
    const connection = await client().connect();
    await expect(connection.sendCommand(command)).rejects.toThrow('NOPERM');
    connection.destroy();
  });

  test('is the only one', async () => {
    await expect(clientOf({}).connect()).rejects.toThrow('NOAUTH');
    await expect(clientOf({ username: 'mediform', password: 'wrong' }).connect()).rejects.toThrow('WRONGPASS');
  });
});
