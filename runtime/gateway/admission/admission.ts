import type { AdmissionPlan } from '../../../constructs/plan/gateway/defaults';
import { RejectionReason } from '../../../constructs/plan/gateway/names';
import { Priority } from '../../../constructs/plan/priorities';
import { Line } from './line';
import { Rejection, Ticket, type TicketOffice } from './ticket';

/** From the most to the least urgent. */
export const CLASSES = [Priority.EMERGENCY, Priority.NORMAL, Priority.BATCH] as const;
const RANK: { readonly [P in Priority]: number } = { emergency: 0, normal: 1, batch: 2 };

/** Weight of the newest request in the mean service time. */
const SMOOTHING = 0.1;
/** Service time in seconds before any was seen. */
const FIRST_GUESS = 1;

/** What the admission tells as it happens. */
export interface AdmissionEvents {
  admitted?(ticket: Ticket): void;
  rejected?(priority: Priority, reason: RejectionReason): void;
}

/**
 * Decides which request the model works on next.
 *
 * Each waiting request has a *due time*: its arrival, for batch plus `batchAgeing`. Emergency goes first; of the others
 * the one that is due first. So normal requests overtake batch requests, but none that came `batchAgeing` earlier: no
 * batch request waits behind more than those. Where the queue is full, the request that is due last goes, the arriving
 * one included.
 */
export class Admission implements TicketOffice {
  readonly #lines: { readonly [P in Priority]: Line<Ticket> } = {
    emergency: new Line(),
    normal: new Line(),
    batch: new Line(),
  };
  readonly #running = { emergency: 0, normal: 0, batch: 0 };
  #serviceSeconds?: number;

  /**
   * @param now milliseconds of a clock that never goes back
   * @param random uniform in [0, 1): spreads the callers that are told to come again
   */
  constructor(
    private readonly plan: AdmissionPlan,
    private readonly now: () => number,
    private readonly random: () => number,
    private readonly events: AdmissionEvents = {},
  ) {}

  /** Requests of a class that wait. */
  waiting(priority: Priority): number {
    return this.#lines[priority].length;
  }

  /** Requests of a class that the model works on. */
  running(priority: Priority): number {
    return this.#running[priority];
  }

  /** Whether nothing waits and nothing runs. */
  get idle(): boolean {
    return CLASSES.every((priority) => this.waiting(priority) + this.running(priority) === 0);
  }

  /** Takes a place for a request: at the model, in the queue, or, as its ticket then says, none. */
  enter(priority: Priority): Ticket {
    const ticket = new Ticket(this, priority, this.now());
    if (this.waiting(priority) === 0 && this.#hasRoom(priority)) {
      this.#start(ticket);
      return ticket;
    }
    if (this.waiting(priority) >= this.plan.classes[priority].queueLength) {
      this.#reject(ticket, RejectionReason.QUEUE_FULL);
      return ticket;
    }
    if (this.#waitingInAll() >= this.plan.queueLength) {
      const last = this.#dueLast();
      if (last === undefined || this.#due(last) <= this.#due(ticket)) {
        this.#reject(ticket, RejectionReason.QUEUE_FULL);
        return ticket;
      }
      this.#lines[last.priority].leave(last);
      this.#reject(last, RejectionReason.SHED);
    }
    this.#lines[priority].join(ticket);
    return ticket;
  }

  /** Rejects what has waited longer than its class may; to be called every now and then. */
  expire(): void {
    const now = this.now();
    for (const priority of CLASSES) {
      const line = this.#lines[priority];
      const latest = now - this.plan.classes[priority].maxWait * 1000;
      while (line.first !== undefined && line.first.arrivedAt <= latest) {
        const ticket = line.first;
        line.leave(ticket);
        this.#reject(ticket, RejectionReason.WAIT_TOO_LONG);
      }
    }
  }

  promote(ticket: Ticket, priority: Priority): void {
    if (RANK[priority] >= RANK[ticket.priority]) {
      return;
    }
    if (ticket.state === 'waiting') {
      this.#lines[ticket.priority].leave(ticket);
      ticket.priority = priority;
      this.#lines[priority].join(ticket);
      this.#dispatch();
    }
  }

  leave(ticket: Ticket): void {
    const { state, priority } = ticket;
    ticket.state = 'left';
    if (state === 'waiting') {
      this.#lines[priority].leave(ticket);
    } else if (state === 'running') {
      this.#running[priority]--;
      const seconds = (this.now() - ticket.startedAt) / 1000;
      this.#serviceSeconds ??= seconds;
      this.#serviceSeconds += SMOOTHING * (seconds - this.#serviceSeconds);
      this.#dispatch();
    }
  }

  #dispatch(): void {
    for (let ticket = this.#next(); ticket !== undefined; ticket = this.#next()) {
      this.#lines[ticket.priority].leave(ticket);
      this.#start(ticket);
    }
  }

  /** The waiting request whose turn it is, of those that the limits let through. */
  #next(): Ticket | undefined {
    const [emergency, normal, batch] = CLASSES.map((priority) =>
      this.#hasRoom(priority) ? this.#lines[priority].first : undefined,
    );
    if (emergency !== undefined || batch === undefined) {
      return emergency ?? normal;
    }
    return normal === undefined || this.#due(batch) < this.#due(normal) ? batch : normal;
  }

  /**
   * Whether the model may get one more of a class. Limits count a class together with the less urgent ones; the reserve
   * is free whatever runs, so an emergency that uses it makes others wait until it is free again.
   */
  #hasRoom(priority: Priority): boolean {
    const { plan } = this;
    const { emergency, normal, batch } = this.#running;
    const all = emergency + normal + batch;
    const places = Math.min(plan.concurrency, plan.classes.emergency.concurrency);
    return (
      all < places &&
      (priority === Priority.EMERGENCY ||
        (all < places - plan.reserve && normal + batch < plan.classes.normal.concurrency)) &&
      (priority !== Priority.BATCH || batch < plan.classes.batch.concurrency)
    );
  }

  #due(ticket: Ticket): number {
    switch (ticket.priority) {
      case Priority.EMERGENCY:
        return -Infinity;
      case Priority.NORMAL:
        return ticket.arrivedAt;
      case Priority.BATCH:
        return ticket.arrivedAt + this.plan.batchAgeing * 1000;
    }
  }

  #dueLast(): Ticket | undefined {
    const normal = this.#lines.normal.last;
    const batch = this.#lines.batch.last;
    if (normal === undefined || batch === undefined) {
      return batch ?? normal;
    }
    return this.#due(batch) >= this.#due(normal) ? batch : normal;
  }

  #waitingInAll(): number {
    return this.waiting('emergency') + this.waiting('normal') + this.waiting('batch');
  }

  #start(ticket: Ticket): void {
    this.#running[ticket.priority]++;
    ticket.start(this.now());
    this.events.admitted?.(ticket);
  }

  #reject(ticket: Ticket, reason: RejectionReason): void {
    ticket.reject(new Rejection(reason, this.#retryAfter(ticket.priority)));
    this.events.rejected?.(ticket.priority, reason);
  }

  /**
   * Seconds until the requests before a new one of this class are probably done: their number, times the mean service
   * time, over the places they have. Up to half as much more at random.
   */
  #retryAfter(priority: Priority): number {
    const { concurrency, maxWait } = this.plan.classes[priority];
    const ahead = CLASSES.filter((other) => RANK[other] <= RANK[priority]).reduce(
      (sum, other) => sum + this.waiting(other),
      1,
    );
    const seconds = (ahead * (this.#serviceSeconds ?? FIRST_GUESS)) / concurrency;
    return Math.max(1, Math.min(Math.ceil(seconds * (1 + this.random() / 2)), Math.ceil(maxWait)));
  }
}
