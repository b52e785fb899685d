import { Decimal, QUANTITY_SCALE, splitExactly, sum, USAGE_SCALE } from '../money';
import type { LedgerRow } from '../row';
import type { SharedCostRule } from './context';

const AMOUNTS = [
  'BilledCost',
  'EffectiveCost',
  'ContractedCost',
  'ListCost',
  'PricingCurrencyEffectiveCost',
] as const satisfies readonly (keyof LedgerRow)[];

/**
 * Spreads what serves all over the services, so that the parts add up to it exactly.
 *
 * - `keep`: stays as it is, of no service
 * - `by-cost`: in proportion to what each service costs that day, people left out
 * - `equally`: the same for each service that costs something that day
 */
export function spreadShared(rows: readonly LedgerRow[], rule: SharedCostRule): LedgerRow[] {
  const costs = new Map<string, Decimal>();
  for (const { x_Service, x_Category, EffectiveCost } of rows) {
    if (x_Service !== undefined && x_Category !== 'people' && EffectiveCost.greaterThan(0)) {
      costs.set(x_Service, (costs.get(x_Service) ?? new Decimal(0)).plus(EffectiveCost));
    }
  }
  if (rule === 'keep' || costs.size === 0) {
    return [...rows];
  }
  const services = [...costs.keys()].sort();
  const weights = services.map((service) => (rule === 'equally' ? new Decimal(1) : (costs.get(service) as Decimal)));
  return rows.flatMap((row) => (row.x_Category === 'shared' ? spread(row, services, weights, rule) : [row]));
}

function spread(
  row: LedgerRow,
  services: readonly string[],
  weights: readonly Decimal[],
  rule: SharedCostRule,
): LedgerRow[] {
  const lists = splitExactly(row.ListCost, weights);
  const inProportion = sum(lists).isZero() ? weights : lists.map((list) => list.abs());
  const amounts = AMOUNTS.map((name) => splitExactly(row[name], name === 'ListCost' ? weights : inProportion));
  const quantities = splitExactly(row.PricingQuantity as Decimal, inProportion, QUANTITY_SCALE);
  const consumed = splitExactly(row.ConsumedQuantity as Decimal, inProportion, USAGE_SCALE);
  return services.map((service, index) => ({
    ...row,
    ...(Object.fromEntries(AMOUNTS.map((name, column) => [name, amounts[column]?.[index]])) as Pick<
      LedgerRow,
      (typeof AMOUNTS)[number]
    >),
    PricingQuantity: quantities[index],
    ConsumedQuantity: consumed[index],
    // hours of pods that serve all are hours of no service's model
    x_UsageHours: undefined,
    x_Service: service,
    x_AllocationRule: `${row.x_AllocationRule}, ${rule}`,
  }));
}
