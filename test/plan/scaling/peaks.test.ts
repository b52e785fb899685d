import fc from 'fast-check';
import { Problems } from '../../../constructs/plan/errors';
import { planScaling } from '../../../constructs/plan/scaling/plan';
import { recordingRules, type RecordingRule } from '../../../constructs/plan/scaling/rules';
import { instant, wallMinute } from '../../support/wall-clock';

const ZONES = [
  'UTC',
  'Europe/Berlin',
  'Europe/Dublin',
  'America/New_York',
  'America/St_Johns',
  'Africa/Casablanca',
  'Asia/Kathmandu',
  'Australia/Lord_Howe',
  'Pacific/Chatham',
  'Pacific/Kiritimati',
  'Pacific/Pago_Pago',
  'Antarctica/Troll',
];

function rulesFor(timeZones: readonly string[]): RecordingRule[] {
  const problems = new Problems();
  const scaling = planScaling(
    problems,
    { peakHours: timeZones.map((timeZone) => ({ start: '08:00', end: '12:00', timeZone, replicas: 8 })) },
    { serviceName: 'ct', modelLoadSeconds: 300 },
  );
  expect(problems.list).toEqual([]);
  return recordingRules(scaling, {
    namespace: 'imaging',
    service: 'ct',
    containerName: 'model',
    cpu: 1,
    metricNames: { queueLength: 'q', responseTime: 'd', requests: 'r' },
  });
}

const weekMinuteRules = (timeZones: readonly string[]): RecordingRule[] =>
  rulesFor(timeZones).filter(({ record }) => record === 'mediform:week_minute');

/** Evaluates the only shape that the rule has; anything else is an error. */
function evaluate(expr: string, time: number): number {
  const shape = /^vector\(\(time\(\) \+ (\d+)((?: [+-] \d+ \* \(time\(\) >= bool \d+\))*)\) % 604800 \/ 60\)$/;
  const [, shift, steps = ''] = shape.exec(expr) ?? [];
  if (shift === undefined) {
    throw new Error(`not the known shape: ${expr}`);
  }
  const offset = [...steps.matchAll(/([+-]) (\d+) \* \(time\(\) >= bool (\d+)\)/g)]
    .filter(([, , , at]) => time >= Number(at))
    .reduce((sum, [, sign, seconds]) => sum + Number(`${sign}${seconds}`), 0);
  return ((time + Number(shift) + offset) % 604_800) / 60;
}

describe.each(ZONES)('the minute of the week in %s', (timeZone) => {
  const [rule] = weekMinuteRules([timeZone]);

  it('is that on the wall, from 2026 to 2037', () => {
    fc.assert(
      fc.property(instant, (time) => {
        expect(evaluate(rule?.expr ?? '', time)).toBeCloseTo(wallMinute(time, timeZone), 9);
      }),
      { numRuns: 300 },
    );
  });

  it('is that on the wall in the seconds around each change of the clocks', () => {
    for (const [, at] of (rule?.expr ?? '').matchAll(/>= bool (\d+)/g)) {
      for (const time of [Number(at) - 1, Number(at), Number(at) + 1]) {
        expect(evaluate(rule?.expr ?? '', time)).toBeCloseTo(wallMinute(time, timeZone), 9);
      }
    }
  });
});

it('follows the clocks where they change, and only there', () => {
  expect(weekMinuteRules(['UTC'])[0]?.expr).toBe('vector((time() + 259200) % 604800 / 60)');
  expect(weekMinuteRules(['Europe/Berlin'])[0]?.expr.match(/bool/g)).toHaveLength(24);
});

it('is recorded once for each time zone', () => {
  const zones = ['Europe/Berlin', 'UTC', 'Europe/Berlin'];
  expect(weekMinuteRules(zones).map(({ labels }) => labels.time_zone)).toEqual(['Europe/Berlin', 'UTC']);
  expect(
    rulesFor(zones)
      .map(({ labels }) => labels.reason)
      .filter((reason) => reason !== undefined),
  ).toEqual(['minimum', 'peak-0', 'peak-1', 'peak-2', 'errors', 'tolerance']);
});
