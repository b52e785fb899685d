import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigurationError } from '../../../constructs/plan/errors';
import type { Ledger } from '../ledger/ledger';
import { collectDay, type CollectedDay, type CollectOptions } from './collect-day';

/** Days to collect. */
export interface CollectDaysOptions extends Omit<CollectOptions, 'day'> {
  readonly ledger: Pick<Ledger, 'writeDay'>;
  /** `YYYY-MM-DD`, in the order in which they are to be collected. */
  readonly days: readonly string[];
  /**
   * How often a day is tried that fails for another reason than the configuration.
   *
   * @default 3
   */
  readonly attempts?: number;
  /**
   * Seconds before the second attempt; twice as many before each further one.
   *
   * @default 5
   */
  readonly pauseSeconds?: number;
  /** Told of each day when it is done. */
  readonly onDay?: (result: DayResult) => void;
}

/** What became of a day. */
export type DayResult =
  | ({ readonly day: string; readonly ok: true } & Pick<CollectedDay, 'unmatched'>)
  | { readonly day: string; readonly ok: false; readonly error: Error };

/**
 * Collects days into a ledger, one after the other. A day that fails keeps what the ledger had of it, and keeps no other
 * day from being collected.
 */
export async function collectDays(options: CollectDaysOptions): Promise<readonly DayResult[]> {
  const results: DayResult[] = [];
  for (const day of options.days) {
    const result = await tryDay(day, options);
    results.push(result);
    options.onDay?.(result);
  }
  return results;
}

async function tryDay(day: string, options: CollectDaysOptions): Promise<DayResult> {
  const { ledger, attempts = 3, pauseSeconds = 5 } = options;
  for (let attempt = 1; ; attempt++) {
    try {
      const { ledgerDay, unmatched } = await collectDay({ ...options, day });
      await ledger.writeDay(ledgerDay);
      return { day, ok: true, unmatched };
    } catch (error) {
      // a price that is missing is still missing in five seconds
      if (attempt >= attempts || error instanceof ConfigurationError) {
        return { day, ok: false, error: error as Error };
      }
      await sleep(pauseSeconds * 1000 * 2 ** (attempt - 1));
    }
  }
}
