/** The Memcached of a cache, run as its StatefulSet says: who gets in, and how certificates are renewed. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { setTimeout as sleep } from 'node:timers/promises';
import { Size } from 'cdk8s';
import type { TieredCacheProps } from '../../constructs';
import { MemcachedTier } from '../../runtime/cache/tiers/memcached';
import { PASSWORD, passes, serverCertificate, startServer, type StartedServer } from './support/cache-servers';
import { CertificateAuthority, type KeyPair } from './support/certificates';
import { Processes } from './support/processes';
import { describeWithStores } from './support/stores';
import { waitFor } from './support/wait';

describeWithStores('Memcached of a cache', ['memcached'], () => {
  const authority = new CertificateAuthority('hospital');
  const stranger = new CertificateAuthority('stranger');
  const user = authority.issue({ commonName: 'user' });
  let processes: Processes;

  beforeEach(async () => {
    processes = await Processes.start();
  });
  afterEach(() => processes.stop());

  async function start(
    memcached: TieredCacheProps['memcached'] = { memory: Size.mebibytes(128), servers: 1 },
    names = ['localhost'],
  ): Promise<StartedServer> {
    const server = await startServer(processes, 'memcached', { memcached }, authority, names);
    await waitFor('the liveness probe', () => passes(server.pod.containers[0]?.livenessProbe, server.container), {
      guard: () => processes.assertRunning(),
    });
    return server;
  }

  interface Speaker {
    readonly name?: string;
    readonly shown?: KeyPair;
  }

  /** Says one thing, and hears all that is answered. */
  async function say(port: number, what: string, speaker: Speaker = {}): Promise<string> {
    try {
      return await sayOnce(port, what, speaker);
    } catch (error) {
      // who speaks as the door closes may not hear why it does
      if (['EPIPE', 'ECONNRESET'].includes((error as NodeJS.ErrnoException).code ?? '')) {
        return say(port, what, speaker);
      }
      throw error;
    }
  }

  async function sayOnce(port: number, what: string, { name = 'localhost', shown }: Speaker): Promise<string> {
    const identity = { ca: authority.certificate, cert: shown?.certificate, key: shown?.key };
    const socket = connectTls({ host: '127.0.0.1', port, servername: name, ...identity });
    await once(socket, 'secureConnect');
    // who is not let in cannot even say good-bye
    socket.setEncoding('utf8').end(`${what}\r\nquit\r\n`);
    let answer = '';
    socket.on('data', (part: string) => (answer += part));
    await once(socket, 'close');
    return answer;
  }

  it('lets in who shows a certificate of the authority, made for that, and nobody else', async () => {
    const { port, localPort, container, pod } = await start();
    expect(await say(port, 'version', { shown: user })).toMatch(/^VERSION /);
    await expect(say(port, 'version')).rejects.toThrow(/certificate.required|handshake.failure/i);
    await expect(say(port, 'version', { shown: stranger.issue({ commonName: 'user' }) })).rejects.toThrow(
      /unknown.ca/i,
    );
    const server = authority.issue({ commonName: 'user', hosts: ['localhost'] });
    await expect(say(port, 'version', { shown: server })).rejects.toThrow(/unsupported.certificate/i);
    // the exporter is in the pod, and needs none
    const exporter = connectTcp(localPort, '127.0.0.1').end('stats\r\nquit\r\n');
    const [stats] = (await once(exporter, 'data')) as [Buffer];
    expect(stats.toString()).toContain('STAT curr_items 0');
    expect(await passes(pod.containers[0]?.livenessProbe, container)).toBe(true);
  }, 180_000);

  it('is used by the cache with its certificate, which is read again for each connection', async () => {
    const { port, container } = await start();
    const [certificateFile, keyFile, caFile] = ['tls.crt', 'tls.key', 'ca.crt'].map((file) =>
      join(processes.folder, file),
    ) as [string, string, string];
    const show = ({ certificate, key }: KeyPair): void => {
      writeFileSync(certificateFile, certificate);
      writeFileSync(keyFile, key);
    };
    const answers = (tier: MemcachedTier): Promise<boolean> => tier.get(['a']).then(Boolean, () => false);
    const restart = async (): Promise<void> => {
      await processes.kill('memcached');
      processes.run({ name: 'memcached', ...container });
    };
    writeFileSync(caFile, authority.certificate);
    show(user);
    const servers = [`localhost:${port}`];
    const tier = new MemcachedTier({ servers, caFile, certificateFile, keyFile });
    const nobody = new MemcachedTier({ servers, caFile });
    try {
      const kept = (): Promise<boolean> =>
        tier.set('a', Buffer.from('sealed'), 60_000).then(
          () => answers(tier),
          () => false,
        );
      await waitFor('the tier to work', kept);
      expect(await answers(nobody)).toBe(false);

      show(stranger.issue({ commonName: 'user' }));
      await restart();
      await sleep(1_000);
      expect(await kept()).toBe(false);
      // half of a renewal: the key does not fit
      writeFileSync(certificateFile, user.certificate);
      await sleep(500);
      show(authority.issue({ commonName: 'renewed' }));
      await waitFor('the tier to work again', kept);
      expect(await answers(nobody)).toBe(false);
    } finally {
      await Promise.all([tier.close(), nobody.close()]);
    }
  }, 180_000);

  it('takes a new authority up while it runs', async () => {
    const { port, container, folder, pod } = await start();
    const next = new CertificateAuthority('next');
    const shown = next.issue({ commonName: 'user' });
    await expect(say(port, 'version', { shown })).rejects.toThrow(/unknown.ca/i);
    writeFileSync(join(folder, '/etc/memcached/clients/ca.crt'), authority.certificate + next.certificate);
    expect(await passes(pod.containers[0]?.livenessProbe, container)).toBe(true);
    expect(await say(port, 'version', { shown })).toMatch(/^VERSION /);
    expect(await say(port, 'version', { shown: user })).toMatch(/^VERSION /);
    // one that is taken away is believed until the next start
    writeFileSync(join(folder, '/etc/memcached/clients/ca.crt'), next.certificate);
    expect(await passes(pod.containers[0]?.livenessProbe, container)).toBe(true);
    expect(await say(port, 'version', { shown: user })).toMatch(/^VERSION /);
    await processes.kill('memcached');
    processes.run({ name: 'memcached', ...container });
    await waitFor('the liveness probe', () => passes(pod.containers[0]?.livenessProbe, container));
    await expect(say(port, 'version', { shown: user })).rejects.toThrow(/unknown.ca/i);
  }, 180_000);

  it.each(['certificates', 'a password', 'both'])(
    'takes what it is told where users have %s, and new certificates of its own',
    async (users) => {
      const password = users === 'certificates' ? {} : { password: { secret: 'memcached', key: 'password' } };
      const clients = users === 'both' ? { clients: {} } : {};
      const { port, pod, container, folder } = await start(
        { memory: Size.mebibytes(128), maxEntry: Size.mebibytes(4), servers: 1, ...password, ...clients },
        ['old.example'],
      );
      const shown = users === 'a password' ? undefined : user;
      const name = 'old.example';
      const stranger = await say(port, 'stats', { name, shown });
      expect(/^STAT|unauthenticated/m.exec(stranger)?.[0]).toBe(users === 'certificates' ? 'STAT' : 'unauthenticated');
      const login = `mediform ${PASSWORD}`;
      const auth = users === 'certificates' ? '' : `set auth 0 0 ${login.length}\r\n${login}\r\n`;
      const answer = await say(port, `${auth}stats settings`, { name, shown });
      expect(answer).toContain('STAT maxbytes 100663296');
      expect(answer).toContain(`STAT item_size_max ${5 * 1024 * 1024}`);
      expect(answer).toContain('STAT flush_enabled no');
      // in terms of OpenSSL: none, or asked for and required
      expect(answer).toContain(`STAT ssl_verify_mode ${users === 'a password' ? 0 : 3}\r\n`);
      if (users === 'both') {
        await expect(say(port, 'version', { name })).rejects.toThrow(/certificate.required|handshake.failure/i);
      }

      for (const [file, content] of Object.entries(serverCertificate(authority, ['new.example']))) {
        writeFileSync(join(folder, '/etc/memcached/tls', file), content);
      }
      expect(await passes(pod.containers[0]?.livenessProbe, container)).toBe(true);
      await expect(say(port, 'version', { name, shown })).rejects.toThrow('new.example');
      expect(await say(port, 'version', { name: 'new.example', shown })).toContain(
        users === 'certificates' ? 'VERSION' : 'ERROR',
      );
    },
    180_000,
  );
});
