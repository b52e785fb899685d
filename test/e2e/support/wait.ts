import { setTimeout as sleep } from 'node:timers/promises';

/** What a probe gives as long as there is nothing yet. */
export type NotYet = undefined | null | false;

export interface WaitOptions {
  /** @default 60_000 */
  readonly timeoutMs?: number;
  /** @default 100 */
  readonly pauseMs?: number;
  /**
   * Throws where waiting has become pointless.
   *
   * @default - always waits until the time is up
   */
  readonly guard?: () => void;
}

/**
 * Asks until there is an answer, and gives it.
 *
 * @param probe may throw, which means not yet
 * @throws when the time is up, with the probe's last error
 */
export async function waitFor<T>(
  description: string,
  probe: () => T | NotYet | Promise<T | NotYet>,
  { timeoutMs = 60_000, pauseMs = 100, guard }: WaitOptions = {},
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    let problem = '';
    try {
      const answer = await probe();
      if (answer !== undefined && answer !== null && answer !== false) {
        return answer;
      }
    } catch (error) {
      problem = `: ${String(error)}`;
    }
    guard?.();
    if (performance.now() > deadline) {
      throw new Error(`${description}: not within ${timeoutMs / 1000} s${problem}`);
    }
    await sleep(pauseMs);
  }
}

/**
 * Waits until every caller has been answered, and has got the answer to a question that it asked from now on.
 *
 * @param answered how many answers each has had; grows
 */
export function allAnswered(answered: readonly number[]): Promise<unknown> {
  const before = [...answered];
  return waitFor('every caller to be answered', () =>
    answered.every((count, caller) => count >= (before[caller] ?? 0) + 2),
  );
}
