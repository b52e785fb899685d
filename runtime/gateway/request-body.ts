import { createHash, hash as digestOf, type Hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Writable } from 'node:stream';
import { CallerGone, Refusal } from './failures';

/** Bytes that all requests together may hold. */
export class Budget {
  used = 0;

  constructor(private readonly max: number) {}

  take(bytes: number): boolean {
    if (this.used + bytes > this.max) {
      return false;
    }
    this.used += bytes;
    return true;
  }

  give(bytes: number): void {
    this.used -= bytes;
  }
}

/** A larger body is hashed as it comes, so that no other request waits for it. */
const HASHED_AT_ONCE = 65_536;

/** What bounds a body. */
export interface BodyBounds {
  readonly maxBytes: number;
  readonly idleMs: number;
  readonly minBytesPerSecond: number;
}

interface Reading {
  /** @returns whether to go on reading at once */
  readonly take: (chunk: Buffer) => boolean;
  readonly done: () => void;
  readonly fail: (error: Error) => void;
}

/**
 * The body of a request, read when it is wanted: held up to a limit, then streamed. It is hashed as it comes. Time counts
 * against the caller only while we wait for it.
 */
export class RequestBody {
  /** Whether all of it has come. */
  complete = false;
  /** What came so far. */
  bytes = 0;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #reading?: Reading;
  #failure?: Error;
  #listening = false;
  /** Of what came so far; begun when it is clear that it will not all be there at once. */
  #hash?: Hash;
  #sha256?: Buffer;
  #awaitingSince?: number;
  #awaitedMs = 0;

  /**
   * @param watched where it puts itself while it waits for the caller, for somebody to call `check` now and then
   * @param invite tells a caller that waits for it to send the body
   */
  constructor(
    private readonly request: IncomingMessage,
    private readonly bounds: BodyBounds,
    readonly budget: Budget,
    private readonly watched: Set<RequestBody>,
    private readonly now: () => number,
    private invite: (() => void) | undefined,
    private readonly hashed: boolean,
  ) {
    const { headers } = request;
    if (headers['content-length'] === '0' || (!('content-length' in headers) && !('transfer-encoding' in headers))) {
      this.complete = true;
    }
  }

  /** Whether the caller still waits to be invited. */
  get invited(): boolean {
    return this.invite === undefined;
  }

  /** What is held of it, in one piece. */
  get held(): Buffer {
    return this.#held.length === 1 ? (this.#held[0] as Buffer) : Buffer.concat(this.#held);
  }

  /** Whether it was hashed as it came. */
  get isHashed(): boolean {
    return this.#hash !== undefined;
  }

  /** SHA-256 of all that came. */
  sha256(): Buffer {
    if (this.#hash === undefined) {
      return digestOf('sha256', this.held, 'buffer');
    }
    return (this.#sha256 ??= this.#hash.digest());
  }

  /**
   * Holds the body, up to a limit.
   *
   * @returns whether all of it is held; if not, the limit or the budget was reached
   * @throws Refusal, CallerGone
   */
  hold(limit: number): Promise<boolean> {
    if (this.complete) {
      return Promise.resolve(true);
    }
    return new Promise((resolve, reject) => {
      this.#read({
        take: (chunk) => {
          this.#held.push(chunk);
          const within = this.bytes <= limit && this.budget.take(chunk.length);
          if (within) {
            this.#heldBytes += chunk.length;
          } else {
            this.#pause();
            this.#reading = undefined;
            resolve(false);
          }
          return within;
        },
        done: () => resolve(true),
        fail: reject,
      });
    });
  }

  /**
   * Sends on what is held and all that comes, as fast as both sides can.
   *
   * @param sink who takes it; without one it is only hashed
   * @param keepLast whether to hold back the last piece
   * @returns that piece
   * @throws Refusal, CallerGone
   */
  stream(sink: Writable | undefined, keepLast: boolean): Promise<Buffer | undefined> {
    return new Promise((resolve, reject) => {
      let last: Buffer | undefined;
      const send = (chunk: Buffer): boolean => {
        const next = keepLast ? last : chunk;
        last = keepLast ? chunk : undefined;
        return next === undefined || sink === undefined || sink.write(next);
      };
      const held = this.#held;
      if (this.hashed && this.#hash === undefined) {
        this.#hash = createHash('sha256');
        held.forEach((piece) => this.#hash?.update(piece));
      }
      this.release();
      const goOn = held.map(send).every(Boolean);
      if (this.complete) {
        resolve(last);
        return;
      }
      const whenDrained = (): void => {
        sink?.once('drain', () => this.#resume());
      };
      this.#read({
        take: (chunk) => {
          const more = send(chunk);
          if (!more) {
            this.#pause();
            whenDrained();
          }
          return more;
        },
        done: () => resolve(last),
        fail: reject,
      });
      if (!goOn) {
        this.#pause();
        whenDrained();
      }
    });
  }

  /** Gives back what is held. */
  release(): void {
    this.#held = [];
    this.budget.give(this.#heldBytes);
    this.#heldBytes = 0;
  }

  /** The caller has left. */
  leave(): void {
    if (!this.complete) {
      this.#fail(new CallerGone());
    }
  }

  /** Reads no more of it. */
  stop(): void {
    this.#pause();
    this.#reading = undefined;
  }

  /** Fails the body where its sender is silent or too slow. */
  check(now: number): void {
    if (this.#awaitingSince === undefined) {
      return;
    }
    const { idleMs, minBytesPerSecond } = this.bounds;
    const awaited = this.#awaitedMs + now - this.#awaitingSince;
    if (now - this.#awaitingSince > idleMs || (awaited > idleMs && (this.bytes * 1000) / awaited < minBytesPerSecond)) {
      this.#fail(new Refusal(408, 'body_too_slow'));
    }
  }

  #read(reading: Reading): void {
    if (this.#failure !== undefined) {
      reading.fail(this.#failure);
      return;
    }
    this.#reading = reading;
    this.invite?.();
    this.invite = undefined;
    if (!this.#listening) {
      this.#listening = true;
      this.request.on('data', (chunk: Buffer) => this.#take(chunk));
      this.request.on('end', () => this.#end());
    }
    this.#resume();
  }

  #take(chunk: Buffer): void {
    this.bytes += chunk.length;
    if (this.#hash !== undefined) {
      this.#hash.update(chunk);
    } else if (this.hashed && this.bytes > HASHED_AT_ONCE) {
      this.#hash = createHash('sha256');
      this.#held.forEach((held) => this.#hash?.update(held));
      this.#hash.update(chunk);
    }
    if (this.bytes > this.bounds.maxBytes) {
      this.#fail(new Refusal(413, 'body_too_large'));
    } else if (this.#reading?.take(chunk) === true) {
      this.#stopWaiting();
      this.#awaitingSince = this.now();
    }
  }

  #end(): void {
    this.complete = true;
    this.#unwatch();
    this.#reading?.done();
    this.#reading = undefined;
  }

  #fail(error: Error): void {
    this.#pause();
    this.#failure ??= error;
    this.#reading?.fail(error);
    this.#reading = undefined;
  }

  #resume(): void {
    if (this.#reading !== undefined) {
      this.#awaitingSince ??= this.now();
      this.watched.add(this);
      this.request.resume();
    }
  }

  #pause(): void {
    this.request.pause();
    this.#unwatch();
  }

  #unwatch(): void {
    this.#stopWaiting();
    this.watched.delete(this);
  }

  #stopWaiting(): void {
    if (this.#awaitingSince !== undefined) {
      this.#awaitedMs += this.now() - this.#awaitingSince;
      this.#awaitingSince = undefined;
    }
  }
}
