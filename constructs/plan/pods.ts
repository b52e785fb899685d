import type { Affinity, PodSecurityContext, SecurityContext, TopologySpreadConstraint } from '../imports/k8s';
import { NodeLabel } from './labels';
import type { Priority } from './priorities';

/** Pod part of the Pod Security standard "restricted". */
export function podSecurity(user: number): PodSecurityContext {
  return {
    runAsNonRoot: true,
    runAsUser: user,
    runAsGroup: user,
    fsGroup: user,
    seccompProfile: { type: 'RuntimeDefault' },
  };
}

/** Container part of the Pod Security standard "restricted", and a root file system that cannot be written to. */
export function containerSecurity(): SecurityContext {
  return {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    runAsNonRoot: true,
    capabilities: { drop: ['ALL'] },
  };
}

/** Pods prefer the pools that are kept free for their priority, and run elsewhere where those are full. */
export function reservedNodesFirst(priority: Priority): Affinity {
  const reserved = { key: NodeLabel.RESERVED_FOR, operator: 'In' as const, values: [priority] };
  return {
    nodeAffinity: {
      preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, preference: { matchExpressions: [reserved] } }],
    },
  };
}

/**
 * Pods keep apart, over zones and over nodes, as far as there is room.
 *
 * @param revision label that tells one revision's pods from another's
 */
export function spread(
  selectorLabels: { readonly [label: string]: string },
  revision: string,
): TopologySpreadConstraint[] {
  return ['topology.kubernetes.io/zone', 'kubernetes.io/hostname'].map((topologyKey) => ({
    topologyKey,
    maxSkew: 1,
    whenUnsatisfiable: 'ScheduleAnyway',
    nodeTaintsPolicy: 'Honor',
    matchLabelKeys: [revision],
    labelSelector: { matchLabels: { ...selectorLabels } },
  }));
}
