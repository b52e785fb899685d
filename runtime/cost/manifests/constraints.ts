import { ServiceLabel } from '../../../constructs/plan/labels';
import { parsePriority } from '../../../constructs/plan/priorities';
import { Series } from '../../../constructs/plan/scaling/series';
import type { ServiceConstraints } from '../advice/types';
import { fullName, replicasOf, type Manifest } from './read';

interface RuleSpec {
  readonly groups: readonly {
    readonly rules: readonly {
      readonly record?: string;
      readonly expr: string;
      readonly labels?: { readonly reason?: string };
    }[];
  }[];
}

/** What the services of some manifests must keep: what `constraintsOf` reads from plans, read from what was synthesised. */
export function constraintsOfManifests(objects: readonly Manifest[]): readonly ServiceConstraints[] {
  return objects.flatMap((object): ServiceConstraints[] => {
    const priority = object.metadata.labels?.[ServiceLabel.PRIORITY];
    if (object.kind !== 'Deployment' || priority === undefined) {
      return [];
    }
    const same = (kind: string): Manifest | undefined =>
      objects.find(
        ({ kind: other, metadata }) =>
          other === kind && metadata.name === object.metadata.name && metadata.namespace === object.metadata.namespace,
      );
    const model = object.metadata.labels?.[ServiceLabel.MODEL];
    const { min, max } = replicasOf(object, objects);
    const minAvailable = (same('PodDisruptionBudget')?.spec as { minAvailable?: number } | undefined)?.minAvailable;
    const peaks = peakReplicas(same('PrometheusRule')?.spec as RuleSpec | undefined);
    return [
      {
        service: object.metadata.name,
        ...(model === undefined ? {} : { model }),
        construct: fullName(object),
        priority: parsePriority(priority),
        minReplicas: min,
        maxReplicas: max,
        ...(minAvailable === undefined ? {} : { minAvailable }),
        ...(peaks.length === 0 ? {} : { peakReplicas: Math.max(...peaks) }),
      },
    ];
  });
}

/** Floors of peak hours, from their recording rules. */
function peakReplicas(spec: RuleSpec | undefined): number[] {
  return (spec?.groups ?? [])
    .flatMap(({ rules }) => rules)
    .filter(({ record, labels }) => record === Series.FLOOR_REASON && labels?.reason?.startsWith('peak-') === true)
    .flatMap(({ expr }) => {
      const replicas = /^vector\((\d+)\)/.exec(expr)?.[1];
      return replicas === undefined ? [] : [Number(replicas)];
    });
}
