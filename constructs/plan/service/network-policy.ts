import type { NetworkPolicyEgressRule, NetworkPolicyIngressRule, NetworkPolicyPeer } from '../../imports/k8s';
import type { NetworkPolicy } from '../../imports/network-policy';
import type { ServicePlan } from './plan';
import type { NetworkPeer } from './props';

const NAMESPACE_LABEL = 'kubernetes.io/metadata.name';
/** The instance metadata service: credentials of the node, never a pod's business. */
const INSTANCE_METADATA = '169.254.169.254/32';

/** The NetworkPolicy of a service: its callers, Prometheus, DNS, and what was named; nothing else. */
export function networkPolicy(plan: ServicePlan): NetworkPolicy {
  const { network = {}, monitoring = {}, model } = plan.props;
  const callers = network.callers ?? [{}];
  const fetchesModel = /^(s3|https):\/\//.test(model.source ?? '');
  const egress = network.egress ?? (fetchesModel ? [{ cidr: '0.0.0.0/0' }] : []);

  const ingress: NetworkPolicyIngressRule[] = [
    { from: callers.map(peer), ports: [{ protocol: 'TCP', port: plan.port }] },
    {
      from: [peer({ namespace: monitoring.namespace ?? 'monitoring' })],
      ports: [{ protocol: 'TCP', port: plan.metricsPort }],
    },
  ];
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: plan.name, namespace: plan.namespace, labels: { ...plan.labels } },
    spec: {
      podSelector: { matchLabels: { ...plan.selectorLabels } },
      policyTypes: ['Ingress', 'Egress'],
      ingress: callers.length > 0 ? ingress : ingress.slice(1),
      egress: [dns(), ...egress.map(egressRule)],
    },
  };
}

function peer(from: NetworkPeer): NetworkPolicyPeer {
  if (from.cidr !== undefined) {
    return {
      ipBlock: { cidr: from.cidr, ...(from.cidr === '0.0.0.0/0' ? { except: [INSTANCE_METADATA] } : {}) },
    };
  }
  return {
    ...(from.namespace === undefined
      ? {}
      : { namespaceSelector: { matchLabels: { [NAMESPACE_LABEL]: from.namespace } } }),
    podSelector: from.podLabels === undefined ? {} : { matchLabels: { ...from.podLabels } },
  };
}

function egressRule(to: NetworkPeer): NetworkPolicyEgressRule {
  return { to: [peer(to)], ports: (to.ports ?? [443]).map((port) => ({ protocol: 'TCP', port })) };
}

function dns(): NetworkPolicyEgressRule {
  return {
    to: [peer({ namespace: 'kube-system', podLabels: { 'k8s-app': 'kube-dns' } })],
    ports: [
      { protocol: 'UDP', port: 53 },
      { protocol: 'TCP', port: 53 },
    ],
  };
}
