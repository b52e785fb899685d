import { once } from 'node:events';
import { type IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { createInterface } from 'node:readline';
import { type Cluster } from '../cluster';
import { type KubeObject } from '../kube-object';

type Event<T> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T }
  | { readonly type: 'ERROR'; readonly object: unknown };

/** All objects of a kind, told by the API server as they change. */
export class Watch<T extends KubeObject> {
  private readonly known = new Map<string, T>();
  private failure?: Error;

  private constructor(
    private readonly response: IncomingMessage,
    private readonly onChange: (object: T) => void,
  ) {
    const lines = createInterface({ input: response });
    lines.on('line', (line) => this.receive(JSON.parse(line) as Event<T>));
    response.once('close', () => (this.failure ??= new Error('the API server has ended the watch')));
    response.once('error', (error) => (this.failure ??= error));
  }

  /** @param path such as `/apis/apps/v1/deployments` */
  static async open<T extends KubeObject>(
    { url, token, caCertificate }: Cluster,
    path: string,
    onChange: (object: T) => void = () => undefined,
  ): Promise<Watch<T>> {
    const headers = { authorization: `Bearer ${token}` };
    const request = get(`${url}${path}?watch=true`, { ca: caCertificate, headers, agent: false });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    if (response.statusCode !== 200) {
      throw new Error(`watch of ${path}: status ${response.statusCode}`);
    }
    return new Watch(response, onChange);
  }

  /** What there is now. */
  get objects(): readonly T[] {
    if (this.failure !== undefined) {
      throw this.failure;
    }
    return [...this.known.values()];
  }

  close(): void {
    this.response.destroy();
  }

  private receive(event: Event<T>): void {
    if (event.type === 'ERROR') {
      this.failure = new Error(`the API server refuses to go on with a watch: ${JSON.stringify(event.object)}`);
      return;
    }
    const { type, object } = event;
    const key = `${object.metadata.namespace}/${object.metadata.name}`;
    if (type === 'DELETED') {
      this.known.delete(key);
    } else {
      this.known.set(key, object);
      this.onChange(object);
    }
  }
}
