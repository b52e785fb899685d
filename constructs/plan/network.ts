import { isIP } from 'node:net';
import type { NetworkPolicyEgressRule, NetworkPolicyPeer } from '../imports/k8s';
import type { Problems } from './errors';

const NAMESPACE_LABEL = 'kubernetes.io/metadata.name';
/** The instance metadata service: credentials of the node, never a pod's business. */
const INSTANCE_METADATA = '169.254.169.254/32';
/** Every address outside of the cluster. */
export const ANYWHERE = '0.0.0.0/0';

/** One side of a connection: pods of a namespace, or addresses outside the cluster. */
export interface NetworkPeer {
  /**
   * Namespace of the pods.
   *
   * @default - the service's own
   */
  readonly namespace?: string;

  /**
   * Labels of the pods.
   *
   * @default - all pods of the namespace
   */
  readonly podLabels?: { readonly [label: string]: string };

  /**
   * Addresses instead of pods, such as `10.0.0.0/16`.
   *
   * @default - pods
   */
  readonly cidr?: string;

  /**
   * TCP ports. For callers always the service's own port.
   *
   * @default - egress: 443
   */
  readonly ports?: readonly number[];
}

/** A peer as NetworkPolicies have it. */
export function peer(from: NetworkPeer): NetworkPolicyPeer {
  if (from.cidr !== undefined) {
    return {
      ipBlock: { cidr: from.cidr, ...(from.cidr === ANYWHERE ? { except: [INSTANCE_METADATA] } : {}) },
    };
  }
  return {
    ...(from.namespace === undefined
      ? {}
      : { namespaceSelector: { matchLabels: { [NAMESPACE_LABEL]: from.namespace } } }),
    podSelector: from.podLabels === undefined ? {} : { matchLabels: { ...from.podLabels } },
  };
}

/** Lets pods reach a peer. */
export function egressRule(to: NetworkPeer): NetworkPolicyEgressRule {
  return { to: [peer(to)], ports: (to.ports ?? [443]).map((port) => ({ protocol: 'TCP', port })) };
}

/** Lets pods look names up. */
export function dns(): NetworkPolicyEgressRule {
  return {
    to: [peer({ namespace: 'kube-system', podLabels: { 'k8s-app': 'kube-dns' } })],
    ports: [
      { protocol: 'UDP', port: 53 },
      { protocol: 'TCP', port: 53 },
    ],
  };
}

/** Checks a range of addresses. */
export function checkCidr(problems: Problems, property: string, cidr: string): void {
  const [address = '', bits = ''] = cidr.split('/');
  problems.check(
    isIP(address) !== 0 && /^\d+$/.test(bits) && Number(bits) <= (isIP(address) === 4 ? 32 : 128),
    property,
    cidr,
    'be an address and a prefix length, such as 10.0.0.0/16',
    'a NetworkPolicy takes no other form',
  );
}
