/** The replicas that must be there, on the real PromQL engine: peak hours, forecast, errors, and the HPA's tolerance. */
import type { ScalingProps } from '../../constructs/plan/scaling/props';
import type { ServicePlan } from '../../constructs/plan/service/plan';
import { wallMinute } from '../support/wall-clock';
import { describeWithPromtool, testRules, type Expectation, type InputSeries, type PromTest } from './support/promtool';
import {
  deploymentSeries,
  groupsOf,
  podName,
  podSeries,
  recorded,
  service,
  workload,
  type PodLoad,
} from './support/workload';

const seconds = (value: number): { toSeconds(): number } => ({ toSeconds: () => value });

const floor = recorded('mediform:replica_floor');
const reason = (name: string): string => recorded('mediform:replica_floor_reason', 'ct', { reason: name });
const scaled = (scaling: ScalingProps): ServicePlan => service('ct', { scaling });

/** Rows of moments and of what some expressions give there. */
function table(
  exprs: readonly string[],
  rows: readonly (readonly [at: string, ...(number | undefined)[]])[],
): Expectation[] {
  return rows.flatMap(([at, ...values]) => exprs.map((expr, index) => ({ at, expr, value: values[index] })));
}

function check(plan: ServicePlan, series: readonly InputSeries[], expect: Expectation[], interval?: string): void {
  testRules({ groups: groupsOf(plan), interval, scenarios: [{ name: 'history', series, expect }] });
}

describeWithPromtool('replica floors on PromQL', () => {
  it('are the minimum where nothing else asks', () => {
    const series = workload('ct', [{ gpus: [50], requests: { ok: 10 } }]);
    check(scaled({}), series, table([floor, reason('minimum'), reason('errors')], [['5m', 2, 2, undefined]]));
    check(scaled({ minReplicas: 5 }), series, table([floor], [['5m', 5]]));
    check(scaled({ rules: { errorRate: 'off' } }), series, table([floor], [['5m', undefined]]));
  });

  describe('errors', () => {
    const failing: PodLoad = { requests: { ok: 90, failed: 10 } };
    const pods = (load: PodLoad, samples: number): InputSeries[] => podSeries(podName('ct'), load, { samples });

    it('add one step, and the next when the window holds the larger number only', () => {
      // 10 replicas for five minutes, then 12, then from minute 16 on what the second step asks for
      const series = [...deploymentSeries('ct', '10x20 12x43 14x60'), ...pods(failing, 120)];
      check(
        scaled({}),
        series,
        table(
          [floor, reason('errors')],
          [
            ['2m', 12, 12],
            ['5m', 12, 12],
            ['6m', 12, 12],
            ['14m45s', 12, 12],
            ['15m30s', 14, 14],
            ['16m30s', 14, 14],
            ['25m30s', 14, 14],
            ['26m30s', 16, 16],
          ],
        ),
      );
    });

    it.each([
      [1, 2],
      [2, 3],
      [9, 10],
      [10, 12],
      [19, 21],
      [20, 23],
      [99, 109],
      [100, 111],
    ])('step from %d replicas to %d', (replicas, next) => {
      const plan = scaled({ maxReplicas: 200, minReplicas: 1 });
      check(plan, [...deploymentSeries('ct', `${replicas}x40`), ...pods(failing, 40)], table([floor], [['5m', next]]));
    });

    it('step in the time they are told', () => {
      const plan = scaled({ rules: { errorRate: { scaleOutAbove: 20, stepEvery: seconds(120) } } });
      const series = (load: PodLoad): InputSeries[] => [...deploymentSeries('ct', '10x8 12x40'), ...pods(load, 60)];
      check(
        plan,
        series({ requests: { ok: 79, failed: 21 } }),
        table(
          [floor],
          [
            ['1m45s', 12],
            ['3m45s', 12],
            ['4m30s', 14],
          ],
        ),
      );
      check(plan, series({ requests: { ok: 81, failed: 19 } }), table([floor], [['4m30s', 2]]));
    });

    it('ask for nothing when they are over, or not known', () => {
      const [ok, failed] = podSeries(podName('ct'), { requests: { ok: 0, failed: 0 } }).map(([name]) => name);
      const series: InputSeries[] = [
        ...deploymentSeries('ct', '10x80'),
        [ok as string, '0+90x80'],
        [failed as string, '0+10x20 200+0x60'],
      ];
      check(
        scaled({}),
        series,
        table(
          [reason('errors'), floor],
          [
            ['5m', 12, 12],
            ['7m30s', undefined, 2],
          ],
        ),
      );
      check(scaled({}), deploymentSeries('ct', '10x40'), table([reason('errors'), floor], [['5m', undefined, 2]]));
      check(scaled({}), pods(failing, 40), table([reason('errors'), floor], [['5m', undefined, 2]]));
    });
  });

  describe('the tolerance of the HPA', () => {
    /** Ten minutes of a floor of 11, from the start of time: a Thursday. */
    const plan = scaled({
      peakHours: [{ days: ['Thu'], start: '00:00', end: '00:10', timeZone: 'UTC', replicas: 11, leadTime: seconds(0) }],
    });
    const all = [floor, reason('peak-0'), reason('tolerance')];

    it('is stepped over, once', () => {
      check(
        plan,
        deploymentSeries('ct', '10x20 12x40'),
        table(all, [
          ['5m', 12, 11, 12],
          ['5m15s', 11, 11, undefined],
          ['9m45s', 11, 11, undefined],
          ['10m', 2, undefined, undefined],
        ]),
      );
    });

    it('does not keep the floor up when its reason is gone', () => {
      check(
        plan,
        deploymentSeries('ct', '10x80'),
        table(all, [
          ['9m45s', 12, 11, 12],
          ['10m', 2, undefined, undefined],
          ['15m', 2, undefined, undefined],
        ]),
      );
    });

    it('needs no step where the floor is far', () => {
      check(plan, deploymentSeries('ct', '4x40'), table(all, [['5m', 11, 11, 5]]));
      check(plan, deploymentSeries('ct', '11x40'), table(all, [['5m', 11, 11, undefined]]));
    });
  });

  describe('peak hours', () => {
    /** The rules at moments of real years, each of them the second evaluation of a history that starts in 1970. */
    function at(plan: ServicePlan, moments: readonly (readonly [moment: string, replicas: number])[]): void {
      const tests = moments.map(([moment, replicas]): PromTest => {
        const time = `${Date.parse(moment) / 1000}s`;
        const series = deploymentSeries('ct', '20x1');
        return {
          groups: groupsOf(plan),
          interval: time,
          scenarios: [{ name: moment, series, expect: table([floor], [[time, replicas]]) }],
        };
      });
      testRules(...tests);
    }

    const mornings = {
      days: ['Mon', 'Tue', 'Wed', 'Thu', 'Fri'] as const,
      start: '08:00',
      end: '12:00',
      timeZone: 'Europe/Berlin',
    };

    it('open by their lead and close on the local clock, in winter and in summer', () => {
      const plan = scaled({ peakHours: [{ ...mornings, replicas: 8, leadTime: seconds(1800) }] });
      at(plan, [
        // Friday before the clocks change: 08:00 is 07:00 UTC
        ['2027-03-26T06:29:59Z', 2],
        ['2027-03-26T06:30:00Z', 8],
        ['2027-03-26T10:59:59Z', 8],
        ['2027-03-26T11:00:00Z', 2],
        // no peak on the weekend
        ['2027-03-27T09:00:00Z', 2],
        ['2027-03-28T09:00:00Z', 2],
        // Monday after it: 06:00 UTC
        ['2027-03-29T05:29:59Z', 2],
        ['2027-03-29T05:30:00Z', 8],
        ['2027-03-29T09:59:59Z', 8],
        ['2027-03-29T10:00:00Z', 2],
        // Friday and Monday around the change of October
        ['2027-10-29T05:30:00Z', 8],
        ['2027-10-29T10:00:00Z', 2],
        ['2027-11-01T06:29:59Z', 2],
        ['2027-11-01T06:30:00Z', 8],
        // the last summer of which the rules know
        ['2037-07-01T05:30:00Z', 8],
        ['2037-07-01T05:29:59Z', 2],
      ]);
    });

    it('go on over the night in which the clocks change', () => {
      const plan = scaled({
        peakHours: [
          { days: ['Sat'], start: '22:00', end: '06:00', timeZone: 'Europe/Berlin', replicas: 8, leadTime: seconds(0) },
        ],
      });
      at(plan, [
        ['2027-03-27T20:59:59Z', 2],
        ['2027-03-27T21:00:00Z', 8],
        ['2027-03-28T00:59:59Z', 8],
        ['2027-03-28T01:00:00Z', 8],
        ['2027-03-28T03:59:59Z', 8],
        ['2027-03-28T04:00:00Z', 2],
      ]);
    });

    it('may overlap, and the highest counts', () => {
      const noon = { start: '11:00', end: '13:00', timeZone: 'America/New_York' };
      const plan = scaled({
        peakHours: [
          { ...mornings, replicas: 8 },
          { ...noon, replicas: 12 },
          { ...mornings, replicas: 5, end: '24:00' },
        ],
      });
      at(plan, [
        ['2027-06-01T08:00:00Z', 8],
        ['2027-06-01T12:00:00Z', 5],
        ['2027-06-01T15:00:00Z', 12],
        ['2027-06-01T18:00:00Z', 5],
        ['2027-06-05T16:00:00Z', 12],
        ['2027-06-05T18:00:00Z', 2],
      ]);
    });

    it('read the same clock as JavaScript does, in any zone', () => {
      const zones = [
        'Europe/Berlin',
        'America/New_York',
        'Africa/Casablanca',
        'Asia/Kathmandu',
        'Australia/Lord_Howe',
        'Pacific/Chatham',
      ];
      const plan = scaled({
        peakHours: zones.map((timeZone) => ({ start: '08:00', end: '12:00', timeZone, replicas: 8 })),
      });
      const rules = groupsOf(plan).flatMap(({ rules: group = [] }) =>
        group.filter(({ record }) => record === 'mediform:week_minute'),
      );
      expect(rules).toHaveLength(zones.length);
      const start = Date.UTC(2026, 0, 1) / 1000;
      const moments = Array.from(
        { length: 60 },
        (_, index) => start + Math.floor(((index + 0.5) * 378_691_200) / 60) + 7919 * index,
      );
      const expectations = rules.flatMap(({ expr, labels = {} }) =>
        moments.map((time) => ({
          at: `${time}s`,
          expr: String(expr),
          value: wallMinute(time, labels.time_zone ?? ''),
        })),
      );
      // nothing to record: the expressions are asked at moments that no history reaches
      testRules({ groups: [], interval: '200y', scenarios: [{ name: 'clocks', series: [], expect: expectations }] });
    });
  });

  it('forecast what the same hour of last week needed', () => {
    const plan = scaled({ forecast: { leadTime: seconds(1800) }, rules: { errorRate: 'off' } });
    // four pods at 10 %, and at 80 % from 01:00 to 01:30 of the first day: 4 × 80 / 64 = 5 replicas
    const gpu = (index: number): string => (podSeries(podName('ct', index), { gpus: [0] })[0] as InputSeries)[0];
    const series = [
      ...deploymentSeries('ct', '4x2100'),
      ...[0, 1, 2, 3].map((index): InputSeries => [gpu(index), '10x11 80x6 10x2080']),
    ];
    check(
      plan,
      series,
      table(
        [reason('forecast'), floor],
        [
          ['1h', undefined, 2],
          ['6d', undefined, 2],
          ['7d20m', 1, 2],
          ['7d30m', 5, 5],
          ['7d1h', 5, 5],
          ['7d1h30m', 5, 5],
          ['7d1h40m', 1, 2],
        ],
      ),
      '5m',
    );
  });
});
