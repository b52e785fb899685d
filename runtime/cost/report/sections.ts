import { Decimal, sum } from '../../../constructs/plan/cost/money';
import { perUnit } from '../analysis/analyzer';
import type { Advice } from '../advice/types';
import type { MethodName } from '../forecast/methods';
import {
  byWeek,
  categoryLegend,
  categoriesOf,
  CATEGORY_NAMES,
  forecastChart,
  modelsChart,
  monthsChart,
  NO_SERVICE,
  servicesChart,
  trendChart,
  type LegendEntry,
  type WeekCost,
} from './charts';
import { dayText, monthText, type Format } from './format';
import { chartFigure, markup, section, table, type Section } from './html';
import type { CostReport } from './report';
import { drawChart } from './svg';

const METHOD_NAMES: { readonly [M in MethodName]: string } = {
  'seasonal-naive': 'the same day of the last week',
  'damped-trend': 'exponential smoothing with a damped trend and a weekly season',
  'damped-trend-yearly': 'exponential smoothing with a damped trend, a weekly season and the pattern of the year',
};

/** Height of a chart with a bar for each of some rows. */
function barsHeight(rows: number, bar: number): { wide: number; narrow: number } {
  return { wide: rows * bar + 36, narrow: rows * (bar + 2) + 36 };
}

/** What every week of the last year cost. */
export async function trendSection(report: CostReport, format: Format): Promise<Section> {
  const weeks = byWeek(report.year);
  const { slopePerDay } = report.trend;
  const slope =
    slopePerDay === undefined
      ? ''
      : ` In the period, the cost of a day ${slopePerDay.isNegative() ? 'falls' : 'rises'} by ${format.money(slopePerDay.abs())} from day to day (median of all slopes over whole weeks).`;
  const partial = weeks.some(({ days }) => days < 7) ? ' A low bar at an end is a week of fewer days.' : '';
  const label = `Cost of each of ${weeks.length} weeks by category; the last complete week cost ${format.money(lastComplete(weeks).total)}.`;
  const chart = await drawChart('trend', label, { wide: 300, narrow: 260 }, trendChart(weeks, format));
  const data = table<WeekCost>(
    'Cost of each week by category',
    [
      { name: 'Week from', value: ({ week, days }) => `${dayText(week)}${days < 7 ? ` (${days} days)` : ''}` },
      ...categoriesOf(weeks).map((category) => ({
        name: CATEGORY_NAMES[category],
        number: true,
        value: ({ byCategory }: WeekCost) => format.money(byCategory[category]),
      })),
      { name: 'Total', number: true, value: ({ total }) => format.money(total) },
    ],
    weeks,
  );
  return section(
    'trend',
    'Every week',
    markup`<p class="note">The last year by week and category.${partial}${slope}</p>${chartFigure(chart, categoryLegend(weeks), data)}`,
  );
}

function lastComplete(weeks: readonly WeekCost[]): WeekCost {
  return (weeks.filter(({ days }) => days === 7).at(-1) ?? weeks.at(-1)) as WeekCost;
}

/** The last month against the one before. */
export async function monthsSection({ months }: CostReport, format: Format): Promise<Section | undefined> {
  if (months === undefined) {
    return undefined;
  }
  const { month, previous, days, change, changeRatio } = months;
  const ratio = changeRatio === undefined ? '' : ` (${format.changePercent(changeRatio)})`;
  const label = `${monthText(month)} against ${monthText(previous)} by service: ${format.change(change)}${ratio}.`;
  const height = barsHeight(months.byService.length, 44);
  const chart = await drawChart('months', label, height, monthsChart(months, format));
  const data = table(
    `${monthText(month)} against ${monthText(previous)}, the same ${days} days`,
    [
      { name: 'Service', value: ({ service }) => service ?? NO_SERVICE },
      { name: monthText(month), number: true, value: ({ cost }) => format.money(cost) },
      { name: monthText(previous), number: true, value: ({ previousCost }) => format.money(previousCost) },
      { name: 'Change', number: true, value: (row) => format.change(row.change) },
    ],
    months.byService,
  );
  const legend: readonly LegendEntry[] = [
    { name: monthText(month), color: 'var(--accent)', as: 'area' },
    { name: monthText(previous), color: 'var(--before)', as: 'area' },
  ];
  const text = `The same ${days} days of both months: ${format.money(months.cost)} against ${format.money(months.previousCost)}, ${format.change(change)}${ratio}.`;
  return section(
    'months',
    'Month against month',
    markup`<p class="note">${text}</p>${chartFigure(chart, legend, data)}`,
  );
}

/** What the year will have cost. */
export async function forecastSection(report: CostReport, format: Format): Promise<Section> {
  const { forecast, noForecast, budget } = report;
  if (forecast === undefined) {
    return section('forecast', 'The year', markup`<p class="note">No forecast yet: ${noForecast}.</p>`);
  }
  const { year, total, lower, upper, level, backtest, missing } = forecast;
  const interval = `${format.money(lower)} to ${format.money(upper)}`;
  const label = `Cost of ${year} up to each day: ${format.money(forecast.actual)} so far, ${format.money(total)} by the end of the year.`;
  const chart = await drawChart(
    'forecast',
    label,
    { wide: 310, narrow: 240 },
    forecastChart(forecast, report.year, budget?.budget, format),
  );
  const ends = forecast.days.filter(({ day }, index, days) => days[index + 1]?.day.slice(0, 7) !== day.slice(0, 7));
  const data = table(
    `Cost of ${year} up to the end of each month to come`,
    [
      { name: 'Up to', value: ({ day }) => dayText(day) },
      { name: 'From', number: true, value: ({ yearLower }) => format.money(yearLower) },
      { name: 'To', number: true, value: ({ yearUpper }) => format.money(yearUpper) },
    ],
    ends,
  );
  const legend: readonly LegendEntry[] = [
    { name: 'Known', color: 'var(--accent)', as: 'line' },
    { name: `Forecast and ${level * 100}% interval`, color: 'var(--accent)', as: 'dashes' },
    ...(budget === undefined ? [] : [{ name: 'Budget', color: 'var(--bad)', as: 'dots' } as const]),
  ];
  const scores = backtest.scores
    .map(({ method, meanAbsoluteError }) => `${METHOD_NAMES[method]} missed by ${format.percent(meanAbsoluteError)}`)
    .join('; ');
  return section(
    'forecast',
    `The year ${year}`,
    markup`<p>${format.money(total)} by the end of the year; with a probability of ${level * 100}%, ${interval}.</p>
<p class="note">Backtest: ${backtest.forecasts} times, ${backtest.horizonDays} days of the past were forecast from those before. On average, ${scores}. The better one is used; its intervals held ${format.percent(backtest.coverage)} of what came.${missing.length > 0 ? ` Days without data are estimated: ${missing.length}.` : ''}</p>
${chartFigure(chart, legend, ends.length > 0 ? data : undefined)}`,
  );
}

/** What each service cost. */
export async function servicesSection({ services, total, diagnosis }: CostReport, format: Format): Promise<Section> {
  const label = `Cost by service; ${services[0]?.service ?? NO_SERVICE} costs most, ${format.money(services[0]?.cost ?? new Decimal(0))}.`;
  const height = barsHeight(services.length, 38);
  const chart = await drawChart('services', label, height, servicesChart(services, format));
  const rows = table(
    'Cost, calls and cost for each call',
    [
      { name: 'Service', value: ({ service }) => service ?? NO_SERVICE },
      { name: 'Cost', number: true, value: ({ cost }) => format.money(cost) },
      {
        name: 'Part',
        number: true,
        value: ({ cost }) => (total.isZero() ? '' : format.percent(cost.dividedBy(total))),
      },
      { name: 'Calls', number: true, value: ({ calls }) => format.count(calls) },
      { name: 'Each call', number: true, value: ({ costPerCall }) => format.unitCost(costPerCall) },
    ],
    services,
    { stack: true },
  );
  const text =
    diagnosis === undefined
      ? ''
      : markup`<p class="note">A diagnosis costs ${format.unitCost(diagnosis.costPerDiagnosis)}: ${format.unitCost(diagnosis.directCostPerDiagnosis)} of its service, the rest its part of what serves all or nobody held.</p>`;
  return section('services', 'By service', markup`${text}${chartFigure(chart, categoryLegend(services))}${rows}`);
}

/** What each model cost. */
export async function modelsSection({ models }: CostReport, format: Format): Promise<Section | undefined> {
  if (models.length === 0) {
    return undefined;
  }
  const label = `Cost by model; ${models[0]?.model ?? ''} costs most.`;
  const height = barsHeight(models.length, 38);
  const chart = await drawChart('models', label, height, modelsChart(models, format));
  const rows = table(
    'Cost, usage hours and cost for each hour',
    [
      { name: 'Model', value: ({ model }) => model },
      { name: 'Cost', number: true, value: ({ cost }) => format.money(cost) },
      { name: 'Hours', number: true, value: ({ usageHours }) => format.count(usageHours) },
      { name: 'Each hour', number: true, value: ({ costPerHour }) => format.money(costPerHour) },
      { name: 'Calls', number: true, value: ({ calls }) => format.count(calls) },
      { name: 'Each call', number: true, value: ({ costPerCall }) => format.unitCost(costPerCall) },
    ],
    models,
    { stack: true },
  );
  return section('models', 'By model', markup`${chartFigure(chart, [])}${rows}`);
}

/** What to change. */
export function adviceSection({ advice }: CostReport, format: Format): Section {
  const rows = table<Advice>(
    `Advice from ${advice.days} days, the largest saving first`,
    [
      { name: 'What', value: ({ construct, subject }) => construct ?? subject },
      {
        name: 'Change',
        value: ({ property, current, proposed }) =>
          markup`<code>${property}</code>${current === undefined ? '' : ` from ${current}`}${proposed === undefined ? '' : ` to ${proposed}`}`,
      },
      { name: 'Because', value: ({ reason }) => reason },
      {
        name: 'Confidence',
        value: (row) => markup`<span class="chip">${row.confidence}</span> ${row.confidenceReason}`,
      },
      { name: 'Saves a month', number: true, value: ({ monthlySaving }) => format.money(monthlySaving) },
    ],
    advice.advice,
    { stack: true },
  );
  const withheld =
    advice.withheld.length === 0
      ? ''
      : markup`<details><summary>Considered and not advised (${advice.withheld.length})</summary>
<ul>${advice.withheld.map(({ subject, reason }) => markup`<li><strong>${subject}</strong>: ${reason}</li>`)}</ul></details>`;
  const text =
    advice.advice.length === 0
      ? 'Nothing to change was found.'
      : `${format.money(advice.monthlySaving)} a month could be saved at the same time. No advice takes a service below what its priority needs.`;
  return section(
    'advice',
    'Advice',
    markup`<p class="note">${text}</p>${advice.advice.length > 0 ? rows : ''}${withheld}`,
  );
}

/** What the numbers rest on. */
export function sourcesSection({ sources }: CostReport, format: Format): Section {
  const total = sum(sources.map(({ cost }) => cost));
  const rows = table(
    'Where the prices are from',
    [
      { name: 'Source', value: ({ source }) => source },
      { name: 'Published', value: ({ published }) => dayText(published) },
      { name: 'Amounts are', value: ({ confidence }) => markup`<span class="chip">${confidence}</span>` },
      { name: 'Cost', number: true, value: ({ cost }) => format.money(cost) },
      { name: 'Part', number: true, value: ({ cost }) => format.percent(perUnit(cost, total)) },
    ],
    sources,
    { stack: true },
  );
  const text =
    'Billed amounts are what the provider’s bill says; metered ones are measured use times a dated price, and the bill may still correct them; declared ones were written down by somebody.';
  return section('sources', 'What the numbers rest on', markup`<p class="note">${text}</p>${rows}`);
}
