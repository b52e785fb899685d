import { setTimeout as sleep } from 'node:timers/promises';
import { CacheKind } from '../../constructs/plan/cache/kinds';
import { InvalidationError } from './errors';
import type { KeyRing, TenantKey } from './key-ring';
import { contentHash, contentId, namedId, updatesId, versionId } from './keys';
import { ALL, type LogEvent } from './log-view';
import type { CacheMetrics } from './metrics';
import type { CacheInvalidation, CacheQuery, InvalidationReceipt } from './types';

/** Somewhere to record events; resolves once they are durable and in force in this process. */
export interface EventLog {
  readonly name: string;
  append(events: readonly LogEvent[]): Promise<void>;
}

/** Events that wait for a log that does not take them; more become one for all of their kind. */
const MAX_WAITING = 1_000;
const RETRY_MS = 500;

/** Records invalidations in all logs; what one of them does not take is offered to it again and again. */
export class LogWriter {
  private readonly waiting = new Map<EventLog, readonly LogEvent[]>();

  constructor(
    private readonly logs: readonly EventLog[],
    private readonly signal: AbortSignal,
  ) {}

  /** @throws InvalidationError unless every log has the events */
  async record(events: readonly LogEvent[]): Promise<void> {
    const outcomes = await Promise.allSettled(this.logs.map((log) => log.append(events)));
    const missing = this.logs.filter((_, index) => outcomes[index]?.status === 'rejected');
    if (missing.length === 0) {
      return;
    }
    const recorded = this.logs.filter((log) => !missing.includes(log));
    // nothing anywhere: then the caller alone decides whether it is to happen
    if (recorded.length > 0) {
      missing.forEach((log) => this.retry(log, events));
    }
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    throw new InvalidationError(names(recorded), names(missing), failed?.reason);
  }

  private retry(log: EventLog, events: readonly LogEvent[]): void {
    const before = this.waiting.get(log);
    this.waiting.set(log, bounded([...(before ?? []), ...events]));
    if (before === undefined) {
      void this.drain(log);
    }
  }

  private async drain(log: EventLog): Promise<void> {
    for (let events = this.waiting.get(log) ?? []; events.length > 0 && !this.signal.aborted;) {
      await sleep(RETRY_MS, undefined, { ref: false });
      // those that came in meanwhile are taken along
      events = this.waiting.get(log) ?? [];
      try {
        await log.append(events);
        const left = (this.waiting.get(log) ?? []).filter((event) => !events.includes(event));
        this.waiting.set(log, left);
        events = left;
      } catch {
        // the next time
      }
    }
    this.waiting.delete(log);
  }
}

/** Keyed hash of what is invalidated, under one key of the ring. */
type IdOf = (key: TenantKey) => string;

/** Names what is to be invalidated by its keyed hashes, one for each key of the ring, and records it. */
export class LoggedInvalidation implements CacheInvalidation {
  constructor(
    private readonly writer: LogWriter,
    private readonly ring: () => KeyRing,
    private readonly metrics: CacheMetrics,
  ) {}

  diagnosis(id: string): Promise<InvalidationReceipt> {
    return this.entry(CacheKind.DIAGNOSIS, id);
  }

  entry(kind: CacheKind, id: string): Promise<InvalidationReceipt> {
    return this.record(kind, (key) => namedId(key, kind, id));
  }

  content(kind: CacheKind, content: CacheQuery['content']): Promise<InvalidationReceipt> {
    const hash = contentHash(content);
    return this.record(kind, (key) => contentId(key, kind, hash));
  }

  knowledge(): Promise<InvalidationReceipt> {
    return this.all(CacheKind.KNOWLEDGE);
  }

  all(kind: CacheKind): Promise<InvalidationReceipt> {
    return this.record(kind, () => ALL);
  }

  version(kind: CacheKind, model: string, modelVersion: string): Promise<InvalidationReceipt> {
    return this.record(kind, (key) => versionId(key, kind, model, modelVersion));
  }

  /** Records an update of a model's data, which invalidates nothing. */
  async update(model: string): Promise<void> {
    await this.record(CacheKind.MODEL_OUTPUT, (key) => updatesId(key, model));
  }

  private async record(kind: CacheKind, idOf: IdOf): Promise<InvalidationReceipt> {
    const { current, keys } = this.ring();
    const ids = [...new Set(keys.map(idOf))];
    try {
      await this.writer.record(ids.map((dataId) => ({ dataType: kind, dataId })));
    } catch (error) {
      const partial = error instanceof InvalidationError && error.recorded.length > 0;
      this.metrics.invalidated(kind, partial ? 'partial' : 'failed');
      throw error;
    }
    this.metrics.invalidated(kind, 'recorded');
    return { dataType: kind, dataId: idOf(current) };
  }
}

function bounded(events: readonly LogEvent[]): readonly LogEvent[] {
  if (events.length <= MAX_WAITING) {
    return events;
  }
  return [...new Set(events.map(({ dataType }) => dataType))].map((dataType) => ({ dataType, dataId: ALL }));
}

function names(logs: readonly EventLog[]): string[] {
  return logs.map(({ name }) => name);
}
