import { Decimal, sum } from '../../../constructs/plan/cost/money';
import { COST_QUERIES } from '../../../constructs/plan/cost/queries';
import { Problems } from '../../../constructs/plan/errors';
import { groupBy } from '../analysis/group-by';
import { checkPeriod, dayCount, type Period } from '../analysis/period';
import { LedgerError } from '../ledger/errors';
import type { Ledger } from '../ledger/ledger';
import { cacheAdvice } from './cache';
import { Constraints } from './constraints';
import { modelAdvice } from './models';
import { nodeAdvice, spotAdvice, type SkuRow } from './nodes';
import { serviceAdvice, type Findings } from './services';
import {
  ADVICE_RULES,
  type Advice,
  type AdviceReport,
  type AdviceRules,
  type CacheUsage,
  type ModelFacts,
  type ServiceConstraints,
} from './types';
import type { UsageRow } from './usage';

/** What advice is made from, besides the ledger. */
export interface AdvisorOptions {
  /**
   * What each service must keep (`constraintsOf`). A service without is given no advice to scale in.
   *
   * @default - none
   */
  readonly services?: readonly ServiceConstraints[];
  /**
   * Tasks and accuracies of the models. A model without is given no advice.
   *
   * @default - none
   */
  readonly models?: readonly ModelFacts[];
  /**
   * What the caches did in the period.
   *
   * @default - no advice on caches
   */
  readonly caches?: readonly CacheUsage[];
  /** @default - as on `AdviceRules` */
  readonly rules?: Partial<AdviceRules>;
}

/**
 * Says what costs more than it gives, what to change, and what that saves. It never advises what would take a service
 * under its floor: replicas of its priority, its disruption budget, and room for its busiest day.
 */
export class CostOptimizationAdvisor {
  private readonly rules: AdviceRules;
  private readonly constraints: Constraints;

  /** @throws ConfigurationError where rules or facts are out of bounds */
  constructor(
    private readonly ledger: Ledger,
    private readonly options: AdvisorOptions = {},
  ) {
    this.rules = { ...ADVICE_RULES, ...options.rules };
    this.constraints = new Constraints(options.services ?? []);
    checkOptions(this.rules, options);
  }

  /**
   * Advice on a period. Four weeks or more make it sure.
   *
   * @throws LedgerError where the ledger has no day of it
   */
  async advise(period: Period): Promise<AdviceReport> {
    checkPeriod(period);
    const { from, to } = period;
    const gaps = await this.ledger.gaps(from, to);
    const days = dayCount(period) - gaps.length;
    if (days === 0) {
      throw new LedgerError(`the ledger has no day from ${from} to ${to}; collect them first`);
    }
    const found = (await this.ledger.query(COST_QUERIES.advice, [from, to], period)) as unknown as (
      UsageRow | SkuRow
    )[];
    const rows = found.filter((row) => row.category !== null);
    const skus = found.filter((row) => row.category === null);
    const byService = groupBy(
      rows.filter(({ service }) => service !== null),
      ({ service }) => service as string,
    );
    const findings: Findings[] = [
      ...[...byService].flatMap(([service, ofService]) => this.adviseService(service, ofService, days)),
      modelAdvice(rows, days, this.options.models ?? [], this.constraints, this.rules),
      ...(this.options.caches ?? []).map((usage) =>
        cacheAdvice(
          usage,
          byService.get(usage.service) ?? [],
          days,
          this.constraints.constructOf(usage.service),
          this.rules,
        ),
      ),
      spotAdvice(rows, days, this.rules),
      nodeAdvice(skus, days, this.rules),
    ];
    const advice = findings
      .flatMap((finding) => finding.advice)
      .filter(({ monthlySaving }) => monthlySaving.greaterThan(0))
      .sort((a, b) => b.monthlySaving.comparedTo(a.monthlySaving));
    return {
      period,
      days,
      currency: (await this.ledger.settings())?.currency ?? '',
      advice,
      withheld: findings.flatMap(({ withheld }) => withheld),
      monthlySaving: this.totalSaving(advice),
    };
  }

  /** Where several models run under the name of a service, each is scaled for itself. */
  private adviseService(service: string, rows: readonly UsageRow[], days: number): readonly Findings[] {
    const pods = rows.filter(({ category }) => category === 'gpu' || category === 'cpu');
    const models = [...new Set(pods.flatMap(({ model }) => model ?? []))];
    if (models.length < 2) {
      return [serviceAdvice(service, rows, days, this.constraints.of(service, models[0]), this.rules)];
    }
    return models.map((model) => {
      const ofModel = rows.filter((row) => row.model === model);
      return serviceAdvice(`${service}, ${model}`, ofModel, days, this.constraints.of(service, model), this.rules);
    });
  }

  /** What can be saved at the same time: the largest saving of each construct. */
  private totalSaving(advice: readonly Advice[]): Decimal {
    const subjects = groupBy(
      advice,
      ({ construct, subject }) => construct ?? this.constraints.constructOf(subject) ?? subject,
    );
    return sum([...subjects.values()].map((some) => Decimal.max(...some.map(({ monthlySaving }) => monthlySaving))));
  }
}

function checkOptions(rules: AdviceRules, { models = [], services = [] }: AdvisorOptions): void {
  const problems = new Problems();
  const isPart = (property: string, value: number): boolean =>
    problems.check(value >= 0 && value <= 1, property, value, 'be from 0 to 1', 'it is a part of a whole');
  for (const [name, value] of Object.entries(rules)) {
    if (name !== 'fewestLookups') {
      isPart(`rules.${name}`, value as number);
    }
  }
  for (const { model, accuracy, costPerCall } of models) {
    isPart(`models.${model}.accuracy`, accuracy);
    problems.check(
      costPerCall === undefined || /^\d+(\.\d+)?$/.test(costPerCall),
      `models.${model}.costPerCall`,
      costPerCall,
      'be a decimal number as a string',
      'money is never a binary float',
    );
  }
  const names = services.map(({ service, model }) => (model === undefined ? service : `${service}, ${model}`));
  for (const name of names.filter((service, index) => names.indexOf(service) !== index)) {
    problems.check(false, 'services', name, 'be there once', 'the ledger tells services by name and model');
  }
  problems.throwIfAny();
}
