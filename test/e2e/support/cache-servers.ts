/** Servers of a cache, run as their StatefulSets say: the first container of a pod, with its files and its probes. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { App, Chart, Size } from 'cdk8s';
import { TieredCache, type TieredCacheProps } from '../../../constructs';
import type { PodSpec, Probe } from '../../../constructs/imports/k8s';
import type { StatefulSet } from '../../../constructs/imports/stateful-set';
import { findObject, synthObjects, type KubeObject } from '../../../constructs/testing';
import type { CertificateAuthority } from './certificates';
import { layOut, type Contents, type Runnable } from './containers';
import { freePorts } from './ports';
import type { Processes } from './processes';

/** Memcached takes no spaces, and nobody minds the rest. */
export const PASSWORD = 'correct-"horse"-$battery-`staple`-\\-%s';

/** A server that runs. */
export interface StartedServer {
  readonly port: number;
  /** Port within the pod, without TLS; Memcached's alone. */
  readonly localPort: number;
  readonly pod: PodSpec;
  readonly container: Runnable;
  readonly folder: string;
}

/**
 * Starts the first container of a server's only pod.
 *
 * @param authority of its certificate and of those that users show
 * @param names of its certificate
 */
export async function startServer(
  processes: Processes,
  tier: 'redis' | 'memcached',
  props: Partial<TieredCacheProps>,
  authority: CertificateAuthority,
  names: readonly string[] = ['results-redis.caches.svc', '*.results-memcached.caches.svc'],
): Promise<StartedServer> {
  const [port = 0, localPort = 0] = await freePorts(2);
  const ports: { readonly [port: string]: number } =
    tier === 'redis' ? { 6379: port } : { 11211: port, 11212: localPort };
  const objects = movePorts(synth(props).map(withoutNewDirectives), ports);
  const { spec } = findObject(objects, 'StatefulSet', `results-${tier}`) as unknown as StatefulSet;
  const pod = spec?.template.spec as PodSpec;
  const folder = join(processes.folder, tier);
  const contents: Contents = {
    redis: { password: `${PASSWORD}\n` },
    memcached: { password: PASSWORD },
    tls: { ...serverCertificate(authority, names), 'ca.crt': authority.certificate },
  };
  const container = layOut(folder, pod, pod.containers[0]?.name ?? '', { objects, contents });
  // in a container Memcached is never root, and then needs not be told that it may be
  const asRoot = tier === 'memcached' && process.getuid?.() === 0 ? ['--user=root'] : [];
  const started = { ...container, args: [...container.args, ...asRoot] };
  processes.run({ name: tier, ...started });
  return { port, localPort, pod, container: started, folder };
}

/** A certificate as a Secret holds it. */
export function serverCertificate(
  authority: CertificateAuthority,
  names: readonly string[],
): { readonly 'tls.crt': string; readonly 'tls.key': string } {
  const issued = authority.issue({ commonName: 'results', hosts: names });
  return { 'tls.crt': issued.certificate, 'tls.key': issued.key };
}

/** Whether a probe's command succeeds. */
export async function passes(probe: Probe | undefined, { located, env }: Runnable): Promise<boolean> {
  const [command = '', ...args] = (probe?.exec?.command ?? []).map(located);
  return promisify(execFile)(command, args, { env: { ...env } }).then(
    () => true,
    () => false,
  );
}

function synth(props: Partial<TieredCacheProps>): KubeObject[] {
  const app = new App();
  new TieredCache(new Chart(app, 'caches', { namespace: 'caches' }), 'results', {
    keyRing: { secret: 'keyring', key: 'keyring.json' },
    redis: { password: { secret: 'redis', key: 'password' }, memory: Size.mebibytes(128) },
    memcached: { memory: Size.mebibytes(128), servers: 1 },
    tls: { secret: 'tls' },
    ...props,
  });
  return synthObjects(app);
}

/** Other ports than those of a cluster: here several tests share one address. */
function movePorts<T>(value: T, ports: { readonly [port: string]: number }): T {
  const text = Object.entries(ports).reduce(
    (result, [from, to]) => result.replaceAll(new RegExp(`\\b${from}\\b`, 'g'), String(to)),
    JSON.stringify(value),
  );
  return JSON.parse(text.replaceAll('0.0.0.0:', '127.0.0.1:')) as T;
}

/** Redis 7 does not know what Valkey 9.1 has learned. */
function withoutNewDirectives(object: KubeObject): KubeObject {
  return JSON.parse(JSON.stringify(object).replaceAll(/tls-auto-reload-interval \d+\\n/g, '')) as KubeObject;
}
