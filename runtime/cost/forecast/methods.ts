import { fitWeights } from './fit';
import { follow, SEASONAL_NAIVE, spread, type Series, type Spread } from './smoothing';
import { yearlyPattern } from './yearly';

/** What a method makes of a series. */
export interface Forecast {
  /** What each day of the series was expected to be. */
  readonly expected: readonly number[];
  /** What the days after it are expected to be. */
  readonly ahead: readonly number[];
  /** Variance of an error of one day ahead. */
  readonly variance: number;
  readonly spread: Spread;
}

/** Names of the methods. */
export type MethodName = 'seasonal-naive' | 'damped-trend' | 'damped-trend-yearly';

/** A way to forecast. */
export interface Method {
  readonly name: MethodName;
  readonly run: (series: Series, days: number) => Forecast;
}

/** Days from which on a pattern of the year can be told from a trend. */
export const TWO_YEARS = 730;

const seasonalNaive: Method = {
  name: 'seasonal-naive',
  run: (series, days) => smooth(series, days, SEASONAL_NAIVE),
};

const dampedTrend: Method = {
  name: 'damped-trend',
  run: (series, days) => smooth(series, days, fitWeights(series)),
};

/** Damped trend on what is left when the year's pattern is taken away. */
const dampedTrendYearly: Method = {
  name: 'damped-trend-yearly',
  run: (series, days) => {
    const pattern = yearlyPattern(series);
    const rest = series.map((value, day) => (value === undefined ? undefined : value - pattern(day)));
    const forecast = smooth(rest, days, fitWeights(rest));
    return {
      ...forecast,
      expected: forecast.expected.map((value, day) => value + pattern(day)),
      ahead: forecast.ahead.map((value, day) => value + pattern(series.length + day)),
    };
  },
};

/** Methods that so many days are enough for; the first is the baseline. */
export function methodsFor(days: number): readonly [Method, ...Method[]] {
  return [seasonalNaive, dampedTrend, ...(days >= TWO_YEARS ? [dampedTrendYearly] : [])];
}

function smooth(series: Series, days: number, weights: Parameters<typeof follow>[1]): Forecast {
  const { expected, variance, ahead } = follow(series, weights);
  return { expected, variance, ahead: ahead(days), spread: spread(weights, days) };
}
