import { setTimeout as sleep } from 'node:timers/promises';
import { TIER_CAP_SECONDS, type CacheKind } from '../../../constructs/plan/cache/kinds';
import type { LogEvent, LogRecord } from '../log-view';
import type { DatabaseConnection } from '../tiers/database-connection';
import type { LogPosition } from '../types';
import { newIncarnation, type LogStore } from './log-store';

const HEAD = 'SELECT incarnation, seq FROM mediform_cache_log_heads WHERE namespace = $1';
const BEGIN = `INSERT INTO mediform_cache_log_heads (namespace, incarnation, seq) VALUES ($1, $2, 0)
  ON CONFLICT (namespace) DO NOTHING`;
const READ = `SELECT seq, data_type, data_id, (extract(epoch FROM recorded_at) * 1000)::float8 AS at FROM mediform_cache_log
  WHERE namespace = $1 AND seq > $2 ORDER BY seq LIMIT $3`;
// the head's row is locked until the records are there too, so they become visible in the order of their numbers
const APPEND = `WITH head AS (
    UPDATE mediform_cache_log_heads SET seq = seq + cardinality($3::text[])
    WHERE namespace = $1 AND incarnation = $2 RETURNING seq)
  INSERT INTO mediform_cache_log (namespace, seq, data_type, data_id)
  SELECT $1, head.seq - cardinality($3::text[]) + event.place, event.data_type, event.data_id
  FROM head, unnest($3::text[], $4::text[]) WITH ORDINALITY AS event (data_type, data_id, place)
  RETURNING seq`;
const RENEW = `UPDATE mediform_cache_log_heads SET incarnation = $3, seq = greatest(seq, $4)
  WHERE namespace = $1 AND incarnation = $2`;
// no entry is older than a tier's longest cap
const PURGE = `DELETE FROM mediform_cache_log WHERE namespace = $1 AND recorded_at < now() - $2::float8 * interval '1 second'`;

/** The log as a table of PostgreSQL. */
export class DatabaseLog implements LogStore {
  readonly name = 'database';

  constructor(
    private readonly namespace: string,
    private readonly connection: DatabaseConnection,
    private readonly random: () => number,
  ) {}

  async head(): Promise<LogPosition> {
    const head = async (): Promise<{ incarnation: string; seq: string } | undefined> =>
      (await this.query<{ incarnation: string; seq: string }>('head', HEAD, []))[0];
    let row = await head();
    if (row === undefined) {
      await this.query('begin', BEGIN, [newIncarnation(this.random)]);
      row = await head();
    }
    return { incarnation: Number(row?.incarnation), seq: Number(row?.seq) };
  }

  async read(after: number, limit: number): Promise<readonly LogRecord[]> {
    const rows = await this.query<{ seq: string; data_type: CacheKind; data_id: string; at: number }>('read', READ, [
      after,
      limit,
    ]);
    return rows.map(({ seq, data_type, data_id, at }) => ({
      seq: Number(seq),
      dataType: data_type,
      dataId: data_id,
      at,
    }));
  }

  async append(events: readonly LogEvent[], incarnation: number): Promise<number> {
    const rows = await this.query<{ seq: string }>('append', APPEND, [
      incarnation,
      events.map(({ dataType }) => dataType),
      events.map(({ dataId }) => dataId),
    ]);
    if (rows.length !== events.length) {
      throw new Error('the log of invalidations has begun another life');
    }
    return Math.max(...rows.map(({ seq }) => Number(seq)));
  }

  async renew({ incarnation, seq }: LogPosition): Promise<void> {
    await this.query('renew', RENEW, [incarnation, newIncarnation(this.random), seq]);
  }

  wait(_seq: number, ms: number): Promise<void> {
    return sleep(ms);
  }

  async purge(): Promise<void> {
    await this.query('purge', PURGE, [TIER_CAP_SECONDS.database]);
  }

  close(): void {
    void this.connection.close();
  }

  private query<Row extends object>(name: string, text: string, values: readonly unknown[]): Promise<Row[]> {
    return this.connection.query<Row>(`cache_log_${name}`, text, [this.namespace, ...values]);
  }
}
