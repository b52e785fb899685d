import { setTimeout as sleep } from 'node:timers/promises';
import type { LogEvent, LogRecord, LogView } from '../log-view';
import type { Validity } from '../validity';
import type { LogStore } from './log-store';

const BATCH = 1_000;
/** Between two questions to a log that was never heard of: mostly one to which the connection is just being made. */
const FIRST_PAUSE_MS = 25;

/** Keeps the view of one log up to date, and appends to the log. */
export class LogFollower {
  private closed = false;
  private syncing: Promise<void> | undefined;
  private readonly view: LogView;
  private heard: () => void = () => undefined;
  /** Resolves when the log was heard of for the first time. */
  readonly first = new Promise<void>((resolve) => (this.heard = resolve));

  /**
   * @param pollMs longest time between two looks
   * @param deadlineMs longest wait for the server
   * @param onRecords told of everything that comes in, after it has come into force
   */
  constructor(
    private readonly store: LogStore,
    private readonly validity: Validity,
    private readonly now: () => number,
    private readonly pollMs: number,
    private readonly deadlineMs: number,
    private readonly onRecords: (records: readonly LogRecord[]) => void = () => undefined,
  ) {
    this.view = validity.view(store.name);
  }

  get name(): LogStore['name'] {
    return this.store.name;
  }

  /** Follows until it is closed. */
  async follow(): Promise<void> {
    while (!this.closed) {
      try {
        await this.sync();
        // a server that hangs must not keep the other questions waiting
        await Promise.race([this.store.wait(this.view.seq, this.pollMs), this.pause(this.pollMs * 1.5)]);
      } catch {
        // its age tells: once it was silent for too long, nothing is served on its word
        await this.pause(this.view.confirmedAt === -Infinity ? FIRST_PAUSE_MS : this.pollMs / 4);
      }
    }
  }

  /** Reads what the log has by now. */
  sync(): Promise<void> {
    // who comes while one is under way needs the next one: the one under way may have looked too early
    const after = this.syncing?.catch(() => undefined) ?? Promise.resolve();
    const next = after.then(() => this.read());
    this.syncing = next;
    return next;
  }

  /** Appends events and takes them in. */
  async append(events: readonly LogEvent[]): Promise<void> {
    if (this.view.incarnation === 0) {
      await this.sync();
    }
    await this.withDeadline(this.store.append(events, this.view.incarnation));
    await this.sync();
  }

  close(): void {
    this.closed = true;
    this.store.close();
  }

  private async read(): Promise<void> {
    const askedAt = this.now();
    const head = await this.withDeadline(this.store.head());
    if (head.incarnation !== this.view.incarnation) {
      this.view.begin(head.incarnation);
    } else if (head.seq < this.view.seq) {
      await this.withDeadline(this.store.renew(this.view.position));
      throw new Error(`the ${this.store.name} log of invalidations has lost records`);
    }
    while (this.view.seq < head.seq) {
      const records = await this.withDeadline(this.store.read(this.view.seq, BATCH));
      if (records.length === 0) {
        this.view.skipTo(head.seq);
      } else {
        this.view.apply(records);
        this.onRecords(records);
      }
    }
    this.validity.confirm(this.view, askedAt);
    this.heard();
  }

  private pause(ms: number): Promise<void> {
    return sleep(ms, undefined, { ref: false });
  }

  private async withDeadline<T>(work: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const expire = (): void => reject(new Error(`the ${this.store.name} log did not answer in time`));
      // as in `Deadlines`: what has arrived while this process stood still is heard first
      timer = setTimeout(() => setImmediate(expire), this.deadlineMs);
    });
    work.catch(() => undefined);
    try {
      return await Promise.race([work, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}
