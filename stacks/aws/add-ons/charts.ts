/** An add-on that this library installs. */
export type AddOn =
  | 'karpenter-crd'
  | 'karpenter'
  | 'kube-prometheus-stack'
  | 'dcgm-exporter'
  | 'nvidia-device-plugin'
  | 'gpu-operator'
  | 'prometheus-adapter'
  | 'keda'
  | 'vertical-pod-autoscaler'
  | 'metrics-server'
  | 'opencost'
  | 'external-secrets';

/** Where a chart is, and which version of it was read. */
export interface PinnedChart {
  /** Name in the repository, or the whole OCI address. */
  readonly chart: string;
  /** @default - `chart` is an OCI address */
  readonly repository?: string;
  readonly version: string;
  /** Month in which the version was published. */
  readonly published: string;
  /** Namespace that it is installed in. */
  readonly namespace: string;
}

/** Namespace of Prometheus and all that reads it; services let it in by default. */
export const MONITORING_NAMESPACE = 'monitoring';
const PROMETHEUS_COMMUNITY = 'https://prometheus-community.github.io/helm-charts';

/**
 * The charts, pinned. Versions are those of the projects' own releases in autumn 2026; the values that the functions of this
 * folder set were read in the charts' `values.yaml`.
 */
export const CHARTS: { readonly [A in AddOn]: PinnedChart } = {
  'karpenter-crd': {
    chart: 'oci://public.ecr.aws/karpenter/karpenter-crd',
    version: '1.15.1',
    published: '2026-10',
    namespace: 'kube-system',
  },
  karpenter: {
    chart: 'oci://public.ecr.aws/karpenter/karpenter',
    version: '1.15.1',
    published: '2026-10',
    namespace: 'kube-system',
  },
  'kube-prometheus-stack': {
    chart: 'kube-prometheus-stack',
    repository: PROMETHEUS_COMMUNITY,
    version: '88.4.0',
    published: '2026-09',
    namespace: MONITORING_NAMESPACE,
  },
  'dcgm-exporter': {
    chart: 'dcgm-exporter',
    repository: 'https://nvidia.github.io/dcgm-exporter/helm-charts',
    version: '4.8.3',
    published: '2026-07',
    namespace: MONITORING_NAMESPACE,
  },
  'nvidia-device-plugin': {
    chart: 'nvidia-device-plugin',
    repository: 'https://nvidia.github.io/k8s-device-plugin',
    version: '0.19.2',
    published: '2026-05',
    namespace: 'kube-system',
  },
  'gpu-operator': {
    chart: 'gpu-operator',
    repository: 'https://helm.ngc.nvidia.com/nvidia',
    version: 'v26.3.2',
    published: '2026-06',
    namespace: 'gpu-operator',
  },
  'prometheus-adapter': {
    chart: 'prometheus-adapter',
    repository: PROMETHEUS_COMMUNITY,
    version: '5.3.0',
    published: '2026-02',
    namespace: MONITORING_NAMESPACE,
  },
  keda: {
    chart: 'keda',
    repository: 'https://kedacore.github.io/charts',
    version: '2.20.2',
    published: '2026-08',
    namespace: 'keda',
  },
  'vertical-pod-autoscaler': {
    chart: 'vertical-pod-autoscaler',
    repository: 'https://kubernetes.github.io/autoscaler',
    version: '0.13.0',
    published: '2026-10',
    namespace: 'kube-system',
  },
  'metrics-server': {
    chart: 'metrics-server',
    repository: 'https://kubernetes-sigs.github.io/metrics-server',
    version: '3.13.0',
    published: '2025-07',
    namespace: 'kube-system',
  },
  opencost: {
    chart: 'opencost',
    repository: 'https://opencost.github.io/opencost-helm-chart',
    version: '2.5.29',
    published: '2026-09',
    namespace: MONITORING_NAMESPACE,
  },
  'external-secrets': {
    chart: 'external-secrets',
    repository: 'https://charts.external-secrets.io',
    version: '1.3.1',
    published: '2026-01',
    namespace: 'external-secrets',
  },
};
