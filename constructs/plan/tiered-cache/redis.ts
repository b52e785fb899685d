import type { ConfigMap } from '../../imports/config-map';
import type { Probe } from '../../imports/k8s';
import type { StatefulSet } from '../../imports/stateful-set';
import { CACHE_PORTS, REDIS_EVICTION_POLICY } from '../cache/config';
import { contentHash } from '../content-hash';
import { projectedVolume } from '../mounts';
import { memoryQuantity } from '../quantities';
import { containerSecurity } from '../pods';
import type { TieredCachePlan } from './plan';
import { redisServer, type CacheServerPlan } from './servers';
import { exporter, serverResources, statefulSet } from './server-pod';
import type { RedisServerProps } from './props';

/** Port of the exporter. */
export const REDIS_EXPORTER_PORT = 9121;
/** User `valkey` of the image. */
const USER = 999;
const FOLDER = '/etc/valkey';
const PASSWORD = `${FOLDER}/auth/password`;
/** In memory: what is written there holds the hash of the password. */
const RUN = '/run/valkey';
const DATA = '/data';
const CONFIG_FILE = 'valkey.conf';

/**
 * What the one user may do: all but what an intruder would want, such as to change the configuration, copy or empty the
 * server; and of that the little that the exporter asks.
 */
const ALLOWED = [
  '~*',
  '&*',
  '+@all',
  '-@admin',
  '-@dangerous',
  '+info',
  '+config|get',
  '+latency|latest',
  '+latency|histogram',
  '+slowlog|get',
  '+slowlog|len',
].join(' ');

/** The file that Valkey reads. It speaks TLS alone, and evicts entries rather than refuse new ones. */
export function valkeyConf(server: CacheServerPlan, props: RedisServerProps): string {
  const persistence =
    props.persistence === undefined
      ? ['save ""', 'appendonly no']
      : // a second of entries may be lost, which is no loss to a cache
        ['save ""', 'appendonly yes', 'appendfsync everysec'];
  return [
    'port 0',
    `tls-port ${CACHE_PORTS.redis}`,
    `tls-cert-file ${FOLDER}/tls/tls.crt`,
    `tls-key-file ${FOLDER}/tls/tls.key`,
    'tls-auth-clients no',
    'tls-protocols "TLSv1.2 TLSv1.3"',
    // new certificates are picked up without a restart
    'tls-auto-reload-interval 3600',
    `maxmemory ${server.maxMemoryMiB}mb`,
    `maxmemory-policy ${props.evictionPolicy ?? REDIS_EVICTION_POLICY}`,
    'lazyfree-lazy-eviction yes',
    'lazyfree-lazy-expire yes',
    'lazyfree-lazy-server-del yes',
    'tcp-keepalive 60',
    `dir ${DATA}`,
    ...persistence,
    `include ${RUN}/users.conf`,
    '',
  ].join('\n');
}

/**
 * What the container runs: the password becomes a hash in a file that Valkey reads, so that it is on no command line and
 * in no variable.
 */
export function valkeyCommand(): readonly string[] {
  const script = [
    'umask 077',
    `hash=$(tr -d '\\n' < ${PASSWORD} | sha256sum | cut -d ' ' -f 1)`,
    `echo "user default reset on #$hash ${ALLOWED}" > ${RUN}/users.conf`,
    `exec valkey-server ${FOLDER}/${CONFIG_FILE}`,
  ].join(' && ');
  return ['sh', '-c', script];
}

/** The ConfigMap with the file. Its name changes with its content, so that a change restarts the server. */
export function valkeyConfigMap(cache: TieredCachePlan, server: CacheServerPlan): ConfigMap {
  const conf = valkeyConf(server, redisServer(cache.props) as RedisServerProps);
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: `${server.name}-${contentHash(conf)}`,
      namespace: cache.namespace,
      labels: { ...server.labels },
    },
    data: { [CONFIG_FILE]: conf },
  };
}

/** The StatefulSet of Valkey: one server. */
export function valkeyStatefulSet(cache: TieredCachePlan, server: CacheServerPlan, configMap: string): StatefulSet {
  const props = redisServer(cache.props) as RedisServerProps;
  const tls = cache.tlsSecret as string;
  const { persistence } = props;
  const sizeLimit = memoryQuantity(1);
  return statefulSet(cache, server, {
    user: USER,
    containers: [
      {
        name: 'valkey',
        image: server.image,
        imagePullPolicy: 'IfNotPresent',
        command: [...valkeyCommand()],
        ports: [{ name: 'redis', containerPort: CACHE_PORTS.redis, protocol: 'TCP' }],
        resources: serverResources(server),
        // it may have to read its file first
        startupProbe: ping('PONG', { periodSeconds: 5, failureThreshold: 60 }),
        readinessProbe: ping('PONG', { periodSeconds: 10, failureThreshold: 2 }),
        livenessProbe: ping('PONG|LOADING|MASTERDOWN', { periodSeconds: 15, failureThreshold: 4 }),
        securityContext: containerSecurity(),
        volumeMounts: [
          { name: 'config', mountPath: FOLDER, readOnly: true },
          { name: 'run', mountPath: RUN },
          { name: 'data', mountPath: DATA },
        ],
      },
      exporter(server, REDIS_EXPORTER_PORT, {
        // the other end is this pod's own loopback interface, a name that no certificate has
        args: [`--redis.addr=rediss://127.0.0.1:${CACHE_PORTS.redis}`, '--skip-tls-verification'],
        env: [
          {
            name: 'REDIS_PASSWORD',
            valueFrom: { secretKeyRef: { name: props.password.secret, key: props.password.key } },
          },
        ],
      }),
    ],
    volumes: [
      projectedVolume('config', FOLDER, [
        { path: `${FOLDER}/${CONFIG_FILE}`, from: { configMap, key: CONFIG_FILE } },
        { path: PASSWORD, from: props.password },
        ...['tls.crt', 'tls.key'].map((key) => ({ path: `${FOLDER}/tls/${key}`, from: { secret: tls, key } })),
      ]),
      { name: 'run', emptyDir: { medium: 'Memory', sizeLimit } },
      ...(persistence === undefined ? [{ name: 'data', emptyDir: { sizeLimit } }] : []),
    ],
    claims: persistence && [
      {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { name: 'data' },
        spec: {
          accessModes: ['ReadWriteOncePod'],
          resources: { requests: { storage: memoryQuantity(persistence.size.toMebibytes()) } },
          ...(persistence.storageClass === undefined ? {} : { storageClassName: persistence.storageClass }),
        },
      },
    ],
  });
}

/** Asks the server over TLS, logged in, and looks at what it says. */
function ping(answers: string, rest: Omit<Probe, 'exec'>): Probe {
  // its own name for it, and the older one
  const login = `p="$(tr -d '\\n' < ${PASSWORD})"; VALKEYCLI_AUTH="$p" REDISCLI_AUTH="$p"`;
  const ask = `valkey-cli -h 127.0.0.1 -p ${CACHE_PORTS.redis} --tls --insecure ping`;
  return { exec: { command: ['sh', '-c', `${login} ${ask} | grep -qE '${answers}'`] }, timeoutSeconds: 5, ...rest };
}
