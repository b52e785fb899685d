import fc from 'fast-check';
import {
  coversWholeWeek,
  utcSchedules,
  type UtcSchedule,
  type WeeklyWindow,
} from '../../constructs/plan/weekly-window';
import { utcOffsets } from '../../constructs/plan/utc-offsets';
import { instant, isInside, wallClock, weeklyWindow, WORKDAYS, zone } from '../support/wall-clock';

/** Karpenter's own test: is there a hit of the schedule in the last `durationMinutes`? Looks at every minute. */
function isActive({ schedule, durationMinutes }: UtcSchedule, second: number): boolean {
  const [minute, hour, , , dayField = ''] = schedule.split(' ');
  const names = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
  const [from, to] = dayField.split('-');
  const days =
    dayField === '*'
      ? names
      : to === undefined
        ? dayField.split(',')
        : names.slice(names.indexOf(from as string), names.indexOf(to) + 1);
  const now = Math.floor(second / 60);
  for (let ago = 0; ago < durationMinutes; ago++) {
    const at = new Date((now - ago) * 60_000);
    if (
      at.getUTCMinutes() === Number(minute) &&
      at.getUTCHours() === Number(hour) &&
      days.includes(names[at.getUTCDay()] as string)
    ) {
      return true;
    }
  }
  return false;
}

describe('utcOffsets', () => {
  test('knows the very second of a change', () => {
    const { initial, changes } = utcOffsets('Europe/Berlin', 2026, 2026);
    expect(initial).toBe(3600);
    expect(changes).toEqual([
      { at: Date.UTC(2026, 2, 29, 1) / 1000, offsetSeconds: 7200 },
      { at: Date.UTC(2026, 9, 25, 1) / 1000, offsetSeconds: 3600 },
    ]);
  });

  test('has none for a zone without daylight saving, and half hours where there are', () => {
    expect(utcOffsets('Asia/Kolkata', 2026, 2037)).toEqual({ initial: 19_800, changes: [] });
  });

  test('agrees with Intl at any instant', () => {
    fc.assert(
      fc.property(zone, instant, (timeZone, second) => {
        const { initial, changes } = utcOffsets(timeZone, 2026, 2037);
        const offset = changes.reduce((last, change) => (change.at <= second ? change.offsetSeconds : last), initial);
        const { secondOfDay } = wallClock(second, timeZone);
        expect((((second + offset) % 86_400) + 86_400) % 86_400).toBe(secondOfDay);
      }),
      { numRuns: 500 },
    );
  });

  test('is computed once for a zone', () => {
    expect(utcOffsets('Europe/Berlin', 2026, 2037)).toBe(utcOffsets('Europe/Berlin', 2026, 2037));
  });
});

describe('utcSchedules', () => {
  const office = (timeZone: string): WeeklyWindow => ({ days: WORKDAYS, start: '07:00', end: '19:00', timeZone });

  test.each<[string, WeeklyWindow, UtcSchedule[]]>([
    ['no offset', office('UTC'), [{ schedule: '0 7 * * mon-fri', durationMinutes: 720 }]],
    ['daylight saving', office('Europe/Berlin'), [{ schedule: '0 5 * * mon-fri', durationMinutes: 780 }]],
    ['the day before', office('Asia/Tokyo'), [{ schedule: '0 22 * * sun-thu', durationMinutes: 720 }]],
    ['half hours', office('Asia/Kolkata'), [{ schedule: '30 1 * * mon-fri', durationMinutes: 720 }]],
    [
      'single days',
      { ...office('UTC'), days: ['Mon', 'Wed'] },
      [{ schedule: '0 7 * * mon,wed', durationMinutes: 720 }],
    ],
    [
      'a weekend, which cron cannot write as a range',
      { ...office('UTC'), days: ['Fri', 'Sat', 'Sun'] },
      [{ schedule: '0 7 * * sun,fri,sat', durationMinutes: 720 }],
    ],
    [
      'every night',
      { start: '22:00', end: '06:00', timeZone: 'UTC' },
      [{ schedule: '0 22 * * *', durationMinutes: 480 }],
    ],
    [
      'a night across the end of the week',
      { days: ['Sun'], start: '22:00', end: '06:00', timeZone: 'UTC' },
      [{ schedule: '0 22 * * sun', durationMinutes: 480 }],
    ],
    [
      'days in a row without a gap',
      { days: ['Mon', 'Tue'], start: '00:00', end: '24:00', timeZone: 'UTC' },
      [{ schedule: '0 0 * * mon', durationMinutes: 2880 }],
    ],
    [
      'days that become one block and one alone',
      { days: ['Mon', 'Tue', 'Fri'], start: '00:00', end: '24:00', timeZone: 'UTC' },
      [
        { schedule: '0 0 * * mon', durationMinutes: 2880 },
        { schedule: '0 0 * * fri', durationMinutes: 1440 },
      ],
    ],
    [
      'a window shorter than the change of the clocks',
      { days: ['Mon'], start: '07:00', end: '07:30', timeZone: 'Europe/Berlin' },
      [
        { schedule: '0 5 * * mon', durationMinutes: 30 },
        { schedule: '0 6 * * mon', durationMinutes: 30 },
      ],
    ],
    [
      'always',
      { start: '00:00', end: '24:00', timeZone: 'Asia/Tokyo' },
      [{ schedule: '0 0 * * *', durationMinutes: 1440 }],
    ],
  ])('%s', (_, window, expected) => {
    expect(utcSchedules(window)).toEqual(expected);
  });

  test('are open whenever the window is, at any instant in any zone', () => {
    const inside = fc
      .tuple(weeklyWindow, fc.array(instant, { minLength: 8, maxLength: 8 }))
      .map(([window, instants]) => ({ window, instants: instants.filter((second) => isInside(window, second)) }));
    let checked = 0;
    fc.assert(
      fc.property(inside, ({ window, instants }) => {
        const schedules = utcSchedules(window);
        for (const second of instants) {
          checked++;
          expect(schedules.some((schedule) => isActive(schedule, second))).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
    expect(checked).toBeGreaterThan(100);
  });

  test('are open at the first and the last second of a window on the days around a change of the clocks', () => {
    const schedules = utcSchedules(office('Europe/Berlin'));
    // Friday and Monday around 2026-03-29, when 02:00 becomes 03:00
    for (const second of [Date.UTC(2026, 2, 27, 6), Date.UTC(2026, 2, 30, 5)].map((ms) => ms / 1000)) {
      expect(isInside(office('Europe/Berlin'), second)).toBe(true);
      for (const inside of [second, second + 12 * 3600 - 1]) {
        expect(schedules.some((schedule) => isActive(schedule, inside))).toBe(true);
      }
    }
  });

  test('are open exactly when the window would be under some offset of the zone', () => {
    fc.assert(
      fc.property(weeklyWindow, instant, (window, second) => {
        const { initial, changes } = utcOffsets(window.timeZone, 2026, 2037);
        const offsets = [initial, ...changes.map((change) => change.offsetSeconds)];
        const expected = offsets.some((offset) => isInside({ ...window, timeZone: 'UTC' }, second + offset));
        expect(utcSchedules(window).some((schedule) => isActive(schedule, second))).toBe(expected);
      }),
      { numRuns: 300 },
    );
  });
});

describe('coversWholeWeek', () => {
  test('counts what daylight saving adds', () => {
    const window = { start: '00:30', end: '00:00', timeZone: 'Europe/Berlin' };
    expect(coversWholeWeek(window)).toBe(true);
    expect(coversWholeWeek({ ...window, timeZone: 'UTC' })).toBe(false);
    expect(coversWholeWeek({ ...window, days: ['Mon'] })).toBe(false);
  });
});
