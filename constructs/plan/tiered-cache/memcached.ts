import type { Probe } from '../../imports/k8s';
import type { StatefulSet } from '../../imports/stateful-set';
import { CACHE_PORTS } from '../cache/config';
import { projectedVolume } from '../mounts';
import { containerSecurity } from '../pods';
import { memoryQuantity } from '../quantities';
import { MEMCACHED_USER } from './client';
import type { TieredCachePlan } from './plan';
import type { MemcachedServerProps } from './props';
import { exporter, serverResources, statefulSet } from './server-pod';
import { memcachedClients, memcachedServer, type CacheServerPlan } from './servers';

/** Port of the exporter. */
export const MEMCACHED_EXPORTER_PORT = 9150;
/** Within the pod and without TLS: for the exporter and the probes. */
const LOCAL_PORT = 11_212;
/** User `memcache` of the image. */
const USER = 11_211;
const FOLDER = '/etc/memcached';
const PASSWORD = `${FOLDER}/auth/password`;
/** In memory: what is written there holds the password. */
const RUN = '/run/memcached';
const CONNECTIONS = 4096;
const CLIENT_AUTHORITY = `${FOLDER}/clients/ca.crt`;
/** Mode 2: who shows no certificate of this authority is not let in. */
const CLIENTS_ONLY = `,ssl_ca_cert=${CLIENT_AUTHORITY},ssl_verify_mode=2`;

/**
 * Largest item that the servers take, in MiB: Memcached's own limit unless a larger one is needed. It counts in halves of
 * a MiB, and an item has a key and a header.
 */
export function memcachedItemLimitMiB({ maxEntry }: Pick<MemcachedServerProps, 'maxEntry'>): number {
  return maxEntry === undefined ? 1 : maxEntry.toMebibytes() + 1;
}

/**
 * Arguments of Memcached. Users reach it over TLS alone, and show a certificate or say a password; nobody can empty it,
 * list its keys or watch what is asked.
 *
 * @param clients whether users must show certificates
 */
export function memcachedArgs(
  server: CacheServerPlan,
  props: MemcachedServerProps,
  clients: boolean,
): readonly string[] {
  return [
    `--memory-limit=${server.maxMemoryMiB}`,
    `--max-item-size=${memcachedItemLimitMiB(props)}m`,
    `--conn-limit=${CONNECTIONS}`,
    `--threads=${Math.max(2, Math.ceil(server.schedule.cpu))}`,
    '--disable-flush-all',
    '--disable-dumping',
    '--disable-watch',
    '--udp-port=0',
    '--enable-ssl',
    `--extended=ssl_chain_cert=${FOLDER}/tls/tls.crt,ssl_key=${FOLDER}/tls/tls.key${clients ? CLIENTS_ONLY : ''}`,
    `--listen=0.0.0.0:${CACHE_PORTS.memcached},notls:127.0.0.1:${LOCAL_PORT}`,
    ...(props.password === undefined ? [] : [`--auth-file=${RUN}/auth`]),
  ];
}

/** What the container runs. A password goes from its file to another one, so that it is on no command line. */
export function memcachedCommand(
  server: CacheServerPlan,
  props: MemcachedServerProps,
  clients: boolean,
): readonly string[] {
  const args = memcachedArgs(server, props, clients);
  if (props.password === undefined) {
    return ['memcached', ...args];
  }
  const script = [
    'umask 077',
    `printf '${MEMCACHED_USER}:%s\\n' "$(tr -d '\\n' < ${PASSWORD})" > ${RUN}/auth`,
    'exec memcached "$@"',
  ].join(' && ');
  return ['sh', '-c', script, 'memcached', ...args];
}

/** The StatefulSet of Memcached. */
export function memcachedStatefulSet(cache: TieredCachePlan, server: CacheServerPlan): StatefulSet {
  const props = memcachedServer(cache.props) as MemcachedServerProps;
  const tls = cache.tlsSecret as string;
  const { password } = props;
  const clients = memcachedClients(cache.name, cache.props);
  return statefulSet(cache, server, {
    user: USER,
    containers: [
      {
        name: 'memcached',
        image: server.image,
        imagePullPolicy: 'IfNotPresent',
        command: [...memcachedCommand(server, props, clients !== undefined)],
        ports: [{ name: 'memcached', containerPort: CACHE_PORTS.memcached, protocol: 'TCP' }],
        resources: serverResources(server),
        readinessProbe: { tcpSocket: { port: 'memcached' }, periodSeconds: 10, failureThreshold: 2 },
        livenessProbe: refreshCertificates(password !== undefined),
        securityContext: containerSecurity(),
        volumeMounts: [
          { name: 'config', mountPath: FOLDER, readOnly: true },
          { name: 'run', mountPath: RUN },
        ],
      },
      ...(password === undefined
        ? [exporter(server, MEMCACHED_EXPORTER_PORT, { args: [`--memcached.address=127.0.0.1:${LOCAL_PORT}`] })]
        : []),
    ],
    volumes: [
      projectedVolume('config', FOLDER, [
        ...['tls.crt', 'tls.key'].map((key) => ({ path: `${FOLDER}/tls/${key}`, from: { secret: tls, key } })),
        ...(clients === undefined ? [] : [{ path: CLIENT_AUTHORITY, from: clients.authority }]),
        ...(password === undefined ? [] : [{ path: PASSWORD, from: password }]),
      ]),
      { name: 'run', emptyDir: { medium: 'Memory', sizeLimit: memoryQuantity(1) } },
    ],
  });
}

/**
 * Memcached reads its certificate again when it is told to, and tells whether that worked: an answer shows that it lives.
 */
function refreshCertificates(login: boolean): Probe {
  const auth = `password="$(tr -d '\\n' < ${PASSWORD})" && auth="${MEMCACHED_USER} $password"`;
  const say = login
    ? `${auth} && printf 'set auth 0 0 %d\\r\\n%s\\r\\nrefresh_certs\\r\\nquit\\r\\n' "\${#auth}" "$auth"`
    : `printf 'refresh_certs\\r\\nquit\\r\\n'`;
  return {
    exec: { command: ['sh', '-c', `{ ${say}; } | nc 127.0.0.1 ${LOCAL_PORT} | grep -q '^OK'`] },
    periodSeconds: 60,
    timeoutSeconds: 10,
    failureThreshold: 3,
  };
}
