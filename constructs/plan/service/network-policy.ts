import type { NetworkPolicyIngressRule } from '../../imports/k8s';
import type { NetworkPolicy } from '../../imports/network-policy';
import { ANYWHERE, dns, egressRule, peer } from '../network';
import type { ServicePlan } from './plan';

/** The NetworkPolicy of a service: its callers, Prometheus, DNS, and what was named; nothing else. */
export function networkPolicy(plan: ServicePlan): NetworkPolicy {
  const { network = {}, monitoring = {}, model } = plan.props;
  const callers = network.callers ?? [{}];
  const fetchesModel = /^(s3|https):\/\//.test(model.source ?? '');
  const egress = network.egress ?? (fetchesModel ? [{ cidr: ANYWHERE }] : []);

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
