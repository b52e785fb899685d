import type { CacheTier } from '../tier';
import { isSqlError, type DatabaseConnection } from './database-connection';

const GET = `SELECT value FROM mediform_cache_entries WHERE key = ANY($1) AND expires_at > now()
  ORDER BY array_position($1, key) LIMIT 1`;
// what is true as of an earlier place in the log never replaces what is true as of a later one
const SET = `INSERT INTO mediform_cache_entries AS held (key, value, seq, expires_at)
  VALUES ($1, $2, $3, now() + $4::float8 * interval '1 millisecond')
  ON CONFLICT (key) DO UPDATE SET value = excluded.value, seq = excluded.seq, expires_at = excluded.expires_at, stored_at = now()
  WHERE held.seq <= excluded.seq OR held.expires_at <= now()`;
const DELETE = 'DELETE FROM mediform_cache_entries WHERE key = ANY($1)';
const RECENT = `SELECT key, value, stored_at::text AS at FROM mediform_cache_entries
  WHERE expires_at > now() AND starts_with(key, $1) AND (stored_at, key) < ($2::timestamptz, $3)
  ORDER BY stored_at DESC, key DESC LIMIT $4`;
// several processes may do so at a time, each with rows of its own
const PURGE = `DELETE FROM mediform_cache_entries WHERE key IN (
  SELECT key FROM mediform_cache_entries WHERE expires_at <= now() LIMIT $1 FOR UPDATE SKIP LOCKED) RETURNING 1`;
const BATCH = 100;

/** Entries in PostgreSQL: the largest tier, and the one that survives its server. */
export class DatabaseTier implements CacheTier {
  readonly name = 'database';

  constructor(private readonly connection: DatabaseConnection) {}

  async get(keys: readonly string[]): Promise<Uint8Array | undefined> {
    const [row] = await this.connection.query<{ value: Buffer }>('cache_get', GET, [keys]);
    return row?.value;
  }

  async set(key: string, sealed: Uint8Array, ttlMs: number, seq: number): Promise<void> {
    await this.connection.query('cache_set', SET, [key, sealed, seq, ttlMs]);
  }

  async delete(keys: readonly string[]): Promise<void> {
    await this.connection.query('cache_delete', DELETE, [keys]);
  }

  async *recent(prefix: string, limit: number): AsyncIterable<{ readonly key: string; readonly sealed: Uint8Array }> {
    let [at, last, left] = ['infinity', '', limit];
    while (left > 0) {
      const size = Math.min(BATCH, left);
      const rows = await this.connection.query<{ key: string; value: Buffer; at: string }>('cache_recent', RECENT, [
        prefix,
        at,
        last,
        size,
      ]);
      for (const { key, value } of rows) {
        yield { key, sealed: value };
      }
      const end = rows.at(-1);
      if (end === undefined || rows.length < size) {
        return;
      }
      [at, last, left] = [end.at, end.key, left - size];
    }
  }

  /** Deletes some of what has expired; returns how many. */
  async purge(limit: number): Promise<number> {
    return (await this.connection.query('cache_purge', PURGE, [limit])).length;
  }

  refused(error: unknown): boolean {
    return isSqlError(error);
  }

  close(): Promise<void> {
    return this.connection.close();
  }
}
