import type { LogEvent, LogRecord } from '../log-view';
import type { LogPosition } from '../types';

/** A log of invalidations as a server keeps it: which life of it this is, and records numbered 1, 2, 3, ... */
export interface LogStore {
  readonly name: 'redis' | 'database';
  /** Where the log ends. Everything that was acknowledged before the question is in it. */
  head(): Promise<LogPosition>;
  /** Records after `seq`, the oldest first; empty where there are none any more. */
  read(after: number, limit: number): Promise<readonly LogRecord[]>;
  /**
   * Appends events, durably.
   *
   * @returns sequence number of the last one
   * @throws where that is not certain, or the log has begun another life
   */
  append(events: readonly LogEvent[], incarnation: number): Promise<number>;
  /** Begins another life: the log has lost records that were acknowledged. Does nothing where another process has. */
  renew(lost: LogPosition): Promise<void>;
  /** Returns when there may be something after `seq`, and after `ms` at the latest. */
  wait(seq: number, ms: number): Promise<void>;
  close(): void;
}

/** A life of a log: 47 random bits, so that it is positive everywhere and exact in JavaScript. */
export function newIncarnation(random: () => number): number {
  return 1 + Math.floor(random() * (2 ** 47 - 1));
}
