import fc from 'fast-check';
import { addDays } from '../../../constructs/plan/cost/days';
import { Decimal } from 'mediform/cost';
import { backtest } from '../../../runtime/cost/forecast/backtest';
import { follow, SEASONAL_NAIVE, spread, type Weights } from '../../../runtime/cost/forecast/smoothing';
import { forecastYear } from '../../../runtime/cost/forecast/year';
import { yearlyPattern } from '../../../runtime/cost/forecast/yearly';

const QUANTILE_80 = 1.281552;

function days(costs: readonly number[], first = '2026-01-01'): { day: string; cost: Decimal }[] {
  return costs.map((cost, index) => ({ day: addDays(first, index), cost: new Decimal(cost.toFixed(2)) }));
}

/** Numbers as if drawn from a normal distribution, the same on every run. */
function noise(seed: number): () => number {
  let state = seed;
  const uniform = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}

const weekly = (day: number): number => [0, 12, 8, 6, 10, -16, -20][day % 7] ?? 0;
const length = (count: number, value: (day: number) => number): number[] =>
  Array.from({ length: count }, (_, day) => value(day));

describe('exponential smoothing', () => {
  it('follows its own equations', () => {
    // a level of 100 and no trend; then one day is 10 dearer
    const series = [...length(28, () => 100), 110];
    const { ahead } = follow(series, { alpha: 0.5, beta: 0.1, gamma: 0.2, phi: 0.9 });
    // the error is 10 - φ b = 10 - 0.9 × 10/28 (the trend that the second month began with)
    const trend = 10 / 28;
    const level = 100 - trend * 14;
    let [l, b] = [level, trend];
    const s = [0, 0, 0, 0, 0, 0, 0];
    for (const [day, value] of series.entries()) {
      const error = value - l - 0.9 * b - (s[day % 7] ?? 0);
      [l, b] = [l + 0.9 * b + 0.5 * error, 0.9 * b + 0.1 * error];
      s[day % 7] = (s[day % 7] ?? 0) + 0.2 * error;
    }
    expect(ahead(2)[0]).toBeCloseTo(l + 0.9 * b + (s[1] ?? 0), 9);
    expect(ahead(2)[1]).toBeCloseTo(l + (0.9 + 0.81) * b + (s[2] ?? 0), 9);
  });

  it('is the last week again where it is seasonal naive', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 10_000 }), { minLength: 35, maxLength: 100 }), (series) => {
        const { ahead } = follow(series, SEASONAL_NAIVE);
        const week = series.slice(-7);
        ahead(14).forEach((value, index) => expect(value).toBeCloseTo(week[index % 7] ?? NaN, 6));
      }),
    );
  });

  it('spreads as simulated futures do', () => {
    const weights: Weights = { alpha: 0.3, beta: 0.05, gamma: 0.2, phi: 0.9 };
    const { daily, total } = spread(weights, 21);
    const draw = noise(7);
    const paths = Array.from({ length: 20_000 }, () => {
      let [level, trend, sum] = [0, 0, 0];
      const season = [0, 0, 0, 0, 0, 0, 0];
      let value = 0;
      for (let day = 0; day < 21; day++) {
        const error = draw();
        value = level + 0.9 * trend + (season[day % 7] ?? 0) + error;
        sum += value;
        [level, trend] = [level + 0.9 * trend + 0.3 * error, 0.9 * trend + 0.05 * error];
        season[day % 7] = (season[day % 7] ?? 0) + 0.2 * error;
      }
      return { value, sum };
    });
    const variance = (values: number[]): number =>
      values.reduce((all, value) => all + value * value, 0) / values.length;
    expect((daily[20] ?? 0) / variance(paths.map(({ value }) => value))).toBeCloseTo(1, 1);
    expect((total[20] ?? 0) / variance(paths.map(({ sum }) => sum))).toBeCloseTo(1, 1);
  });
});

describe('the pattern of the year', () => {
  it('is told from a trend and from weekdays', () => {
    const pattern = (day: number): number => 30 * Math.sin((2 * Math.PI * day) / 365.25);
    const found = yearlyPattern(length(800, (day) => 500 + 0.2 * day + weekly(day) + pattern(day)));
    [0, 91, 182, 300].forEach((day) => expect(found(day)).toBeCloseTo(pattern(day), 6));
  });
});

describe('a backtest', () => {
  it('prefers the damped trend where there is noise, and last week where that repeats', () => {
    const draw = noise(3);
    const noisy = backtest(
      length(365, (day) => 500 + 0.3 * day + weekly(day) + 10 * draw()),
      QUANTILE_80,
    ).backtest;
    expect(noisy.winner).toBe('damped-trend');
    expect(noisy).toMatchObject({ horizonDays: 90, forecasts: 6 });
    const [best, next] = noisy.scores;
    expect(best.meanAbsoluteError).toBeLessThan(next?.meanAbsoluteError ?? 0);

    const repeated = backtest(
      length(100, (day) => 500 + weekly(day)),
      QUANTILE_80,
    ).backtest;
    expect(repeated.winner).toBe('seasonal-naive');
    expect(repeated.scores[0].meanAbsoluteError).toBeCloseTo(0, 9);
  });

  it('tries the pattern of the year where it has two years to show it', () => {
    const draw = noise(5);
    const value = (day: number): number => 500 + 80 * Math.sin((2 * Math.PI * day) / 365.25) + weekly(day) + 5 * draw();
    const long = backtest(length(1000, value), QUANTILE_80).backtest;
    expect(long.scores.map(({ method }) => method).sort()).toEqual([
      'damped-trend',
      'damped-trend-yearly',
      'seasonal-naive',
    ]);
    expect(long.winner).toBe('damped-trend-yearly');
  });

  it('never widens an interval by less than nothing, and covers what it says', () => {
    // 80 % intervals over many series of noise: the mean of their coverage must be near, and never far below
    const coverages = Array.from({ length: 30 }, (_, seed) => {
      const draw = noise(seed + 100);
      const result = backtest(
        length(200, (day) => 500 + weekly(day) + 20 * draw()),
        QUANTILE_80,
      ).backtest;
      expect(result.widening).toBeGreaterThanOrEqual(1);
      return result.coverage;
    });
    expect(coverages.reduce((all, coverage) => all + coverage, 0) / coverages.length).toBeGreaterThan(0.75);
  });
});

describe('a year', () => {
  it('is what is known and what is to come, to the cent', () => {
    const forecast = forecastYear(days(length(100, (day) => 100 + weekly(day))), 2026, 'EUR');
    // 100 days are 14 weeks and two days; a week is 7 × 100
    expect(forecast.actual).toEqual(new Decimal(100 * 100 + 0 + 12));
    expect(forecast.actualDays).toBe(100);
    expect(forecast.days).toHaveLength(265);
    expect(forecast.days[0]).toMatchObject({ day: '2026-04-11', cost: new Decimal(108) });
    // the year is 52 weeks and one day, which is the first of the pattern
    expect(forecast.total).toEqual(new Decimal(365 * 100));
    expect(forecast.forecast).toEqual(forecast.total.minus(forecast.actual));
    expect([forecast.lower, forecast.upper]).toEqual([forecast.total, forecast.total]);
    expect(forecast.backtest.winner).toBe('seasonal-naive');
  });

  it('holds what came in about as many cases as its level says', () => {
    let inside = 0;
    for (let seed = 0; seed < 60; seed++) {
      const draw = noise(seed + 1);
      const all = days(length(365, (day) => 400 + 0.2 * day + weekly(day) + 25 * draw()));
      const truth = all.reduce((sum, { cost }) => sum.plus(cost), new Decimal(0));
      const { lower, upper } = forecastYear(all.slice(0, 240), 2026, 'EUR');
      inside += lower.lessThanOrEqualTo(truth) && truth.lessThanOrEqualTo(upper) ? 1 : 0;
    }
    expect(inside / 60).toBeGreaterThanOrEqual(0.75);
  });

  it('widens with the level and with the days', () => {
    const draw = noise(9);
    const known = days(length(120, (day) => 100 + weekly(day) + 5 * draw()));
    const width = (level: 0.8 | 0.95): number => {
      const { lower, upper } = forecastYear(known, 2026, 'EUR', { level });
      return upper.minus(lower).toNumber();
    };
    // 1.959964 / 1.281552
    expect(width(0.95) / width(0.8)).toBeCloseTo(1.5294, 2);
    const coming = forecastYear(known, 2026, 'EUR').days;
    const [first, last] = [coming[0], coming.at(-1)];
    expect(last?.yearUpper.minus(last.yearLower).toNumber()).toBeGreaterThan(
      first?.yearUpper.minus(first.yearLower).toNumber() ?? Infinity,
    );
  });

  it('estimates missing days, and names them', () => {
    const known = days(length(100, (day) => 100 + weekly(day))).filter(({ day }) => day !== '2026-03-02');
    const forecast = forecastYear(known, 2026, 'EUR');
    expect(forecast.missing).toEqual(['2026-03-02']);
    expect(forecast.actualDays).toBe(99);
    expect(forecast.total.toNumber()).toBeCloseTo(365 * 100, 0);
  });

  it('may be the one after, or one that is over', () => {
    const known = days(
      length(400, () => 10),
      '2025-06-01',
    );
    expect(forecastYear(known, 2025, 'EUR')).toMatchObject({
      actualDays: 214,
      from: '2025-06-01',
      total: new Decimal(2140),
      days: [],
    });
    const next = forecastYear(known, 2027, 'EUR');
    expect(next).toMatchObject({ actual: new Decimal(0), total: new Decimal(3650), from: '2027-01-01' });
    expect(next.days[0]?.day).toBe('2027-01-01');
  });

  it('is refused under 60 days, and too far ahead', () => {
    expect(() => forecastYear(days(length(59, () => 1)), 2026, 'EUR')).toThrow(
      'a forecast needs 60 days, and the ledger has 59: fewer show no trend and no season',
    );
    expect(forecastYear(days(length(60, () => 1)), 2026, 'EUR').total).toEqual(new Decimal(365));
    expect(() => forecastYear(days(length(60, () => 1)), 2028, 'EUR')).toThrow(
      "'year' (2028) must be from 2026 to 2027",
    );
    expect(() => forecastYear(days(length(60, () => 1)), 2026, 'EUR', { level: 0.5 as never })).toThrow(
      "'level' (0.5) must be one of 0.8, 0.9, 0.95",
    );
  });
});
