import { SpanStatusCode, type Tracer } from '@opentelemetry/api';
import { TIER_CAP_SECONDS, type CacheKind, type SharedTier } from '../../constructs/plan/cache/kinds';
import type { Breaker } from './breaker';
import { Deadlines } from './deadlines';
import type { CacheMetrics, TierErrorReason, TierOperation } from './metrics';
import type { Distribution } from './tallies';
import type { CacheTier } from './tier';

/** Bounds of one tier. */
interface TierBounds {
  /** Larger entries skip it. */
  readonly maxEntryBytes: number;
}

/** Operations under way on one tier; more are not begun. */
const MAX_PENDING = 512;
/** Bytes of writes under way on one tier. */
const MAX_PENDING_BYTES = 67_108_864;

/** An operation that did not succeed, whatever the reason: the cache goes on without it. */
export const FAILED = Symbol('failed');
export type Failed = typeof FAILED;

/**
 * Stands before a server: what is asked of it never throws and never makes anyone wait for longer than its deadline. What
 * fails is counted, what fails again and again is left alone for a while, what is too much is not begun.
 */
export class Guard {
  private pending = 0;
  private pendingBytes = 0;
  private readonly deadlines: Deadlines;
  /** Of each operation that there was so far, the name of its spans and its times. */
  private readonly measured: { [O in TierOperation]?: { readonly span: string; readonly seconds: Distribution } } = {};

  constructor(
    readonly name: SharedTier,
    deadlineMs: number,
    private readonly refused: (error: unknown) => boolean,
    readonly breaker: Breaker,
    private readonly metrics: CacheMetrics,
    private readonly tracer: Tracer,
  ) {
    this.deadlines = new Deadlines(deadlineMs);
  }

  /**
   * Asks the server.
   *
   * @param bytes what the question holds in memory
   * @param work may reject, and may take its time: nobody waits for it for longer than the deadline
   */
  run<T>(operation: TierOperation, bytes: number, work: () => Promise<T>): Promise<T | Failed> {
    if (this.pending >= MAX_PENDING || this.pendingBytes + bytes > MAX_PENDING_BYTES) {
      return this.refuse(operation, 'busy');
    }
    if (!this.breaker.admits()) {
      return this.refuse(operation, 'breaker');
    }
    this.pending++;
    this.pendingBytes += bytes;
    const { refused } = this;
    const measured = (this.measured[operation] ??= {
      span: `cache ${this.name} ${operation}`,
      seconds: this.metrics.tierSeconds(this.name, operation),
    });
    const span = this.tracer.startSpan(measured.span);
    const start = performance.now();
    return new Promise((resolve) => {
      let settled = false;
      const settle = (result: T | Failed, reason?: TierErrorReason): void => {
        if (settled) {
          return;
        }
        settled = true;
        this.deadlines.met(deadline);
        measured.seconds.observe((performance.now() - start) / 1000);
        if (reason === undefined || reason === 'server') {
          this.breaker.succeeded();
        } else {
          this.breaker.failed();
        }
        if (reason !== undefined) {
          this.metrics.tierError(this.name, operation, reason);
          span.setStatus({ code: SpanStatusCode.ERROR, message: reason });
        }
        span.end();
        resolve(result);
      };
      // an operation stays pending until the server lets go of it, however long ago its caller has
      const released = (): void => {
        this.pending--;
        this.pendingBytes -= bytes;
      };
      const deadline = this.deadlines.add(start, () => settle(FAILED, 'deadline'));
      attempt(work).then(
        (result) => {
          released();
          settle(result);
        },
        (error: unknown) => {
          released();
          settle(FAILED, refused(error) ? 'server' : 'connection');
        },
      );
    });
  }

  private refuse(operation: TierOperation, reason: TierErrorReason): Promise<Failed> {
    this.metrics.tierError(this.name, operation, reason);
    return Promise.resolve(FAILED);
  }
}

/** A tier behind its guard, which takes only what it may. */
export class GuardedTier {
  constructor(
    readonly tier: CacheTier,
    readonly guard: Guard,
    private readonly bounds: TierBounds,
    private readonly metrics: CacheMetrics,
  ) {}

  get name(): SharedTier {
    return this.tier.name;
  }

  get(keys: readonly string[]): Promise<Uint8Array | null | undefined | Failed> {
    return this.guard.run('get', 0, () => this.tier.get(keys));
  }

  /** Writes an entry of a kind, for as long as the tier may keep it. */
  async set(kind: CacheKind, key: string, sealed: Uint8Array, ttlMs: number, seq: number): Promise<void> {
    const ttl = Math.floor(Math.min(ttlMs, TIER_CAP_SECONDS[this.name] * 1000));
    if (ttl <= 0) {
      return;
    }
    if (sealed.byteLength > this.bounds.maxEntryBytes) {
      this.metrics.tierError(this.name, 'set', 'too_large');
      return;
    }
    const outcome = await this.guard.run('set', sealed.byteLength, () => this.tier.set(key, sealed, ttl, seq));
    if (outcome !== FAILED) {
      this.metrics.wrote(this.name, kind, sealed.byteLength);
    }
  }

  async delete(keys: readonly string[]): Promise<void> {
    await this.guard.run('delete', 0, () => this.tier.delete(keys));
  }
}

/** A promise, even where the work throws before it has one. */
function attempt<T>(work: () => Promise<T>): Promise<T> {
  try {
    return work();
  } catch (error) {
    return Promise.reject(error instanceof Error ? error : new Error('not an error', { cause: error }));
  }
}
