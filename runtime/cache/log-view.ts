import type { CacheKind } from '../../constructs/plan/cache/kinds';
import type { LogPosition } from './types';

/** Where invalidations are recorded; `local` where no process shares anything. */
export type LogName = 'local' | 'redis' | 'database';

/** Something in a log of invalidations. */
export interface LogEvent {
  readonly dataType: CacheKind;
  /** Keyed hash of what is invalid; `*` for all of the kind. */
  readonly dataId: string;
}

/** An event as a log tells it. */
export interface LogRecord extends LogEvent {
  /** 1, 2, 3, ... without a gap, in the order in which they came into force. */
  readonly seq: number;
  /** When it was recorded, in milliseconds since 1970. */
  readonly at: number;
}

/** `dataId` of all of a kind. */
export const ALL = '*';

/** Nothing was ever heard of the log. */
const UNKNOWN = 0;

/**
 * What this process knows of one log of invalidations. An entry carries the position up to which its writer had read the
 * log when it began to compute; what was recorded after that condemns it, wherever it is stored and whoever stored it.
 */
export class LogView {
  #incarnation = UNKNOWN;
  #seq = 0;
  /** Last sequence number that condemned something, by kind and id; in the order of recording. */
  private readonly condemning = new Map<string, number>();
  /** Sequence numbers up to which everything of a kind is condemned. */
  private readonly floors = new Map<string, number>();
  /** When the log was asked what was then known to be all of it. */
  confirmedAt = -Infinity;

  /**
   * @param name for metrics
   * @param changed called when entries that were valid may be so no longer
   * @param maxCondemned ids to remember; older ones condemn their whole kind instead
   */
  constructor(
    readonly name: LogName,
    private readonly changed: () => void,
    private readonly maxCondemned = 100_000,
  ) {}

  get position(): LogPosition {
    return { incarnation: this.#incarnation, seq: this.#seq };
  }

  get incarnation(): number {
    return this.#incarnation;
  }

  get seq(): number {
    return this.#seq;
  }

  /** Begins with a log of which nothing is known yet, such as after it lost its data. */
  begin(incarnation: number): void {
    this.#incarnation = incarnation;
    this.#seq = 0;
    this.condemning.clear();
    this.floors.clear();
    this.confirmedAt = -Infinity;
    this.changed();
  }

  /** Takes in what comes next; of what is missing in between, the worst is assumed. */
  apply(records: readonly LogRecord[]): void {
    for (const { seq, dataType, dataId } of records) {
      if (seq <= this.#seq) {
        continue;
      }
      if (seq > this.#seq + 1) {
        this.condemnUpTo(seq - 1);
      }
      this.#seq = seq;
      if (dataId === ALL) {
        this.floors.set(dataType, seq);
      } else {
        const id = scope(dataType, dataId);
        // deleted first, so that the order stays that of recording
        this.condemning.delete(id);
        this.condemning.set(id, seq);
      }
    }
    this.forgetOldest();
    if (records.length > 0) {
      this.changed();
    }
  }

  /** Takes in that the log ends at `seq`, though what led there can no longer be read. */
  skipTo(seq: number): void {
    if (seq > this.#seq) {
      this.condemnUpTo(seq);
      this.#seq = seq;
      this.changed();
    }
  }

  /** Whether something recorded after `position` concerns what is of this kind and has these ids. */
  condemns(
    position: LogPosition | undefined,
    subject: { readonly kind: CacheKind; readonly ids: readonly string[] },
  ): boolean {
    const { kind } = subject;
    // nothing was recorded since, as nearly always
    if (position?.incarnation !== this.#incarnation || position.seq >= this.#seq) {
      return false;
    }
    const { seq } = position;
    const { ids } = subject;
    return (
      (this.floors.get(kind) ?? 0) > seq ||
      (this.floors.get(ALL) ?? 0) > seq ||
      ids.some((id) => (this.condemning.get(scope(kind, id)) ?? 0) > seq)
    );
  }

  /** Whether this log can tell anything of an entry with this position. */
  knows(position: LogPosition | undefined): boolean {
    return position?.incarnation === this.#incarnation && this.#incarnation !== UNKNOWN;
  }

  private condemnUpTo(seq: number): void {
    this.floors.set(ALL, seq);
  }

  private forgetOldest(): void {
    for (const [id, seq] of this.condemning) {
      if (this.condemning.size <= this.maxCondemned) {
        return;
      }
      const kind = id.slice(0, id.indexOf(' '));
      this.floors.set(kind, Math.max(this.floors.get(kind) ?? 0, seq));
      this.condemning.delete(id);
    }
  }
}

function scope(kind: string, id: string): string {
  return `${kind} ${id}`;
}
