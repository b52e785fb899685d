import fc from 'fast-check';
import { Problems } from '../../constructs/plan/errors';
import { checkWeeklyWindow, weekIntervals, type WeeklyWindow } from '../../constructs/plan/weekly-window';
import { DAYS, instant, isInside, wallClock, weeklyWindow } from '../support/wall-clock';

function problemsOf(window: unknown): readonly string[] {
  const problems = new Problems();
  const ok = checkWeeklyWindow(problems, 'clinicHours', window as WeeklyWindow);
  expect(ok).toBe(problems.list.length === 0);
  return problems.list;
}

describe('checkWeeklyWindow', () => {
  const good = { days: ['Mon'], start: '07:00', end: '19:00', timeZone: 'Europe/Berlin' };

  test.each([
    good,
    { ...good, days: undefined },
    { ...good, end: '24:00' },
    { ...good, start: '22:00', end: '06:00' },
    { ...good, timeZone: 'UTC' },
    { ...good, timeZone: 'Asia/Kolkata' },
    { ...good, timeZone: 'Asia/Calcutta' },
  ])('accepts %j', (window) => {
    expect(problemsOf(window)).toEqual([]);
  });

  const clockReason = 'because it is read on the clock of the time zone';
  const startRule = `must be a time HH:MM from 00:00 to 23:59 ${clockReason}`;
  const endRule = `must be a time HH:MM from 00:00 to 24:00 ${clockReason}`;
  const dayRule = `must list at least one of ${DAYS.join(', ')} because a window opens on days of the week`;
  const zoneRule =
    'must be an IANA time zone such as Europe/Berlin, in its exact spelling because only a zone says when the clocks change';

  test.each([
    [{ start: '7:00' }, `'clinicHours.start' (7:00) ${startRule}`],
    [{ start: '24:00' }, `'clinicHours.start' (24:00) ${startRule}`],
    [{ start: 7 }, `'clinicHours.start' (7) ${startRule}`],
    [{ start: undefined }, `'clinicHours.start' (undefined) ${startRule}`],
    [{ end: '25:00' }, `'clinicHours.end' (25:00) ${endRule}`],
    [{ end: '24:01' }, `'clinicHours.end' (24:01) ${endRule}`],
    [{ end: '12:60' }, `'clinicHours.end' (12:60) ${endRule}`],
    [{ days: [] }, `'clinicHours.days' ([]) ${dayRule}`],
    [{ days: ['Monday'] }, `'clinicHours.days' (["Monday"]) ${dayRule}`],
    [{ days: 'Mon' }, `'clinicHours.days' (Mon) ${dayRule}`],
    [{ timeZone: undefined }, `'clinicHours.timeZone' (undefined) ${zoneRule}`],
    [{ timeZone: 'Europe/Atlantis' }, `'clinicHours.timeZone' (Europe/Atlantis) ${zoneRule}`],
    [{ timeZone: '+02:00' }, `'clinicHours.timeZone' (+02:00) ${zoneRule}`],
    [{ timeZone: 'europe/berlin' }, `'clinicHours.timeZone' (europe/berlin) ${zoneRule}`],
  ])('refuses %j', (change, message) => {
    expect(problemsOf({ ...good, ...change })).toEqual([message]);
  });

  test('refuses what is no window, and tells all that is wrong at once', () => {
    const rule = 'must be a weekly window because it names days, start, end and timeZone';
    expect(problemsOf(undefined)).toEqual([`'clinicHours' (undefined) ${rule}`]);
    expect(problemsOf('always')).toEqual([`'clinicHours' (always) ${rule}`]);
    expect(problemsOf({})).toHaveLength(3);
  });
});

describe('weekIntervals', () => {
  const monday: WeeklyWindow = { days: ['Mon'], start: '08:00', end: '18:00', timeZone: 'UTC' };

  test.each<[string, WeeklyWindow, number, number[][]]>([
    ['one day', monday, 0, [[480, 1080]]],
    ['a lead', monday, 90, [[390, 1080]]],
    [
      'a lead that reaches into the week before',
      monday,
      600,
      [
        [0, 1080],
        [9960, 10080],
      ],
    ],
    ['across midnight', { ...monday, start: '22:00', end: '06:00' }, 0, [[1320, 1800]]],
    [
      'across the end of the week',
      { ...monday, days: ['Sun'], start: '22:00', end: '06:00' },
      0,
      [
        [0, 360],
        [9960, 10080],
      ],
    ],
    ['up to midnight', { ...monday, end: '24:00' }, 0, [[480, 1440]]],
    ['up to midnight, the other way to write it', { ...monday, end: '00:00' }, 0, [[480, 1440]]],
    ['a whole day from one time to the same time', { ...monday, end: '08:00' }, 0, [[480, 1920]]],
    ['days that touch', { ...monday, days: ['Tue', 'Mon'], start: '00:00', end: '24:00' }, 0, [[0, 2880]]],
    ['all seven days', { ...monday, days: undefined, start: '00:00', end: '24:00' }, 0, [[0, 10080]]],
    ['a lead longer than a week', monday, 20_000, [[0, 10080]]],
  ])('%s', (_, window, lead, expected) => {
    expect(weekIntervals(window, lead).map(({ start, end }) => [start, end])).toEqual(expected);
  });

  test('say the same as the clock on the wall, at any instant in any zone', () => {
    fc.assert(
      fc.property(weeklyWindow, instant, (window, second) => {
        const { day, secondOfDay } = wallClock(second, window.timeZone);
        const minute = DAYS.indexOf(day) * 1440 + Math.floor(secondOfDay / 60);
        const inside = weekIntervals(window).some(({ start, end }) => start <= minute && minute < end);
        expect(inside).toBe(isInside(window, second));
      }),
      { numRuns: 500 },
    );
  });

  test('are sorted, apart from each other and inside the week, with any lead', () => {
    fc.assert(
      fc.property(weeklyWindow, fc.integer({ min: 0, max: 12_000 }), (window, lead) => {
        let previous = -1;
        for (const { start, end } of weekIntervals(window, lead)) {
          expect(start).toBeGreaterThan(previous);
          expect(end).toBeGreaterThan(start);
          expect(end).toBeLessThanOrEqual(10080);
          previous = end;
        }
      }),
    );
  });
});
