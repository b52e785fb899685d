import { AdapterMetric, Series } from './scaling/series';
import type { ServicePlan } from './service/plan';

/** One rule of prometheus-adapter's configuration. */
export interface AdapterRule {
  readonly seriesQuery: string;
  readonly resources: { readonly overrides: { readonly [label: string]: { readonly resource: string } } };
  readonly name: { readonly as: string };
  readonly metricsQuery: string;
}

/** Configuration of prometheus-adapter: metrics of pods, and metrics of namespaces ("external"). */
export interface AdapterConfig {
  readonly rules: readonly AdapterRule[];
  readonly externalRules: readonly AdapterRule[];
}

/**
 * The prometheus-adapter rules that the HPAs of some services read: all of them where any service has the engine `hpa`,
 * since they serve every service alike and an API without a rule would be registered and never answer.
 */
export function adapterConfig(services: readonly ServicePlan[]): AdapterConfig {
  if (!services.some(({ scaling }) => scaling.engine === 'hpa')) {
    return { rules: [], externalRules: [] };
  }
  return {
    rules: [podRule(Series.POD_GPU, AdapterMetric.GPU), podRule(Series.POD_QUEUE, AdapterMetric.QUEUE)],
    externalRules: [
      externalRule(Series.PRESSURE, AdapterMetric.PRESSURE),
      externalRule(Series.FLOOR, AdapterMetric.FLOOR),
    ],
  };
}

function podRule(series: string, name: string): AdapterRule {
  return {
    seriesQuery: `${series}{namespace!="",pod!=""}`,
    resources: { overrides: { namespace: { resource: 'namespace' }, pod: { resource: 'pod' } } },
    name: { as: name },
    metricsQuery: 'avg(<<.Series>>{<<.LabelMatchers>>}) by (<<.GroupBy>>)',
  };
}

/** The HPA adds up what an external metric returns, so there must be one value for each service. */
function externalRule(series: string, name: string): AdapterRule {
  return {
    seriesQuery: `${series}{namespace!="",service!=""}`,
    resources: { overrides: { namespace: { resource: 'namespace' } } },
    name: { as: name },
    metricsQuery: 'max(<<.Series>>{<<.LabelMatchers>>}) by (service)',
  };
}
