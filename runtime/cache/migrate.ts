import type { DatabaseTierConfig } from '../../constructs/plan/cache/config';
import { CACHE_MIGRATIONS, CACHE_MIGRATIONS_TABLE } from '../../constructs/plan/cache/database';
import { databaseOptions } from './tiers/database-connection';

/** Any number, the same for all migrations of the cache. */
const LOCK = 7_143_960_502;
const CONNECT_MS = 10_000;

/**
 * Makes or brings up to date the tables of the database tier. Several at a time wait for each other.
 *
 * @returns number of steps that were missing
 * @throws where the server cannot be reached or refuses; steps that had run by then stay
 */
export async function migrate(config: DatabaseTierConfig): Promise<number> {
  const { Client } = await import('pg');
  const client = new Client({ ...databaseOptions(config), connectionTimeoutMillis: CONNECT_MS });
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query('SELECT pg_advisory_lock($1)', [LOCK]);
    await client.query(`CREATE TABLE IF NOT EXISTS ${CACHE_MIGRATIONS_TABLE} (version integer PRIMARY KEY)`);
    const { rows } = await client.query<{ version: number }>(
      `SELECT coalesce(max(version), 0) AS version FROM ${CACHE_MIGRATIONS_TABLE}`,
    );
    const done = rows[0]?.version ?? 0;
    for (const [index, step] of CACHE_MIGRATIONS.entries()) {
      if (index >= done) {
        // one message is one transaction
        await client.query(`BEGIN; ${step}; INSERT INTO ${CACHE_MIGRATIONS_TABLE} VALUES (${index + 1}); COMMIT`);
      }
    }
    return Math.max(0, CACHE_MIGRATIONS.length - done);
  } finally {
    // the lock ends with the session
    await client.end();
  }
}
