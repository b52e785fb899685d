/** A hospital's year, made up: to see what the ledger, its reports and its advice look like. */
import { allocateDay } from '../../../constructs/plan/cost/allocate/allocate-day';
import { addDays } from '../../../constructs/plan/cost/days';
import { PriceBook } from '../../../constructs/plan/cost/price-book';
import type { LedgerDay } from '../../../constructs/plan/cost/row';
import type { Ledger } from '../ledger/ledger';
import { CONTEXT, demoPrices, RULES } from './hospital';
import { hospitalUsage } from './usage';

export { CONTEXT as DEMO_CONTEXT, demoPrices, RULES as DEMO_RULES, SERVICES as DEMO_SERVICES } from './hospital';

/** The year that is made up. */
export interface DemoOptions {
  /**
   * The same seed gives the same year, to the byte.
   *
   * @default 1
   */
  readonly seed?: number;
  /**
   * First day.
   *
   * @default '2025-07-01'
   */
  readonly from?: string;
  /** @default 365 */
  readonly days?: number;
}

/** The days of a made-up year, each allocated as a real one would be. */
export function* demoDays({ seed = 1, from = '2025-07-01', days = 365 }: DemoOptions = {}): Generator<LedgerDay> {
  const prices = new PriceBook(demoPrices(from, addDays(from, days - 1)), CONTEXT.currency);
  for (let index = 0; index < days; index++) {
    const day = addDays(from, index);
    yield allocateDay({ day, usage: hospitalUsage(day, index, seed), prices, context: CONTEXT, rules: RULES });
  }
}

/**
 * Writes a made-up year into a ledger.
 *
 * @param onDay told of each day when it is written
 */
export async function writeDemo(
  ledger: Ledger,
  options: DemoOptions = {},
  onDay: (day: string) => void = () => undefined,
): Promise<void> {
  for (const day of demoDays(options)) {
    await ledger.writeDay(day);
    onDay(day.day);
  }
}
