import { Agent, request } from 'node:https';
import type { Cluster } from '../cluster';
import type { KubeObject } from '../kube-object';

/** Something that the API server refused. */
export class ApiError extends Error {
  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
    this.name = 'ApiError';
  }
}

export interface ApplyMode {
  readonly fieldManager: string;
  /** Whether the API server only says what it would do. */
  readonly dryRun: boolean;
}

interface Discovered {
  readonly resources: readonly { readonly name: string; readonly kind: string; readonly namespaced: boolean }[];
}

/** The API server without kubectl: hundreds of requests cost no process each. */
export class ApiClient {
  private readonly agent: Agent;
  private readonly discovered = new Map<string, Promise<Discovered>>();

  constructor(private readonly cluster: Cluster) {
    this.agent = new Agent({ ca: cluster.caCertificate, keepAlive: true });
  }

  /** Server-side apply with strict validation; takes over fields of other managers. */
  async apply(object: KubeObject, { fieldManager, dryRun }: ApplyMode): Promise<KubeObject> {
    const query = new URLSearchParams({ fieldManager, fieldValidation: 'Strict', force: 'true' });
    if (dryRun) {
      query.set('dryRun', 'All');
    }
    return this.send('PATCH', `${await this.pathOf(object)}?${query.toString()}`, object);
  }

  /** An object; undefined where there is none, or where the API server does not know the kind. */
  async get(object: KubeObject): Promise<KubeObject | undefined> {
    return unlessMissing(async () => this.send('GET', await this.pathOf(object)));
  }

  /** Asks for an object to be deleted, with all that it owns. */
  async delete(object: KubeObject): Promise<void> {
    await unlessMissing(async () => this.send('DELETE', `${await this.pathOf(object)}?propagationPolicy=Background`));
  }

  close(): void {
    this.agent.destroy();
  }

  private async pathOf({ apiVersion, kind, metadata: { name, namespace = 'default' } }: KubeObject): Promise<string> {
    const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const { resources } = await this.discover(root);
    const found = resources.find((resource) => resource.kind === kind && !resource.name.includes('/'));
    if (found === undefined) {
      throw new ApiError(404, `the cluster has no kind ${kind} in ${apiVersion}`);
    }
    return `${root}/${found.namespaced ? `namespaces/${namespace}/` : ''}${found.name}/${name}`;
  }

  private discover(root: string): Promise<Discovered> {
    let found = this.discovered.get(root);
    if (found === undefined) {
      found = this.send<Discovered>('GET', root);
      this.discovered.set(root, found);
      // definitions come and go: only what is there is remembered
      found.catch(() => this.discovered.delete(root));
    }
    return found;
  }

  private send<T = KubeObject>(method: string, path: string, body?: object): Promise<T> {
    return new Promise((resolve, reject) => {
      const headers = {
        authorization: `Bearer ${this.cluster.token}`,
        ...(body !== undefined && { 'content-type': 'application/apply-patch+yaml' }),
      };
      const sent = request(`${this.cluster.url}${path}`, { method, headers, agent: this.agent }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          const { statusCode = 0 } = response;
          if (statusCode < 300) {
            resolve(JSON.parse(text) as T);
          } else {
            reject(new ApiError(statusCode, messageOf(text)));
          }
        });
      });
      sent.on('error', reject);
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }
}

async function unlessMissing(ask: () => Promise<KubeObject>): Promise<KubeObject | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof ApiError && error.code === 404) {
      return undefined;
    }
    throw error;
  }
}

function messageOf(text: string): string {
  try {
    return (JSON.parse(text) as { readonly message?: string }).message ?? text;
  } catch {
    return text;
  }
}
