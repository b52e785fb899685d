import type { NetworkPolicyIngressRule } from '../../imports/k8s';
import type { NetworkPolicy } from '../../imports/network-policy';
import { ANYWHERE, dns, egressRule, peer } from '../network';
import { tierPeers } from '../tiered-cache/maintenance';
import type { ServicePlan } from './plan';

/** The NetworkPolicy of a service: its callers, Prometheus, DNS, its cache, and what was named; nothing else. */
export function networkPolicy(plan: ServicePlan): NetworkPolicy {
  const { network = {}, monitoring = {}, model, cache } = plan.props;
  const tiers = cache === undefined ? [] : tierPeers(cache.plan);
  const callers = network.callers ?? [{}];
  const fetchesModel = /^(s3|https):\/\//.test(model.source ?? '');
  const egress = network.egress ?? (fetchesModel ? [{ cidr: ANYWHERE }] : []);

  const metricsPorts = [plan.gateway?.adminPort ?? [], plan.metricsPort ?? []].flat();

  const ingress: NetworkPolicyIngressRule[] = [
    { from: callers.map(peer), ports: [{ protocol: 'TCP', port: plan.servicePort }] },
    {
      from: [peer({ namespace: monitoring.namespace ?? 'monitoring' })],
      ports: metricsPorts.map((port) => ({ protocol: 'TCP', port })),
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
      egress: [dns(), ...[...egress, ...tiers].map(egressRule)],
    },
  };
}
