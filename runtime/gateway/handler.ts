import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { MedicalCache } from '../cache/types';
import type { GatewayPlan } from '../../constructs/plan/gateway/defaults';
import type { Admission } from './admission/admission';
import { Exchange } from './exchange';
import { CallerGone, Refusal } from './failures';
import { Flights } from './flights';
import { HeadReader, type Intake } from './intake';
import { LargeBodies } from './large-bodies';
import type { Log } from './log';
import { contentOf, Lookups, type Lookup } from './lookup';
import type { GatewayMetrics } from './metrics';
import { Relay, type Question } from './relay';
import { Budget, RequestBody } from './request-body';
import type { Trust } from './trust';
import type { Upstream } from './upstream';
import { UsagePointers } from './usage';

/** What the handler works with. */
export interface HandlerDeps {
  readonly plan: GatewayPlan;
  readonly admission: Admission;
  readonly upstream: Upstream;
  readonly trust: Trust;
  readonly metrics: GatewayMetrics;
  readonly log: Log;
  readonly cache?: MedicalCache;
  readonly now: () => number;
}

/** Handles the requests of callers. */
export class Handler {
  readonly budget: Budget;
  /** Bodies that are awaited. */
  readonly #awaited = new Set<RequestBody>();
  readonly #heads: HeadReader;
  readonly #lookups?: Lookups;
  readonly #flights: Flights;
  readonly #large: LargeBodies;
  readonly #relay: Relay;
  readonly #model: string;
  /** The newest answer on each connection. */
  readonly #answers = new WeakMap<Duplex, ServerResponse>();
  #closed?: () => void;
  /** Requests that are not answered yet. */
  open = 0;
  /** Whether callers are told to close their connections. */
  draining = false;

  constructor(private readonly deps: HandlerDeps) {
    const { plan, trust, metrics, cache } = deps;
    this.budget = new Budget(plan.body.totalBufferBytes);
    this.#heads = new HeadReader(plan, trust, metrics);
    this.#lookups = cache === undefined ? undefined : new Lookups(plan, cache, trust);
    this.#relay = new Relay(deps.admission, deps.upstream, metrics, new UsagePointers(plan.tokenUsage), deps.now);
    this.#flights = new Flights(this.#relay, plan.model.version);
    this.#large = new LargeBodies(this.#relay);
    this.#model = `${plan.model.name}; version=${plan.model.version}`;
  }

  /**
   * Handles one request to its end.
   *
   * @param invite tells a caller that waits for it to send its body
   */
  handle(request: IncomingMessage, response: ServerResponse, invite?: () => void): void {
    const { plan, now } = this.deps;
    const exchange = new Exchange(
      request,
      response,
      now(),
      plan.unmatched?.priority ?? 'normal',
      this.#model,
      plan.timeouts.idle * 1000,
    );
    this.open++;
    this.#answers.set(request.socket, response);
    response.once('close', () => this.#close(exchange));
    if (this.draining) {
      response.shouldKeepAlive = false;
    }
    this.#answer(exchange, invite).catch((error: unknown) => this.#fail(exchange, error));
  }

  /** Whether an answer has begun on a connection. */
  isAnswering(socket: Duplex): boolean {
    return this.#answers.get(socket)?.headersSent === true;
  }

  /**
   * Waits until all requests are answered.
   *
   * @returns whether they were within `ms`
   */
  finished(ms: number): Promise<boolean> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.open === 0) {
          clearTimeout(timer);
          resolve(true);
        }
      };
      const timer = setTimeout(() => resolve(this.open === 0), ms);
      this.#closed = look;
      look();
    });
  }

  /** Ends bodies that are too slow; to be called every now and then. */
  check(): void {
    const now = this.deps.now();
    this.#awaited.forEach((body) => body.check(now));
  }

  async #answer(exchange: Exchange, invite: (() => void) | undefined): Promise<void> {
    const { request } = exchange;
    const intake = this.#heads.read(request);
    exchange.route = intake.route;
    exchange.priority = intake.priority;
    const lookup = this.#lookups?.of(request, intake);
    if (lookup !== undefined && 'bypass' in lookup) {
      exchange.note('bypass', lookup.bypass);
    }
    const cached = lookup !== undefined && 'kind' in lookup ? lookup : undefined;
    const body = this.#body(exchange, intake, invite, cached);
    try {
      await this.#withBody(exchange, { request, intake, body }, cached);
    } finally {
      body.release();
    }
  }

  #body(
    { request, route }: Exchange,
    { digest }: Intake,
    invite: (() => void) | undefined,
    lookup: Lookup | undefined,
  ): RequestBody {
    const { plan, now } = this.deps;
    const { idle } = plan.timeouts;
    const bounds = {
      maxBytes: route?.maxBodyBytes ?? plan.body.maxBytes,
      idleMs: idle * 1000,
      minBytesPerSecond: plan.body.minBytesPerSecond,
    };
    const hashed = digest !== undefined || lookup?.route.key === 'body';
    return new RequestBody(request, bounds, this.budget, this.#awaited, now, invite, hashed);
  }

  async #withBody(exchange: Exchange, question: Question, lookup: Lookup | undefined): Promise<void> {
    const { body, intake } = question;
    const { bufferBytes } = this.deps.plan.body;
    // a caller that asks before it sends a large body is invited when its turn comes
    const later = !body.invited && Number(question.request.headers['content-length'] ?? 0) > bufferBytes;
    if (later || !(await body.hold(bufferBytes))) {
      await this.#large.answer(exchange, question, lookup);
      return;
    }
    let hash: Buffer | undefined;
    const sha256 = (): Buffer => (hash ??= body.sha256());
    if (intake.digest !== undefined && !sha256().equals(intake.digest)) {
      throw new Refusal(400, 'digest_mismatch');
    }
    if (lookup === undefined) {
      await this.#forward(exchange, question);
      return;
    }
    const content = contentOf(body.held, lookup.route, sha256);
    await this.#flights.answer(exchange, question, lookup, lookup.kind.key(lookup.query(content)));
  }

  async #forward(exchange: Exchange, question: Question): Promise<void> {
    const ticket = this.#relay.enter(exchange.priority);
    const answer = await this.#relay.ask(ticket, question, question.body.held, exchange, false);
    exchange.waitedMs = ticket.waitedMs;
    await exchange.sendLive(answer);
  }

  #fail(exchange: Exchange, error: unknown): void {
    if (error instanceof CallerGone) {
      exchange.response.destroy();
      return;
    }
    if (!(error instanceof Refusal)) {
      // its message may hold anything; where it comes from cannot
      const frames = (error as Error).stack?.split('\n').filter((line) => /^\s+at /.test(line));
      this.deps.log.line('error', 'unexpected', { name: (error as Error).name, at: frames?.[0]?.trim() });
    }
    exchange.refuse(error instanceof Refusal ? error : new Refusal(500, 'unexpected'));
  }

  #close(exchange: Exchange): void {
    const { metrics, log, plan, now } = this.deps;
    const { code, priority, request, reason, cacheResult, cacheDetail, waitedMs } = exchange;
    this.open--;
    const ms = now() - exchange.startedAt;
    metrics.finished(priority, code, reason === undefined && code !== 499 ? ms / 1000 : undefined);
    if (cacheResult !== undefined) {
      metrics.cacheAnswer(cacheResult);
    }
    if (plan.logRequests === 'all' || (plan.logRequests === 'failures' && code >= 500)) {
      log.line(code >= 500 ? 'warn' : 'info', 'request', {
        method: request.method,
        route: exchange.route?.path,
        code,
        reason,
        priority,
        ms: round(ms),
        waitedMs: waitedMs === undefined ? undefined : round(waitedMs),
        cache: cacheResult,
        detail: cacheDetail,
        trace: traceId(request.headers.traceparent),
      });
    }
    this.#closed?.();
  }
}

/** Trace id of a W3C `traceparent`; nothing else that it may hold. */
function traceId(traceparent: string | string[] | undefined): string | undefined {
  return typeof traceparent === 'string'
    ? /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}/.exec(traceparent)?.[1]
    : undefined;
}

function round(ms: number): number {
  return Math.round(ms * 100) / 100;
}
