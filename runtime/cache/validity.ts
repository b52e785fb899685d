import { DEFAULT_MAX_STALENESS_MS } from '../../constructs/plan/cache/config';
import type { CacheKind } from '../../constructs/plan/cache/kinds';
import { LogView, type LogName } from './log-view';
import type { CacheMark, LogPosition } from './types';

const NO_POSITION: LogPosition = { incarnation: 0, seq: 0 };

/** Where an entry keeps its position in a log, whichever logs a process knows. */
const PLACE: { readonly [N in LogName]: number } = { local: 0, redis: 0, database: 1 };

/** What may be condemned: an entry, or one that is being computed. */
export interface Subject {
  readonly kind: CacheKind;
  /** Up to where its computation had read the logs. */
  readonly positions: readonly LogPosition[];
  readonly ids: readonly string[];
}

/**
 * Tells whether an entry may be served: some log of invalidations that was heard of lately knows of it, and no log
 * condemns it. An invalidation is in force only once every log has it, so that one log is enough to go by.
 */
export class Validity {
  /** Grows with everything that may make a valid entry invalid. */
  changes = 0;
  /** Up to when every log is fresh, or -Infinity; what was valid with these `changes` still is until then. */
  allFreshUntil = -Infinity;
  readonly views: readonly LogView[];

  /**
   * @param logs the logs that there are
   * @param maxStalenessMs how long a log may be silent
   */
  constructor(
    logs: readonly LogName[],
    private readonly maxStalenessMs = DEFAULT_MAX_STALENESS_MS,
  ) {
    this.views = logs.map(
      (name) =>
        new LogView(name, () => {
          this.changes++;
          this.refresh();
        }),
    );
  }

  view(name: LogName): LogView {
    return this.views.find((view) => view.name === name) as LogView;
  }

  /** Notes that a log had nothing more to tell than its view holds, when it was asked. */
  confirm(view: LogView, askedAt: number): void {
    view.confirmedAt = Math.max(view.confirmedAt, askedAt);
    this.refresh();
  }

  /** Positions that a computation which begins now is true as of. */
  mark(): CacheMark {
    const positions: LogPosition[] = [NO_POSITION, NO_POSITION];
    for (const { name, position } of this.views) {
      positions[PLACE[name]] = position;
    }
    return { positions };
  }

  /** Whether anything may be served at all. */
  serving(now: number): boolean {
    return now < this.allFreshUntil || this.views.some((view) => this.fresh(view, now));
  }

  /** Whether something that concerns it was invalidated since. */
  condemned(subject: Subject): boolean {
    for (const view of this.views) {
      if (view.condemns(subject.positions[PLACE[view.name]], subject)) {
        return true;
      }
    }
    return false;
  }

  /** Whether it may be served. */
  valid(subject: Subject, now: number): boolean {
    for (const view of this.views) {
      if (this.fresh(view, now) && view.knows(subject.positions[PLACE[view.name]])) {
        return !this.condemned(subject);
      }
    }
    return false;
  }

  private fresh(view: LogView, now: number): boolean {
    return now < view.confirmedAt + this.maxStalenessMs;
  }

  private refresh(): void {
    this.allFreshUntil = Math.min(...this.views.map((view) => view.confirmedAt)) + this.maxStalenessMs;
  }
}
