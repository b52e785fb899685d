import { COST_CATEGORIES, type Confidence, type CostCategory } from '../../../constructs/plan/cost/categories';
import { addDays } from '../../../constructs/plan/cost/days';
import { Decimal, money, sum } from '../../../constructs/plan/cost/money';
import { COST_QUERIES } from '../../../constructs/plan/cost/queries';
import { CostOptimizationAdvisor, type AdvisorOptions } from '../advice/advisor';
import type { AdviceReport } from '../advice/types';
import {
  CostAnalyzer,
  type DailyTrend,
  type DiagnosisCost,
  type ModelCost,
  type ServiceCost,
} from '../analysis/analyzer';
import type { MonthComparison } from '../analysis/months';
import { checkPeriod, monthPeriod, type Period } from '../analysis/period';
import type { YearForecast } from '../forecast/year';
import { LedgerError } from '../ledger/errors';
import type { Ledger } from '../ledger/ledger';
import { CostMonitor, type DailyCost } from '../monitor';

/** What a report is made of. */
export interface ReportOptions {
  /**
   * Days that services, models and advice are about.
   *
   * @default - the last 30 days of the ledger
   */
  readonly period?: Period;
  /**
   * Services whose calls are diagnoses.
   *
   * @default - no cost of a diagnosis
   */
  readonly diagnosisServices?: readonly string[];
  /**
   * What a month may cost, a decimal number as a string, in the ledger's currency.
   *
   * @default - none
   */
  readonly monthlyBudget?: string;
  /** What advice is made from. @default - the ledger alone */
  readonly advice?: AdvisorOptions;
  /** Told what is being worked on. */
  readonly onProgress?: (what: string) => void;
}

/** What some prices are from, and what they amount to. */
export interface PriceSource {
  readonly source: string;
  readonly confidence: Confidence;
  /** Day on which its newest price was published, `YYYY-MM-DD`. */
  readonly published: string;
  readonly cost: Decimal;
}

/** A month and its budget. */
export interface BudgetState {
  /** `YYYY-MM` */
  readonly month: string;
  readonly budget: Decimal;
  /** What the month has cost so far. */
  readonly spent: Decimal;
  readonly spentRatio: Decimal;
  /** What it will have cost at the mean of its days so far. */
  readonly projected: Decimal;
  readonly passed: boolean;
}

/** All that there is to say about the costs of a period. */
export interface CostReport {
  readonly period: Period;
  /** ISO 4217 */
  readonly currency: string;
  /** Cost of the period. */
  readonly total: Decimal;
  /** Cost of the period by category. */
  readonly categories: { readonly [C in CostCategory]: Decimal };
  /** Each day of the ledger's last year, by category. */
  readonly year: readonly DailyCost[];
  readonly trend: DailyTrend;
  readonly services: readonly ServiceCost[];
  readonly models: readonly ModelCost[];
  readonly diagnosis?: DiagnosisCost;
  /** The last month against the one before; absent where they have no day in common. */
  readonly months?: MonthComparison;
  /** Absent where the ledger is too young, which `noForecast` then says. */
  readonly forecast?: YearForecast;
  readonly noForecast?: string;
  readonly budget?: BudgetState;
  readonly advice: AdviceReport;
  readonly sources: readonly PriceSource[];
}

const DEFAULT_DAYS = 30;
const YEAR_DAYS = 365;

/**
 * Gathers all analyses of a ledger.
 *
 * @throws LedgerError where the ledger has no day of the period
 */
export async function costReport(ledger: Ledger, options: ReportOptions = {}): Promise<CostReport> {
  const { onProgress = () => undefined } = options;
  const days = await ledger.days();
  const last = days.at(-1);
  if (last === undefined) {
    throw new LedgerError('the ledger has no day; collect some first');
  }
  const period = options.period ?? { from: addDays(last, 1 - DEFAULT_DAYS), to: last };
  checkPeriod(period);
  const analyzer = new CostAnalyzer(ledger);
  onProgress('days');
  const trend = await analyzer.dailyTrend(period);
  const monitor = new CostMonitor(ledger);
  const year = await monitor.days(addDays(last, 1 - YEAR_DAYS), last);
  onProgress('services and models');
  const services = await analyzer.byService(period);
  const models = await analyzer.byModel(period);
  const diagnosis = options.diagnosisServices && (await analyzer.perDiagnosis(period, options.diagnosisServices));
  onProgress('months');
  const months = await orNothing(() => analyzer.monthAgainstMonth());
  onProgress('forecast');
  const forecast = await orNothing(() => analyzer.forecastYear());
  onProgress('advice');
  const advice = await new CostOptimizationAdvisor(ledger, options.advice).advise(period);
  return {
    period,
    currency: trend.currency,
    total: trend.cost,
    categories: categoriesOf(services),
    year,
    trend,
    services,
    models,
    ...(diagnosis === undefined ? {} : { diagnosis }),
    ...(months.found === undefined ? {} : { months: months.found }),
    ...(forecast.found === undefined ? { noForecast: forecast.because ?? '' } : { forecast: forecast.found }),
    ...(options.monthlyBudget === undefined
      ? {}
      : { budget: budgetState(await monthDays(monitor, last), options.monthlyBudget, last) }),
    advice,
    sources: await sourcesOf(ledger, period),
  };
}

function categoriesOf(services: readonly ServiceCost[]): CostReport['categories'] {
  const costs = COST_CATEGORIES.map((category) => [
    category,
    sum(services.map(({ byCategory }) => byCategory[category] ?? new Decimal(0))),
  ]);
  return Object.fromEntries(costs) as CostReport['categories'];
}

/** How the month of a day stands against its budget. */
export function budgetState(days: readonly DailyCost[], monthlyBudget: string, last: string): BudgetState {
  const budget = new Decimal(monthlyBudget);
  const spent = sum(days.map(({ total }) => total));
  const month = last.slice(0, 7);
  const lengthOfMonth = Number(monthPeriod(month).to.slice(8));
  return {
    month,
    budget,
    spent,
    spentRatio: budget.isZero() ? new Decimal(0) : spent.dividedBy(budget).toDecimalPlaces(6),
    projected: days.length === 0 ? spent : money(spent.dividedBy(days.length).times(lengthOfMonth)),
    passed: spent.greaterThan(budget),
  };
}

/** The days of a day's month, up to it. */
export async function monthDays(monitor: CostMonitor, last: string): Promise<readonly DailyCost[]> {
  return monitor.days(`${last.slice(0, 7)}-01`, last);
}

async function sourcesOf(ledger: Ledger, period: Period): Promise<readonly PriceSource[]> {
  const rows = (await ledger.query(COST_QUERIES.sources, [period.from, period.to], period)) as unknown as PriceSource[];
  return [...rows].sort((a, b) => b.cost.comparedTo(a.cost) || (a.source < b.source ? -1 : 1));
}

/** A part of the report that a young ledger does not have yet. */
async function orNothing<T>(part: () => Promise<T>): Promise<{ readonly found?: T; readonly because?: string }> {
  try {
    return { found: await part() };
  } catch (error) {
    if (error instanceof LedgerError && error.constructor === LedgerError) {
      return { because: error.message };
    }
    throw error;
  }
}
