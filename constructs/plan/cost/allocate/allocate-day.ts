import { ConfigurationError } from '../../errors';
import { Decimal } from '../money';
import type { PriceBook } from '../price-book';
import type { LedgerDay } from '../row';
import type { BilledResource, DayUsage } from '../usage';
import { rowsOf, type Charge } from './charge';
import { allocationDay, type LedgerContext, type SharedCostRule } from './context';
import { modelCharges } from './models';
import { nodeCharge } from './nodes';
import { directCharges } from './others';
import { spreadShared } from './shared';

/** How costs come to services. */
export interface AllocationRules {
  /**
   * Namespaces whose pods serve all.
   *
   * @default - none
   */
  readonly sharedNamespaces?: readonly string[];
  /**
   * What becomes of the cost of what serves all.
   *
   * @default 'keep'
   */
  readonly sharedCosts?: SharedCostRule;
  /**
   * Models that run on nodes of the cluster: their calls cost nothing of their own. Every other model needs a price.
   *
   * @default - none
   */
  readonly selfHostedModels?: readonly string[];
}

/** A day to allocate. */
export interface DayInput {
  /** `YYYY-MM-DD` in the time zone of the context. */
  readonly day: string;
  readonly usage: DayUsage;
  readonly prices: PriceBook;
  readonly context: LedgerContext;
  readonly rules?: AllocationRules;
  /**
   * What the provider's bill says of the day, in place of what usage and prices say.
   *
   * @default - nothing
   */
  readonly bill?: readonly BilledResource[];
}

/**
 * The rows of a day, from what was used and what it costs. They add up to exactly what nodes, volumes, traffic, models,
 * data stores, people and shared services cost that day: every charge is rounded once, to the ledger's smallest unit, and
 * its parts add up to it.
 *
 * @throws ConfigurationError that names every price that is missing, stale or ambiguous
 */
export function allocateDay({ day, usage, prices, context, rules = {}, bill = [] }: DayInput): LedgerDay {
  const { sharedNamespaces = [], sharedCosts = 'keep', selfHostedModels = [] } = rules;
  const problems = new Set<string>();
  const problem = (line: string): void => void problems.add(line);
  const allocation = allocationDay(day, context);
  const bills = new Map(bill.map((resource) => [resource.resourceId, resource]));
  const billOf = (id: string | undefined): BilledResource | undefined => (id === undefined ? undefined : bills.get(id));
  const isShared = (namespace: string | undefined): boolean =>
    namespace !== undefined && sharedNamespaces.includes(namespace);

  const charges: Charge[] = [
    ...usage.nodes.flatMap((node) => nodeCharge(node, day, prices, isShared, billOf(node.providerId), problem) ?? []),
    ...usage.models.flatMap((model) =>
      modelCharges(model, allocation, prices, selfHostedModels.includes(model.model), problem),
    ),
    ...directCharges(usage, allocation, prices, billOf, problem),
  ];
  if (problems.size > 0) {
    throw new ConfigurationError([...problems]);
  }
  return {
    day,
    timeZone: context.timeZone,
    currency: context.currency,
    total: charges.reduce((total, charge) => total.plus(effectiveCost(charge)), new Decimal(0)),
    rows: spreadShared(
      charges.flatMap((charge) => rowsOf(charge, allocation)),
      sharedCosts,
    ),
  };
}

/** What a charge costs, from its source and before it is split. */
function effectiveCost({ bill, quantity, price }: Charge): Decimal {
  const cost = bill === undefined ? quantity.times(price.price).times(price.exchangeRate) : bill.effective;
  return cost.toDecimalPlaces(9);
}
