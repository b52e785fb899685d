import { around1, randomFor } from './random';

/** How the demand for a service moves. */
export interface DemandShape {
  /** Part of a workday's demand that there is on Saturdays and Sundays. */
  readonly weekend: number;
  /** How much more there is in the middle of January than on average: coughs, falls on ice. */
  readonly winter: number;
  /** Growth in a year. */
  readonly growth: number;
  /** Standard deviation from day to day. */
  readonly noise: number;
}

/** Days on which a German hospital works as on a Sunday, `MM-DD`. */
const HOLIDAYS = ['01-01', '05-01', '10-03', '12-24', '12-25', '12-26', '12-31'];
const MID_JANUARY = 15;
const MEAN_YEAR = 365.25;

/**
 * Demand on a day, relative to that of a mean workday at the beginning: weekdays, season, growth, holidays and noise, each
 * a factor.
 *
 * @param day `YYYY-MM-DD`
 * @param index days since the beginning
 */
export function demandOn(day: string, index: number, shape: DemandShape, seed: number, name: string): number {
  const weekday = new Date(`${day}T00:00:00Z`).getUTCDay();
  const rest = weekday === 0 || weekday === 6 || HOLIDAYS.includes(day.slice(5));
  // Mondays bring what waited over the weekend
  const week = rest ? shape.weekend : weekday === 1 ? 1.12 : weekday === 5 ? 0.94 : 1;
  const season = 1 + shape.winter * Math.cos((2 * Math.PI * (dayOfYear(day) - MID_JANUARY)) / MEAN_YEAR);
  const growth = (1 + shape.growth) ** (index / MEAN_YEAR);
  return week * season * growth * around1(randomFor(seed, `${name} ${day}`), shape.noise);
}

function dayOfYear(day: string): number {
  return (Date.parse(day) - Date.parse(`${day.slice(0, 4)}-01-01`)) / 86_400_000 + 1;
}
