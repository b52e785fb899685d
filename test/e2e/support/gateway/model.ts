import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as the model got it. */
export interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  /** Undefined where it did not come to its end. */
  readonly body: Buffer | undefined;
}

/** What a model does with a request whose body has come. */
export type Behaviour = (asked: Asked, response: ServerResponse) => unknown;

/** A real HTTP server in the place of a model. */
export class Model {
  /** Requests that came to their end, in order. */
  readonly asked: Asked[] = [];
  /** Requests whose connection was cut before their end. */
  readonly cut: Asked[] = [];
  ready = true;
  behaviour: Behaviour = (asked, response) => {
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify({ finding: 'none', bytes: asked.body?.length, call: this.asked.length }));
  };

  private constructor(
    readonly server: Server,
    readonly port: number,
  ) {
    server.on('request', (request, response) => void this.#take(request, response));
  }

  /** @param port a free one unless given */
  static async start(port = 0): Promise<Model> {
    const server = createServer({ requestTimeout: 0 });
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return new Model(server, (server.address() as AddressInfo).port);
  }

  async stop(): Promise<void> {
    this.server.close();
    this.server.closeAllConnections();
    await once(this.server, 'close');
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '', headers } = request;
    if (url === '/readyz') {
      response.writeHead(this.ready ? 200 : 503).end();
      return;
    }
    const chunks: Buffer[] = [];
    let bytes = 0;
    try {
      for await (const chunk of request as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        // large bodies are counted, not kept
        if (bytes <= 4 * 1024 * 1024) {
          chunks.push(chunk);
        }
      }
    } catch {
      this.cut.push({ method, url, headers, body: undefined });
      return;
    }
    const asked = { method, url, headers: { ...headers, 'x-bytes': String(bytes) }, body: Buffer.concat(chunks) };
    this.asked.push(asked);
    await this.behaviour(asked, response);
  }
}
