import type { Series } from './smoothing';
import { WEEK } from './smoothing';

const YEAR_DAYS = 365.25;
const HARMONICS = 2;

/**
 * The pattern of the year: two pairs of sine and cosine, fitted by least squares together with a straight trend and the
 * days of the week (dynamic harmonic regression; Hyndman and Athanasopoulos, "Forecasting: Principles and Practice", third
 * edition, section 10.5). Needs two years, or it takes a trend for a pattern.
 *
 * @returns deviation of a day, counted from the first of the series, from the mean of the year
 */
export function yearlyPattern(series: Series): (day: number) => number {
  const rows = series.flatMap((value, day) => (value === undefined ? [] : [{ x: regressors(day), y: value }]));
  const coefficients = leastSquares(rows);
  return (day) => harmonics(day).reduce((total, value, index) => total + value * (coefficients[index] ?? 0), 0);
}

function harmonics(day: number): number[] {
  return Array.from({ length: HARMONICS }, (_, index) => (2 * Math.PI * (index + 1) * day) / YEAR_DAYS).flatMap(
    (angle) => [Math.sin(angle), Math.cos(angle)],
  );
}

function regressors(day: number): number[] {
  const weekday = Array.from({ length: WEEK }, (_, index) => (day % WEEK === index ? 1 : 0));
  return [...harmonics(day), day / YEAR_DAYS, ...weekday];
}

/** Solves the normal equations by elimination with pivots. */
function leastSquares(rows: readonly { readonly x: readonly number[]; readonly y: number }[]): number[] {
  const size = rows[0]?.x.length ?? 0;
  const matrix = Array.from({ length: size }, () => Array.from({ length: size + 1 }, () => 0));
  for (const { x, y } of rows) {
    matrix.forEach((line, i) => {
      x.forEach((value, j) => (line[j] = (line[j] ?? 0) + (x[i] ?? 0) * value));
      line[size] = (line[size] ?? 0) + (x[i] ?? 0) * y;
    });
  }
  for (let column = 0; column < size; column++) {
    const candidates = matrix.slice(column).map((line) => Math.abs(line[column] ?? 0));
    const pivot = column + candidates.indexOf(Math.max(...candidates));
    const top = matrix[pivot] ?? [];
    [matrix[pivot], matrix[column]] = [matrix[column] ?? [], top];
    for (const [index, line] of matrix.entries()) {
      const factor = index === column ? 0 : (line[column] ?? 0) / (top[column] ?? 1);
      line.forEach((value, j) => (line[j] = value - factor * (top[j] ?? 0)));
    }
  }
  return matrix.map((line, index) => (line[size] ?? 0) / (line[index] ?? 1));
}
