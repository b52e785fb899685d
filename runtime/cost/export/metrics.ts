import { COST_CATEGORIES } from '../../../constructs/plan/cost/categories';
import { addDays, dayBounds } from '../../../constructs/plan/cost/days';
import { Decimal, money, sum } from '../../../constructs/plan/cost/money';
import type { LedgerRow } from '../../../constructs/plan/cost/row';
import { COST_JOB, CostMetric } from '../../../constructs/plan/cost-export/metrics';
import { groupBy } from '../analysis/group-by';
import { monthBefore, monthPeriod } from '../analysis/period';
import type { DayMetadata } from '../ledger/day-metadata';
import { LedgerError } from '../ledger/errors';

/** What a ledger's metrics are made from. */
export interface MetricsInput {
  /** What each day's file says of itself, in order; at least the last month and the one before, as far as there are. */
  readonly days: readonly [DayMetadata, ...DayMetadata[]];
  /** Rows of the last day; absent where it was collected by an earlier run, whose metrics of it then stay. */
  readonly lastRows?: readonly LedgerRow[];
  readonly missingDays: number;
  readonly monthlyBudget?: string;
}

interface Labels {
  readonly [name: string]: string;
}

/** The metrics of a ledger, in Prometheus' text format. */
export function metricsText({ days, lastRows, missingDays, monthlyBudget }: MetricsInput): string {
  const last = days.at(-1) as DayMetadata;
  const { currency } = last;
  const lines = new Lines();
  lines.add(CostMetric.LAST_DAY, 'Last second of the last day', {}, dayBounds(last.day, last.timeZone).end - 1);
  lines.add(CostMetric.MISSING_DAYS, 'Days that the ledger lacks', {}, missingDays);
  if (lastRows !== undefined) {
    addRows(lines, lastRows, currency);
  }
  const month = last.day.slice(0, 7);
  const ofMonth = days.filter(({ day }) => day.startsWith(month));
  const spent = sum(ofMonth.map(({ total }) => new Decimal(total)));
  lines.add(CostMetric.MONTH, 'Cost of the month so far', { currency }, spent);
  const lengthOfMonth = Number(monthPeriod(month).to.slice(8));
  const projected = money(spent.dividedBy(ofMonth.length).times(lengthOfMonth));
  lines.add(CostMetric.MONTH_PROJECTED, 'Cost of the whole month at this pace', { currency }, projected);
  const before = ofMonth.map(({ day }) => days.find((other) => other.day === `${monthBefore(month)}${day.slice(7)}`));
  if (before.every((day) => day !== undefined)) {
    const cost = sum(before.map(({ total }) => new Decimal(total)));
    lines.add(CostMetric.MONTH_BEFORE, 'Cost of the same days of the month before', { currency }, cost);
  }
  if (monthlyBudget !== undefined) {
    lines.add(CostMetric.BUDGET, 'What a month may cost', { currency }, monthlyBudget);
  }
  return lines.text();
}

/** First day whose file the metrics need: the first of the month before that of the last day. */
export function firstDayNeeded(last: string): string {
  return `${monthBefore(last.slice(0, 7))}-01`;
}

/** Days of some that a ledger lacks. */
export function missingOf(days: ReadonlySet<string>, today: string, backfillDays: number): readonly string[] {
  return Array.from({ length: backfillDays }, (_, index) => addDays(today, index - backfillDays)).filter(
    (day) => !days.has(day),
  );
}

/**
 * Puts metrics to a Pushgateway, in place of all that the ledger had put there before.
 *
 * @throws LedgerError where that fails
 */
export async function push(gateway: string, ledger: string, text: string, replace: boolean): Promise<void> {
  // a slash within a value must be in base64, and then base64 for addresses
  const name = Buffer.from(ledger).toString('base64url');
  const url = new URL(`metrics/job/${COST_JOB}/ledger@base64/${name}`, gateway.endsWith('/') ? gateway : `${gateway}/`);
  try {
    // PUT takes away what is not there any more, POST leaves it
    const response = await fetch(url, {
      method: replace ? 'PUT' : 'POST',
      body: text,
      signal: AbortSignal.timeout(30_000),
    });
    if (!response.ok) {
      throw new Error(`${response.status} ${(await response.text()).trim()}`);
    }
  } catch (cause) {
    throw new LedgerError(`the Pushgateway at ${gateway} did not take the metrics: ${(cause as Error).message}`, {
      cause,
    });
  }
}

function addRows(lines: Lines, rows: readonly LedgerRow[], currency: string): void {
  const cost = (some: readonly LedgerRow[]): Decimal => sum(some.map(({ EffectiveCost }) => EffectiveCost));
  for (const category of COST_CATEGORIES) {
    const ofCategory = rows.filter(({ x_Category }) => x_Category === category);
    lines.add(CostMetric.DAY, 'Cost of the last day by category', { category, currency }, cost(ofCategory));
  }
  for (const [service, ofService] of groupBy(rows, ({ x_Service }) => x_Service ?? '')) {
    lines.add(CostMetric.DAY_OF_SERVICE, 'Cost of the last day by service', { service, currency }, cost(ofService));
    const calls = ofService.reduce((total, { x_Calls }) => total + (x_Calls ?? 0), 0);
    lines.add(CostMetric.CALLS_OF_SERVICE, 'Calls of the last day by service', { service }, calls);
  }
  const ofModels = groupBy(rows, ({ x_Model }) => x_Model);
  for (const [model, ofModel] of ofModels) {
    if (model !== undefined) {
      lines.add(CostMetric.DAY_OF_MODEL, 'Cost of the last day by model', { model, currency }, cost(ofModel));
      const hours = sum(ofModel.flatMap(({ x_UsageHours }) => x_UsageHours ?? []));
      lines.add(CostMetric.HOURS_OF_MODEL, 'Usage hours of the last day by model', { model }, hours);
    }
  }
}

/** Metrics by name: all samples of one must stand together. */
class Lines {
  private readonly metrics = new Map<string, { readonly help: string; readonly samples: string[] }>();

  add(name: string, help: string, labels: Labels, value: Decimal | number | string): void {
    const metric = this.metrics.get(name) ?? { help, samples: [] };
    this.metrics.set(name, metric);
    const list = Object.entries(labels).map(([label, text]) => `${label}="${escapeLabel(text)}"`);
    metric.samples.push(`${name}${list.length === 0 ? '' : `{${list.join(',')}}`} ${new Decimal(value).toFixed()}`);
  }

  text(): string {
    return [...this.metrics]
      .map(([name, { help, samples }]) => `# HELP ${name} ${help}.\n# TYPE ${name} gauge\n${samples.join('\n')}\n`)
      .join('');
  }
}

function escapeLabel(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
