import type { CacheKind } from '../../../constructs/plan/cache/kinds';
import type { Decimal } from '../../../constructs/plan/cost/money';
import type { Priority } from '../../../constructs/plan/priorities';
import type { Period } from '../analysis/period';

/**
 * What to do.
 *
 * - `scale-in`: fewer replicas, or a lower floor under them
 * - `retire`: nobody calls it
 * - `consolidate`: nodes that nobody holds
 * - `use-spot`: batch work on nodes at full price
 * - `replace-model`: a cheaper model of the same task reaches the accuracy
 * - `cache-size`, `cache-ttl`, `cache-key`, `cache-invalidation`, `cache-key-ring`, `cache-reach`: what keeps a cache from
 *   hitting
 */
export type AdviceKind =
  | 'scale-in'
  | 'retire'
  | 'consolidate'
  | 'use-spot'
  | 'replace-model'
  | 'cache-size'
  | 'cache-ttl'
  | 'cache-key'
  | 'cache-invalidation'
  | 'cache-key-ring'
  | 'cache-reach';

/** How sure an advice is. */
export type AdviceConfidence = 'high' | 'medium' | 'low';

/** One advice. A month is 730 hours, as in AWS's own calculator. */
export interface Advice {
  readonly kind: AdviceKind;
  /** The service, or the kind of node. */
  readonly subject: string;
  /** The construct to change, `namespace/name`; absent where several could be meant. */
  readonly construct?: string;
  /** The very property of it to change, such as `scaling.minReplicas`. */
  readonly property: string;
  /** Its value, where that is known. */
  readonly current?: string;
  /** The value that it should have, where one can be named. */
  readonly proposed?: string;
  /** Why, in a sentence. */
  readonly reason: string;
  /** What the subject costs a month. */
  readonly monthlyCost: Decimal;
  /** What of that would go. */
  readonly monthlySaving: Decimal;
  readonly confidence: AdviceConfidence;
  /** What the confidence rests on. */
  readonly confidenceReason: string;
}

/** Something that looks like a saving and is none, and why. */
export interface WithheldAdvice {
  readonly subject: string;
  readonly reason: string;
}

/** All advice on a period. */
export interface AdviceReport {
  readonly period: Period;
  /** Days of it that the ledger has. */
  readonly days: number;
  /** ISO 4217 */
  readonly currency: string;
  /** The largest saving first. */
  readonly advice: readonly Advice[];
  /** What was considered and not advised. */
  readonly withheld: readonly WithheldAdvice[];
  /** Sum of the largest saving of each subject: two advices on one service do not add up. */
  readonly monthlySaving: Decimal;
}

/** What a service must keep, whatever it costs. `constraintsOf` makes it from a service's plan. */
export interface ServiceConstraints {
  /** Name as the ledger has it. */
  readonly service: string;
  /**
   * The model that it runs, where several run under one name of a service.
   *
   * @default - any
   */
  readonly model?: string;
  /** `namespace/name` of the construct. */
  readonly construct: string;
  readonly priority: Priority;
  readonly minReplicas: number;
  readonly maxReplicas: number;
  /**
   * Replicas that its disruption budget keeps (`disruption.minAvailable`).
   *
   * @default 0
   */
  readonly minAvailable?: number;
  /**
   * The largest floor of its peak hours.
   *
   * @default - it has none
   */
  readonly peakReplicas?: number;
}

/** What is known of a model besides its cost. */
export interface ModelFacts {
  /** Name as the ledger has it. */
  readonly model: string;
  /** What it is for: models of the same task can replace each other. */
  readonly task: string;
  /** On the hospital's own test set, 0 to 1. */
  readonly accuracy: number;
  /**
   * Cost of a call in the ledger's currency, a decimal number as a string.
   *
   * @default - what the ledger says; a model that never ran and has none is never proposed
   */
  readonly costPerCall?: string;
}

/** What a service's cache did in a period: counters of `CacheMetric`, as increases over it. */
export interface CacheUsage {
  /** Name as the ledger has it. */
  readonly service: string;
  readonly kind: CacheKind;
  /** Lookups by tier and outcome (`CacheMetric.LOOKUPS`). */
  readonly lookups: readonly { readonly tier: string; readonly outcome: string; readonly count: number }[];
  /** Entries that the hot tier gave up for room (`CacheMetric.EVICTIONS`). */
  readonly evictions: number;
  /** Computed results that were stored (`CacheMetric.COMPUTATIONS`, outcome `stored`). */
  readonly stored: number;
}

/** Bounds of advice. */
export interface AdviceRules {
  /** Use under which a resource counts as idle, 0 to 1. @default 0.3 */
  readonly lowUtilisation: number;
  /** Part of a resource's monthly cost that scaling in saves, where the replicas allow it. @default 0.5 */
  readonly savingShare: number;
  /** Accuracy that a model must reach, 0 to 1. @default 0.9 */
  readonly targetAccuracy: number;
  /** Part of all models’ cost from which on a model costs much. @default 0.1 */
  readonly highCostShare: number;
  /** Hit ratio under which a cache's strategy should change, 0 to 1. @default 0.5 */
  readonly lowHitRatio: number;
  /** Lookups under which a hit ratio says nothing. @default 1000 */
  readonly fewestLookups: number;
  /** Part of the price that Spot saves at the least. @default 0.6 */
  readonly spotSaving: number;
}

/** The rules where nothing else is said. */
export const ADVICE_RULES: AdviceRules = {
  lowUtilisation: 0.3,
  savingShare: 0.5,
  targetAccuracy: 0.9,
  highCostShare: 0.1,
  lowHitRatio: 0.5,
  fewestLookups: 1000,
  spotSaving: 0.6,
};
