import type { ConfigMap } from '../../imports/config-map';
import { contentHash } from '../content-hash';
import { jsonFile } from '../json';
import { COST_JOB, CostMetric } from './metrics';
import type { CostExportPlan } from './plan';

/** Version of Grafana's dashboard model: that of Grafana 11 and 12. */
const SCHEMA_VERSION = 39;
const DATASOURCE = { type: 'prometheus', uid: '${datasource}' };

interface Target {
  readonly expr: string;
  readonly legend?: string;
}

/** A panel; x, y, width and height in Grafana's grid of 24 columns. */
interface PanelOptions {
  readonly title: string;
  readonly type: 'stat' | 'timeseries' | 'bargauge' | 'gauge';
  readonly at: readonly [x: number, y: number, width: number, height: number];
  readonly targets: readonly Target[];
  readonly unit?: string;
  readonly stacked?: boolean;
  readonly description?: string;
  readonly thresholds?: readonly { readonly color: string; readonly value: number | null }[];
}

/** The ConfigMap that Grafana's sidecar takes the dashboard from; undefined where there are no metrics to show. */
export function dashboardConfigMap(plan: CostExportPlan): ConfigMap | undefined {
  const { name, namespace, labels, props, config } = plan;
  if (config.pushgateway === undefined) {
    return undefined;
  }
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: `${name}-dashboard`,
      namespace,
      labels: { ...(props.dashboardLabels ?? { grafana_dashboard: '1' }), ...labels },
    },
    data: { [`${namespace}-${name}.json`]: jsonFile(dashboard(plan)) },
  };
}

/** Grafana's dashboard: what the ledger's page shows, day by day. */
export function dashboard({ config, name, namespace }: CostExportPlan): object {
  const budget = config.monthlyBudget !== undefined;
  return {
    uid: `mediform-cost-${contentHash(config.name).slice(0, 12)}`,
    title: `Cost of AI inference (${namespace}/${name})`,
    tags: ['mediform', 'cost'],
    schemaVersion: SCHEMA_VERSION,
    editable: true,
    refresh: '1h',
    time: { from: 'now-90d', to: 'now' },
    timezone: config.cost.timeZone ?? 'utc',
    templating: {
      list: [
        { name: 'datasource', label: 'Prometheus', type: 'datasource', query: 'prometheus', current: {}, hide: 0 },
      ],
    },
    panels: panels(config.name, config.cost.currency, budget).map((panel, index) => panelJson(panel, index + 1)),
  };
}

/** Every PromQL expression of a dashboard, for tests against a real engine. */
export function expressionsOf(model: object): readonly string[] {
  const { panels: all } = model as {
    readonly panels: readonly { readonly targets: readonly { readonly expr: string }[] }[];
  };
  return all.flatMap(({ targets }) => targets.map(({ expr }) => expr));
}

function panels(ledger: string, currency: string, budget: boolean): PanelOptions[] {
  const of = (metric: string): string => `${metric}{job="${COST_JOB}",ledger="${ledger}"}`;
  const one = (metric: string): string => `max(${of(metric)})`;
  const by = (label: string, metric: string): string => `max by (${label}) (${of(metric)})`;
  const unit = `currency${currency}`;
  const money = CURRENCY_UNITS.has(currency) ? unit : `suffix: ${currency}`;
  const days = (label: string, metric: string): Target => ({ expr: by(label, metric), legend: `{{${label}}}` });
  return [
    { title: 'Month so far', type: 'stat', at: [0, 0, 5, 4], unit: money, targets: [{ expr: one(CostMetric.MONTH) }] },
    {
      title: 'Against the same days of the month before',
      type: 'stat',
      at: [5, 0, 5, 4],
      unit: 'percentunit',
      targets: [{ expr: `${one(CostMetric.MONTH)} / ${one(CostMetric.MONTH_BEFORE)} - 1` }],
      thresholds: [
        { color: 'green', value: null },
        { color: 'orange', value: 0.1 },
        { color: 'red', value: 0.25 },
      ],
    },
    {
      title: 'Whole month at this pace',
      type: 'stat',
      at: [10, 0, 5, 4],
      unit: money,
      targets: [{ expr: one(CostMetric.MONTH_PROJECTED) }],
    },
    ...(budget
      ? [
          {
            title: 'Budget of the month',
            type: 'gauge' as const,
            at: [15, 0, 5, 4] as const,
            unit: 'percentunit',
            targets: [{ expr: `${one(CostMetric.MONTH)} / ${one(CostMetric.BUDGET)}` }],
            thresholds: [
              { color: 'green', value: null },
              { color: 'orange', value: 0.8 },
              { color: 'red', value: 1 },
            ],
          },
        ]
      : []),
    {
      title: 'Days that the ledger lacks',
      type: 'stat',
      at: [20, 0, 4, 4],
      targets: [{ expr: one(CostMetric.MISSING_DAYS) }],
      thresholds: [
        { color: 'green', value: null },
        { color: 'red', value: 1 },
      ],
    },
    {
      title: 'Every day by category',
      type: 'timeseries',
      at: [0, 4, 24, 9],
      unit: money,
      stacked: true,
      description: 'Cost of the day before, as the ledger has it',
      targets: [days('category', CostMetric.DAY)],
    },
    {
      title: 'Every day by service',
      type: 'timeseries',
      at: [0, 13, 12, 9],
      unit: money,
      stacked: true,
      targets: [days('service', CostMetric.DAY_OF_SERVICE)],
    },
    {
      title: 'Every day by model',
      type: 'timeseries',
      at: [12, 13, 12, 9],
      unit: money,
      stacked: true,
      targets: [days('model', CostMetric.DAY_OF_MODEL)],
    },
    {
      title: 'Cost of a call, by service',
      type: 'bargauge',
      at: [0, 22, 12, 8],
      unit: money,
      targets: [
        {
          expr: `${by('service', CostMetric.DAY_OF_SERVICE)} / (${by('service', CostMetric.CALLS_OF_SERVICE)} > 0)`,
          legend: '{{service}}',
        },
      ],
    },
    {
      title: 'Cost of an hour, by model',
      type: 'bargauge',
      at: [12, 22, 12, 8],
      unit: money,
      targets: [
        {
          expr: `${by('model', CostMetric.DAY_OF_MODEL)} / (${by('model', CostMetric.HOURS_OF_MODEL)} > 0)`,
          legend: '{{model}}',
        },
      ],
    },
  ];
}

/** Currencies that Grafana has a unit for. */
const CURRENCY_UNITS = new Set([
  'USD',
  'GBP',
  'EUR',
  'JPY',
  'RUB',
  'UAH',
  'BRL',
  'DKK',
  'ISK',
  'NOK',
  'SEK',
  'CZK',
  'CHF',
  'PLN',
  'ZAR',
  'INR',
  'KRW',
]);

function panelJson(
  { title, type, at: [x, y, w, h], targets, unit = 'none', stacked = false, description, thresholds }: PanelOptions,
  id: number,
): object {
  const steps = thresholds ?? [{ color: 'blue', value: null }];
  return {
    id,
    title,
    ...(description === undefined ? {} : { description }),
    type,
    gridPos: { x, y, w, h },
    datasource: DATASOURCE,
    targets: targets.map(({ expr, legend }, index) => ({
      refId: String.fromCharCode(65 + index),
      datasource: DATASOURCE,
      expr,
      instant: type !== 'timeseries',
      range: type === 'timeseries',
      ...(legend === undefined ? {} : { legendFormat: legend }),
    })),
    fieldConfig: {
      defaults: {
        unit,
        ...(type === 'gauge' ? { min: 0, max: 1.2 } : {}),
        color: { mode: type === 'timeseries' ? 'palette-classic' : 'thresholds' },
        thresholds: { mode: 'absolute', steps: steps.map((step) => ({ ...step })) },
        ...(type === 'timeseries'
          ? {
              custom: {
                drawStyle: 'line',
                lineInterpolation: 'stepBefore',
                lineWidth: 1,
                fillOpacity: stacked ? 60 : 0,
                showPoints: 'never',
                stacking: { mode: stacked ? 'normal' : 'none', group: 'A' },
              },
            }
          : {}),
      },
      overrides: [],
    },
    options:
      type === 'timeseries'
        ? {
            legend: { displayMode: 'list', placement: 'bottom', showLegend: true },
            tooltip: { mode: 'multi', sort: 'desc' },
          }
        : { reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false }, orientation: 'horizontal' },
  };
}
