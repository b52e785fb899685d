import { readFileSync } from 'node:fs';
import type { PoolClient } from 'pg';
import { TIER_DEFAULTS, type DatabaseTierConfig } from '../../../constructs/plan/cache/config';
import { readSecret } from '../secrets';

const MAX_CONNECTIONS = 4;
const CONNECT_MS = 2_000;
const IDLE_MS = 30_000;
/** Queries that wait for a connection; more fail at once. */
const MAX_WAITING = 64;

/** Sends prepared queries, and drops connections that do not answer. */
export interface DatabaseConnection {
  /**
   * @param name of the statement, so that it is parsed once for each connection
   * @throws where there is no answer in time
   */
  query<Row extends object>(name: string, text: string, values: readonly unknown[]): Promise<Row[]>;
  close(): Promise<void>;
}

/** A pool of connections; none is made before the first query. */
export async function connectDatabase(config: DatabaseTierConfig): Promise<DatabaseConnection> {
  const { Pool } = await import('pg');
  const deadlineMs = config.deadlineMs ?? TIER_DEFAULTS.database.deadlineMs;
  const pool = new Pool({
    ...databaseOptions(config),
    max: config.maxConnections ?? MAX_CONNECTIONS,
    connectionTimeoutMillis: CONNECT_MS,
    idleTimeoutMillis: IDLE_MS,
    // the server stops work that nobody waits for any more
    statement_timeout: deadlineMs * 4,
    keepAlive: true,
  });
  // an idle connection that breaks is replaced by the next query
  pool.on('error', () => undefined);
  return {
    query: async <Row extends object>(name: string, text: string, values: readonly unknown[]) => {
      if (pool.waitingCount >= MAX_WAITING) {
        throw new Error('too many queries wait');
      }
      const client = await pool.connect();
      return answer<Row>(client, deadlineMs * 4, client.query<Row>({ name, text, values: [...values] }));
    },
    close: () => pool.end(),
  };
}

/** What `pg` needs to connect. */
export function databaseOptions(config: DatabaseTierConfig): object {
  const { caFile, database, host, passwordFile, port = 5432, tls = true, user } = config;
  return {
    host,
    port,
    database,
    user,
    ...(passwordFile !== undefined && { password: readSecret(passwordFile) }),
    ssl: tls && { ...(caFile !== undefined && { ca: readFileSync(caFile, 'utf8') }) },
  };
}

/** Gives the connection back, or ends it where it does not answer: the next query would wait behind this one. */
async function answer<Row extends object>(
  client: PoolClient,
  timeoutMs: number,
  query: Promise<{ readonly rows: Row[] }>,
): Promise<Row[]> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('no answer in time')), timeoutMs);
  });
  // the loser of the race may fail later, when nobody listens
  query.catch(() => undefined);
  let broken: Error | undefined;
  try {
    const { rows } = await Promise.race([query, silence]);
    return rows;
  } catch (error) {
    broken = isSqlError(error) ? undefined : (error as Error);
    throw error;
  } finally {
    clearTimeout(timer);
    client.release(broken);
  }
}

/** An error that the server told, with its SQLSTATE; those of class 57 and 08 end the connection. */
export function isSqlError(error: unknown): boolean {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && !/^(57P|08)/.test(code);
}
