import { Decimal, money } from '../../../constructs/plan/cost/money';
import { groupBy } from '../analysis/group-by';
import type { Findings } from './services';
import type { Advice, AdviceRules } from './types';
import { confidenceOf, costOf, monthly, percents, type UsageRow } from './usage';

/** A row of `COST_QUERIES.advice` that is about a kind of node, or of something else. */
export interface SkuRow {
  readonly category: null;
  readonly sku: string | null;
  /** What nodes of it cost; null where it is no kind of node. */
  readonly nodes: Decimal | null;
  /** What of that nobody held. */
  readonly idle: Decimal | null;
}

/** Advice on kinds of nodes of which pods hold little. */
export function nodeAdvice(rows: readonly SkuRow[], days: number, rules: AdviceRules): Findings {
  const advice = rows.flatMap(({ sku, nodes, idle }): Advice[] => {
    if (nodes?.greaterThan(0) !== true) {
      return [];
    }
    const held = new Decimal(1).minus((idle ?? new Decimal(0)).dividedBy(nodes));
    if (!held.lessThan(rules.lowUtilisation)) {
      return [];
    }
    const monthlyCost = monthly(nodes, days);
    return [
      {
        kind: 'consolidate',
        subject: sku ?? 'nodes',
        property: 'consolidateAfter',
        proposed: 'sooner, unless the pool is kept free for emergencies',
        reason: `pods hold ${percents(held)} of what these nodes cost`,
        monthlyCost: money(monthlyCost),
        monthlySaving: money(monthlyCost.times(rules.savingShare)),
        ...confidenceOf(days, new Decimal(1)),
        // the ledger knows nodes, not pools: one of them may be reserved
        confidence: 'low',
      },
    ];
  });
  return { advice, withheld: [] };
}

/** Advice on batch work that runs on nodes at full price. */
export function spotAdvice(rows: readonly UsageRow[], days: number, rules: AdviceRules): Findings {
  const batch = rows.filter(
    ({ priority, category, pricing }) =>
      priority === 'batch' && (category === 'gpu' || category === 'cpu') && pricing === 'Standard',
  );
  const byService = groupBy(batch, ({ service }) => service ?? 'batch work');
  const advice = [...byService]
    .filter(([, ofService]) => costOf(ofService).greaterThan(0))
    .map(([subject, ofService]): Advice => {
      const monthlyCost = monthly(costOf(ofService), days);
      return {
        kind: 'use-spot',
        subject,
        property: 'onDemandFallback',
        current: 'true',
        proposed: 'false, or more accelerators in the SpotBatchPool',
        reason: 'batch work ran on nodes at full price; Spot is 60 to 90% cheaper',
        monthlyCost: money(monthlyCost),
        monthlySaving: money(monthlyCost.times(rules.spotSaving)),
        confidence: 'medium',
        confidenceReason: 'the least that Spot saves; it may be out of stock for a while',
      };
    });
  return { advice, withheld: [] };
}
