import {
  Agent,
  request as httpRequest,
  type ClientRequest,
  type ClientRequestArgs,
  type IncomingMessage,
  type RequestOptions,
} from 'node:http';
import type { Socket, TcpSocketConnectOpts } from 'node:net';
import type { Duplex } from 'node:stream';
import type { GatewayPlan } from '../../constructs/plan/gateway/defaults';
import { ModelSocket } from './model-socket';

/** Servers such as gunicorn close unused connections after 2 s: we must be the first. */
const FREE_SOCKET_MS = 1_500;
const READINESS_TIMEOUT_MS = 1_000;

/** Head of a request to the model. */
export interface UpstreamHead {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  /** Names and values in turn. */
  readonly headers: readonly string[];
}

/** A request to the model that is under way. */
export interface UpstreamCall {
  readonly request: ClientRequest;
  /** The head of the answer; rejects with Node's own errors. */
  readonly answered: Promise<IncomingMessage>;
}

/** Unused connections are closed before the model's server may close them. */
class ModelAgent extends Agent {
  override createConnection(options: ClientRequestArgs): Duplex {
    return new ModelSocket(options).connect(options as TcpSocketConnectOpts);
  }

  override keepSocketAlive(socket: Duplex): boolean {
    super.keepSocketAlive(socket);
    (socket as Partial<Socket>).setTimeout?.(FREE_SOCKET_MS);
    return true;
  }
}

/** The model's HTTP server. */
export class Upstream {
  readonly #agent: Agent;

  constructor(
    private readonly address: GatewayPlan['upstream'],
    private readonly timeouts: GatewayPlan['timeouts'],
    connections: number,
  ) {
    // newest first, so that connections which are not needed grow old
    this.#agent = new ModelAgent({ keepAlive: true, maxFreeSockets: connections, scheduling: 'lifo', noDelay: true });
  }

  /** Begins a request. Its body is for the caller to write. */
  start({ method, target, headers }: UpstreamHead): UpstreamCall {
    const { host, port } = this.address;
    const options: RequestOptions = { host, port, method, path: target, agent: this.#agent };
    const request = httpRequest({ ...options, headers: headers as string[], timeout: this.timeouts.upstream * 1000 });
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      request.once('response', resolve);
      request.on('error', reject);
      request.once('timeout', () => request.destroy(timedOut()));
      request.once('close', () => reject(Object.assign(new Error('closed'), { code: 'ECONNRESET' })));
      request.once('socket', (socket: Socket) => {
        if (socket.connecting) {
          const timer = setTimeout(() => request.destroy(timedOut()), this.timeouts.connect * 1000);
          socket.once('connect', () => clearTimeout(timer)).once('close', () => clearTimeout(timer));
        }
      });
    });
    // a call that is given up has nobody who waits for its answer
    answered.catch(() => undefined);
    return { request, answered };
  }

  /** Whether the model says that it is ready. */
  ready(): Promise<boolean> {
    const { host, port, readinessPath: path } = this.address;
    return new Promise((resolve) => {
      const signal = AbortSignal.timeout(READINESS_TIMEOUT_MS);
      httpRequest({ host, port, path, agent: false, signal }, (response) => {
        response.resume();
        resolve(response.statusCode !== undefined && response.statusCode >= 200 && response.statusCode < 300);
      })
        .on('error', () => resolve(false))
        .end();
    });
  }

  /** Closes the connections that nobody uses. */
  close(): void {
    this.#agent.destroy();
  }
}

/** Whether a request failed because the model closed an unused connection in the moment that we used it. */
export function lostReusedSocket(request: ClientRequest, error: unknown): boolean {
  return request.reusedSocket && (error as NodeJS.ErrnoException).code === 'ECONNRESET';
}

function timedOut(): Error {
  return Object.assign(new Error('timed out'), { code: 'ETIMEDOUT' });
}
