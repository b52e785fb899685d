import { methodsFor, TWO_YEARS, type Forecast, type Method, type MethodName } from './methods';
import { WARM_UP, WEEK, type Series } from './smoothing';

/** How a method did on days that it was not shown. */
export interface MethodScore {
  readonly method: MethodName;
  /** Mean absolute error of the sum over the horizon, as a part of the sum. */
  readonly meanAbsoluteError: number;
}

/**
 * A backtest: from several days of the past, the days that followed were forecast from those before, and the sums
 * compared.
 */
export interface Backtest {
  /** Days that each forecast was for. */
  readonly horizonDays: number;
  /** How many forecasts were made. */
  readonly forecasts: number;
  /** The best first. */
  readonly scores: readonly [MethodScore, ...MethodScore[]];
  /** The method that did best; of equals, the simpler. */
  readonly winner: MethodName;
  /** Part of the winner's forecasts whose interval held what came. */
  readonly coverage: number;
  /** What the winner's intervals are widened by, since the sums missed by more than the model expects; 1 or more. */
  readonly widening: number;
}

const MOST_FORECASTS = 6;
const LONGEST_HORIZON = 90;
/** Fewest days that a method is shown: its warm-up and two weeks. */
const LEAST_TRAINING = WARM_UP + 2 * WEEK;

/** A sum that was forecast, and the one that came. */
interface Trial {
  readonly forecast: number;
  readonly actual: number;
  readonly deviation: number;
}

/**
 * Tries all methods on a series' own past.
 *
 * @param series of 60 days or more
 * @param quantile how many standard deviations the interval reaches
 */
export function backtest(series: Series, quantile: number): { readonly backtest: Backtest; readonly method: Method } {
  const horizon = Math.min(LONGEST_HORIZON, Math.floor(series.length / 4));
  const origins = originsOf(series.length, horizon);
  const ranked = methodsFor(origins[0])
    .map((method) => {
      const trials = origins.map((origin) => trial(series, origin, horizon, method));
      return { method, trials, error: mean(trials.map(relativeError)) };
    })
    .sort((a, b) => a.error - b.error);
  const [best] = ranked as [(typeof ranked)[number]];
  const misses = best.trials.map(({ forecast, actual, deviation }) => (actual - forecast) / (deviation || 1));
  const widening = Math.max(1, Math.sqrt(mean(misses.map((miss) => miss * miss))));
  const scores = ranked.map(({ method, error }) => ({ method: method.name, meanAbsoluteError: error }));
  return {
    method: best.method,
    backtest: {
      horizonDays: horizon,
      forecasts: origins.length,
      scores: scores as [MethodScore, ...MethodScore[]],
      winner: best.method.name,
      coverage: misses.filter((miss) => Math.abs(miss) <= quantile * widening).length / misses.length,
      widening,
    },
  };
}

/** Standard deviation of the sum of all days ahead. */
function totalDeviation({ variance, spread: { total } }: Forecast): number {
  return Math.sqrt(variance * (total.at(-1) ?? 0));
}

/** Days that forecasts are made from: the second half; where there are more than two years, those beyond. */
function originsOf(length: number, horizon: number): [number, ...number[]] {
  const last = length - horizon;
  const half = Math.max(LEAST_TRAINING, Math.floor(length / 2));
  const first = last >= TWO_YEARS ? Math.max(half, TWO_YEARS) : half;
  const count = Math.min(MOST_FORECASTS, Math.floor((last - first) / WEEK) + 1);
  const between = Array.from({ length: count - 1 }, (_, index) =>
    Math.round(first + ((last - first) * (index + 1)) / (count - 1)),
  );
  return [first, ...between];
}

function relativeError({ forecast, actual }: Trial): number {
  return Math.abs(forecast - actual) / (actual || 1);
}

function trial(series: Series, origin: number, horizon: number, method: Method): Trial {
  const forecast = method.run(series.slice(0, origin), horizon);
  const pairs = forecast.ahead.map((expected, day) => [expected, series[origin + day]] as const);
  // a day that is missing is in neither sum
  const known = pairs.filter(([, value]) => value !== undefined);
  return {
    forecast: known.reduce((total, [expected]) => total + expected, 0),
    actual: known.reduce((total, [, value]) => total + (value ?? 0), 0),
    deviation: totalDeviation(forecast),
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0) / values.length;
}
