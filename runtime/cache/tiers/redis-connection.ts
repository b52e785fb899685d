import { readFileSync } from 'node:fs';
import type { RedisTierConfig } from '../../../constructs/plan/cache/config';
import { readSecret } from '../secrets';

/** What is used of node-redis: replies as buffers, since entries are no text. */
export interface RedisConnection {
  /** Sends a command. */
  command<T>(args: readonly (string | Buffer)[]): Promise<T>;
  /** Grows with every connection; 0 before the first. */
  readonly epoch: number;
  close(): void;
}

/** Connections that hear nothing for so long are given up; pings keep quiet ones alive. */
const SILENCE_MS = 3_000;
const PING_MS = 1_000;
const MAX_RECONNECT_PAUSE_MS = 1_000;
const MAX_QUEUE = 4_096;

/** Connects, and connects again, until it is closed. Commands fail at once while there is no connection. */
export async function connectRedis(config: RedisTierConfig): Promise<RedisConnection> {
  const { createClient, RESP_TYPES } = await import('redis');
  const { caFile, passwordFile, url, username } = config;
  const pacing = {
    connectTimeout: SILENCE_MS,
    socketTimeout: SILENCE_MS,
    // at random, so that a server that comes back is not met by all at once
    reconnectStrategy: (retries: number) =>
      (0.5 + Math.random() / 2) * Math.min(MAX_RECONNECT_PAUSE_MS, 50 * 2 ** retries),
  };
  const { host, port, tls } = endpoint(url);
  const client = createClient({
    ...(username !== undefined && { username }),
    ...(passwordFile !== undefined && { password: readSecret(passwordFile) }),
    socket: tls
      ? { host, port, tls: true, ...pacing, ...(caFile !== undefined && { ca: readFileSync(caFile) }) }
      : { host, port, ...pacing },
    disableOfflineQueue: true,
    commandsQueueMaxLength: MAX_QUEUE,
    pingInterval: PING_MS,
    maintNotifications: 'disabled',
    // deadlines are the caller's, and cheaper than a signal for each command
    commandOptions: { timeout: undefined, typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } },
  });
  let epoch = 0;
  client.on('ready', () => epoch++);
  // every command says so itself, and the client connects again
  client.on('error', () => undefined);
  client.connect().catch(() => undefined);
  return {
    command: <T>(args: readonly (string | Buffer)[]) => client.sendCommand<T>(args),
    get epoch() {
      return epoch;
    },
    close: () => client.destroy(),
  };
}

function endpoint(url: string): { readonly host: string; readonly port: number; readonly tls: boolean } {
  const { hostname, port, protocol } = new URL(url);
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? 6379 : Number(port),
    tls: protocol === 'rediss:',
  };
}
