/**
 * Exponential smoothing with an additive damped trend and an additive weekly season, ETS(A,Ad,A), in innovations form:
 *
 *     y(t) = l(t-1) + φ b(t-1) + s(t-7) + e(t)
 *     l(t) = l(t-1) + φ b(t-1) + α e(t)
 *     b(t) = φ b(t-1) + β e(t)
 *     s(t) = s(t-7) + γ e(t)
 *
 * Source: Hyndman, Koehler, Ord, Snyder, "Forecasting with Exponential Smoothing" (Springer 2008), chapters 2 and 6;
 * damping after Gardner and McKenzie, "Forecasting trends in time series", Management Science 31 (1985). The seasonal naive
 * method (a day costs what the same day of the last week cost) is the case α = β = 0, γ = 1.
 */
export interface Weights {
  /** Of the level, from 0 to 1. */
  readonly alpha: number;
  /** Of the trend, from 0 to α. */
  readonly beta: number;
  /** Of the season, from 0 to 1 - α. */
  readonly gamma: number;
  /** Damping of the trend, from 0 to below 1. */
  readonly phi: number;
}

/** Weights of the seasonal naive method. */
export const SEASONAL_NAIVE: Weights = { alpha: 0, beta: 0, gamma: 1, phi: 0 };

/** Days of a season. */
export const WEEK = 7;
/** Days that the first level, trend and season are taken from; their errors do not count. */
export const WARM_UP = 28;

/** Values of days in order; undefined where a day is missing. */
export type Series = readonly (number | undefined)[];

/** A series that was followed to its end. */
export interface Fit {
  /** What each day was expected to be the day before. */
  readonly expected: readonly number[];
  /** Mean of the squared errors of the days after the warm-up. */
  readonly variance: number;
  /** What the days after the end are expected to be. */
  readonly ahead: (days: number) => number[];
}

/** Follows a series. A missing day changes nothing: its error counts as zero. */
export function follow(series: Series, { alpha, beta, gamma, phi }: Weights): Fit {
  const start = startOf(series, phi);
  let { level, trend } = start;
  const season = [...start.season];
  const expected: number[] = [];
  let squares = 0;
  let count = 0;
  for (const [day, value] of series.entries()) {
    const base = level + phi * trend;
    const seasonal = season[day % WEEK] ?? 0;
    expected.push(base + seasonal);
    const error = value === undefined ? 0 : value - base - seasonal;
    level = base + alpha * error;
    trend = phi * trend + beta * error;
    season[day % WEEK] = seasonal + gamma * error;
    if (value !== undefined && day >= WARM_UP) {
      squares += error * error;
      count += 1;
    }
  }
  const ahead = (days: number): number[] => {
    let damped = 0;
    return Array.from({ length: days }, (_, step) => {
      damped = phi * (1 + damped);
      return level + damped * trend + (season[(series.length + step) % WEEK] ?? 0);
    });
  };
  return { expected, variance: count === 0 ? 0 : squares / count, ahead };
}

/** Variances of forecasts, as multiples of the variance of a day's error; one for each day ahead. */
export interface Spread {
  /** Of the day itself. */
  readonly daily: readonly number[];
  /** Of the sum of all days up to it. */
  readonly total: readonly number[];
}

/**
 * How far forecasts spread. An error of one day moves the day that is j later by c(j) = α + β (φ + ... + φ^j), and by γ more
 * where j is whole weeks (chapter 6 of the book above); so the sum of h days has the variance of
 * Σ (1 + c(1) + ... + c(h-i))², i from 1 to h.
 */
export function spread({ alpha, beta, gamma, phi }: Weights, days: number): Spread {
  const daily: number[] = [];
  const total: number[] = [];
  let [damped, ofDay, effect, ofTotal] = [0, 1, 1, 0];
  for (let ahead = 1; ahead <= days; ahead++) {
    daily.push(ofDay);
    ofTotal += effect * effect;
    total.push(ofTotal);
    damped = phi * (1 + damped);
    const c = alpha + beta * damped + (ahead % WEEK === 0 ? gamma : 0);
    ofDay += c * c;
    effect += c;
  }
  return { daily, total };
}

function startOf(series: Series, phi: number): { level: number; trend: number; season: number[] } {
  const first = mean(series.slice(0, WARM_UP));
  const second = series.slice(WARM_UP, 2 * WARM_UP);
  // a method without a trend starts without one
  const trend = phi === 0 || second.every((value) => value === undefined) ? 0 : (mean(second) - first) / WARM_UP;
  const season = Array.from({ length: WEEK }, (_, weekday) => {
    const same = series.slice(0, WARM_UP).filter((_value, day) => day % WEEK === weekday);
    return same.every((value) => value === undefined) ? 0 : mean(same) - first;
  });
  return { level: first - (trend * WARM_UP) / 2, trend, season };
}

function mean(values: Series): number {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? 0 : known.reduce((total, value) => total + value, 0) / known.length;
}
