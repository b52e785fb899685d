import { utcOffsets } from '../utc-offsets';

const DAY_SECONDS = 86_400;
const FORMAT = /^\d{4}-\d{2}-\d{2}$/;

/** A day on the clock of a time zone. */
export interface DayBounds {
  /** First second, since 1970-01-01 UTC. */
  readonly start: number;
  /** First second after it. */
  readonly end: number;
  /** 24, or 23 or 25 where the clocks change; zones with smaller changes have fractions. */
  readonly hours: number;
}

/** Whether a text is a day of the calendar, `YYYY-MM-DD`. */
export function isDay(text: string): boolean {
  return FORMAT.test(text) && new Date(`${text}T00:00:00Z`).toJSON()?.slice(0, 10) === text;
}

/** The day some days later, or earlier. */
export function addDays(day: string, days: number): string {
  return new Date(midnightUtc(day) * 1000 + days * DAY_SECONDS * 1000).toISOString().slice(0, 10);
}

/** Days from `from` to `to`, both included. */
export function daysBetween(from: string, to: string): string[] {
  const count = (midnightUtc(to) - midnightUtc(from)) / DAY_SECONDS + 1;
  return Array.from({ length: Math.max(0, count) }, (_, index) => addDays(from, index));
}

/**
 * When a day starts and ends. Where the clocks skip midnight, the day starts at the first second after the gap; where
 * midnight comes twice, at the first of the two.
 *
 * @param day `YYYY-MM-DD`
 * @param timeZone IANA name
 * @throws RangeError when this machine does not know the zone
 */
export function dayBounds(day: string, timeZone: string): DayBounds {
  const start = startOf(day, timeZone);
  const end = startOf(addDays(day, 1), timeZone);
  return { start, end, hours: (end - start) / 3600 };
}

/** The day of a second since 1970-01-01 UTC, on the clock of a time zone. */
export function dayAt(second: number, timeZone: string): string {
  const near = new Date(second * 1000).toISOString().slice(0, 10);
  const days = [addDays(near, -1), near, addDays(near, 1)];
  return days.filter((day) => startOf(day, timeZone) <= second).at(-1) as string;
}

/** Hours of the calendar month of a day, on UTC's clock. */
export function monthBounds(day: string): { readonly start: string; readonly end: string; readonly hours: number } {
  const [year = 0, month = 0] = day.split('-').map(Number);
  const start = Date.UTC(year, month - 1, 1);
  const end = Date.UTC(year, month, 1);
  return { start: isoSecond(start / 1000), end: isoSecond(end / 1000), hours: (end - start) / 3_600_000 };
}

/** ISO 8601 in UTC, to the second. */
export function isoSecond(second: number): string {
  return new Date(second * 1000).toISOString().replace('.000Z', 'Z');
}

function midnightUtc(day: string): number {
  return Date.parse(`${day}T00:00:00Z`) / 1000;
}

function startOf(day: string, timeZone: string): number {
  const midnight = midnightUtc(day);
  const year = Number(day.slice(0, 4));
  const { initial, changes } = utcOffsets(timeZone, year - 1, year + 1);
  // periods of one offset, in order; local midnight belongs to the first period that reaches it
  const periods = [{ at: -Infinity, offsetSeconds: initial }, ...changes];
  for (const [index, { at, offsetSeconds }] of periods.entries()) {
    const end = periods[index + 1]?.at ?? Infinity;
    const candidate = midnight - offsetSeconds;
    if (candidate < end) {
      return Math.max(candidate, at);
    }
  }
  throw new RangeError(`${day} has no start in ${timeZone}`);
}
