import { Decimal, sum } from '../../../constructs/plan/cost/money';
import { daysBetween } from '../../../constructs/plan/cost/days';
import { Problems } from '../../../constructs/plan/errors';
import { LedgerError } from '../ledger/errors';
import { backtest, type Backtest } from './backtest';
import type { Forecast } from './methods';

/** Fewest days that a forecast is made from. */
export const FEWEST_DAYS = 60;

/** How many standard deviations an interval of that probability reaches to each side (normal distribution). */
const QUANTILES = { 0.8: 1.281_552, 0.9: 1.644_854, 0.95: 1.959_964 } as const;

/** Probability that an interval holds what comes. */
export type IntervalLevel = keyof typeof QUANTILES;

/** How a year is forecast. */
export interface ForecastOptions {
  /**
   * Probability that the interval holds what comes: 0.8, 0.9 or 0.95.
   *
   * @default 0.8
   */
  readonly level?: IntervalLevel;
}

/** A day that is still to come. */
export interface ForecastDay {
  /** `YYYY-MM-DD` */
  readonly day: string;
  readonly cost: Decimal;
  /** Bounds of the day's cost. */
  readonly lower: Decimal;
  readonly upper: Decimal;
  /** Bounds of the year's cost up to the end of this day. */
  readonly yearLower: Decimal;
  readonly yearUpper: Decimal;
}

/** What a year will have cost. Forecasts are rounded to the hundredth; what is known stays exact. */
export interface YearForecast {
  readonly year: number;
  /** ISO 4217 */
  readonly currency: string;
  /** Cost of the year's days that the ledger has. */
  readonly actual: Decimal;
  readonly actualDays: number;
  /** Days of the year up to the ledger's last that it does not have; what they cost is estimated. */
  readonly missing: readonly string[];
  /** First day of the year that is known or estimated: later than January 1st where the ledger begins within the year. */
  readonly from: string;
  /** What the missing days and those to come will cost. */
  readonly forecast: Decimal;
  /** `actual + forecast` */
  readonly total: Decimal;
  readonly lower: Decimal;
  readonly upper: Decimal;
  readonly level: IntervalLevel;
  /** Days to come. */
  readonly days: readonly ForecastDay[];
  readonly backtest: Backtest;
}

/** Cost of a day. */
interface DayCost {
  readonly day: string;
  readonly cost: Decimal;
}

/**
 * Forecasts a year from the days that are known: by the method that did best in a backtest on these very days. The interval
 * is the one the method's model gives, widened by what the backtest's sums missed beyond it.
 *
 * @param known days in order, 60 or more
 * @throws LedgerError where there are fewer, or the year lies before or too far after them
 */
export function forecastYear(
  known: readonly DayCost[],
  year: number,
  currency: string,
  { level = 0.8 }: ForecastOptions = {},
): YearForecast {
  check(known, year, level);
  const [first, last] = [known[0]?.day ?? '', known.at(-1)?.day ?? ''];
  const costs = new Map(known.map(({ day, cost }) => [day, cost]));
  const all = daysBetween(first, last);
  const series = all.map((day) => costs.get(day)?.toNumber());
  const ahead = daysBetween(last, `${year}-12-31`).slice(1);
  const { backtest: result, method } = backtest(series, QUANTILES[level]);
  const forecast = method.run(series, ahead.length);

  const inYear = (day: string): boolean => day.startsWith(`${year}-`);
  const actualDays = all.filter((day) => inYear(day) && costs.has(day));
  const missing = all.filter((day) => inYear(day) && !costs.has(day));
  const actual = sum(actualDays.map((day) => costs.get(day) as Decimal));
  const estimated = sum(missing.map((day) => hundredths(forecast.expected[all.indexOf(day)] ?? 0)));
  const base = actual.plus(estimated);
  const days = forecastDays(forecast, ahead, inYear, base, QUANTILES[level] * result.widening);
  const coming = sum(days.map(({ cost }) => cost));
  return {
    year,
    currency,
    actual,
    actualDays: actualDays.length,
    missing,
    from: all.find(inYear) ?? `${year}-01-01`,
    forecast: estimated.plus(coming),
    total: base.plus(coming),
    lower: days.at(-1)?.yearLower ?? base,
    upper: days.at(-1)?.yearUpper ?? base,
    level,
    days,
    backtest: result,
  };
}

function check(known: readonly DayCost[], year: number, level: number): void {
  const problems = new Problems();
  const levels = Object.keys(QUANTILES).join(', ');
  problems.check(
    Object.hasOwn(QUANTILES, level),
    'level',
    level,
    `be one of ${levels}`,
    'intervals are made for these',
  );
  problems.throwIfAny();
  if (known.length < FEWEST_DAYS) {
    throw new LedgerError(
      `a forecast needs ${FEWEST_DAYS} days, and the ledger has ${known.length}: fewer show no trend and no season`,
    );
  }
  const last = Number(known.at(-1)?.day.slice(0, 4));
  const first = Number(known[0]?.day.slice(0, 4));
  if (!Number.isInteger(year) || year < first || year > last + 1) {
    throw new LedgerError(
      `'year' (${year}) must be from ${first} to ${last + 1} because the ledger ends in ${last}: beyond the next year a ` +
        'forecast says nothing',
    );
  }
}

/** The days of the year that are to come; those between the ledger's end and the year are stepped over. */
function forecastDays(
  forecast: Forecast,
  ahead: readonly string[],
  inYear: (day: string) => boolean,
  base: Decimal,
  reach: number,
): ForecastDay[] {
  const { variance, spread } = forecast;
  const before = ahead.findIndex(inYear);
  // what is uncertain before the year is not part of its sum, and is counted all the same: the wider interval
  let total = base;
  return forecast.ahead.slice(Math.max(before, 0)).map((value, index) => {
    const position = Math.max(before, 0) + index;
    const cost = hundredths(Math.max(value, 0));
    const ofDay = reach * Math.sqrt(variance * (spread.daily[position] ?? 0));
    const ofYear = reach * Math.sqrt(variance * (spread.total[position] ?? 0));
    total = total.plus(cost);
    return {
      day: ahead[position] ?? '',
      cost,
      lower: Decimal.max(0, cost.minus(hundredths(ofDay))),
      upper: cost.plus(hundredths(ofDay)),
      yearLower: Decimal.max(base, total.minus(hundredths(ofYear))),
      yearUpper: total.plus(hundredths(ofYear)),
    };
  });
}

function hundredths(value: number): Decimal {
  return new Decimal(value).toDecimalPlaces(2);
}
