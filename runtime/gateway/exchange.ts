import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http';
import type { CacheAnswer } from '../cache/types';
import { GatewayHeader } from '../../constructs/plan/gateway/names';
import type { Priority } from '../../constructs/plan/priorities';
import type { RoutePlan } from '../../constructs/plan/gateway/defaults';
import type { Refusal } from './failures';
import type { CacheResult } from './metrics';
import type { AnswerHead, ModelAnswer } from './model-answer';
import { storedHead } from './stored';

/** Time for a caller that still sends its body to read that it was refused. */
const LINGER_MS = 1_000;

/** Somebody who waits for an answer and may leave before it comes. */
export interface Waiting {
  readonly gone: boolean;
  /** Called once, when nobody waits any more. */
  whenGone?: () => void;
}

/** One request and its answer. */
export class Exchange implements Waiting {
  route?: RoutePlan;
  priority: Priority;
  /** Code for metrics and log, where it is not that of the answer. */
  failedWith?: number;
  /** The word of a refusal. */
  reason?: string;
  cacheResult?: CacheResult;
  /** Tier that had the answer, or why none was asked. */
  cacheDetail?: string;
  /** Milliseconds in the queue; undefined where the model was not asked. */
  waitedMs?: number;
  gone = false;
  whenGone?: () => void;

  constructor(
    readonly request: IncomingMessage,
    readonly response: ServerResponse,
    readonly startedAt: number,
    priority: Priority,
    /** `name; version=...` of the model. */
    private readonly model: string,
    private readonly idleMs: number,
  ) {
    this.priority = priority;
    response.once('close', () => {
      if (!response.writableFinished) {
        this.gone = true;
        this.whenGone?.();
      } else if (!request.complete) {
        this.#linger();
      }
    });
  }

  /** Code for metrics and log; 499 where the caller left first. */
  get code(): number {
    return this.failedWith ?? (this.gone ? 499 : this.response.statusCode);
  }

  /** What a request on a route with a cache got, for the caller, the metrics and the log. */
  note(result: CacheResult, detail?: string): void {
    this.cacheResult = result;
    this.cacheDetail = detail;
  }

  /** Answers with what the cache has. */
  sendStored(answer: CacheAnswer, how: string): void {
    const { value, modelVersion } = answer;
    if (value === undefined) {
      return;
    }
    const { status, headers } = storedHead(value);
    const name = this.model.slice(0, this.model.indexOf(';'));
    this.#head({ status, headers }, how, `${name}; version=${modelVersion}`, value.body.length);
    this.#end(value.body);
  }

  /** Answers with what the model said, held in memory. */
  sendHeld(head: AnswerHead, body: Uint8Array): void {
    this.#head(head, this.#cacheNote(), this.model, this.request.method === 'HEAD' ? undefined : body.length);
    this.#end(body);
  }

  /** Answers with what the model says, while it says it. */
  async sendLive(answer: ModelAnswer): Promise<void> {
    this.#head(answer, this.#cacheNote(), this.model, answer.contentLength);
    this.whenGone = () => answer.discard();
    await answer.sendTo(this.response, this.idleMs, () => {
      if (!this.gone) {
        this.failedWith = 502;
      }
    });
  }

  /** Answers that the gateway does not. */
  refuse({ status, reason, retryAfter }: Refusal): void {
    const { response } = this;
    this.reason = reason;
    if (response.headersSent || response.destroyed) {
      this.failedWith = status;
      response.destroy();
      return;
    }
    const body = JSON.stringify({ title: STATUS_CODES[status], status, detail: reason });
    const headers = ['Content-Type', 'application/problem+json'];
    if (retryAfter !== undefined) {
      headers.push('Retry-After', String(retryAfter));
    }
    this.#head({ status, headers }, undefined, this.model, Buffer.byteLength(body));
    response.end(body);
  }

  /** A caller that is still sending when it has its answer would lose it if the connection were cut at once. */
  #linger(): void {
    const { request } = this;
    const { socket } = request;
    request.removeAllListeners('data');
    request.resume();
    const timer = setTimeout(() => socket.destroy(), LINGER_MS).unref();
    request.once('end', () => clearTimeout(timer));
  }

  #cacheNote(): string | undefined {
    const { cacheResult, cacheDetail } = this;
    return cacheResult === 'bypass' ? `bypass; reason=${cacheDetail ?? ''}` : cacheResult;
  }

  #head({ status, headers }: AnswerHead, cache: string | undefined, model: string, length: number | undefined): void {
    const { response } = this;
    const all = [...headers, GatewayHeader.MODEL, model, GatewayHeader.PRIORITY, this.priority];
    if (cache !== undefined) {
      all.push(GatewayHeader.CACHE, cache);
    }
    if (length !== undefined && status !== 204 && status !== 304) {
      all.push('Content-Length', String(length));
    }
    response.writeHead(status, all);
  }

  #end(body: Uint8Array): void {
    const { response } = this;
    response.end(body);
    if (response.writableNeedDrain) {
      // closed where the caller does not read
      response.socket?.setTimeout(this.idleMs);
    }
  }
}
