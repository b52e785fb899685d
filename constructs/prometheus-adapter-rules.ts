import { Lazy, Yaml, type ApiObject } from 'cdk8s';
import { Construct } from 'constructs';
import { AppFacts } from './app-facts';
import type { ConfigMap } from './imports/config-map';
import { kubeObject } from './kube-object';
import { adapterConfig } from './plan/adapter-rules';

/** Properties of `PrometheusAdapterRules`. */
export interface PrometheusAdapterRulesProps {
  /**
   * Name of the ConfigMap; give it to prometheus-adapter's Helm chart as `rules.existing`.
   *
   * @default 'prometheus-adapter-rules'
   */
  readonly name?: string;

  /**
   * Namespace that prometheus-adapter runs in.
   *
   * @default 'monitoring'
   */
  readonly namespace?: string;
}

/**
 * The configuration of prometheus-adapter for all services of an app, whatever chart they are in and whether they come
 * before or after it. Without it (or the KEDA engine) the HPAs have no metrics and hold their replicas.
 */
export class PrometheusAdapterRules extends Construct {
  /** The ConfigMap object; patch it through this. */
  public readonly configMap: ApiObject;

  constructor(scope: Construct, id: string, props: PrometheusAdapterRulesProps = {}) {
    super(scope, id);
    const { services } = AppFacts.of(this);
    const config = Lazy.any({
      produce: () => Yaml.stringify(adapterConfig([...services.values()].map(({ plan }) => plan))),
    }) as string;
    this.configMap = kubeObject(this, 'ConfigMap', {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: props.name ?? 'prometheus-adapter-rules', namespace: props.namespace ?? 'monitoring' },
      data: { 'config.yaml': config },
    } satisfies ConfigMap);
  }
}
