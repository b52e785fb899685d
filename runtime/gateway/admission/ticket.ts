import type { RejectionReason } from '../../../constructs/plan/gateway/names';
import type { Priority } from '../../../constructs/plan/priorities';
import { CallerGone } from '../failures';
import type { Standing } from './line';

/** A request that was not let through. */
export class Rejection extends Error {
  /**
   * @param reason why
   * @param retryAfter seconds after which there is probably room
   */
  constructor(
    readonly reason: RejectionReason,
    readonly retryAfter: number,
  ) {
    super(`not let through: ${reason}`);
    this.name = 'Rejection';
  }
}

/** What a ticket's holder may do with it; `Admission` is its only implementation. */
export interface TicketOffice {
  /** Moves a waiting ticket to a more urgent class. */
  promote(ticket: Ticket, priority: Priority): void;
  /** Gives up the place, in the queue or at the model. */
  leave(ticket: Ticket): void;
}

/** One request's place: in the queue, then at the model. */
export class Ticket implements Standing {
  state: 'waiting' | 'running' | 'rejected' | 'left' = 'waiting';
  before?: this;
  after?: this;
  /** When the model began with it. */
  startedAt = NaN;
  readonly #office: TicketOffice;
  #rejection?: Rejection;
  #settle?: { readonly resolve: () => void; readonly reject: (why: Error) => void };

  constructor(
    office: TicketOffice,
    public priority: Priority,
    readonly arrivedAt: number,
  ) {
    this.#office = office;
  }

  /** Milliseconds from arrival to the model; NaN before. */
  get waitedMs(): number {
    return this.startedAt - this.arrivedAt;
  }

  /**
   * Resolves when the model may be asked.
   *
   * @throws Rejection when it will not be let through
   * @throws CallerGone when the ticket left before
   */
  admitted(): Promise<void> {
    if (this.state === 'running') {
      return Promise.resolve();
    }
    if (this.#rejection !== undefined) {
      return Promise.reject(this.#rejection);
    }
    if (this.state === 'left') {
      return Promise.reject(new CallerGone());
    }
    return new Promise((resolve, reject) => (this.#settle = { resolve, reject }));
  }

  /** Waits no longer than a request of this class would, where that is more urgent than its own. */
  promote(priority: Priority): void {
    this.#office.promote(this, priority);
  }

  /** Gives up the place; may be called twice. */
  leave(): void {
    this.#office.leave(this);
    this.#settle?.reject(new CallerGone());
  }

  /** For the office: the model may be asked. */
  start(now: number): void {
    this.state = 'running';
    this.startedAt = now;
    this.#settle?.resolve();
  }

  /** For the office: it will not be let through. */
  reject(rejection: Rejection): void {
    this.state = 'rejected';
    this.#rejection = rejection;
    this.#settle?.reject(rejection);
  }
}
