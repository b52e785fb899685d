import { COST_CATEGORIES, type CostCategory } from '../../../constructs/plan/cost/categories';
import { addDays } from '../../../constructs/plan/cost/days';
import { Decimal, sum } from '../../../constructs/plan/cost/money';
import type { ModelCost, ServiceCost } from '../analysis/analyzer';
import type { MonthComparison } from '../analysis/months';
import type { YearForecast } from '../forecast/year';
import type { DailyCost } from '../monitor';
import { monthText, type Format } from './format';
import type { ChartOption } from './svg';

/** What categories are called. */
export const CATEGORY_NAMES: { readonly [C in CostCategory]: string } = {
  gpu: 'GPU',
  cpu: 'CPU and memory',
  storage: 'Volumes',
  network: 'Network',
  idle: 'Idle',
  shared: 'Shared',
  api: 'Model APIs',
  data_storage: 'Data storage',
  people: 'People',
};

/** What costs of no service are shown as. */
export const NO_SERVICE = 'of no service';

const TEXT = 'var(--text)';
const MUTED = 'var(--muted)';
const AXIS_LABEL = { color: MUTED, fontSize: 12 };
const GRID_LINES = { lineStyle: { color: 'var(--line)' } };
/** Below this width there is little room. */
const NARROW = 500;
/** Room for a letter of 12 pixels, in pixels; generous, since fonts differ. */
const LETTER = 7.8;

/** A week that starts on Monday, by category. */
export interface WeekCost {
  /** Its Monday, `YYYY-MM-DD`. */
  readonly week: string;
  /** Days of it that the ledger has. */
  readonly days: number;
  readonly total: Decimal;
  readonly byCategory: { readonly [C in CostCategory]: Decimal };
}

/** Adds days up to weeks. */
export function byWeek(days: readonly DailyCost[]): WeekCost[] {
  const weeks = new Map<string, DailyCost[]>();
  for (const day of days) {
    const weekday = (new Date(`${day.day}T00:00:00Z`).getUTCDay() + 6) % 7;
    const monday = addDays(day.day, -weekday);
    weeks.set(monday, [...(weeks.get(monday) ?? []), day]);
  }
  return [...weeks].map(([week, ofWeek]) => ({
    week,
    days: ofWeek.length,
    total: sum(ofWeek.map(({ total }) => total)),
    byCategory: Object.fromEntries(
      COST_CATEGORIES.map((category) => [category, sum(ofWeek.map(({ byCategory }) => byCategory[category]))]),
    ) as WeekCost['byCategory'],
  }));
}

/** Categories that some rows have, in their order. */
export function categoriesOf(
  rows: readonly { readonly byCategory: { readonly [C in CostCategory]?: Decimal } }[],
): readonly CostCategory[] {
  return COST_CATEGORIES.filter((category) => rows.some(({ byCategory }) => byCategory[category]?.isZero() === false));
}

/** An entry of a chart's legend. */
export interface LegendEntry {
  readonly name: string;
  /** Colour as CSS has it. */
  readonly color: string;
  /** How it is drawn. */
  readonly as: 'area' | 'line' | 'dashes' | 'dots';
}

/** The legend of what is stacked by category. */
export function categoryLegend(rows: Parameters<typeof categoriesOf>[0]): readonly LegendEntry[] {
  return categoriesOf(rows).map((category) => ({
    name: CATEGORY_NAMES[category],
    color: `var(--${category})`,
    as: 'area',
  }));
}

/** Columns of weeks, stacked by category. */
export function trendChart(weeks: readonly WeekCost[], format: Format): ChartOption {
  const categories = categoriesOf(weeks);
  return () => ({
    grid: { left: 52, right: 8, top: 10, bottom: 30 },
    xAxis: {
      type: 'category',
      data: weeks.map(({ week }) => week),
      axisLabel: { ...AXIS_LABEL, formatter: shortDay, hideOverlap: true },
      axisTick: { show: false },
      axisLine: GRID_LINES,
    },
    yAxis: valueAxis(format),
    series: categories.map((category) => ({
      name: CATEGORY_NAMES[category],
      type: 'bar',
      stack: 'week',
      barCategoryGap: '22%',
      data: weeks.map(({ byCategory }) => byCategory[category].toNumber()),
      itemStyle: { color: `var(--${category})` },
    })),
  });
}

/** Bars of services, stacked by category. */
export function servicesChart(services: readonly ServiceCost[], format: Format): ChartOption {
  const rows = [...services].reverse();
  return (width) => ({
    ...bars(
      rows.map(({ service }) => service ?? NO_SERVICE),
      width,
      format,
    ),
    series: categoriesOf(services).map((category) => ({
      name: CATEGORY_NAMES[category],
      type: 'bar',
      stack: 'service',
      barMaxWidth: 26,
      data: rows.map(({ byCategory }) => byCategory[category]?.toNumber() ?? 0),
      itemStyle: { color: `var(--${category})` },
    })),
  });
}

/** Bars of models. */
export function modelsChart(models: readonly ModelCost[], format: Format): ChartOption {
  const rows = [...models].reverse();
  return (width) => ({
    ...bars(
      rows.map(({ model }) => model),
      width,
      format,
    ),
    series: [
      {
        type: 'bar',
        barMaxWidth: 26,
        data: rows.map(({ cost }) => cost.toNumber()),
        itemStyle: { color: 'var(--accent)' },
        label: { show: true, position: 'right', color: TEXT, formatter: valueLabel(format) },
      },
    ],
  });
}

/** Bars of services in two months. */
export function monthsChart(months: MonthComparison, format: Format): ChartOption {
  const rows = [...months.byService].sort((a, b) => a.cost.comparedTo(b.cost));
  const side = (name: string, color: string, data: number[]): object => ({
    name,
    type: 'bar',
    barMaxWidth: 16,
    data,
    itemStyle: { color },
  });
  return (width) => ({
    ...bars(
      rows.map(({ service }) => service ?? NO_SERVICE),
      width,
      format,
    ),
    series: [
      side(
        monthText(months.previous),
        'var(--before)',
        rows.map(({ previousCost }) => previousCost.toNumber()),
      ),
      side(
        monthText(months.month),
        'var(--accent)',
        rows.map(({ cost }) => cost.toNumber()),
      ),
    ],
  });
}

/** Lines of what a year has cost up to each day, known and forecast, with the interval. */
export function forecastChart(
  forecast: YearForecast,
  known: readonly DailyCost[],
  budget: Decimal | undefined,
  format: Format,
): ChartOption {
  const cumulate = (costs: readonly Decimal[], start: Decimal): number[] => {
    let total = start;
    return costs.map((cost) => (total = total.plus(cost)).toNumber());
  };
  const past = known.filter(({ day }) => day.startsWith(String(forecast.year)));
  const actual = cumulate(
    past.map(({ total }) => total),
    new Decimal(0),
  );
  const coming = forecast.days;
  const expected = cumulate(
    coming.map(({ cost }) => cost),
    forecast.total.minus(sum(coming.map(({ cost }) => cost))),
  );
  const point = (day: string, value: number): [string, number] => [day, value];
  const line = (name: string, color: string, data: [string, number][], extra: object = {}): object => ({
    name,
    type: 'line',
    symbol: 'none',
    data,
    lineStyle: { color, width: 2.5 },
    itemStyle: { color },
    ...extra,
  });
  const invisible = { lineStyle: { opacity: 0 }, stack: 'interval', tooltip: { show: false } };
  const yearly = budget?.times(12).toNumber();
  return (width) => ({
    grid: { left: 60, right: 16, top: 10, bottom: 30 },
    xAxis: {
      type: 'time',
      min: `${forecast.year}-01-01`,
      max: `${forecast.year}-12-31`,
      axisLabel: { ...AXIS_LABEL, hideOverlap: true, formatter: '{MMM}' },
      axisLine: GRID_LINES,
      axisTick: { show: false },
      splitNumber: width < NARROW ? 4 : 12,
    },
    yAxis: valueAxis(format),
    series: [
      line(
        'Lower',
        'transparent',
        coming.map(({ day, yearLower }) => point(day, yearLower.toNumber())),
        invisible,
      ),
      line(
        'Interval',
        'transparent',
        coming.map(({ day, yearLower, yearUpper }) => point(day, yearUpper.minus(yearLower).toNumber())),
        { ...invisible, areaStyle: { color: 'var(--accent)', opacity: 0.22 } },
      ),
      line(
        'Known',
        'var(--accent)',
        past.map(({ day }, index) => point(day, actual[index] ?? 0)),
      ),
      line(
        'Forecast',
        'var(--accent)',
        coming.map(({ day }, index) => point(day, expected[index] ?? 0)),
        {
          lineStyle: { color: 'var(--accent)', width: 2.5, type: 'dashed' },
        },
      ),
      ...(yearly === undefined
        ? []
        : [
            line(
              'Budget',
              'var(--bad)',
              [point(`${forecast.year}-01-01`, yearly), point(`${forecast.year}-12-31`, yearly)],
              { lineStyle: { color: 'var(--bad)', width: 1.5, type: 'dotted' } },
            ),
          ]),
    ],
  });
}

function valueAxis(format: Format): object {
  return {
    type: 'value',
    axisLabel: { ...AXIS_LABEL, formatter: valueAxisLabel(format), hideOverlap: true },
    splitLine: GRID_LINES,
  };
}

/** Axes of bars that have names. Without a browser nobody can measure text: the names get room by their letters. */
function bars(names: readonly string[], width: number, format: Format): object {
  const narrow = width < NARROW;
  const room = Math.min(Math.max(...names.map((name) => name.length)) * LETTER + 14, narrow ? 134 : 220);
  return {
    grid: { left: room, right: 64, top: 4, bottom: 30 },
    xAxis: { ...valueAxis(format), splitNumber: narrow ? 2 : 6 },
    yAxis: {
      type: 'category',
      data: names,
      axisLabel: { color: TEXT, fontSize: narrow ? 11 : 12, width: room - 12, overflow: 'break', lineHeight: 14 },
      axisTick: { show: false },
      axisLine: GRID_LINES,
    },
  };
}

function valueLabel(format: Format): (params: { readonly value: number }) => string {
  return ({ value }) => format.money(new Decimal(value));
}

/** `€0`, `€500`, `€12k`, `€1.2M` */
function valueAxisLabel(format: Format): (value: number) => string {
  const short = new Intl.NumberFormat('en', {
    style: 'currency',
    currency: format.currency,
    notation: 'compact',
    minimumFractionDigits: 0,
    maximumFractionDigits: 1,
  });
  return (value) => short.format(value);
}

function shortDay(day: string): string {
  return new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' }).format(
    new Date(`${day}T00:00:00Z`),
  );
}
