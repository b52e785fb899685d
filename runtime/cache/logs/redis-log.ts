import { setTimeout as sleep } from 'node:timers/promises';
import { INVALIDATION_CHANNEL } from '../../../constructs/plan/cache/config';
import type { CacheKind } from '../../../constructs/plan/cache/kinds';
import type { LogEvent, LogRecord } from '../log-view';
import type { RedisConnection } from '../tiers/redis-connection';
import type { LogPosition } from '../types';
import { newIncarnation, type LogStore } from './log-store';

/** Records that the stream keeps; who has missed more than these trusts nothing that is older. */
const MAX_RECORDS = 100_000;

/**
 * A server that was started again, or a replica that took over, may have lost what was acknowledged last. Who is first to
 * meet it begins a new life of the log.
 */
const JOIN = `
local run = redis.call('HGET', KEYS[1], 'run_id')
if run ~= ARGV[1] then
  redis.call('DEL', KEYS[1], KEYS[2])
  redis.call('HSET', KEYS[1], 'run_id', ARGV[1], 'incarnation', ARGV[2], 'seq', 0)
end
return 1`;

const RENEW = `
if redis.call('HGET', KEYS[1], 'incarnation') == ARGV[1] then
  redis.call('DEL', KEYS[2])
  redis.call('HSET', KEYS[1], 'incarnation', ARGV[2], 'seq', 0)
end
return 1`;

/** Arguments: incarnation, milliseconds since 1970, records to keep, channel, then type and id of each event. */
const APPEND = `
if redis.call('HGET', KEYS[1], 'incarnation') ~= ARGV[1] then
  return redis.error_reply('ERR the log of invalidations has begun another life')
end
local seq
for i = 5, #ARGV, 2 do
  seq = redis.call('HINCRBY', KEYS[1], 'seq', 1)
  redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[3], seq .. '-0', 'data_type', ARGV[i], 'data_id', ARGV[i + 1], 'at', ARGV[2])
  redis.call('PUBLISH', ARGV[4], cjson.encode({data_type = ARGV[i], data_id = ARGV[i + 1]}))
end
return seq`;

type StreamEntry = readonly [id: Buffer, fields: readonly Buffer[]];

/**
 * The log as a Redis stream, whose entries are numbered by the log itself, and announced on the channel
 * `cache_invalidation` for who listens from outside. Neither key ever expires, so `volatile-*` policies never evict them.
 */
export class RedisLog implements LogStore {
  readonly name = 'redis';
  private readonly keys: readonly [string, string];
  /** Connection on which the log was joined. */
  private joined = 0;

  /**
   * @param connection for everything but waiting
   * @param waiting a connection of its own, since waiting blocks it
   */
  constructor(
    namespace: string,
    private readonly connection: RedisConnection,
    private readonly waiting: RedisConnection,
    private readonly now: () => number,
    private readonly random: () => number,
  ) {
    this.keys = [`{${namespace}}:cache_log`, `{${namespace}}:${INVALIDATION_CHANNEL}`];
  }

  async head(): Promise<LogPosition> {
    await this.join();
    const [incarnation, seq] = await this.connection.command<(Buffer | null)[]>([
      'HMGET',
      this.keys[0],
      'incarnation',
      'seq',
    ]);
    if (!incarnation || !seq) {
      // someone has emptied the server while it ran
      this.joined = 0;
      throw new Error('the log of invalidations is gone');
    }
    return { incarnation: Number(incarnation), seq: Number(seq) };
  }

  async read(after: number, limit: number): Promise<readonly LogRecord[]> {
    const entries = await this.connection.command<readonly StreamEntry[]>([
      ...['XRANGE', this.keys[1], `(${after}-0`, '+', 'COUNT', String(limit)],
    ]);
    return entries.map(toRecord);
  }

  async append(events: readonly LogEvent[], incarnation: number): Promise<number> {
    await this.join();
    const fields = events.flatMap(({ dataType, dataId }) => [dataType, dataId]);
    const fixed = [incarnation, this.now(), MAX_RECORDS, INVALIDATION_CHANNEL].map(String);
    return Number(await this.script(APPEND, [...fixed, ...fields]));
  }

  async renew({ incarnation }: LogPosition): Promise<void> {
    await this.script(RENEW, [String(incarnation), String(newIncarnation(this.random))]);
  }

  async wait(seq: number, ms: number): Promise<void> {
    try {
      await this.waiting.command(['XREAD', 'COUNT', '1', 'BLOCK', String(ms), 'STREAMS', this.keys[1], `${seq}-0`]);
    } catch {
      await sleep(Math.min(ms, 100));
    }
  }

  close(): void {
    this.waiting.close();
    this.connection.close();
  }

  private async join(): Promise<void> {
    const { epoch } = this.connection;
    if (epoch === this.joined && epoch !== 0) {
      return;
    }
    const info = String(await this.connection.command<Buffer>(['INFO', 'server']));
    const run = /^run_id:(\w+)/m.exec(info)?.[1];
    if (run === undefined) {
      throw new Error('the server does not tell its run_id');
    }
    await this.script(JOIN, [run, String(newIncarnation(this.random))]);
    this.joined = epoch;
  }

  private script(text: string, args: readonly string[]): Promise<unknown> {
    return this.connection.command(['EVAL', text, '2', ...this.keys, ...args]);
  }
}

function toRecord([id, fields]: StreamEntry): LogRecord {
  const text = fields.map(String);
  const field = (name: string): string => text[text.indexOf(name) + 1] ?? '';
  return {
    seq: Number(String(id).split('-')[0]),
    dataType: field('data_type') as CacheKind,
    dataId: field('data_id'),
    at: Number(field('at')),
  };
}
