import type { BreakerConfig } from '../../constructs/plan/cache/config';

const DEFAULTS = { failures: 5, openMs: 5_000 };

export type BreakerState = 'ok' | 'half-open' | 'open';

/**
 * Circuit breaker of one tier. While it is half-open, one operation tries and all others pass by at once: a cache that
 * makes requests wait for its own recovery would be worse than none.
 */
export class Breaker {
  private failures = 0;
  private openUntil = -Infinity;
  #state: BreakerState = 'ok';

  constructor(
    private readonly now: () => number,
    private readonly random: () => number,
    private readonly changed: (state: BreakerState) => void,
    private readonly config: BreakerConfig = {},
  ) {}

  get state(): BreakerState {
    return this.#state;
  }

  /** Whether an operation may be tried; one that was let through must end in `succeeded()` or `failed()`. */
  admits(): boolean {
    if (this.#state === 'ok') {
      return true;
    }
    if (this.#state === 'half-open' || this.now() < this.openUntil) {
      return false;
    }
    this.enter('half-open');
    return true;
  }

  succeeded(): void {
    this.failures = 0;
    if (this.#state === 'half-open') {
      this.enter('ok');
    }
  }

  failed(): void {
    this.failures++;
    const { failures = DEFAULTS.failures, openMs = DEFAULTS.openMs } = this.config;
    if (this.#state === 'half-open' || (this.#state === 'ok' && this.failures >= failures)) {
      // spread, so that not all processes try in the same moment
      this.openUntil = this.now() + openMs * (1 + this.random() / 5);
      this.enter('open');
    }
  }

  private enter(state: BreakerState): void {
    this.#state = state;
    this.changed(state);
  }
}
