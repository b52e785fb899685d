import { COST_CATEGORIES, COST_GROUPS, type CostCategory, type CostGroup } from '../../constructs/plan/cost/categories';
import { Decimal } from '../../constructs/plan/cost/money';
import { COST_QUERIES } from '../../constructs/plan/cost/queries';
import { LedgerError } from './ledger/errors';
import type { Ledger } from './ledger/ledger';

/** What a day cost. `total = infrastructure + inference + storage + people`. */
export interface DailyCost {
  /** `YYYY-MM-DD` */
  readonly day: string;
  /** ISO 4217 */
  readonly currency: string;
  /** Nodes, volumes, network, idle and shared. */
  readonly infrastructure: Decimal;
  /** Models that are paid by tokens, calls or seconds. */
  readonly inference: Decimal;
  /** Data outside of the cluster's volumes. */
  readonly storage: Decimal;
  /** Hours of development, operations and review. */
  readonly people: Decimal;
  /** All four. */
  readonly total: Decimal;
  /** The first three: what a provider is paid. */
  readonly totalWithoutPeople: Decimal;
  /** Every category, zero where the day has none. */
  readonly byCategory: { readonly [C in CostCategory]: Decimal };
}

interface DailyRow {
  readonly day: string;
  readonly category: CostCategory;
  readonly cost: Decimal;
}

/** Daily cost, by category. */
export class CostMonitor {
  constructor(private readonly ledger: Ledger) {}

  /**
   * What one day cost.
   *
   * @param day `YYYY-MM-DD`
   * @throws LedgerError where the ledger does not have the day
   */
  async day(day: string): Promise<DailyCost> {
    const [cost] = await this.days(day, day);
    if (cost === undefined) {
      throw new LedgerError(`the ledger has no ${day}; collect it first`);
    }
    return cost;
  }

  /**
   * What every day from `from` to `to` cost, both included; days that the ledger does not have are left out.
   */
  async days(from: string, to: string): Promise<readonly DailyCost[]> {
    const rows = await this.ledger.query(COST_QUERIES.byDayAndCategory, [from, to], { from, to });
    const days = (await this.ledger.days()).filter((day) => from <= day && day <= to);
    const currency = (await this.ledger.settings())?.currency ?? '';
    const costs = new Map(days.map((day) => [day, new Map<CostCategory, Decimal>()]));
    for (const row of rows) {
      const { day, category, cost } = row as unknown as DailyRow;
      costs.get(day)?.set(category, cost);
    }
    return days.map((day) => dailyCost(day, currency, costs.get(day) ?? new Map<CostCategory, Decimal>()));
  }
}

function dailyCost(day: string, currency: string, costs: ReadonlyMap<CostCategory, Decimal>): DailyCost {
  const of = (category: CostCategory): Decimal => costs.get(category) ?? new Decimal(0);
  const group = (name: CostGroup): Decimal =>
    COST_CATEGORIES.filter((category) => COST_GROUPS[category] === name).reduce(
      (total, category) => total.plus(of(category)),
      new Decimal(0),
    );
  const [infrastructure, inference, storage, people] = [
    group('infrastructure'),
    group('inference'),
    group('storage'),
    group('people'),
  ];
  const totalWithoutPeople = infrastructure.plus(inference).plus(storage);
  return {
    day,
    currency,
    infrastructure,
    inference,
    storage,
    people,
    total: totalWithoutPeople.plus(people),
    totalWithoutPeople,
    byCategory: Object.fromEntries(
      COST_CATEGORIES.map((category) => [category, of(category)]),
    ) as DailyCost['byCategory'],
  };
}
