import type { ApiObject, App, Chart } from 'cdk8s';
import {
  ComponentResource,
  CustomResource,
  type ComponentResourceOptions,
  type CustomResourceOptions,
  type Input,
  type Inputs,
  type Output,
  type Resource,
} from '@pulumi/pulumi';
import { neededDefinitions } from './crds';
import { planResources } from './resource-plan';

/** What to deploy. */
export interface ChartResourcesArgs {
  /** All charts of an app, or one chart with the charts in it. */
  readonly charts: App | Chart;

  /**
   * Whether nothing is deployed unless the cluster has the CustomResourceDefinitions (of Karpenter, KEDA, the Prometheus
   * operator, ...) that the objects need. Turn it off where the user may not read definitions, or where the same
   * deployment installs them.
   *
   * @default true
   */
  readonly checkDefinitions?: boolean;
}

/** A Kubernetes object in Pulumi, whatever its kind. */
export class KubernetesResource extends CustomResource {
  declare public readonly apiVersion: Output<string>;
  declare public readonly kind: Output<string>;
  declare public readonly metadata: Output<{
    readonly name: string;
    readonly namespace?: string;
    readonly [field: string]: unknown;
  }>;
  /** Undefined for kinds without one, such as ConfigMaps. */
  declare public readonly spec: Output<unknown>;
  /** What controllers report; undefined where they report nothing. */
  declare public readonly status: Output<unknown>;

  /** @internal */
  public constructor(type: string, name: string, inputs: Inputs, options: CustomResourceOptions) {
    // what is not given here has no property later
    super(type, name, { spec: undefined, status: undefined, ...inputs }, options);
  }
}

/**
 * Kubernetes objects of cdk8s charts as Pulumi resources, one each.
 *
 * - Types are those of `@pulumi/kubernetes` (`kubernetes:apps/v1:Deployment`), so that policies and transforms fit.
 * - A resource is called `COMPONENT/NAMESPACE/OBJECT`. Charts are not in it: rename them, move objects between them, and
 *   nothing changes.
 * - Resources wait for what they need, and for nothing else: namespaces, accounts, configuration, node pools, and what
 *   constructs depend on.
 * - Outputs are put in where `asString` left room for them, or where a field of an `ApiObject` holds one. Secrets stay
 *   secret.
 *
 * The provider is the default one, or what the options say.
 *
 * @throws Error that lists all that is wrong, before anything is registered
 */
export class ChartResources extends ComponentResource {
  private readonly resources = new Map<ApiObject, KubernetesResource>();

  constructor(name: string, args: ChartResourcesArgs, options: ComponentResourceOptions = {}) {
    const plans = planResources(args.charts);
    super('mediform:kubernetes:ChartResources', name, {}, options);

    // Pulumi makes children wait for what they say themselves, not for what their parent does
    const first = options.dependsOn === undefined ? [] : [options.dependsOn as Input<Resource>];
    const definitions = args.checkDefinitions === false ? [] : neededDefinitions(plans);
    const checks = definitions.map((definition) =>
      this.readDefinition(`${name}/needs/${definition}`, definition, first),
    );
    for (const plan of plans) {
      const dependsOn = [...first, ...checks, ...plan.after.map((object) => this.resourceOf(object))];
      const options = { ...plan.options, parent: this, dependsOn };
      this.resources.set(plan.object, new KubernetesResource(plan.type, `${name}/${plan.name}`, plan.inputs, options));
    }
    this.registerOutputs();
  }

  /**
   * The resource of an object, such as `service.deployment`.
   *
   * @throws Error where the object is not of these charts
   */
  public resourceOf(object: ApiObject): KubernetesResource {
    const resource = this.resources.get(object);
    if (resource === undefined) {
      throw new Error(
        `${object.node.path} must be in the charts that were deployed because nothing else has a resource`,
      );
    }
    return resource;
  }

  /** Fails where the cluster has no such definition; what waits for it is not made then. */
  private readDefinition(name: string, definition: string, dependsOn: Input<Resource>[]): Resource {
    const options = { parent: this, id: definition, dependsOn };
    return new KubernetesResource('kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition', name, {}, options);
  }
}
