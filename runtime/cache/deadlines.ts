/** Something that must be over in time. */
interface Pending {
  readonly until: number;
  readonly expire: () => void;
}

/**
 * Deadlines of equal length, on one timer: a timer for each operation costs more than all else that guards it, and nearly
 * none ever fires.
 */
export class Deadlines {
  /** In the order of their deadlines. */
  private readonly pending = new Set<Pending>();
  private armed = false;

  constructor(private readonly ms: number) {}

  /** Calls `expire` when the time is over, unless what is returned was given to `met()` before. */
  add(now: number, expire: () => void): Pending {
    const pending = { until: now + this.ms, expire };
    this.pending.add(pending);
    if (!this.armed) {
      this.arm(this.ms);
    }
    return pending;
  }

  met(pending: Pending): void {
    this.pending.delete(pending);
  }

  private arm(ms: number): void {
    this.armed = true;
    // after a stall of this process, timers come before answers that have long arrived: those are heard first
    setTimeout(() => setImmediate(() => this.fire()), Math.ceil(ms)).unref();
  }

  private fire(): void {
    this.armed = false;
    const now = performance.now();
    for (const pending of this.pending) {
      if (pending.until > now) {
        this.arm(pending.until - now);
        return;
      }
      this.pending.delete(pending);
      pending.expire();
    }
  }
}
