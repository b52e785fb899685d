import { createServer, type Server, type ServerResponse } from 'node:http';
import type { Registry } from 'prom-client';
import { AdminPath } from '../../constructs/plan/gateway/names';

const MAX_CONNECTIONS = 64;
const HEADERS_TIMEOUT_MS = 5_000;
/** One look at the model is enough for all who ask meanwhile. */
const READINESS_FRESH_MS = 500;

/** What the admin port tells. */
export interface AdminSource {
  readonly registry: Registry;
  /** Whether the model is ready. */
  readonly modelReady: () => Promise<boolean>;
  readonly draining: () => boolean;
  /** Resolves when the gateway has drained. */
  readonly drained: Promise<unknown>;
}

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly type?: string;
}

/** The server of health and metrics. */
export function adminServer(source: AdminSource): Server {
  const ready = shared(source.modelReady);
  const answer = async (path: string): Promise<Answer> => {
    switch (path) {
      case AdminPath.LIVENESS:
        return { status: 200, text: 'ok\n' };
      case AdminPath.READINESS:
        if (source.draining()) {
          return { status: 503, text: 'draining\n' };
        }
        return (await ready()) ? { status: 200, text: 'ok\n' } : { status: 503, text: 'the model is not ready\n' };
      case AdminPath.METRICS:
        return { status: 200, text: await source.registry.metrics(), type: source.registry.contentType };
      case AdminPath.DRAINED:
        await source.drained;
        return { status: 200, text: 'drained\n' };
      default:
        return { status: 404, text: 'not found\n' };
    }
  };
  const server = createServer({ headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: 0 }, (request, response) => {
    const path = request.url?.split('?', 1)[0] ?? '';
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      send(response, { status: 405, text: 'method not allowed\n' });
      return;
    }
    answer(path).then(
      (given) => send(response, given),
      () => send(response, { status: 500, text: 'failed\n' }),
    );
  });
  server.maxConnections = MAX_CONNECTIONS;
  return server;
}

function send(response: ServerResponse, { status, text, type = 'text/plain' }: Answer): void {
  response.writeHead(status, { 'Content-Type': type });
  response.end(text);
}

/** One call at a time, whose result all get who ask within a moment. */
function shared(ask: () => Promise<boolean>): () => Promise<boolean> {
  let last: { readonly at: number; readonly result: Promise<boolean> } | undefined;
  return () => {
    const now = performance.now();
    if (last === undefined || now - last.at > READINESS_FRESH_MS) {
      last = { at: now, result: ask() };
    }
    return last.result;
  };
}
