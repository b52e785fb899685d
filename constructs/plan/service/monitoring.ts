import type { PodMonitor } from '../../imports/pod-monitor';
import type { PrometheusRule } from '../../imports/prometheus-rule';
import { AdminPath, GatewayMetric } from '../gateway/names';
import { podMatchers, recordingRules, type RuleContext } from '../scaling/rules';
import { Series } from '../scaling/series';
import { cacheUserAlerts } from '../tiered-cache/alerts';
import type { ServicePlan } from './plan';

/** Time that a signal may be missing before somebody should look. */
const SIGNAL_MISSING_FOR = '10m';

/** The PodMonitor of a service: how Prometheus finds its metrics. */
export function podMonitor(plan: ServicePlan): PodMonitor {
  const { monitoring = {} } = plan.props;
  const interval = `${monitoring.interval?.toSeconds() ?? 15}s`;
  return {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PodMonitor',
    metadata: { name: plan.name, namespace: plan.namespace, labels: { ...monitoring.labels, ...plan.labels } },
    spec: {
      selector: { matchLabels: { ...plan.selectorLabels } },
      podMetricsEndpoints: [
        ...(plan.gateway === undefined ? [] : [{ port: 'admin', path: AdminPath.METRICS, interval }]),
        ...(plan.metricsPort === undefined
          ? []
          : [
              {
                port: plan.metricsPort === plan.port ? 'http' : 'metrics',
                path: monitoring.path ?? '/metrics',
                interval,
                ...(plan.gateway === undefined ? {} : { metricRelabelings: [gatewaysOwn()] }),
              },
            ]),
      ],
    },
  };
}

/** What the gateway measures, it alone measures: a model that counts the same requests would count them twice. */
function gatewaysOwn(): { action: 'drop'; sourceLabels: string[]; regex: string } {
  const { QUEUE_LENGTH, REQUESTS, REQUEST_DURATION } = GatewayMetric;
  return {
    action: 'drop',
    sourceLabels: ['__name__'],
    regex: `${QUEUE_LENGTH}|${REQUESTS}|${REQUEST_DURATION}_(bucket|count|sum)`,
  };
}

/** The PrometheusRule of a service: its scaling signals, an alert for each that has gone missing, those of its cache. */
export function prometheusRule(plan: ServicePlan): PrometheusRule {
  const { monitoring = {}, cache } = plan.props;
  const context: RuleContext = {
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
  };
  const rules = recordingRules(plan.scaling, context);
  const cacheAlerts = cache === undefined ? [] : cacheUserAlerts(plan, podMatchers(context));
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
          rules: [...rules.map((rule) => ({ ...rule, labels: { ...rule.labels } })), ...alerts, ...cacheAlerts],
        },
      ],
    },
  };
}
