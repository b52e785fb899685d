import { Series } from '../../../constructs/plan/scaling/series';
import { CHARTS, MONITORING_NAMESPACE } from './charts';
import type { ChartValues } from './merge-values';

/** How metrics are kept. */
export interface MonitoringOptions {
  /**
   * Days of metrics. The forecast of `MedicalInferenceService` reads eight.
   *
   * @default 15
   */
  readonly retentionDays?: number;
  /**
   * GiB of Prometheus' volume.
   *
   * @default 50
   */
  readonly storageGiB?: number;
  /**
   * Storage class of the volume. Choose one that encrypts.
   *
   * @default - `gp3`, which is made here: encrypted volumes, and the default class of the cluster
   */
  readonly storageClass?: string;
  /**
   * Read only PodMonitors and PrometheusRules with these labels: those that services are given as `monitoring.labels`.
   *
   * @default - all of the cluster
   */
  readonly labels?: { readonly [label: string]: string };
}

/** Service of Prometheus that its operator makes; KEDA's triggers and the services' defaults name it too. */
export const PROMETHEUS_SERVICE = { name: 'prometheus-operated', namespace: MONITORING_NAMESPACE, port: 9090 } as const;

/** Storage class that the add-ons make. EKS has no default of its own since Kubernetes 1.30. */
export const STORAGE_CLASS = 'gp3';

/** Part of the volume that metrics may fill; the write-ahead log takes some of the rest. */
const FILL = 0.85;

/** Values of the chart `kube-prometheus-stack`. */
export function prometheusStackValues(options: MonitoringOptions = {}): ChartValues {
  const { retentionDays = 15, storageGiB = 50, storageClass = STORAGE_CLASS, labels } = options;
  const selector = labels === undefined ? {} : { matchLabels: labels };
  return {
    // so that the stack reads its own rules and monitors too
    ...(labels === undefined ? {} : { commonLabels: labels }),
    prometheus: {
      prometheusSpec: {
        // without these, an empty selector reads only what carries the release's own label
        podMonitorSelectorNilUsesHelmValues: false,
        serviceMonitorSelectorNilUsesHelmValues: false,
        ruleSelectorNilUsesHelmValues: false,
        probeSelectorNilUsesHelmValues: false,
        podMonitorSelector: selector,
        ruleSelector: selector,
        retention: `${retentionDays}d`,
        retentionSize: `${Math.floor(storageGiB * FILL)}GiB`,
        storageSpec: {
          volumeClaimTemplate: {
            spec: {
              storageClassName: storageClass,
              accessModes: ['ReadWriteOnce'],
              resources: { requests: { storage: `${storageGiB}Gi` } },
            },
          },
        },
      },
      // Karpenter is there before this chart, and so before a ServiceMonitor could be
      additionalPodMonitors: [
        {
          name: 'karpenter',
          namespaceSelector: { matchNames: [CHARTS.karpenter.namespace] },
          selector: { matchLabels: { 'app.kubernetes.io/name': 'karpenter' } },
          podMetricsEndpoints: [{ port: 'http-metrics' }],
        },
      ],
    },
    // it would come with a well-known password
    grafana: { enabled: false },
    // EKS shows none of these
    kubeControllerManager: { enabled: false },
    kubeEtcd: { enabled: false },
    kubeScheduler: { enabled: false },
    kubeProxy: { enabled: false },
  };
}

/**
 * Values of the chart `prometheus-adapter`.
 *
 * @param configMap name of the ConfigMap that `PrometheusAdapterRules` makes
 */
export function prometheusAdapterValues(configMap: string): ChartValues {
  const { name, namespace, port } = PROMETHEUS_SERVICE;
  return {
    replicas: 2,
    podDisruptionBudget: { enabled: true },
    prometheus: { url: `http://${name}.${namespace}.svc`, port },
    rules: {
      default: false,
      existing: configMap,
      // overridden by `existing`, but the chart registers the external metrics API only where the list is not empty
      external: [{ seriesQuery: `{__name__="${Series.PRESSURE}"}` }],
    },
  };
}

/** Values of the chart `keda`. */
export function kedaValues(): ChartValues {
  return {
    operator: { replicaCount: 2 },
    metricsServer: { replicaCount: 2 },
    webhooks: { replicaCount: 2 },
  };
}

/** Values of the chart `metrics-server`, which the VPA and targets for CPU and memory read. */
export function metricsServerValues(): ChartValues {
  return { replicas: 2, podDisruptionBudget: { enabled: true, minAvailable: 1 } };
}
