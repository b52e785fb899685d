import type { Problems } from './errors';
import { utcOffsets } from './utc-offsets';

/** Days of the week in the order of this module: minute 0 of a week is Monday 00:00. */
export const DAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'] as const;

/** Days as cron writes them, from its own first day of the week. */
const CRON_DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;

/** Minutes of a day and of a week on the clock. */
const DAY = 24 * 60;
const WEEK = 7 * DAY;

/** Years whose offsets count. Fixed, so that the output never depends on the day it is made. */
const FIRST_YEAR = 2026;
const LAST_YEAR = 2037;

/** A day of the week. */
export type Day = (typeof DAYS)[number];

/** The same hours every week, by the clock on the wall. */
export interface WeeklyWindow {
  /**
   * Days on which the window starts.
   *
   * @default - all seven
   */
  readonly days?: readonly Day[];
  /** Local time at which it starts, `HH:MM`, `00:00` to `23:59`. */
  readonly start: string;
  /**
   * Local time at which it ends, `HH:MM`, `00:00` to `24:00`. At or before `start`, the window crosses midnight and
   * ends on the next day.
   */
  readonly end: string;
  /** IANA time zone such as `Europe/Berlin`; never guessed from the machine. */
  readonly timeZone: string;
}

/** A part of the week, in minutes from Monday 00:00: `0 <= start < end <= 10080`. */
export interface WeekInterval {
  /** First minute inside. */
  readonly start: number;
  /** First minute outside. */
  readonly end: number;
}

/** A cron schedule in UTC, and how long the window stays open after each hit. */
export interface UtcSchedule {
  /** Five cron fields, such as `0 5 * * mon-fri`. */
  readonly schedule: string;
  /** Minutes that the window stays open. */
  readonly durationMinutes: number;
}

/**
 * Checks a weekly window: known days, times on the clock, a time zone that this machine knows.
 *
 * @param problems collects what is wrong
 * @param property name of the window as the user wrote it
 * @param window what the user gave
 * @returns whether the other functions of this module may be given the window
 */
export function checkWeeklyWindow(problems: Problems, property: string, window: WeeklyWindow): boolean {
  const given: unknown = window;
  if (typeof given !== 'object' || given === null) {
    return problems.check(false, property, given, 'be a weekly window', 'it names days, start, end and timeZone');
  }
  const { days, start, end, timeZone } = window;
  const checks = [
    problems.check(
      days === undefined || (Array.isArray(days) && days.length > 0 && days.every((day: Day) => DAYS.includes(day))),
      `${property}.days`,
      days,
      `list at least one of ${DAYS.join(', ')}`,
      'a window opens on days of the week',
    ),
    problems.check(
      isClock(start) && start !== '24:00',
      `${property}.start`,
      start,
      'be a time HH:MM from 00:00 to 23:59',
      'it is read on the clock of the time zone',
    ),
    problems.check(
      isClock(end),
      `${property}.end`,
      end,
      'be a time HH:MM from 00:00 to 24:00',
      'it is read on the clock of the time zone',
    ),
    problems.check(
      isTimeZone(timeZone),
      `${property}.timeZone`,
      timeZone,
      'be an IANA time zone such as Europe/Berlin, in its exact spelling',
      'only a zone says when the clocks change',
    ),
  ];
  return checks.every(Boolean);
}

/**
 * The parts of a week, on the local clock, that a window covers.
 *
 * @param window one that passed `checkWeeklyWindow`
 * @param leadMinutes how much earlier than its start the window opens, in whole minutes
 * @returns merged, sorted, and split where the week ends
 */
export function weekIntervals(window: WeeklyWindow, leadMinutes = 0): WeekInterval[] {
  return mergeIntoWeek(localSpans(window, leadMinutes));
}

/**
 * Cron schedules in UTC during which a window is open, for schedulers that know no other zone.
 *
 * UTC schedules cannot follow daylight saving, so these cover the window under every offset that its zone has from 2026
 * to 2037. In zones with daylight saving they are open too long, by as much as the clocks change, and never too short.
 *
 * @param window one that passed `checkWeeklyWindow`
 */
export function utcSchedules(window: WeeklyWindow): UtcSchedule[] {
  const daysOf = new Map<string, { readonly minute: number; readonly length: number; readonly days: number[] }>();
  for (const { start, end } of joinAtWeekEnd(utcIntervals(window))) {
    const minute = start % DAY;
    const length = end - start;
    const key = `${minute} ${length}`;
    const group = daysOf.get(key) ?? { minute, length, days: [] };
    daysOf.set(key, group);
    group.days.push(Math.floor(start / DAY));
  }
  return [...daysOf.values()].map(({ minute, length, days }) =>
    length === WEEK
      ? { schedule: '0 0 * * *', durationMinutes: DAY }
      : { schedule: `${minute % 60} ${Math.floor(minute / 60)} * * ${cronDays(days)}`, durationMinutes: length },
  );
}

/**
 * Whether the schedules of a window leave no minute of the week closed. With daylight saving that can be so even
 * where the window itself leaves some.
 *
 * @param window one that passed `checkWeeklyWindow`
 */
export function coversWholeWeek(window: WeeklyWindow): boolean {
  const [first] = utcIntervals(window);
  return first !== undefined && first.end - first.start === WEEK;
}

function isClock(value: unknown): value is string {
  return typeof value === 'string' && /^(([01]\d|2[0-3]):[0-5]\d|24:00)$/.test(value);
}

/** Whether a value is the name of a time zone that this machine knows, in its exact spelling. */
export function isTimeZone(value: unknown): boolean {
  // fixed offsets such as +02:00 would pass Intl, and know nothing of daylight saving
  if (typeof value !== 'string' || !/^[A-Za-z]/.test(value)) {
    return false;
  }
  try {
    const { timeZone } = new Intl.DateTimeFormat('en-US', { timeZone: value }).resolvedOptions();
    // Intl overlooks upper and lower case, the programs that read the name in a cluster do not
    return timeZone === value || timeZone.toLowerCase() !== value.toLowerCase();
  } catch {
    return false;
  }
}

function minutesOf(clock: string): number {
  return Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3));
}

/** Spans of local time, unsorted, which may reach beyond the week on either side. */
function localSpans(window: WeeklyWindow, leadMinutes: number): WeekInterval[] {
  const start = minutesOf(window.start);
  const end = minutesOf(window.end);
  return (window.days ?? DAYS).map((day) => {
    const midnight = DAYS.indexOf(day) * DAY;
    return { start: midnight + start - leadMinutes, end: midnight + (end > start ? end : end + DAY) };
  });
}

/** The union of a window's UTC intervals over all offsets of its zone. */
function utcIntervals(window: WeeklyWindow): WeekInterval[] {
  const { initial, changes } = utcOffsets(window.timeZone, FIRST_YEAR, LAST_YEAR);
  const offsets = new Set([initial, ...changes.map((change) => change.offsetSeconds)]);
  const local = localSpans(window, 0);
  return mergeIntoWeek(
    [...offsets].flatMap((offset) =>
      local.map(({ start, end }) => ({ start: Math.floor(start - offset / 60), end: Math.ceil(end - offset / 60) })),
    ),
  );
}

/** Wraps spans into the week, splits them at its end, sorts and merges them. */
function mergeIntoWeek(spans: readonly WeekInterval[]): WeekInterval[] {
  const parts = spans.flatMap(({ start, end }): WeekInterval[] => {
    const length = end - start;
    if (length >= WEEK) {
      return [{ start: 0, end: WEEK }];
    }
    const first = ((start % WEEK) + WEEK) % WEEK;
    const last = first + length;
    return last <= WEEK
      ? [{ start: first, end: last }]
      : [
          { start: first, end: WEEK },
          { start: 0, end: last - WEEK },
        ];
  });
  parts.sort((a, b) => a.start - b.start);
  const merged: WeekInterval[] = [];
  for (const part of parts) {
    const previous = merged.at(-1);
    if (previous !== undefined && part.start <= previous.end) {
      merged[merged.length - 1] = { start: previous.start, end: Math.max(previous.end, part.end) };
    } else {
      merged.push(part);
    }
  }
  return merged;
}

/** Joins what `mergeIntoWeek` split: the last interval may then end after the week. */
function joinAtWeekEnd(intervals: readonly WeekInterval[]): readonly WeekInterval[] {
  const first = intervals[0];
  const last = intervals.at(-1);
  if (first === undefined || last === undefined || first === last || first.start > 0 || last.end < WEEK) {
    return intervals;
  }
  return [...intervals.slice(1, -1), { start: last.start, end: WEEK + first.end }];
}

/** Day field of a cron schedule, from day numbers where Monday is 0. */
function cronDays(days: readonly number[]): string {
  if (days.length === DAYS.length) {
    return '*';
  }
  const sorted = days.map((day) => (day + 1) % 7).sort((a, b) => a - b);
  const names = sorted.map((day) => CRON_DAYS[day]);
  const consecutive = (sorted.at(-1) ?? 0) - (sorted[0] ?? 0) === sorted.length - 1;
  return consecutive && names.length > 2 ? `${names[0]}-${names.at(-1)}` : names.join(',');
}
