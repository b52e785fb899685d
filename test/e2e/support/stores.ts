/** Real Redis, Memcached and PostgreSQL on free loopback ports, with or without TLS. */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { delimiter, join } from 'node:path';
import { Client } from 'pg';
import type { DatabaseTierConfig, MemcachedTierConfig, RedisTierConfig } from '../../../constructs/plan/cache/config';
import { CertificateAuthority, type KeyPair } from './certificates';
import { freePorts } from './ports';
import type { Processes } from './processes';
import { describeUnless } from './suite';
import { waitFor } from './wait';

/** A server that a test may hurt. */
export interface Store<Config> {
  readonly port: number;
  /** How the cache reaches it. */
  readonly config: Config;
  /** Ends it without a farewell. */
  kill(): Promise<void>;
  /** Starts it again on the same port, and waits until it answers. */
  start(): Promise<void>;
  /** Lets it hang: connections stay, answers do not come. Not for PostgreSQL, whose sessions are groups of their own. */
  pause(): void;
  resume(): void;
}

export interface StoreOptions {
  /** @default false */
  readonly tls?: boolean;
  /** @default - no authentication; PostgreSQL always has one */
  readonly password?: string;
  /** More arguments of the server. @default - none */
  readonly args?: readonly string[];
}

type StoreName = 'redis' | 'memcached' | 'postgres';

const COMMANDS: { readonly [N in StoreName]: string } = {
  redis: 'redis-server',
  memcached: 'memcached',
  postgres: 'postgres',
};

/** A suite that needs stores; it is reported as skipped, with the reason, where one is not installed. */
export function describeWithStores(name: string, stores: readonly StoreName[], suite: () => void): void {
  const missing = stores.map((store) => COMMANDS[store]).filter((command) => findCommand(command) === undefined);
  describeUnless(missing.length === 0 ? undefined : `${missing.join(', ')} not installed`, name, suite);
}

let count = 0;

/** Redis without persistence, unless the arguments say otherwise. */
export async function startRedis(processes: Processes, options: StoreOptions = {}): Promise<Store<RedisTierConfig>> {
  const { folder, port, name, pair } = await prepare(processes, 'redis', options);
  const { tls = false, password, args = [] } = options;
  const listen = tls
    ? ['--port', '0', '--tls-port', `${port}`, '--tls-cert-file', pair.cert, '--tls-key-file', pair.key]
    : ['--port', `${port}`];
  const server = {
    name,
    command: command('redis'),
    args: [
      ...['--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'no', ...listen],
      ...(tls ? ['--tls-ca-cert-file', pair.ca, '--tls-auth-clients', 'no'] : []),
      ...(password === undefined ? [] : ['--requirepass', password]),
      ...args,
    ],
  };
  const config: RedisTierConfig = {
    url: `${tls ? 'rediss' : 'redis'}://127.0.0.1:${port}`,
    ...(tls && { caFile: pair.ca }),
    ...(password !== undefined && { passwordFile: secret(folder, password) }),
  };
  return running(processes, server, port, config);
}

/** Memcached with 64 MiB. */
export async function startMemcached(
  processes: Processes,
  options: StoreOptions = {},
): Promise<Store<MemcachedTierConfig>> {
  const { folder, port, name, pair } = await prepare(processes, 'memcached', options);
  const { tls = false, password, args = [] } = options;
  writeFileSync(join(folder, 'auth'), `mediform:${password ?? ''}\n`);
  const server = {
    name,
    command: command('memcached'),
    args: [
      ...[
        '-l',
        '127.0.0.1',
        '-p',
        `${port}`,
        '-U',
        '0',
        '-m',
        '64',
        ...(process.getuid?.() === 0 ? ['-u', 'root'] : []),
      ],
      ...(tls ? ['-Z', '-o', `ssl_chain_cert=${pair.cert},ssl_key=${pair.key}`] : []),
      ...(password === undefined ? [] : ['-Y', join(folder, 'auth')]),
      ...args,
    ],
  };
  const config: MemcachedTierConfig = {
    servers: [`127.0.0.1:${port}`],
    tls,
    ...(tls && { caFile: pair.ca }),
    ...(password !== undefined && { username: 'mediform', passwordFile: secret(folder, password) }),
  };
  return running(processes, server, port, config);
}

/** PostgreSQL with an empty database; as the user `postgres` where this process is root, which it refuses. */
export async function startPostgres(
  processes: Processes,
  options: StoreOptions = {},
): Promise<Store<DatabaseTierConfig>> {
  const { folder, port, name, pair } = await prepare(processes, 'postgres', options);
  const { tls = false, password = 'only-for-tests', args = [] } = options;
  const passwordFile = secret(folder, password);
  const data = join(folder, 'data');
  const asRoot = process.getuid?.() === 0;
  if (asRoot) {
    chmodSync(processes.folder, 0o711);
    execFileSync('chown', ['-R', 'postgres', folder]);
  }
  const run = (program: string, rest: readonly string[]): { command: string; args: readonly string[] } =>
    asRoot
      ? { command: 'setpriv', args: ['--reuid=postgres', '--regid=postgres', '--clear-groups', program, ...rest] }
      : { command: program, args: rest };

  const postgres = command('postgres');
  const initdb = run(postgres.replace(/postgres$/, 'initdb'), [
    ...['-D', data, '-U', 'mediform', '--pwfile', passwordFile, '--auth=scram-sha-256', '--no-sync', '-E', 'UTF8'],
  ]);
  execFileSync(initdb.command, initdb.args, { cwd: folder, stdio: 'pipe' });
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    fsync: 'off',
    shared_buffers: '32MB',
    max_connections: '50',
    ...(tls && { ssl: 'on', ssl_cert_file: pair.cert, ssl_key_file: pair.key }),
  };
  const server = {
    name,
    ...run(postgres, [
      ...['-D', data, '-p', `${port}`],
      ...Object.entries(settings).flatMap(([setting, value]) => ['-c', `${setting}=${value}`]),
      ...args,
    ]),
  };
  const config: DatabaseTierConfig = {
    host: '127.0.0.1',
    port,
    database: 'postgres',
    user: 'mediform',
    passwordFile,
    tls,
    ...(tls && { caFile: pair.ca }),
  };
  return running(processes, server, port, config, () => answersSql(config, password));
}

/** It listens for a while before it answers. */
async function answersSql({ host, port, database, user, caFile }: DatabaseTierConfig, password: string): Promise<true> {
  const ssl = caFile !== undefined && { ca: readFileSync(caFile, 'utf8') };
  const client = new Client({ host, port, database, user, password, ssl });
  // said again by the promise
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('SELECT 1');
    return true;
  } finally {
    await client.end().catch(() => undefined);
  }
}

interface Prepared {
  readonly folder: string;
  readonly port: number;
  readonly name: string;
  readonly pair: { readonly ca: string; readonly cert: string; readonly key: string };
}

async function prepare(processes: Processes, store: StoreName, { tls = false }: StoreOptions): Promise<Prepared> {
  const name = `${store}-${++count}`;
  const folder = join(processes.folder, name);
  mkdirSync(folder);
  const [port = 0] = await freePorts(1);
  const pair = { ca: join(folder, 'ca.pem'), cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  if (tls) {
    const authority = new CertificateAuthority('stores of a test');
    const issued: KeyPair = authority.issue({ commonName: name, hosts: ['127.0.0.1', 'localhost'] });
    writeFileSync(pair.ca, authority.certificate);
    writeFileSync(pair.cert, issued.certificate);
    writeFileSync(pair.key, issued.key, { mode: 0o600 });
  }
  return { folder, port, name, pair };
}

function secret(folder: string, password: string): string {
  const path = join(folder, 'password');
  writeFileSync(path, password);
  return path;
}

async function running<Config>(
  processes: Processes,
  server: Parameters<Processes['run']>[0],
  port: number,
  config: Config,
  answers: () => Promise<boolean> = () => listens(port),
): Promise<Store<Config>> {
  const start = async (): Promise<void> => {
    await waitFor(`${server.name} to have let go of its port`, async () => !(await listens(port)));
    processes.run(server);
    await waitFor(`${server.name} to answer`, answers, { pauseMs: 20, guard });
  };
  const guard = (): void => {
    try {
      processes.assertRunning();
    } catch (error) {
      // PostgreSQL's orphans hold on to the data folder until they notice that they are
      if (!String(error).includes('pre-existing shared memory block')) {
        throw error;
      }
      processes.run(server);
    }
  };
  await start();
  return {
    port,
    config,
    kill: () => processes.kill(server.name),
    start,
    pause: () => processes.signal(server.name, 'SIGSTOP'),
    resume: () => processes.signal(server.name, 'SIGCONT'),
  };
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

function command(store: StoreName): string {
  const found = findCommand(COMMANDS[store]);
  if (found === undefined) {
    throw new Error(`${COMMANDS[store]} is not installed`);
  }
  return found;
}

/** Debian keeps PostgreSQL's programs out of the PATH. */
function findCommand(name: string): string | undefined {
  const debian = '/usr/lib/postgresql';
  const versions = name === 'postgres' && existsSync(debian) ? readdirSync(debian) : [];
  const folders = [
    ...versions.map((version) => join(debian, version, 'bin')),
    ...(process.env.PATH ?? '').split(delimiter),
  ];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}
