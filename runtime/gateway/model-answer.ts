import type { IncomingMessage, ServerResponse } from 'node:http';
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
   * @param ended called once, when all of it has come or no more will; `whole` tells which
   */
  constructor(
    readonly message: IncomingMessage,
    scanner: UsageScanner | undefined,
    ended: (whole: boolean, usage: TokenUsage | undefined) => void,
  ) {
    this.status = message.statusCode ?? 502;
    this.headers = endToEnd(message.rawHeaders);
    this.contentType = message.headers['content-type'];
    const finish = (whole: boolean): void => {
      if (!this.#ended) {
        this.#ended = true;
        ended(whole, scanner?.end());
      }
    };
    message.once('end', () => finish(true));
    message.once('close', () => finish(message.complete));
    message.on('error', () => finish(false));
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
   * @throws ECONNRESET where the model's connection was lost
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
        reject(Object.assign(new Error('lost'), { code: 'ECONNRESET' }));
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
   * @returns whether all of it was sent
   */
  sendTo(response: ServerResponse, idleMs: number): Promise<boolean> {
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
      let whole = false;
      message.on('data', send);
      message.once('end', () => {
        whole = true;
        response.end();
      });
      message.once('close', () => {
        if (!whole) {
          // the caller must see that something is missing
          response.destroy();
        }
      });
      response.once('close', () => {
        message.destroy();
        resolve(whole);
      });
      if (message.destroyed) {
        response.destroy();
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
