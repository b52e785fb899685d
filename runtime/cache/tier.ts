import type { SharedTier } from '../../constructs/plan/cache/kinds';

/** A store that processes share. It holds sealed entries under keys that tell nothing, and understands neither. */
export interface CacheTier {
  readonly name: SharedTier;
  /**
   * The entry under the first of some keys that has one, never past the time it was set for.
   *
   * @throws where the store cannot be asked
   */
  get(keys: readonly string[]): Promise<Uint8Array | null | undefined>;
  /**
   * Sets an entry for a time.
   *
   * @param seq place in the log of invalidations as of which the entry is true; a store that can compare keeps the later
   * @throws where the store did not take it
   */
  set(key: string, sealed: Uint8Array, ttlMs: number, seq: number): Promise<void>;
  /** Removes entries; those that are not there are no error. */
  delete(keys: readonly string[]): Promise<void>;
  /**
   * What was stored last under keys that begin so, for warming up.
   *
   * @default - the store cannot tell
   */
  recent?(prefix: string, limit: number): AsyncIterable<{ readonly key: string; readonly sealed: Uint8Array }>;
  /**
   * Whether an error says that the server answered, and the answer was no: it is full, or lacks a right or a table. It is up,
   * so others may try.
   */
  refused(error: unknown): boolean;
  close(): Promise<void>;
}
