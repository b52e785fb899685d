import { Decimal } from '../../../constructs/plan/cost/money';
import { Format, dayText, monthText } from './format';
import { markup, Markup, section, sectionMarkup, type Section } from './html';
import type { BudgetState, CostReport } from './report';
import {
  adviceSection,
  forecastSection,
  modelsSection,
  monthsSection,
  servicesSection,
  sourcesSection,
  trendSection,
} from './sections';
import { STYLE } from './style';

/** What the page says of itself. */
export interface DashboardOptions {
  /** Heading of the page. @default 'Cost of AI inference' */
  readonly title?: string;
  /** When the page was made, as it is to be shown. @default - not said */
  readonly generated?: string;
}

/**
 * A report as one HTML page that needs nothing else: no scripts, no fonts, no network. Charts are SVG, each with a table of
 * its data; it is readable on a phone, on paper, in light and dark, and by screen readers.
 */
export async function costDashboard(report: CostReport, options: DashboardOptions = {}): Promise<string> {
  const { title = 'Cost of AI inference', generated } = options;
  const format = new Format(report.currency);
  const { from, to } = report.period;
  const sections = [
    alertsSection(report, format),
    await servicesSection(report, format),
    adviceSection(report, format),
    await trendSection(report, format),
    await monthsSection(report, format),
    await forecastSection(report, format),
    await modelsSection(report, format),
    sourcesSection(report, format),
  ].filter((part) => part !== undefined);
  const page = markup`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title}, ${dayText(from)} to ${dayText(to)}</title>
        <style>
          ${new Markup(STYLE)}
        </style>
      </head>
      <body>
        <a class="skip" href="#main">Skip to the content</a>
        <header>
          <h1>${title}</h1>
          <p class="lead">
            ${dayText(from)} to ${dayText(to)}, in ${report.currency}${generated === undefined ? '' : `. Made ${generated}`}.
          </p>
          <nav aria-label="Sections">
            <ul>
              ${sections.map(link)}
            </ul>
          </nav>
        </header>
        <main id="main">${figures(report, format)} ${sections.map(sectionMarkup)}</main>
        <footer>
          Every amount is the sum of the ledger’s rows, exact to the billionth; only what is shown is rounded.
        </footer>
      </body>
    </html> `;
  return page.text;
}

function link({ id, title }: Section): Markup {
  return markup`<li><a href="#${id}">${title}</a></li>`;
}

function figures(report: CostReport, format: Format): Markup {
  const { total, trend, months, forecast, diagnosis, budget, advice } = report;
  const { idle } = report.categories;
  const figure = (name: string, value: string, detail: Markup | string): Markup =>
    markup`<li>
      <div class="name">${name}</div>
      <div class="value">${value}</div>
      <div class="detail">${detail}</div>
    </li>`;
  const days = trend.days.length;
  return markup`<ul class="figures" aria-label="Key figures">
    ${figure(`${days} days`, format.money(total), `${format.money(total.dividedBy(days))} a day`)}
    ${budget === undefined ? '' : budgetFigure(budget, format)}
    ${months === undefined ? '' : figure(`${monthText(months.month)}, ${months.days} days`, format.money(months.cost), monthDetail(report, format))}
    ${forecast === undefined ? '' : figure(`Forecast for ${forecast.year}`, format.money(forecast.total), `${format.money(forecast.lower)} to ${format.money(forecast.upper)}`)}
    ${diagnosis === undefined ? '' : figure('One diagnosis', format.unitCost(diagnosis.costPerDiagnosis), `${format.count(diagnosis.diagnoses)} diagnoses`)}
    ${figure('Held by nobody', format.money(idle), `${format.percent(total.isZero() ? 0 : idle.dividedBy(total))} of the cost`)}
    ${figure('Could be saved a month', format.money(advice.monthlySaving), markup`<a href="#advice">${count(advice.advice.length, 'piece')} of advice</a>`)}
  </ul>`;
}

function budgetFigure({ month, budget, spent, spentRatio, projected, passed }: BudgetState, format: Format): Markup {
  const width = Decimal.min(1, spentRatio).times(100).toFixed(1);
  const over = projected.greaterThan(budget);
  // at the end of a month, nothing is left to project
  const holds = projected.equals(spent) ? 'it held' : 'at this pace it will hold';
  const word = passed ? 'passed' : over ? 'at this pace it will be passed' : holds;
  const tone = passed ? 'bad' : over ? 'warn' : 'good';
  return markup`<li>
    <div class="name">Budget of ${monthText(month)}</div>
    <div class="value">${format.percent(spentRatio)}</div>
    <div class="detail">
      ${format.money(spent)} of ${format.money(budget)}: <strong class="${tone}">${word}</strong>
    </div>
    <div class="meter${passed ? ' over' : ''}" aria-hidden="true"><span style="width:${width}%"></span></div>
  </li>`;
}

function monthDetail({ months }: CostReport, format: Format): Markup | string {
  if (months?.changeRatio === undefined) {
    return '';
  }
  const rises = months.changeRatio.greaterThan(0);
  const arrow = rises ? '▲' : '▼';
  return markup`<strong class="${rises ? 'bad' : 'good'}">${arrow} ${format.percent(months.changeRatio.abs())}</strong>
    against the same days of ${monthText(months.previous)}`;
}

function alertsSection({ trend: { missing }, budget }: CostReport, format: Format): Section | undefined {
  const alerts: string[] = [];
  if (budget?.passed === true) {
    const { month, budget: most, spent } = budget;
    alerts.push(`The budget of ${monthText(month)}, ${format.money(most)}, is passed: ${format.money(spent)}.`);
  }
  if (missing.length > 0) {
    alerts.push(`The ledger lacks ${count(missing.length, 'day')}: ${shortList(missing)}. The sums are without them.`);
  }
  const items = alerts.map((alert) => markup`<li>${alert}</li>`);
  return alerts.length === 0 ? undefined : section('alerts', 'Look here first', markup`<ul>${items}</ul>`);
}

function shortList(days: readonly string[]): string {
  const shown = days.slice(0, 5).map(dayText).join(', ');
  return days.length > 5 ? `${shown} and ${days.length - 5} more` : shown;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
