import type { IncomingMessage, ServerResponse } from 'node:http';
import { Refusal } from './failures';
import { endToEnd } from './headers';
import type { TokenUsage, UsageScanner } from './usage';

/** What the head of a model's answer says. */
export interface AnswerHead {
  readonly status: number;
  /** Names and values in turn, of one hop none. */
  readonly headers: readonly string[];
}

/** The answer of the model, as it comes. */
export class ModelAnswer implements AnswerHead {
  readonly status: number;
  readonly headers: readonly string[];
  readonly contentType: string | undefined;
  #prefix: Buffer[] = [];
  #ended = false;

  /**
   * @param early whether it began before the model had the whole question
   * @param ended called once, when all of it has come or no more will
   */
  constructor(
    readonly message: IncomingMessage,
    scanner: UsageScanner | undefined,
    readonly early: boolean,
    ended: (usage: TokenUsage | undefined) => void,
  ) {
    this.status = message.statusCode ?? 502;
    this.headers = endToEnd(message.rawHeaders);
    this.contentType = message.headers['content-type'];
    const finish = (): void => {
      if (!this.#ended) {
        this.#ended = true;
        ended(scanner?.end());
      }
    };
    message.once('end', finish);
    message.once('close', finish);
    message.on('error', finish);
    if (scanner !== undefined) {
      message.on('data', (chunk: Buffer) => scanner.push(chunk));
      message.pause();
    }
  }

  /** Length that it states; undefined where it states none. */
  get contentLength(): number | undefined {
    const { 'content-length': length } = this.message.headers;
    return length === undefined ? undefined : Number(length);
  }

  /**
   * Reads it to its end.
   *
   * @returns undefined where it is larger than `max`; what was read is then sent first by `sendTo`
   * @throws Refusal where the model's connection was lost
   */
  collect(max: number): Promise<Buffer | undefined> {
    const { message } = this;
    if ((this.contentLength ?? 0) > max) {
      return Promise.resolve(undefined);
    }
    return new Promise((resolve, reject) => {
      let bytes = 0;
      const take = (chunk: Buffer): void => {
        this.#prefix.push(chunk);
        bytes += chunk.length;
        if (bytes > max) {
          message.pause();
          stop();
          resolve(undefined);
        }
      };
      const whole = (): void => {
        stop();
        resolve(this.#prefix.length === 1 ? this.#prefix[0] : Buffer.concat(this.#prefix));
      };
      const lost = (): void => {
        stop();
        reject(new Refusal(502, 'model_connection_lost'));
      };
      const stop = (): void => {
        message.off('data', take).off('end', whole).off('close', lost).off('error', lost);
      };
      message.on('data', take).on('end', whole).on('close', lost).on('error', lost);
      if (message.destroyed) {
        lost();
      }
      message.resume();
    });
  }

  /**
   * Sends its body to a caller, as fast as both sides can; a caller that leaves ends it.
   *
   * @param idleMs longest time that the caller may not read
   * @param lost called where the model's connection was lost; the caller's is then cut too, so that it sees that
   *   something is missing
   */
  sendTo(response: ServerResponse, idleMs: number, lost: () => void): Promise<void> {
    const { message } = this;
    return new Promise((resolve) => {
      const send = (chunk: Buffer): void => {
        if (!response.write(chunk)) {
          message.pause();
          response.socket?.setTimeout(idleMs);
          response.once('drain', () => {
            response.socket?.setTimeout(0);
            message.resume();
          });
        }
      };
      const cut = (): void => {
        lost();
        response.destroy();
      };
      let whole = false;
      message.on('data', send);
      message.once('end', () => {
        whole = true;
        response.end();
      });
      message.once('close', () => {
        if (!whole) {
          cut();
        }
      });
      response.once('close', () => {
        message.destroy();
        resolve();
      });
      if (message.destroyed) {
        cut();
      }
      this.#prefix.forEach((chunk) => response.write(chunk));
      this.#prefix = [];
      message.resume();
    });
  }

  /** Wants no more of it. */
  discard(): void {
    this.message.destroy();
  }
}
