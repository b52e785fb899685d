import fc from 'fast-check';
import {
  addDays,
  dayAt,
  dayBounds,
  daysBetween,
  isDay,
  isoSecond,
  monthBounds,
} from '../../../constructs/plan/cost/days';
import { instant, wallClock, zone } from '../../support/wall-clock';

const anyDay = fc.integer({ min: 0, max: 11 * 365 }).map((days) => addDays('2026-06-01', days));

describe('a day', () => {
  it.each([
    ['2026-03-02', 'UTC', '2026-03-02T00:00:00Z', 24],
    ['2026-03-29', 'Europe/Berlin', '2026-03-28T23:00:00Z', 23],
    ['2026-10-25', 'Europe/Berlin', '2026-10-24T22:00:00Z', 25],
    ['2026-03-08', 'America/New_York', '2026-03-08T05:00:00Z', 23],
    ['2026-11-01', 'America/New_York', '2026-11-01T04:00:00Z', 25],
    // half an hour
    ['2026-10-04', 'Australia/Lord_Howe', '2026-10-03T13:30:00Z', 23.5],
    // midnight itself was skipped: the day began at one
    ['2018-11-04', 'America/Sao_Paulo', '2018-11-04T03:00:00Z', 23],
    // midnight came twice: the day before had 25 hours
    ['2018-02-17', 'America/Sao_Paulo', '2018-02-17T02:00:00Z', 25],
    // a day that Samoa skipped
    ['2011-12-30', 'Pacific/Apia', '2011-12-30T10:00:00Z', 0],
  ])('%s in %s starts at %s and has %d hours', (day, timeZone, start, hours) => {
    const bounds = dayBounds(day, timeZone);
    expect([isoSecond(bounds.start), bounds.hours]).toEqual([start, hours]);
  });

  it('starts when the clock on the wall first shows it, and ends when it shows the next', () => {
    fc.assert(
      fc.property(anyDay, zone, (day, timeZone) => {
        const { start, end } = dayBounds(day, timeZone);
        const weekday = (date: string): string => new Date(`${date}T00:00:00Z`).toUTCString().slice(0, 3);
        expect(wallClock(start, timeZone).day).toBe(weekday(day));
        expect(wallClock(start - 1, timeZone).day).toBe(weekday(addDays(day, -1)));
        expect(wallClock(end - 1, timeZone).day).toBe(weekday(day));
        expect(end).toBe(dayBounds(addDays(day, 1), timeZone).start);
      }),
    );
  });

  it('is found from any of its seconds', () => {
    fc.assert(
      fc.property(instant, zone, (second, timeZone) => {
        const { start, end } = dayBounds(dayAt(second, timeZone), timeZone);
        expect(start <= second && second < end).toBe(true);
      }),
    );
  });
});

it('counts days over months and leap years', () => {
  expect(daysBetween('2028-02-27', '2028-03-01')).toEqual(['2028-02-27', '2028-02-28', '2028-02-29', '2028-03-01']);
  expect(daysBetween('2026-03-02', '2026-03-01')).toEqual([]);
  expect(addDays('2026-01-01', -1)).toBe('2025-12-31');
});

it('knows the days of the calendar', () => {
  expect(['2028-02-29', '2026-12-31'].map(isDay)).toEqual([true, true]);
  expect(['2026-02-29', '2026-13-01', '2026-1-1', '02.03.2026', ''].map(isDay)).toEqual(Array(5).fill(false));
});

it('knows the hours of a month', () => {
  expect(monthBounds('2026-02-14')).toEqual({ start: '2026-02-01T00:00:00Z', end: '2026-03-01T00:00:00Z', hours: 672 });
  expect(monthBounds('2026-12-31').end).toBe('2027-01-01T00:00:00Z');
});
