import { Decimal, money, sum } from '../../../constructs/plan/cost/money';
import { groupBy } from '../analysis/group-by';
import type { Constraints } from './constraints';
import type { Findings } from './services';
import type { Advice, AdviceRules, ModelFacts, WithheldAdvice } from './types';
import { callsOf, costOf, monthly, percents, utilisationOf, type UsageRow } from './usage';

/** A model with what it costs. */
interface PricedModel extends ModelFacts {
  readonly unitCost: Decimal;
  /** Whether the unit cost is what the ledger measured. */
  readonly measured: boolean;
}

/**
 * Advice on models that cost much and give little: a part of all models' cost over the bound, and accuracy under the target
 * or little use. Each is replaced by the cheapest model of its task that reaches the target; for emergencies, by one that is
 * at least as accurate as it is itself.
 */
export function modelAdvice(
  rows: readonly UsageRow[],
  days: number,
  facts: readonly ModelFacts[],
  constraints: Constraints,
  rules: AdviceRules,
): Findings {
  const ofModel = groupBy(
    rows.filter(({ model }) => model !== null),
    ({ model }) => model as string,
  );
  const allCost = sum([...ofModel.values()].map(costOf));
  const priced = facts.flatMap((model) => priceOf(model, ofModel.get(model.model) ?? []) ?? []);
  const advice: Advice[] = [];
  const withheld: WithheldAdvice[] = [];
  for (const [name, ofThis] of ofModel) {
    const cost = costOf(ofThis);
    const known = facts.find(({ model }) => model === name);
    const little = whyLittle(ofThis, known, rules);
    if (!cost.greaterThan(allCost.times(rules.highCostShare)) || little === undefined) {
      continue;
    }
    const current = priced.find(({ model }) => model === name);
    if (known === undefined) {
      continue;
    }
    if (current === undefined) {
      withheld.push({ subject: name, reason: `${little}, but what its calls cost is not known` });
      continue;
    }
    const emergency = ofThis.some(({ priority }) => priority === 'emergency');
    const least = emergency ? Math.max(rules.targetAccuracy, current.accuracy) : rules.targetAccuracy;
    const replacement = cheapest(priced, current, least);
    if (replacement === undefined) {
      const reason = `${little}, but no cheaper model of ${known.task} reaches an accuracy of ${least}`;
      withheld.push({ subject: name, reason: `${reason}; quantise or distil one` });
      continue;
    }
    advice.push(replace(current, replacement, ofThis, days, constraints, little));
  }
  return { advice, withheld };
}

function whyLittle(rows: readonly UsageRow[], facts: ModelFacts | undefined, rules: AdviceRules): string | undefined {
  if (facts !== undefined && facts.accuracy < rules.targetAccuracy) {
    return `its accuracy is ${facts.accuracy}, under the target of ${rules.targetAccuracy}`;
  }
  const utilisation = utilisationOf(rows);
  return utilisation?.mean.lessThan(rules.lowUtilisation) === true
    ? `its ${utilisation.resource}s are ${percents(utilisation.mean)} used`
    : undefined;
}

function priceOf(model: ModelFacts, rows: readonly UsageRow[]): PricedModel | undefined {
  const calls = callsOf(rows) ?? 0;
  if (calls > 0) {
    return { ...model, unitCost: costOf(rows).dividedBy(calls), measured: true };
  }
  return model.costPerCall === undefined
    ? undefined
    : { ...model, unitCost: new Decimal(model.costPerCall), measured: false };
}

function cheapest(models: readonly PricedModel[], current: PricedModel, least: number): PricedModel | undefined {
  return models
    .filter(
      ({ task, accuracy, unitCost }) =>
        task === current.task && accuracy >= least && unitCost.lessThan(current.unitCost),
    )
    .sort((a, b) => a.unitCost.comparedTo(b.unitCost) || b.accuracy - a.accuracy)[0];
}

function replace(
  current: PricedModel,
  replacement: PricedModel,
  rows: readonly UsageRow[],
  days: number,
  constraints: Constraints,
  little: string,
): Advice {
  const monthlyCost = monthly(costOf(rows), days);
  const services = [...new Set(rows.flatMap(({ service }) => service ?? []))];
  const [construct, ...others] = services.flatMap((service) => constraints.of(service, current.model)?.construct ?? []);
  const remains = replacement.unitCost.dividedBy(current.unitCost);
  const bothMeasured = current.measured && replacement.measured;
  return {
    kind: 'replace-model',
    subject: current.model,
    ...(construct === undefined || others.length > 0 ? {} : { construct }),
    property: 'model',
    current: current.model,
    proposed: replacement.model,
    reason:
      `${little}; ${replacement.model} does ${current.task} at ${percents(remains)} of its cost for each call, with an ` +
      `accuracy of ${replacement.accuracy}`,
    monthlyCost: money(monthlyCost),
    monthlySaving: money(monthlyCost.times(new Decimal(1).minus(remains))),
    confidence: bothMeasured ? 'medium' : 'low',
    confidenceReason: bothMeasured
      ? 'the calls of both are measured; validate it clinically first'
      : `the cost of a call of ${replacement.measured ? current.model : replacement.model} is declared, not measured; validate it clinically first`,
  };
}
