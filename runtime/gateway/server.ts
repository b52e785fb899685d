import { readFileSync } from 'node:fs';
import { createServer, STATUS_CODES, type Server, type ServerOptions } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import { ConfigurationError } from '../../constructs/plan/errors';
import type { GatewayPlan } from '../../constructs/plan/gateway/defaults';
import type { Handler } from './handler';
import type { GatewayMetrics } from './metrics';

/** How often connections are looked at whose headers are late. */
const CHECK_MS = 1_000;
const HANDSHAKE_TIMEOUT_MS = 10_000;

/** The server that callers talk to, and how it learns of new certificates. */
export interface CallerServer {
  readonly server: Server | TlsServer;
  /** Reads the certificates again. */
  readonly reload: () => void;
}

/** @throws ConfigurationError where a certificate cannot be read */
export function callerServer(plan: GatewayPlan, handler: Handler, metrics: GatewayMetrics): CallerServer {
  const { listen, timeouts } = plan;
  const options: ServerOptions = {
    maxHeaderSize: listen.maxHeaderBytes,
    headersTimeout: timeouts.headers * 1000,
    // a body may wait for its turn: the handler watches it while it is awaited
    requestTimeout: 0,
    keepAliveTimeout: timeouts.keepAlive * 1000,
    connectionsCheckingInterval: CHECK_MS,
    insecureHTTPParser: false,
  };
  const { tls } = listen;
  const server =
    tls === undefined
      ? createServer(options)
      : createTlsServer({
          ...options,
          ...certificates(tls),
          handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
          minVersion: 'TLSv1.2',
          requestCert: tls.clientAuthorityFile !== undefined,
          // who shows none is answered, but not trusted by it
          rejectUnauthorized: false,
        });
  server.maxConnections = listen.maxConnections;
  server.on('request', (request, response) => handler.handle(request, response));
  server.on('checkContinue', (request, response) => {
    handler.handle(request, response, () => response.writeContinue());
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    const code = statusOf(error.code);
    metrics.malformed(code);
    // its text and what it carries are the caller's: nothing of them is logged
    if (socket.writable && !handler.isAnswering(socket)) {
      const head = `HTTP/1.1 ${code} ${STATUS_CODES[code] ?? ''}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`;
      socket.end(head, () => socket.destroy());
    } else {
      socket.destroy();
    }
  });
  const reload = (): void => {
    if (tls !== undefined && 'setSecureContext' in server) {
      server.setSecureContext(certificates(tls));
    }
  };
  return { server, reload };
}

function statusOf(code: string | undefined): number {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return 431;
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return 413;
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return 408;
    default:
      return 400;
  }
}

function certificates(tls: NonNullable<GatewayPlan['listen']['tls']>): { cert: Buffer; key: Buffer; ca?: Buffer } {
  const read = (property: string, path: string): Buffer => {
    try {
      return readFileSync(path);
    } catch (error) {
      const because = `it cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`;
      throw new ConfigurationError([`'listen.tls.${property}' (${path}) must be a PEM file because ${because}`]);
    }
  };
  return {
    cert: read('certificateFile', tls.certificateFile),
    key: read('keyFile', tls.keyFile),
    ...(tls.clientAuthorityFile === undefined ? {} : { ca: read('clientAuthorityFile', tls.clientAuthorityFile) }),
  };
}
