import { Decimal, money } from '../../../constructs/plan/cost/money';
import { replicaFloor } from './constraints';
import type { Advice, AdviceRules, ServiceConstraints, WithheldAdvice } from './types';
import { callsOf, confidenceOf, costOf, monthly, percents, utilisationOf, type UsageRow } from './usage';

/** Advice, and what was not advised. */
export interface Findings {
  readonly advice: readonly Advice[];
  readonly withheld: readonly WithheldAdvice[];
}

const NOTHING: Findings = { advice: [], withheld: [] };

/**
 * Advice on a service whose pods use little of what they hold: retire it where nobody calls it, else scale it in, as far as
 * its priority, its disruption budget and its busiest day allow.
 */
export function serviceAdvice(
  service: string,
  rows: readonly UsageRow[],
  days: number,
  constraints: ServiceConstraints | undefined,
  rules: AdviceRules,
): Findings {
  const pods = rows.filter(({ category }) => category === 'gpu' || category === 'cpu');
  const utilisation = utilisationOf(pods);
  if (utilisation?.mean.lessThan(rules.lowUtilisation) !== true) {
    return NOTHING;
  }
  const use = `its ${utilisation.resource}s are ${percents(utilisation.mean)} used`;
  if (constraints === undefined) {
    return withhold(service, `${use}, but what its priority needs is not known: give its plan or manifest`);
  }
  const monthlyCost = monthly(costOf(pods), days);
  const common = { subject: service, construct: constraints.construct, monthlyCost: money(monthlyCost) };
  const confidence = confidenceOf(days, utilisation.measured);
  if (callsOf(rows) === 0) {
    return constraints.priority === 'emergency'
      ? withhold(service, 'nobody called it, but an emergency service stands by for the day on which somebody does')
      : advise({
          ...common,
          ...confidence,
          kind: 'retire',
          property: 'the construct itself',
          reason: `nobody called it in ${days} days`,
          monthlySaving: money(monthlyCost),
        });
  }

  const hours = pods.reduce((total, row) => total.plus(row.hours ?? 0), new Decimal(0));
  const replicas = hours.isZero() ? constraints.minReplicas : hours.dividedBy(24 * days).toNumber();
  const floor = replicaFloor(constraints, replicas, utilisation.busiest.toNumber());
  const change = changeFor(constraints, replicas, floor.replicas);
  if (change === undefined) {
    return withhold(service, `${use}, but it needs ${floor.replicas} replicas: ${floor.because}`);
  }
  if (change.property === PEAK_HOURS && constraints.priority === 'emergency') {
    return withhold(service, `${use}, but its peak hours are for emergencies, and the ledger sees days, not hours`);
  }
  const frees = new Decimal(replicas).minus(change.left).dividedBy(replicas);
  return advise({
    ...common,
    ...confidence,
    ...(change.property === PEAK_HOURS
      ? {
          confidence: 'low',
          confidenceReason: 'the ledger sees days, not hours: look at the load of the peak hours first',
        }
      : {}),
    kind: 'scale-in',
    property: change.property,
    ...(change.current === undefined ? {} : { current: change.current }),
    proposed: change.proposed,
    reason: `${use}, with ${round(replicas)} replicas on average; ${change.left} carry the load`,
    monthlySaving: money(monthlyCost.times(Decimal.min(rules.savingShare, frees))),
  });
}

const PEAK_HOURS = 'scaling.peakHours';

interface Change {
  readonly property: string;
  readonly current?: string;
  readonly proposed: string;
  /** Replicas that stay. */
  readonly left: number;
}

/** What holds the replicas up: the minimum, the floor of peak hours, or rules that scale in late. */
function changeFor(
  { minReplicas, peakReplicas }: ServiceConstraints,
  replicas: number,
  floor: number,
): Change | undefined {
  // half a replica more is a roll-out now and then
  if (replicas < minReplicas + 0.5) {
    return floor < Math.min(minReplicas, replicas)
      ? { property: 'scaling.minReplicas', current: String(minReplicas), proposed: String(floor), left: floor }
      : undefined;
  }
  const left = Math.max(floor, minReplicas);
  if (left >= replicas) {
    return undefined;
  }
  return peakReplicas !== undefined && peakReplicas > left
    ? { property: PEAK_HOURS, current: `${peakReplicas} replicas`, proposed: 'fewer', left }
    : { property: 'scaling.rules', proposed: 'scale in sooner', left };
}

function advise(advice: Advice): Findings {
  return { advice: [advice], withheld: [] };
}

function withhold(subject: string, reason: string): Findings {
  return { advice: [], withheld: [{ subject, reason }] };
}

function round(value: number): number {
  return Number(value.toFixed(1));
}
