import type { PodMonitor } from '../../imports/pod-monitor';
import type { PrometheusRule } from '../../imports/prometheus-rule';
import { recordingRules } from '../scaling/rules';
import { Series } from '../scaling/series';
import type { ServicePlan } from './plan';

/** Time that a signal may be missing before somebody should look. */
const SIGNAL_MISSING_FOR = '10m';

/** The PodMonitor of a service: how Prometheus finds its metrics. */
export function podMonitor(plan: ServicePlan): PodMonitor {
  const { monitoring = {} } = plan.props;
  return {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PodMonitor',
    metadata: { name: plan.name, namespace: plan.namespace, labels: { ...monitoring.labels, ...plan.labels } },
    spec: {
      selector: { matchLabels: { ...plan.selectorLabels } },
      podMetricsEndpoints: [
        {
          port: plan.metricsPort === plan.port ? 'http' : 'metrics',
          path: monitoring.path ?? '/metrics',
          interval: `${monitoring.interval?.toSeconds() ?? 15}s`,
        },
      ],
    },
  };
}

/** The PrometheusRule of a service: its scaling signals, and an alert for each that has gone missing. */
export function prometheusRule(plan: ServicePlan): PrometheusRule {
  const { monitoring = {} } = plan.props;
  const rules = recordingRules(plan.scaling, {
    namespace: plan.namespace,
    service: plan.name,
    containerName: plan.containerName,
    gpu: plan.props.gpu,
    cpu: plan.schedule.cpu,
    metricNames: {
      queueLength: monitoring.names?.queueLength ?? 'request_queue_length',
      responseTime: monitoring.names?.responseTime ?? 'request_duration_seconds',
      requests: monitoring.names?.requests ?? 'requests_total',
    },
  });
  const alerts = plan.scaling.signals.map(({ signal }) => ({
    alert: 'ScalingSignalMissing',
    expr: `absent(${Series.SIGNAL}{namespace="${plan.namespace}",service="${plan.name}",signal="${signal}"})`,
    for: SIGNAL_MISSING_FOR,
    labels: { severity: 'warning', namespace: plan.namespace, service: plan.name, signal },
    annotations: {
      summary: `${plan.namespace}/${plan.name} sends no ${signal}`,
      description: 'The service does not scale in until the signal is back.',
    },
  }));
  return {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata: { name: plan.name, namespace: plan.namespace, labels: { ...monitoring.labels, ...plan.labels } },
    spec: {
      groups: [
        {
          name: `mediform-${plan.namespace}-${plan.name}`,
          interval: '15s',
          rules: [...rules.map((rule) => ({ ...rule, labels: { ...rule.labels } })), ...alerts],
        },
      ],
    },
  };
}
