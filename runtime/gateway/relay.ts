import type { IncomingMessage } from 'node:http';
import { GatewayHeader } from '../../constructs/plan/gateway/names';
import type { Priority } from '../../constructs/plan/priorities';
import type { Admission } from './admission/admission';
import { Rejection, type Ticket } from './admission/ticket';
import type { Waiting } from './exchange';
import { CallerGone, Refusal, upstreamRefusal } from './failures';
import { endToEnd } from './headers';
import type { Intake } from './intake';
import type { GatewayMetrics } from './metrics';
import { ModelAnswer } from './model-answer';
import type { RequestBody } from './request-body';
import { lostReusedSocket, type Upstream, type UpstreamCall, type UpstreamHead } from './upstream';
import { UsageScanner, type UsagePointers } from './usage';

/** Answers must come as they are: they are searched for tokens, and kept for callers who may not know a coding. */
const NOT_FORWARDED = new Set(['accept-encoding']);
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);

/** A request that is to be put to the model. */
export interface Question {
  readonly request: IncomingMessage;
  readonly intake: Intake;
  readonly body: RequestBody;
}

/** Looks at a body's hash when all of it has come, before the model sees the last piece of it. */
export type Verdict<T> = (sha256: Buffer) => Promise<T | undefined>;

/** Puts questions to the model, in their turn. */
export class Relay {
  constructor(
    private readonly admission: Admission,
    private readonly upstream: Upstream,
    private readonly metrics: GatewayMetrics,
    private readonly pointers: UsagePointers,
    private readonly now: () => number,
  ) {}

  /** Takes a place in the queue. */
  enter(priority: Priority): Ticket {
    return this.admission.enter(priority);
  }

  /**
   * Puts a question whose body is held, when its turn comes.
   *
   * @param content of the body
   * @param repeatable whether the same question may be put twice
   * @throws Refusal, CallerGone
   */
  async ask(
    ticket: Ticket,
    question: Question,
    content: Buffer,
    waiting: Waiting,
    repeatable: boolean,
  ): Promise<ModelAnswer> {
    await this.#turn(ticket, waiting);
    const { request } = question;
    const head = this.#head(question, ticket, content.length);
    const mayRepeat = repeatable || IDEMPOTENT.has(request.method ?? '');
    for (let attempt = 1; ; attempt++) {
      const call = this.upstream.start(head);
      const sentAt = this.now();
      waiting.whenGone = () => call.request.destroy();
      call.request.end(content);
      try {
        return this.#answer(ticket, await call.answered, sentAt);
      } catch (error) {
        if (attempt === 1 && mayRepeat && !waiting.gone && lostReusedSocket(call.request, error)) {
          continue;
        }
        ticket.leave();
        throw waiting.gone ? new CallerGone() : upstreamRefusal(error);
      }
    }
  }

  /**
   * Puts a question whose body streams through, when its turn comes.
   *
   * @param verdict where given, the last piece of the body is held back until it has decided: what it returns is the
   *   answer, and the model, which never had the whole question, is not asked
   * @throws Refusal, CallerGone
   */
  async askStreaming<T>(
    ticket: Ticket,
    question: Question,
    waiting: Waiting,
    verdict: Verdict<T> | undefined,
  ): Promise<ModelAnswer | { readonly decided: T }> {
    await this.#turn(ticket, waiting);
    const { body } = question;
    const call = this.upstream.start(this.#head(question, ticket, undefined));
    waiting.whenGone = () => call.request.destroy();
    let sentAt: number | undefined;
    try {
      const sent = this.#send(call, body, verdict, () => (sentAt = this.now()));
      // some servers answer before they have read all, such as that it is too large
      const first = await Promise.race([sent, call.answered.then(() => undefined)]);
      if (first !== undefined) {
        call.request.destroy();
        ticket.leave();
        return first;
      }
      sent.catch(() => call.request.destroy());
      return this.#answer(ticket, await call.answered, sentAt);
    } catch (error) {
      call.request.destroy();
      body.stop();
      ticket.leave();
      if (error instanceof Refusal) {
        throw error;
      }
      throw waiting.gone || error instanceof CallerGone ? new CallerGone() : upstreamRefusal(error);
    }
  }

  async #send<T>(
    call: UpstreamCall,
    body: RequestBody,
    verdict: Verdict<T> | undefined,
    done: () => void,
  ): Promise<{ readonly decided: T } | undefined> {
    const last = await body.stream(call.request, verdict !== undefined);
    const decided = await verdict?.(body.sha256());
    if (decided !== undefined) {
      return { decided };
    }
    call.request.end(last);
    done();
    await call.answered;
    return undefined;
  }

  async #turn(ticket: Ticket, waiting: Waiting): Promise<void> {
    waiting.whenGone = () => ticket.leave();
    if (waiting.gone) {
      ticket.leave();
    }
    try {
      await ticket.admitted();
    } catch (error) {
      throw error instanceof Rejection ? new Refusal(503, error.reason, error.retryAfter) : error;
    }
  }

  /** @param sentAt when the model had the whole question; undefined where it has not yet */
  #answer(ticket: Ticket, message: IncomingMessage, sentAt: number | undefined): ModelAnswer {
    const scanner = UsageScanner.for(message.headers['content-type'], this.pointers);
    const answeredAt = this.now();
    return new ModelAnswer(message, scanner, sentAt === undefined, (usage) => {
      ticket.leave();
      this.metrics.inference(ticket.priority, (this.now() - (sentAt ?? answeredAt)) / 1000);
      if (usage !== undefined) {
        this.metrics.tokens(usage.input, usage.output);
      }
    });
  }

  /** @param length of the body where it is known to the gateway; else as the caller says */
  #head({ request, intake }: Question, { priority }: Ticket, length: number | undefined): UpstreamHead {
    const { method = 'GET', headers: given, rawHeaders } = request;
    const headers = endToEnd(rawHeaders, NOT_FORWARDED);
    headers.push(GatewayHeader.PRIORITY, priority);
    const stated = given['content-length'];
    if (length !== undefined) {
      if (length > 0 || stated !== undefined || !IDEMPOTENT.has(method)) {
        headers.push('Content-Length', String(length));
      }
    } else if (stated !== undefined) {
      headers.push('Content-Length', stated);
    } else {
      headers.push('Transfer-Encoding', 'chunked');
    }
    return { method, target: intake.target.path + intake.target.query, headers };
  }
}
