import fc from 'fast-check';
import type { Day, WeeklyWindow } from '../../constructs/plan/weekly-window';

/** Days in the order of a week that starts on Monday. */
export const DAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'] as const;
/** Monday to Friday. */
export const WORKDAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri'] as const;
const ZONES = [
  'UTC',
  'Europe/Berlin',
  'Europe/Dublin',
  'America/New_York',
  'America/St_Johns',
  'America/Sao_Paulo',
  'Africa/Casablanca',
  'Asia/Kolkata',
  'Asia/Kathmandu',
  'Asia/Tokyo',
  'Australia/Lord_Howe',
  'Pacific/Auckland',
  'Pacific/Chatham',
  'Pacific/Kiritimati',
  'Pacific/Pago_Pago',
  'Antarctica/Troll',
];

/** A zone: with and without daylight saving, half and quarter hours, both hemispheres, both ends of the day. */
export const zone = fc.constantFrom(...ZONES);
const clock = fc
  .integer({ min: 0, max: 1439 })
  .map((minute) => `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`);
/** Any window in any of the zones. */
export const weeklyWindow: fc.Arbitrary<WeeklyWindow> = fc.record(
  {
    days: fc.uniqueArray(fc.constantFrom<Day>(...DAYS), { minLength: 1 }),
    start: clock,
    end: fc.oneof(clock, fc.constant('24:00')),
    timeZone: zone,
  },
  { requiredKeys: ['start', 'end', 'timeZone'] },
);
/** Seconds since 1970, from the start of 2026 to the end of 2037. */
export const instant = fc.integer({ min: Date.UTC(2026, 0, 1) / 1000, max: Date.UTC(2038, 0, 1) / 1000 - 1 });

/** Day and second of day on the wall clock of a zone, read in another way than the code does. */
export function wallClock(second: number, timeZone: string): { day: Day; secondOfDay: number } {
  const text = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
  }).format(new Date(second * 1000));
  const [, day, h, m, s] = /^(\w{3})\D+(\d\d):(\d\d):(\d\d)$/.exec(text) ?? [];
  return { day: day as Day, secondOfDay: Number(h) * 3600 + Number(m) * 60 + Number(s) };
}

/** Minutes since Monday 00:00 on the wall clock of a zone. */
export function wallMinute(second: number, timeZone: string): number {
  const { day, secondOfDay } = wallClock(second, timeZone);
  return DAYS.indexOf(day) * 1440 + secondOfDay / 60;
}

function seconds(time: string): number {
  const [hours, minutes] = time.split(':');
  return Number(hours) * 3600 + Number(minutes) * 60;
}

/** Whether the wall clock is inside a window: today's, or the rest of yesterday's that crossed midnight. */
export function isInside(window: WeeklyWindow, second: number): boolean {
  const { day, secondOfDay } = wallClock(second, window.timeZone);
  const yesterday = DAYS[(DAYS.indexOf(day) + 6) % 7] as Day;
  const days: readonly Day[] = window.days ?? DAYS;
  const [start, end] = [seconds(window.start), seconds(window.end)];
  return end > start
    ? days.includes(day) && secondOfDay >= start && secondOfDay < end
    : (days.includes(day) && secondOfDay >= start) || (days.includes(yesterday) && secondOfDay < end);
}
