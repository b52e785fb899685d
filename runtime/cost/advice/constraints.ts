import { type Priority } from '../../../constructs/plan/priorities';
import type { ServicePlan } from '../../../constructs/plan/service/plan';
import type { ServiceConstraints } from './types';

/**
 * Use that a service's busiest day may come to when advice is followed. Scaling out begins at 80 %: emergencies keep half
 * of that free, so that twice the load is there before a new replica is; outpatients a quarter; batch work may wait.
 */
export const BUSIEST_UTILISATION: { readonly [P in Priority]: number } = { emergency: 0.4, normal: 0.6, batch: 0.8 };

/** Fewest replicas of each priority: one may always be lost, except where work can wait. */
const FEWEST_REPLICAS: { readonly [P in Priority]: number } = { emergency: 2, normal: 2, batch: 1 };

/** What a planned service must keep. */
export function constraintsOf({ name, namespace, priority, scaling, props }: ServicePlan): ServiceConstraints {
  const peaks = scaling.peaks.map(({ replicas }) => replicas);
  return {
    service: name,
    model: props.model.name,
    construct: `${namespace}/${name}`,
    priority,
    minReplicas: scaling.minReplicas,
    maxReplicas: scaling.maxReplicas,
    ...(props.disruption !== undefined && 'minAvailable' in props.disruption
      ? { minAvailable: props.disruption.minAvailable }
      : {}),
    ...(peaks.length === 0 ? {} : { peakReplicas: Math.max(...peaks) }),
  };
}

/** The fewest replicas that advice may leave a service, and what asks for them. */
export function replicaFloor(
  { priority, minAvailable = 0 }: ServiceConstraints,
  meanReplicas: number,
  busiest: number,
): { readonly replicas: number; readonly because: string } {
  const bounds = [
    { replicas: FEWEST_REPLICAS[priority], because: `${priority} work keeps ${FEWEST_REPLICAS[priority]}` },
    { replicas: minAvailable + 1, because: `its disruption budget keeps ${minAvailable} while one may go` },
    {
      // whole percents, so that noise of the division does not add a replica
      replicas: Math.ceil(Number(((meanReplicas * busiest) / BUSIEST_UTILISATION[priority]).toFixed(2))),
      because: `on its busiest day fewer would be over ${BUSIEST_UTILISATION[priority] * 100}% busy, and ${priority} work keeps the rest free`,
    },
  ];
  return bounds.reduce((most, bound) => (bound.replicas > most.replicas ? bound : most));
}

/** Constraints by service and model. */
export class Constraints {
  constructor(private readonly all: readonly ServiceConstraints[]) {}

  /** Those of a model of a service; those of the service where it names no model. */
  of(service: string, model: string | undefined): ServiceConstraints | undefined {
    const ofService = this.all.filter((each) => each.service === service);
    return ofService.find((each) => each.model === model) ?? ofService.find((each) => each.model === undefined);
  }

  /** Path of the one construct that is all of a service; undefined where it is several, or none is known. */
  constructOf(service: string): string | undefined {
    const [first, ...others] = this.all.filter((each) => each.service === service);
    return others.length > 0 ? undefined : first?.construct;
  }
}
