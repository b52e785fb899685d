import { get as getHttp, type IncomingMessage } from 'node:http';
import { get as getHttps } from 'node:https';
import { CLUSTER_BINARIES, ensureBinaries } from './binaries';
import { controlPlane, type ControlPlane, type ControlPlaneSettings } from './control-plane';
import { crdFile } from './crds';
import { type KubeObject } from './kube-object';
import { runKubectl, type KubectlOutput } from './kubectl';
import { isSchedulable, nodeOf, type Node, type NodeShape } from './nodes';
import { Processes } from './processes';
import { waitFor, type NotYet } from './wait';

export interface ApplyOptions {
  /** @default 'mediform-e2e' */
  readonly fieldManager?: string;
  /**
   * Whether a warning of the API server is an error.
   *
   * @default true
   */
  readonly expectNoWarnings?: boolean;
  /**
   * Whether the API server only says what it would do.
   *
   * @default false
   */
  readonly dryRun?: boolean;
}

export interface Applied {
  /** The objects as the API server has them now. */
  readonly objects: readonly KubeObject[];
  readonly warnings: readonly string[];
}

/** A Kubernetes cluster of its own: a real control plane on loopback, and nodes that KWOK simulates. */
export interface Cluster {
  readonly url: string;
  /** Bearer token of an administrator. */
  readonly token: string;
  /** Path of a kubeconfig of that administrator. */
  readonly kubeconfig: string;
  /** What the API server's certificate is checked with. */
  readonly caCertificate: string;
  readonly kubectlPath: string;
  /** For more servers beside the control plane; they end with the cluster. */
  readonly processes: Processes;

  kubectl(args: readonly string[], stdin?: string): Promise<KubectlOutput>;
  /** Server-side apply with strict validation of YAML or objects; takes over fields of other managers. */
  apply(manifests: string | readonly object[], options?: ApplyOptions): Promise<Applied>;
  /** Deletes objects and waits until they are gone. */
  delete(objects: readonly KubeObject[]): Promise<void>;
  /** An object; undefined where there is none. */
  get<T extends KubeObject = KubeObject>(kind: string, name: string, namespace?: string): Promise<T | undefined>;
  /** All objects of a kind, in one namespace or in all. */
  list<T extends KubeObject = KubeObject>(kind: string, namespace?: string): Promise<readonly T[]>;
  /** Asks until there is an answer; throws at once where a server has ended. A probe that throws is asked again. */
  waitFor<T>(description: string, probe: () => T | NotYet | Promise<T | NotYet>, timeoutMs?: number): Promise<T>;
  /** These objects as the API server has them now, in full; without those that are not there. */
  read(objects: readonly KubeObject[]): Promise<readonly KubeObject[]>;
  /** Adds simulated nodes and waits until pods can be scheduled to them. */
  addNodes(...nodes: readonly NodeShape[]): Promise<void>;
  /** Ends all servers and removes all files. */
  stop(): Promise<void>;
}

/** Starts a cluster with all CustomResourceDefinitions; it is ready when the promise resolves. */
export async function startCluster(settings: ControlPlaneSettings = {}): Promise<Cluster> {
  const [binaries, crds] = [await ensureBinaries(CLUSTER_BINARIES), await crdFile()];
  const processes = await Processes.start();
  try {
    const plane = await controlPlane(processes.folder, binaries, settings);
    const cluster = new LocalCluster(plane, binaries.kubectl, processes);
    await cluster.start(plane, crds);
    return cluster;
  } catch (error) {
    const logs = processes.keepLogs();
    await processes.stop();
    throw new Error(`no cluster; the logs are in ${logs}`, { cause: error });
  }
}

class LocalCluster implements Cluster {
  readonly url: string;
  readonly token: string;
  readonly kubeconfig: string;
  readonly caCertificate: string;

  constructor(
    plane: ControlPlane,
    readonly kubectlPath: string,
    readonly processes: Processes,
  ) {
    ({ url: this.url, token: this.token, kubeconfig: this.kubeconfig, caCertificate: this.caCertificate } = plane);
  }

  async start({ etcd, etcdUrl, apiServer, controllers }: ControlPlane, crds: string): Promise<void> {
    this.processes.run(etcd);
    await this.ready('etcd', () => isOk(getHttp(`${etcdUrl}/health`)));
    this.processes.run(apiServer);
    await this.ready('kube-apiserver', () => isOk(getHttps(`${this.url}/readyz`, this.credentials())));
    controllers.forEach((server) => this.processes.run(server));
    await this.installCrds(crds);
    await this.ready('kube-controller-manager', () => this.get('serviceaccount', 'default', 'default'));
  }

  async kubectl(args: readonly string[], stdin?: string): Promise<KubectlOutput> {
    const env = { KUBECONFIG: this.kubeconfig, HOME: this.processes.folder };
    return runKubectl(this.kubectlPath, env, args, stdin);
  }

  async apply(
    manifests: string | readonly object[],
    { fieldManager = 'mediform-e2e', expectNoWarnings = true, dryRun = false }: ApplyOptions = {},
  ): Promise<Applied> {
    const args = [
      'apply',
      '--server-side',
      '--force-conflicts',
      '--validate=strict',
      `--field-manager=${fieldManager}`,
    ];
    const mode = dryRun ? ['--dry-run=server'] : [];
    const input = typeof manifests === 'string' ? manifests : documents(manifests);
    const { stdout, warnings } = await this.kubectl([...args, ...mode, '-o', 'json', '-f', '-'], input);
    if (expectNoWarnings && warnings.length > 0) {
      throw new Error(`the API server warns:\n${warnings.join('\n')}`);
    }
    return { objects: itemsOf(stdout), warnings };
  }

  async delete(objects: readonly KubeObject[]): Promise<void> {
    await this.kubectl(['delete', '--ignore-not-found', '--timeout=60s', '-f', '-'], documents(objects));
  }

  async get<T extends KubeObject>(kind: string, name: string, namespace?: string): Promise<T | undefined> {
    const scope = namespace === undefined ? [] : ['-n', namespace];
    const args = ['get', kind, name, ...scope, '--ignore-not-found', '--show-managed-fields', '-o', 'json'];
    const { stdout } = await this.kubectl(args);
    return stdout === '' ? undefined : (JSON.parse(stdout) as T);
  }

  async list<T extends KubeObject>(kind: string, namespace?: string): Promise<readonly T[]> {
    const scope = namespace === undefined ? '--all-namespaces' : `--namespace=${namespace}`;
    return itemsOf((await this.kubectl(['get', kind, scope, '-o', 'json'])).stdout) as readonly T[];
  }

  async read(objects: readonly KubeObject[]): Promise<readonly KubeObject[]> {
    const args = ['get', '--ignore-not-found', '--show-managed-fields', '-o', 'json', '-f', '-'];
    return itemsOf((await this.kubectl(args, documents(objects))).stdout);
  }

  async waitFor<T>(description: string, probe: () => T | NotYet | Promise<T | NotYet>, timeoutMs?: number): Promise<T> {
    const guard = (): void => this.processes.assertRunning();
    return waitFor(description, probe, { guard, ...(timeoutMs !== undefined && { timeoutMs }) });
  }

  async addNodes(...nodes: readonly NodeShape[]): Promise<void> {
    await this.kubectl(['create', '-f', '-'], documents(nodes.map(nodeOf)));
    const names = nodes.map(({ name }) => name);
    await this.waitFor(`nodes ${names.join(', ')}`, async () => {
      const known = await this.list<Node>('nodes');
      return known.filter(({ metadata }) => names.includes(metadata.name)).every(isSchedulable);
    });
  }

  async stop(): Promise<void> {
    await this.processes.stop();
  }

  /** The names are served a moment after the API server calls a definition established. */
  private async installCrds(file: string): Promise<void> {
    const { stdout } = await this.kubectl(['apply', '--server-side', '-o', 'name', '-f', file]);
    const crds = stdout.trim().split('\n');
    await this.kubectl(['wait', '--for=condition=Established', '--timeout=30s', ...crds]);
    const kinds = crds.map((name) => name.split('/')[1]).join(',');
    await this.ready('kube-apiserver', () => this.kubectl(['get', kinds, '--all-namespaces']));
  }

  private async ready(server: string, probe: () => unknown): Promise<void> {
    try {
      await this.waitFor(`${server} to be ready`, probe);
    } catch (error) {
      throw new Error(`${server} is not ready:\n${this.processes.logTail(server)}`, { cause: error });
    }
  }

  private credentials(): { ca: string; headers: { authorization: string } } {
    return { ca: this.caCertificate, headers: { authorization: `Bearer ${this.token}` } };
  }
}

function isOk(request: ReturnType<typeof getHttp>): Promise<boolean> {
  return new Promise((resolve, reject) => {
    request.once('error', reject).once('response', (response: IncomingMessage) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
  });
}

/** One document each: of a list, kubectl would check the fields by itself instead of leaving it to the API server. */
function documents(objects: readonly object[]): string {
  return objects.map((object) => JSON.stringify(object)).join('\n---\n');
}

/** kubectl gives nothing, one object, or a list of several. */
function itemsOf(json: string): readonly KubeObject[] {
  if (json === '') {
    return [];
  }
  const parsed = JSON.parse(json) as KubeObject & { readonly items?: readonly KubeObject[] };
  return parsed.items ?? [parsed];
}
