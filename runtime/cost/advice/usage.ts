import type { CostCategory } from '../../../constructs/plan/cost/categories';
import { Decimal, sum } from '../../../constructs/plan/cost/money';
import type { AdviceConfidence } from './types';

/** A row of `COST_QUERIES.advice` that has a category. */
export interface UsageRow {
  readonly service: string | null;
  readonly model: string | null;
  readonly priority: string | null;
  readonly category: CostCategory;
  readonly pricing: string | null;
  readonly cost: Decimal;
  readonly used: Decimal | null;
  readonly measured: Decimal | null;
  readonly hours: Decimal | null;
  readonly peak: Decimal | null;
  readonly calls: number | null;
  readonly hits: number | null;
}

const HOURS_OF_MONTH = 730;

/** What some days' cost makes a month: a month has 730 hours, as in AWS's own calculator. */
export function monthly(cost: Decimal, days: number): Decimal {
  return cost.times(HOURS_OF_MONTH).dividedBy(24 * days);
}

export function costOf(rows: readonly UsageRow[]): Decimal {
  return sum(rows.map(({ cost }) => cost));
}

export function callsOf(rows: readonly UsageRow[]): number | undefined {
  const known = rows.flatMap(({ calls }) => calls ?? []);
  return known.length === 0 ? undefined : known.reduce((total, calls) => total + calls, 0);
}

/** How much of what a service's pods hold is used: of its GPUs where it has any, else of its cores. */
export interface Utilisation {
  readonly resource: 'GPU' | 'CPU';
  /** Mean, weighted by cost, 0 to 1. */
  readonly mean: Decimal;
  /** The largest mean of a day. */
  readonly busiest: Decimal;
  /** Part of the cost whose use was measured. */
  readonly measured: Decimal;
}

/** Undefined where nothing was measured. */
export function utilisationOf(rows: readonly UsageRow[]): Utilisation | undefined {
  const gpu = rows.filter(({ category }) => category === 'gpu');
  const held = gpu.length > 0 ? gpu : rows.filter(({ category }) => category === 'cpu');
  const measured = sum(held.flatMap((row) => row.measured ?? []));
  if (!measured.greaterThan(0)) {
    return undefined;
  }
  return {
    resource: gpu.length > 0 ? 'GPU' : 'CPU',
    mean: sum(held.flatMap(({ used }) => used ?? [])).dividedBy(measured),
    busiest: Decimal.max(...held.flatMap(({ peak }) => peak ?? [])),
    measured: measured.dividedBy(costOf(held)),
  };
}

/** How far measurements carry: four weeks, measured nearly always, are sure; less than two, or half of it, are not. */
export function confidenceOf(
  days: number,
  measured: Decimal,
): { readonly confidence: AdviceConfidence; readonly confidenceReason: string } {
  const percent = measured.times(100).toDecimalPlaces(0, Decimal.ROUND_DOWN).toNumber();
  const confidence = days >= 28 && percent >= 90 ? 'high' : days >= 14 && percent >= 50 ? 'medium' : 'low';
  return { confidence, confidenceReason: `${days} days, ${percent}% of the cost measured` };
}

/** A part as percents with at most one digit: `12.5%`. */
export function percents(part: Decimal): string {
  return `${part.times(100).toDecimalPlaces(1).toString()}%`;
}
