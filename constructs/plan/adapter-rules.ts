import { hasFloor } from './scaling/demand';
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
 * The prometheus-adapter rules that the HPAs of some services read. Each rule serves all services that need it: they
 * differ in the labels `namespace` and `service` only.
 */
export function adapterConfig(services: readonly ServicePlan[]): AdapterConfig {
  const served = services.filter(({ scaling }) => scaling.engine === 'hpa');
  const serves = (needs: (service: ServicePlan) => boolean, rule: AdapterRule): AdapterRule[] =>
    served.some(needs) ? [rule] : [];
  return {
    rules: [
      ...serves(
        ({ scaling }) => scaling.targets?.gpuUtilization !== undefined,
        podRule(Series.POD_GPU, AdapterMetric.GPU),
      ),
      ...serves(
        ({ scaling }) => scaling.targets?.queueLength !== undefined,
        podRule(Series.POD_QUEUE, AdapterMetric.QUEUE),
      ),
    ],
    externalRules: [
      ...serves(({ scaling }) => scaling.signals.length > 0, externalRule(Series.PRESSURE, AdapterMetric.PRESSURE)),
      ...serves(({ scaling }) => hasFloor(scaling), externalRule(Series.FLOOR, AdapterMetric.FLOOR)),
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
