import { COST_CATEGORIES, type CostCategory } from '../../../constructs/plan/cost/categories';
import { Decimal, money, sum } from '../../../constructs/plan/cost/money';
import { COST_QUERIES } from '../../../constructs/plan/cost/queries';
import { Problems } from '../../../constructs/plan/errors';
import { forecastYear, type ForecastOptions, type YearForecast } from '../forecast/year';
import { LedgerError } from '../ledger/errors';
import type { Ledger } from '../ledger/ledger';
import { groupBy } from './group-by';
import { compareMonths, type DayAndService, type MonthComparison } from './months';
import { checkPeriod, monthBefore, monthPeriod, type Period } from './period';
import { slopePerDay, withWeekMeans, type TrendDay } from './trend';

/** What a service cost. */
export interface ServiceCost {
  /** Absent: cost of no service, such as idle nodes. */
  readonly service?: string;
  /** ISO 4217 */
  readonly currency: string;
  readonly cost: Decimal;
  /** Requests that were answered. */
  readonly calls: number;
  /** Cost of one call; 0 where there were none. */
  readonly costPerCall: Decimal;
  /** Categories that are not zero. */
  readonly byCategory: { readonly [C in CostCategory]?: Decimal };
}

/** What a model cost. */
export interface ModelCost {
  readonly model: string;
  /** ISO 4217 */
  readonly currency: string;
  readonly cost: Decimal;
  /** Hours that it ran, all replicas together; of a model that somebody else runs, hours that it worked on calls. */
  readonly usageHours: Decimal;
  /** 0 where there were no hours. */
  readonly costPerHour: Decimal;
  readonly calls: number;
  /** 0 where there were none. */
  readonly costPerCall: Decimal;
}

/** What a diagnosis cost. */
export interface DiagnosisCost {
  /** ISO 4217 */
  readonly currency: string;
  readonly diagnoses: number;
  /** Cost of the services that diagnose. */
  readonly directCost: Decimal;
  /** Their part of what belongs to no service (idle nodes, shared costs), in proportion to the direct cost of all. */
  readonly sharedCost: Decimal;
  /** Direct cost of one diagnosis; 0 where there were none. */
  readonly directCostPerDiagnosis: Decimal;
  /** All of the cost of one diagnosis; 0 where there were none. */
  readonly costPerDiagnosis: Decimal;
}

/** What each day cost, and where that is going. */
export interface DailyTrend {
  /** ISO 4217 */
  readonly currency: string;
  readonly cost: Decimal;
  readonly days: readonly TrendDay[];
  /** Days that the ledger does not have. */
  readonly missing: readonly string[];
  /** By how much a day is dearer than the day before (Theil-Sen); absent under eight days. */
  readonly slopePerDay?: Decimal;
}

interface ServiceRow {
  readonly service: string | null;
  readonly category: CostCategory;
  readonly cost: Decimal;
  readonly calls: number | null;
}

interface ModelRow {
  readonly model: string;
  readonly cost: Decimal;
  readonly hours: Decimal | null;
  readonly calls: number | null;
}

/** Answers what costs what. Sums are exact; quotients are rounded to the billionth. */
export class CostAnalyzer {
  constructor(private readonly ledger: Ledger) {}

  /** Cost, calls and cost for each call of every service; the dearest first. */
  async byService(period: Period): Promise<readonly ServiceCost[]> {
    const rows = await this.rows<ServiceRow>(COST_QUERIES.byService, period);
    const currency = await this.currency();
    return [...groupBy(rows, ({ service }) => service)]
      .map(([service, rows]) => serviceCost(service, rows, currency))
      .sort((a, b) => b.cost.comparedTo(a.cost) || compareText(a.service, b.service));
  }

  /** Cost, usage hours and cost for each hour of every model; the dearest first. */
  async byModel(period: Period): Promise<readonly ModelCost[]> {
    const rows = await this.rows<ModelRow>(COST_QUERIES.byModel, period);
    const currency = await this.currency();
    return rows
      .map(({ model, cost, hours, calls }) => ({
        model,
        currency,
        cost,
        usageHours: hours ?? new Decimal(0),
        costPerHour: perUnit(cost, hours ?? 0),
        calls: calls ?? 0,
        costPerCall: perUnit(cost, calls ?? 0),
      }))
      .sort((a, b) => b.cost.comparedTo(a.cost) || compareText(a.model, b.model));
  }

  /**
   * What one diagnosis costs: a call of one of the services that diagnose.
   *
   * @param services their names, as the ledger has them
   * @throws ConfigurationError where the ledger has none of that name in the period
   */
  async perDiagnosis(period: Period, services: readonly string[]): Promise<DiagnosisCost> {
    const all = await this.byService(period);
    const problems = new Problems();
    problems.check(services.length > 0, 'services', services, 'name a service', 'a diagnosis is a call of one');
    const names = all.flatMap(({ service }) => service ?? []);
    for (const service of services) {
      const there = names.sort().join(', ') || 'none';
      problems.check(names.includes(service), 'services', service, `be one of ${there}`, 'the ledger has these');
    }
    problems.throwIfAny();
    return diagnosisCost(all, new Set(services));
  }

  /**
   * What every day cost, the mean of its last week, and how the cost rises or falls.
   *
   * @throws LedgerError where the ledger has no day of the period
   */
  async dailyTrend(period: Period): Promise<DailyTrend> {
    const days = await this.daily(period);
    const slope = slopePerDay(days);
    return {
      currency: await this.currency(),
      cost: sum(days.map(({ cost }) => cost)),
      days: withWeekMeans(days),
      missing: await this.ledger.gaps(period.from, period.to),
      ...(slope === undefined ? {} : { slopePerDay: slope }),
    };
  }

  /**
   * A month against another, over the days that both have. Days are those of the calendar, so changes of the clocks and
   * lengths of months do not matter.
   *
   * @param month `YYYY-MM`; by default that of the ledger's last day
   * @param previous `YYYY-MM`; by default the month before
   * @throws LedgerError where the two have no day in common
   */
  async monthAgainstMonth(month?: string, previous?: string): Promise<MonthComparison> {
    const chosen = month ?? (await this.lastDay()).slice(0, 7);
    const other = previous ?? monthBefore(chosen);
    checkMonths(chosen, other);
    const rows = [
      ...(await this.rows<DayAndService>(COST_QUERIES.byDayAndService, monthPeriod(other))),
      ...(await this.rows<DayAndService>(COST_QUERIES.byDayAndService, monthPeriod(chosen))),
    ];
    const comparison = compareMonths(chosen, other, rows, await this.currency());
    if (comparison === undefined) {
      throw new LedgerError(`${chosen} and ${other} have no day in common; collect the days of both`);
    }
    return comparison;
  }

  /**
   * What a year will have cost, with an interval, and how well the method did on the ledger's own past.
   *
   * @param year by default that of the ledger's last day
   * @throws LedgerError under 60 days of data
   */
  async forecastYear(year?: number, options: ForecastOptions = {}): Promise<YearForecast> {
    const to = await this.lastDay();
    const [from = to] = await this.ledger.days();
    const days = await this.daily({ from, to });
    return forecastYear(days, year ?? Number(to.slice(0, 4)), await this.currency(), options);
  }

  private async daily(period: Period): Promise<[DayCost, ...DayCost[]]> {
    const costs = new Map((await this.rows<DayCost>(COST_QUERIES.byDay, period)).map(({ day, cost }) => [day, cost]));
    const days = (await this.ledger.days()).filter((day) => period.from <= day && day <= period.to);
    // a day without a row cost nothing, and is there
    const [first, ...others] = days.map((day) => ({ day, cost: costs.get(day) ?? new Decimal(0) }));
    if (first === undefined) {
      throw new LedgerError(`the ledger has no day from ${period.from} to ${period.to}; collect them first`);
    }
    return [first, ...others];
  }

  private async currency(): Promise<string> {
    return (await this.ledger.settings())?.currency ?? '';
  }

  private async lastDay(): Promise<string> {
    const last = (await this.ledger.days()).at(-1);
    if (last === undefined) {
      throw new LedgerError('the ledger has no day; collect some first');
    }
    return last;
  }

  private async rows<T>(sql: string, period: Period): Promise<readonly T[]> {
    checkPeriod(period);
    return (await this.ledger.query(sql, [period.from, period.to], period)) as unknown as readonly T[];
  }
}

interface DayCost {
  readonly day: string;
  readonly cost: Decimal;
}

/** A cost for each of some units; 0 where there are none. */
export function perUnit(cost: Decimal, units: Decimal | number): Decimal {
  const divisor = new Decimal(units);
  return divisor.isZero() ? new Decimal(0) : money(cost.dividedBy(divisor));
}

function serviceCost(service: string | null, rows: readonly ServiceRow[], currency: string): ServiceCost {
  const cost = sum(rows.map((row) => row.cost));
  const calls = rows.reduce((total, row) => total + (row.calls ?? 0), 0);
  const byCategory = COST_CATEGORIES.map((category) => [
    category,
    sum(rows.filter((row) => row.category === category).map((row) => row.cost)),
  ]).filter(([, amount]) => !(amount as Decimal).isZero());
  return {
    ...(service === null ? {} : { service }),
    currency,
    cost,
    calls,
    costPerCall: perUnit(cost, calls),
    byCategory: Object.fromEntries(byCategory) as ServiceCost['byCategory'],
  };
}

function diagnosisCost(all: readonly ServiceCost[], diagnosing: ReadonlySet<string>): DiagnosisCost {
  const costOf = (some: readonly ServiceCost[]): Decimal => sum(some.map(({ cost }) => cost));
  const ours = all.filter(({ service }) => service !== undefined && diagnosing.has(service));
  const direct = costOf(ours);
  const ofServices = costOf(all.filter(({ service }) => service !== undefined));
  const ofNone = costOf(all.filter(({ service }) => service === undefined));
  const shared = ofServices.isZero() ? new Decimal(0) : money(ofNone.times(direct).dividedBy(ofServices));
  const diagnoses = ours.reduce((total, { calls }) => total + calls, 0);
  return {
    currency: ours[0]?.currency ?? '',
    diagnoses,
    directCost: direct,
    sharedCost: shared,
    directCostPerDiagnosis: perUnit(direct, diagnoses),
    costPerDiagnosis: perUnit(direct.plus(shared), diagnoses),
  };
}

function checkMonths(month: string, previous: string): void {
  const problems = new Problems();
  for (const [property, value] of Object.entries({ month, previous })) {
    problems.check(/^\d{4}-(0[1-9]|1[0-2])$/.test(value), property, value, 'be a month YYYY-MM', 'months are compared');
  }
  problems.check(month !== previous, 'previous', previous, 'be another month', 'a month is no change against itself');
  problems.throwIfAny();
}

function compareText(a = '', b = ''): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
