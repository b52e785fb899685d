import { Decimal, money, sum } from '../../../constructs/plan/cost/money';
import { daysBetween } from '../../../constructs/plan/cost/days';
import { monthPeriod } from './period';

/** What one service's cost did from one month to another. */
export interface ServiceChange {
  /** Absent: cost of no service. */
  readonly service?: string;
  readonly cost: Decimal;
  readonly previousCost: Decimal;
  readonly change: Decimal;
}

/**
 * A month against another, over the same days of both: the 1st to the 12th against the 1st to the 12th. Days that one of
 * the two does not have, such as a 31st, are left out of both.
 */
export interface MonthComparison {
  /** `YYYY-MM` */
  readonly month: string;
  /** `YYYY-MM` */
  readonly previous: string;
  /** ISO 4217 */
  readonly currency: string;
  /** Days that are compared. */
  readonly days: number;
  readonly cost: Decimal;
  readonly previousCost: Decimal;
  /** The first less the second. */
  readonly change: Decimal;
  /** `change` as a part of `previousCost`, to six digits; absent where that is zero. */
  readonly changeRatio?: Decimal;
  /** Days of the ledger that are in neither sum, since the other month lacks their counterpart. */
  readonly leftOut: readonly string[];
  /** The largest change first, whichever its sign. */
  readonly byService: readonly ServiceChange[];
}

/** Cost of a day and service. */
export interface DayAndService {
  readonly day: string;
  readonly service: string | null;
  readonly cost: Decimal;
}

/** Compares two months; undefined where they have no day of the same number. */
export function compareMonths(
  month: string,
  previous: string,
  rows: readonly DayAndService[],
  currency: string,
): MonthComparison | undefined {
  const there = new Set(rows.map(({ day }) => day));
  const numbers = daysOf(month).filter((n) => there.has(`${month}-${n}`) && there.has(`${previous}-${n}`));
  const compared = new Set(numbers.flatMap((n) => [`${month}-${n}`, `${previous}-${n}`]));
  if (numbers.length === 0) {
    return undefined;
  }
  const services = new Map<string | null, { now: Decimal; before: Decimal }>();
  for (const { day, service, cost } of rows.filter((row) => compared.has(row.day))) {
    const entry = services.get(service) ?? { now: new Decimal(0), before: new Decimal(0) };
    services.set(service, entry);
    const side = day.startsWith(month) ? 'now' : 'before';
    entry[side] = entry[side].plus(cost);
  }
  const cost = sum([...services.values()].map(({ now }) => now));
  const previousCost = sum([...services.values()].map(({ before }) => before));
  const change = cost.minus(previousCost);
  return {
    month,
    previous,
    currency,
    days: numbers.length,
    cost,
    previousCost,
    change,
    ...(previousCost.isZero() ? {} : { changeRatio: change.dividedBy(previousCost).toDecimalPlaces(6) }),
    leftOut: [...there].filter((day) => !compared.has(day)).sort(),
    byService: [...services]
      .map(([service, { now, before }]) => ({
        ...(service === null ? {} : { service }),
        cost: money(now),
        previousCost: money(before),
        change: money(now.minus(before)),
      }))
      .sort((a, b) => b.change.abs().comparedTo(a.change.abs()) || compareText(a.service, b.service)),
  };
}

/** The numbers of a month's days, with two digits. */
function daysOf(month: string): string[] {
  const { from, to } = monthPeriod(month);
  return daysBetween(from, to).map((day) => day.slice(8));
}

function compareText(a = '', b = ''): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
