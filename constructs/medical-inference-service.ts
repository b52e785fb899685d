import { Chart, type ApiObject } from 'cdk8s';
import * as kplus from 'cdk8s-plus-27';
import { Construct } from 'constructs';
import { AppFacts } from './app-facts';
import { provideClientCertificate } from './client-certificate';
import { kubeObject, planFor } from './kube-object';
import { placementProblems } from './plan/placement';
import { horizontalPodAutoscaler, scaledObject } from './plan/scaling/autoscaler';
import { deployment, podDisruptionBudget } from './plan/service/deployment';
import { gatewayConfigMap } from './plan/service/gateway';
import { podMonitor, prometheusRule } from './plan/service/monitoring';
import { networkPolicy } from './plan/service/network-policy';
import { planService, type ServicePlan } from './plan/service/plan';
import type { MedicalInferenceServiceProps } from './plan/service/props';
import { verticalPodAutoscaler } from './plan/service/vertical-scaling';
import { provideProgram } from './program';

/**
 * A model behind HTTP that scales by rules, drains gracefully, runs under the Pod Security standard "restricted" and
 * talks to nobody it was not told of.
 *
 * Makes a Deployment, Service, ServiceAccount, HorizontalPodAutoscaler (or KEDA ScaledObject), VerticalPodAutoscaler,
 * PodDisruptionBudget, NetworkPolicy, PodMonitor and PrometheusRule, all named after the service. Each is a property,
 * and can be patched through it.
 *
 * The cluster needs the Prometheus operator, kube-state-metrics, the VPA, and prometheus-adapter (with
 * `PrometheusAdapterRules`) or KEDA; for GPUs also the NVIDIA device plugin and dcgm-exporter.
 *
 * @throws ConfigurationError that lists all wrong values with the construct's path
 */
export class MedicalInferenceService extends Construct {
  /** All that was decided, as plain data. */
  public readonly plan: ServicePlan;

  /** Identity of the pods. Patch through `ApiObject.of`. */
  public readonly serviceAccount: kplus.ServiceAccount;
  /** The ConfigMap of the gateway; absent where it is off. What is patched into it restarts nothing. */
  public readonly gatewayConfig?: ApiObject;
  /** The Deployment object. */
  public readonly deployment: ApiObject;
  /** Address of the service inside the cluster; works with cdk8s-plus ingresses. Patch through `ApiObject.of`. */
  public readonly service: kplus.Service;
  /** The HorizontalPodAutoscaler, or the ScaledObject where the engine is KEDA. */
  public readonly autoscaler: ApiObject;
  /** The VerticalPodAutoscaler; absent where vertical scaling is off. */
  public readonly verticalPodAutoscaler?: ApiObject;
  /** The PodDisruptionBudget object. */
  public readonly podDisruptionBudget: ApiObject;
  /** The NetworkPolicy object. */
  public readonly networkPolicy: ApiObject;
  /** The PodMonitor object. */
  public readonly podMonitor: ApiObject;
  /** The PrometheusRule object. */
  public readonly prometheusRule: ApiObject;

  constructor(scope: Construct, id: string, props: MedicalInferenceServiceProps) {
    super(scope, id);
    const plan = planFor(this, () => planService(id, props, Chart.of(this).namespace), props);
    const { name, namespace, labels, scaling, verticalScaling } = plan;
    const target = { namespace, service: name, containerName: plan.containerName, labels };
    this.plan = plan;

    this.serviceAccount = new kplus.ServiceAccount(this, 'ServiceAccount', {
      metadata: { name, namespace, labels, annotations: props.serviceAccountAnnotations },
      automountToken: false,
    });
    if (plan.gateway !== undefined) {
      this.gatewayConfig = kubeObject(this, 'GatewayConfig', gatewayConfigMap(plan.gateway, namespace, labels));
    }
    const program = plan.gateway && provideProgram(this, 'gateway', namespace);
    if (props.cache !== undefined) {
      provideClientCertificate(this, props.cache.plan, namespace);
    }
    this.deployment = kubeObject(this, 'Deployment', deployment(plan, program));
    this.service = new kplus.Service(this, 'Service', {
      metadata: { name, namespace, labels },
      ports: [{ name: 'http', port: 80, targetPort: plan.servicePort }],
    });
    for (const [label, value] of Object.entries(plan.selectorLabels)) {
      this.service.selectLabel(label, value);
    }
    this.autoscaler =
      scaling.engine === 'keda'
        ? kubeObject(this, 'ScaledObject', scaledObject(scaling, target))
        : kubeObject(this, 'HorizontalPodAutoscaler', horizontalPodAutoscaler(scaling, target));
    if (verticalScaling !== undefined) {
      this.verticalPodAutoscaler = kubeObject(
        this,
        'VerticalPodAutoscaler',
        verticalPodAutoscaler(verticalScaling, target),
      );
    }
    this.podDisruptionBudget = kubeObject(this, 'PodDisruptionBudget', podDisruptionBudget(plan));
    this.networkPolicy = kubeObject(this, 'NetworkPolicy', networkPolicy(plan));
    this.podMonitor = kubeObject(this, 'PodMonitor', podMonitor(plan));
    this.prometheusRule = kubeObject(this, 'PrometheusRule', prometheusRule(plan));

    this.checkAgainstApp();
  }

  private checkAgainstApp(): void {
    const facts = AppFacts.of(this);
    const key = `${this.plan.namespace}/${this.plan.name}`;
    const first = facts.services.get(key) ?? { path: this.node.path, plan: this.plan };
    facts.services.set(key, first);
    const { cache } = this.plan.props;
    if (cache !== undefined) {
      const { namespace, selectorLabels: podLabels } = this.plan;
      facts.caches.get(`${cache.plan.namespace}/${cache.plan.name}`)?.users.push({ namespace, podLabels });
    }
    this.node.addValidation({
      validate: () => [
        ...(first.path === this.node.path
          ? []
          : [`'name' (${key}) must be unique in its namespace because ${first.path} makes objects of that name`]),
        ...placementProblems(this.plan, [...facts.nodePools.values()]),
      ],
    });
  }
}
