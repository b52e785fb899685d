/** When the alarms of `CostExport` fire, on the real engine. */
import { CostExport, type CostExportProps } from 'mediform';
import { costRule } from '../../constructs/plan/cost-export/rules';
import { testChart } from '../support/app';
import { COST_EXPORT } from '../support/cost-export';
import {
  checkRules,
  describeWithPromtool,
  testRules,
  type Expectation,
  type InputSeries,
  type RuleGroup,
} from './support/promtool';

function groupsOf(props: Partial<CostExportProps>): readonly RuleGroup[] {
  const { plan } = new CostExport(testChart('cost'), 'cost-export', { ...COST_EXPORT, ...props });
  return costRule(plan).spec.groups ?? [];
}

const GROUPS = groupsOf({ monthlyBudget: '1000' });
const metric = (name: string): string => `mediform_cost_${name}{job="mediform_cost",ledger="cost/cost-export"}`;
/** The end of a day, 1970 being the first that promtool knows. */
const LAST_DAY = metric('last_day_end_timestamp_seconds');
const SUCCESS = 'kube_cronjob_status_last_successful_time{namespace="cost",cronjob="cost-export"}';
const CREATED = 'kube_cronjob_created{namespace="cost",cronjob="cost-export"}';

const firing = (alert: string, at: string, yes: boolean): Expectation => ({
  at,
  expr: `count(ALERTS{alertname="${alert}",alertstate="firing"})`,
  value: yes ? 1 : undefined,
});

/** A series that stays as it is for forty days. */
const steady = (series: string, value: number): InputSeries => [series, `${value}x960`];

describeWithPromtool('alarms of the cost export', () => {
  test('are rules that Prometheus takes', () => {
    expect(checkRules(GROUPS)).toContain('SUCCESS: 4 rules found');
    expect(checkRules(groupsOf({ pushgateway: 'off' }))).toContain('SUCCESS: 1 rules found');
    expect(checkRules(groupsOf({}))).toContain('SUCCESS: 2 rules found');
  });

  test('fire where no run succeeds for 30 hours, from the first on', () => {
    testRules({
      groups: GROUPS,
      interval: '1h',
      scenarios: [
        {
          name: 'a run each night',
          series: [[SUCCESS, '10800x23 97200x23 183600x23']],
          expect: ['20h', '30h', '60h'].map((at) => firing('CostExportFails', at, false)),
        },
        {
          name: 'one run, then none',
          series: [steady(SUCCESS, 10_800), steady(CREATED, 0)],
          expect: [firing('CostExportFails', '33h', false), firing('CostExportFails', '35h', true)],
        },
        {
          name: 'never a run',
          series: [steady(CREATED, 3600)],
          expect: [firing('CostExportFails', '30h', false), firing('CostExportFails', '33h', true)],
        },
      ],
    });
  });

  test('fire where the ledger lacks a day, or has got no new one', () => {
    testRules({
      groups: GROUPS,
      interval: '1h',
      scenarios: [
        {
          name: 'a gap',
          series: [
            [metric('missing_days'), '0x10 1x30'],
            [LAST_DAY, '86399x40'],
          ],
          expect: [firing('CostDayMissing', '9h', false), firing('CostDayMissing', '14h', true)],
        },
        {
          name: 'nothing new',
          series: [steady(metric('missing_days'), 0), steady(LAST_DAY, 86_399)],
          expect: [firing('CostDayMissing', '55h', false), firing('CostDayMissing', '63h', true)],
        },
      ],
    });
  });

  test('fire where the budget is passed, or will be, from the eighth day of a month on', () => {
    const money = (monthToDate: number, projected: number): readonly InputSeries[] => [
      steady(metric('month_to_date'), monthToDate),
      steady(metric('month_projected'), projected),
      steady(metric('month_budget'), 1000),
    ];
    testRules({
      groups: GROUPS,
      interval: '1h',
      scenarios: [
        {
          name: 'within',
          series: money(300, 900),
          expect: [firing('CostBudgetPassed', '10d', false), firing('CostBudgetWillBePassed', '10d', false)],
        },
        {
          name: 'too fast',
          series: money(300, 1200),
          expect: [
            firing('CostBudgetWillBePassed', '5d', false),
            firing('CostBudgetWillBePassed', '10d', true),
            firing('CostBudgetPassed', '10d', false),
          ],
        },
        {
          name: 'passed, which says it all',
          series: money(1001, 1500),
          expect: [firing('CostBudgetPassed', '10d', true), firing('CostBudgetWillBePassed', '10d', false)],
        },
        {
          name: 'another ledger',
          series: money(1001, 1500).map(([series, values]) => [
            series.replace('cost/cost-export', 'cost/other'),
            values,
          ]),
          expect: [firing('CostBudgetPassed', '10d', false)],
        },
      ],
    });
  });
});
