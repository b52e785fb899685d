import type { Owner } from '../../../constructs/plan/cost/usage';
import type { PrometheusDay } from './prometheus';
import { POD_LABELS, Query } from './queries';
import { labelOf, mostMinutes } from './samples';

/** Whose each pod and each claim is. */
export interface Owners {
  ofPod(namespace: string, pod: string): Owner;
  ofClaim(namespace: string, claim: string): Owner;
}

export async function collectOwners(prometheus: PrometheusDay): Promise<Owners> {
  const [labels, claims] = await Promise.all([
    prometheus.sumOfMinutes(Query.POD_LABELS),
    prometheus.sumOfMinutes(Query.POD_CLAIMS),
  ]);
  const pods = mostMinutes(labels, 'namespace', 'pod');
  const podsOfClaims = mostMinutes(claims, 'namespace', 'persistentvolumeclaim');
  const ofPod = (namespace: string, pod: string): Owner => {
    const own = pods.get(`${namespace}/${pod}`)?.labels ?? {};
    return {
      service: labelOf(own, POD_LABELS.service),
      model: labelOf(own, POD_LABELS.model),
      namespace,
      priority: labelOf(own, POD_LABELS.priority),
    };
  };
  return {
    ofPod,
    ofClaim(namespace, claim) {
      const pod = podsOfClaims.get(`${namespace}/${claim}`)?.labels.pod;
      return pod === undefined ? { namespace } : ofPod(namespace, pod);
    },
  };
}
