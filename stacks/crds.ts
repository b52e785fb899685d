import { groupOf, type Manifest } from './manifests';

/** CustomResourceDefinitions of the kinds that this library makes, by group and kind. */
const DEFINITIONS: { readonly [kind: string]: string } = {
  'autoscaling.k8s.io/VerticalPodAutoscaler': 'verticalpodautoscalers.autoscaling.k8s.io',
  'cert-manager.io/Certificate': 'certificates.cert-manager.io',
  'karpenter.k8s.aws/EC2NodeClass': 'ec2nodeclasses.karpenter.k8s.aws',
  'karpenter.sh/NodePool': 'nodepools.karpenter.sh',
  'keda.sh/ScaledObject': 'scaledobjects.keda.sh',
  'monitoring.coreos.com/PodMonitor': 'podmonitors.monitoring.coreos.com',
  'monitoring.coreos.com/PrometheusRule': 'prometheusrules.monitoring.coreos.com',
};

/** Names of the definitions that objects need and do not bring along. */
export function neededDefinitions(manifests: readonly Manifest[]): string[] {
  const brought = manifests
    .filter(({ json }) => json.kind === 'CustomResourceDefinition')
    .map(({ json }) => json.metadata.name);
  const needed = manifests.flatMap(({ json }) => DEFINITIONS[`${groupOf(json)}/${json.kind}`] ?? []);
  return [...new Set(needed)].filter((name) => !brought.includes(name)).sort();
}
