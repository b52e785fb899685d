import { Decimal, money, sum } from '../../../constructs/plan/cost/money';

/** One day of a trend. */
export interface TrendDay {
  /** `YYYY-MM-DD` */
  readonly day: string;
  readonly cost: Decimal;
  /** Mean of this day and the six before it; absent where one of them is missing. */
  readonly weekMean?: Decimal;
}

const WEEK = 7;

/** Adds the mean of each day's last week. Days are in order. */
export function withWeekMeans(days: readonly { readonly day: string; readonly cost: Decimal }[]): TrendDay[] {
  return days.map(({ day, cost }, index) => {
    const week = days.slice(Math.max(0, index - WEEK + 1), index + 1);
    return week.length === WEEK && daysApart(week[0]?.day ?? '', day) === WEEK - 1
      ? { day, cost, weekMean: money(sum(week.map((other) => other.cost)).dividedBy(WEEK)) }
      : { day, cost };
  });
}

/**
 * How much the cost rises from one day to the next: the median of the slopes between all pairs of days (Theil-Sen
 * estimator; P. K. Sen, "Estimates of the regression coefficient based on Kendall's tau", JASA 63, 1968). Up to 29 % of the
 * days may be wild without an effect on it. Pairs are whole weeks apart, so that weekends do not count as a trend.
 *
 * @returns undefined where no two days are a week apart
 */
export function slopePerDay(days: readonly { readonly day: string; readonly cost: Decimal }[]): Decimal | undefined {
  const points = days.map(({ day, cost }) => ({ x: Date.parse(day) / 86_400_000, y: cost.toNumber() }));
  const slopes: number[] = [];
  for (const [index, a] of points.entries()) {
    for (const b of points.slice(index + 1)) {
      if ((b.x - a.x) % WEEK === 0) {
        slopes.push((b.y - a.y) / (b.x - a.x));
      }
    }
  }
  return slopes.length === 0 ? undefined : money(new Decimal(median(slopes)));
}

function median(numbers: number[]): number {
  const sorted = numbers.sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}

function daysApart(a: string, b: string): number {
  return (Date.parse(b) - Date.parse(a)) / 86_400_000;
}
