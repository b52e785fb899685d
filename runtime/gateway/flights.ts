import type { CacheAnswer, CacheKey, CacheMark, Compute, Computed } from '../cache';
import type { Priority } from '../../constructs/plan/priorities';
import type { Ticket } from './admission/ticket';
import type { Exchange, Waiting } from './exchange';
import { CallerGone, Refusal } from './failures';
import type { Lookup } from './lookup';
import type { ModelAnswer } from './model-answer';
import type { Question, Relay } from './relay';
import { isStorable, storedValue } from './stored';

const RANK: { readonly [P in Priority]: number } = { emergency: 0, normal: 1, batch: 2 };

/** What one computation for several callers came to. */
type Landing =
  /** An answer for everybody. */
  | { readonly answer: CacheAnswer; readonly body?: undefined; readonly model?: ModelAnswer }
  /** What the model said and everybody may see, in memory: a failure of the model. */
  | { readonly answer?: undefined; readonly model: ModelAnswer; readonly body: Buffer }
  /** What the model says, for the first caller alone. */
  | { readonly answer?: undefined; readonly model: ModelAnswer; readonly body?: undefined };

/** What the model said to one computation; its body where it was collected. */
interface Told {
  readonly model: ModelAnswer;
  readonly body: Buffer | undefined;
}

/** The model failed: the cache may have an older answer. */
class ModelFailed extends Error {}

/** One computation and all who wait for it. */
class Flight implements Waiting {
  gone = false;
  whenGone?: () => void;
  ticket?: Ticket;
  landing?: Promise<Landing>;
  #waiting = 0;

  /** @param mark what had been invalidated when it began */
  constructor(
    public priority: Priority,
    private readonly mark?: CacheMark,
  ) {}

  /**
   * Whether one may wait for it who is as urgent as this. A more urgent one must not wait for another process, and nobody
   * for an answer from before an invalidation.
   */
  serves(priority: Priority, now: CacheMark): boolean {
    return (
      !this.gone &&
      (RANK[priority] >= RANK[this.priority] || this.ticket !== undefined) &&
      now.positions.every(({ incarnation, seq }, log) => {
        const then = this.mark?.positions[log];
        return then?.incarnation === incarnation && then.seq === seq;
      })
    );
  }

  /** The caller waits for it from now on, and it is as urgent as the most urgent one. */
  join(exchange: Exchange): void {
    this.#waiting++;
    if (RANK[exchange.priority] < RANK[this.priority]) {
      this.priority = exchange.priority;
      this.ticket?.promote(exchange.priority);
    }
    exchange.whenGone = () => {
      this.#waiting--;
      // what the model has begun is finished and kept: the caller will come again
      if (this.#waiting === 0 && this.ticket?.state !== 'running') {
        this.gone = true;
        this.whenGone?.();
      }
    };
  }
}

/** Answers from the cache, and asks the model once for all who ask the same at a time. */
export class Flights {
  readonly #flights = new Map<string, Flight>();

  /** @param modelVersion of what the model computes now */
  constructor(
    private readonly relay: Relay,
    private readonly modelVersion: string,
  ) {}

  /**
   * @param question its body is held
   * @param key of its answer
   * @throws Refusal, CallerGone
   */
  async answer(exchange: Exchange, question: Question, lookup: Lookup, key: CacheKey): Promise<void> {
    const hot = lookup.fresh ? undefined : lookup.kind.peek(key);
    if (hot?.value !== undefined) {
      sendHit(exchange, hot);
      return;
    }
    const other = lookup.fresh ? undefined : this.#flights.get(key.id);
    if (other?.landing !== undefined && other.serves(exchange.priority, lookup.kind.mark())) {
      await this.#follow(exchange, question, lookup, key, other);
    } else {
      await this.#lead(exchange, question, lookup, key);
    }
  }

  async #lead(exchange: Exchange, question: Question, lookup: Lookup, key: CacheKey): Promise<void> {
    const flight = new Flight(exchange.priority, lookup.kind.mark());
    flight.join(exchange);
    flight.landing = this.#fly(flight, question, lookup, key).finally(() => {
      if (this.#flights.get(key.id) === flight) {
        this.#flights.delete(key.id);
      }
    });
    if (!lookup.fresh) {
      this.#flights.set(key.id, flight);
    }
    const landing = await flight.landing;
    exchange.waitedMs = flight.ticket?.waitedMs;
    if (exchange.gone) {
      if (landing.answer === undefined && landing.body === undefined) {
        landing.model.discard();
      }
      throw new CallerGone();
    }
    if (landing.answer !== undefined) {
      if (landing.answer.tier === 'compute' && landing.model !== undefined && landing.answer.value !== undefined) {
        exchange.note('miss');
        exchange.sendHeld(landing.model, landing.answer.value.body);
      } else {
        sendHit(exchange, landing.answer);
      }
      return;
    }
    exchange.note('miss');
    if (landing.body !== undefined) {
      exchange.sendHeld(landing.model, landing.body);
    } else {
      await exchange.sendLive(landing.model);
    }
  }

  async #follow(exchange: Exchange, question: Question, lookup: Lookup, key: CacheKey, flight: Flight): Promise<void> {
    flight.join(exchange);
    const landing = await (flight.landing as Promise<Landing>);
    if (exchange.gone) {
      throw new CallerGone();
    }
    if (landing.answer !== undefined) {
      sendHit(exchange, landing.answer);
    } else if (landing.body !== undefined) {
      exchange.note('miss');
      exchange.sendHeld(landing.model, landing.body);
    } else {
      // what the first caller got was for it alone
      await this.#lead(exchange, question, { ...lookup, fresh: true }, key);
    }
  }

  async #fly(flight: Flight, question: Question, lookup: Lookup, key: CacheKey): Promise<Landing> {
    const { kind, fresh } = lookup;
    const told: { model?: ModelAnswer; body?: Buffer | undefined } = {};
    const content = question.body.held;
    const ask = async (waiting: Flight): Promise<Told> => {
      waiting.ticket = this.relay.enter(waiting.priority);
      const model = await this.relay.ask(waiting.ticket, question, content, waiting, true);
      const wanted = isStorable(model, lookup.route) || model.status >= 500;
      return { model, body: wanted ? await model.collect(lookup.route.maxResponseBytes) : undefined };
    };
    const compute: Compute = async ({ reason }) => {
      if (reason === 'refresh') {
        return this.#refresh(question, content, lookup, ask);
      }
      const { model, body } = await ask(flight);
      told.model = model;
      told.body = body;
      if (model.status >= 500) {
        throw new ModelFailed();
      }
      return computed(model, body, lookup);
    };
    try {
      const answer =
        fresh || flight.priority === 'emergency'
          ? await this.#alone(lookup, key, compute)
          : await kind.getOrCompute(key, compute);
      if (answer.value !== undefined) {
        return { answer, model: told.model };
      }
    } catch (error) {
      if (!(error instanceof ModelFailed)) {
        throw error;
      }
    }
    const { model, body } = told;
    if (model === undefined) {
      throw new Refusal(502, 'model_connection_lost');
    }
    return model.status >= 500 && body !== undefined ? { model, body } : { model };
  }

  /** Computes anew, before the answer that there is expires. Nobody waits for it. */
  async #refresh(
    { body: { budget } }: Question,
    content: Buffer,
    lookup: Lookup,
    ask: (waiting: Flight) => Promise<Told>,
  ): Promise<Computed> {
    if (!budget.take(content.length)) {
      throw new Refusal(503, 'no_memory');
    }
    try {
      const { model, body } = await ask(new Flight('batch'));
      if (body === undefined || model.status >= 500) {
        model.discard();
        throw new ModelFailed();
      }
      return computed(model, body, lookup);
    } finally {
      budget.give(content.length);
    }
  }

  /** Waits for no other process, as an emergency must not, unless the model fails. */
  async #alone({ kind, fresh }: Lookup, key: CacheKey, compute: Compute): Promise<CacheAnswer> {
    const found = fresh ? undefined : await kind.get(key);
    if (found !== undefined) {
      return found;
    }
    const since = kind.mark();
    let result: Computed;
    try {
      result = await compute({ reason: 'miss', signal: new AbortController().signal });
    } catch (error: unknown) {
      if (fresh) {
        throw error;
      }
      // an older answer, where the kind allows one
      return kind.getOrCompute(key, () => {
        throw error;
      });
    }
    if (result.value !== undefined) {
      kind.set(key, result, since).catch(() => undefined);
    }
    const { value } = result;
    return { value, tier: 'compute', ageMs: 0, modelVersion: this.modelVersion, stale: false, expiresAt: 0 };
  }
}

function computed(model: ModelAnswer, body: Buffer | undefined, { route }: Lookup): Computed {
  return body === undefined
    ? { value: undefined, store: false }
    : { value: storedValue(model, body, route), ttlSeconds: route.ttl };
}

/** Answers from a tier of the cache. */
export function sendHit(exchange: Exchange, answer: CacheAnswer): void {
  const age = Math.max(0, Math.floor(answer.ageMs / 1000));
  exchange.note('hit', answer.tier);
  exchange.sendStored(answer, `hit; tier=${answer.tier}; age=${age}${answer.stale ? '; stale' : ''}`);
}
