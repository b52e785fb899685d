import { all, ComponentResource, type ComponentResourceOptions, type Input, type Output } from '@pulumi/pulumi';
import { ConfigurationError, type Problems } from '../../../constructs/plan/errors';
import { assertValid, type AwsComponentArgs } from '../component';
import { checkTags, serviceTags } from '../tags';
import { managedNodeGroup } from './node-group';
import { planNodeGroup, type ManagedPool, type NodeGroupPlan } from './node-group-plan';
import { nodeRole } from './node-role';

/** Arguments of `NodePools`. */
export interface NodePoolsArgs extends AwsComponentArgs {
  /** Name of the EKS cluster; of one that has its network plugin, such as `Cluster.clusterName`. */
  readonly clusterName: Input<string>;
  /** Kubernetes version of its nodes, such as `Cluster.version`. */
  readonly version: Input<string>;
  /** Private subnets, one a zone. */
  readonly subnetIds: readonly Input<string>[];
  /** Names of the zones, in the order of the subnets. */
  readonly zones: Input<readonly string[]>;
  /** Pools that are managed node groups. Pools of Karpenter are Kubernetes objects, and not listed. */
  readonly pools: readonly ManagedPool[];
}

/**
 * Pools of nodes as EKS managed node groups, from the same specs that Karpenter's pools are made from:
 * `{ spec: planGpuNodePool({ ... }) }`. Somebody has to scale them: the Cluster Autoscaler, or a person.
 *
 * Cost: `minNodes` of each pool are there at all times; the limits of the pool bound how many there can be.
 *
 * @throws ConfigurationError that lists all wrong arguments with the component's name
 */
export class NodePools extends ComponentResource {
  /** ARN of the role of the nodes. */
  public readonly nodeRoleArn: Output<string>;
  /** What was made, by name of the pool. */
  public readonly plans: { readonly [pool: string]: NodeGroupPlan };

  constructor(name: string, args: NodePoolsArgs, options?: ComponentResourceOptions) {
    assertValid(name, (problems) => {
      checkTags(problems, args.tags);
      checkNodePools(problems, args.pools);
    });
    super('mediform:aws:NodePools', name, {}, options);
    const tags = serviceTags(args.tags, 'node-pools');
    const role = nodeRole(`${name}-nodes`, tags, this);
    this.nodeRoleArn = role.arn;
    const plans = args.pools.map(planNodeGroup);
    this.plans = Object.fromEntries(plans.map((plan) => [plan.name, plan]));
    for (const plan of plans) {
      managedNodeGroup(
        `${name}-${plan.name}`,
        plan,
        {
          clusterName: args.clusterName,
          version: args.version,
          subnetIds: all([args.zones, all([...args.subnetIds])]).apply(([zones, ids]) => subnetsIn(plan, zones, ids)),
          nodeRoleArn: role.arn,
          tags,
          dependsOn: role.attachments,
        },
        this,
      );
    }
    this.registerOutputs({ nodeRoleArn: this.nodeRoleArn });
  }
}

/** Records all that is wrong with pools that are to be managed node groups. */
export function checkNodePools(problems: Problems, pools: readonly ManagedPool[]): void {
  const names = pools.map(({ spec }) => spec.name);
  pools.forEach((pool, index) => {
    const { name } = pool.spec;
    problems.check(
      names.indexOf(name) === index,
      'pools',
      name,
      'have different names',
      'resources are named after them',
    );
    try {
      planNodeGroup(pool);
    } catch (error) {
      if (!(error instanceof ConfigurationError)) {
        throw error;
      }
      problems.add(error.problems.map((problem) => problem.replace(/^'/, `'pools.${name}.`)));
    }
  });
}

/**
 * Subnets of the zones that a pool is in.
 *
 * @throws ConfigurationError where the network has none of its zones
 */
export function subnetsIn(
  { name, zones: wanted }: NodeGroupPlan,
  zones: readonly string[],
  subnetIds: readonly string[],
): string[] {
  const found = subnetIds.filter((_, index) => wanted?.includes(zones[index] ?? '') ?? true);
  if (found.length === 0) {
    throw new ConfigurationError([
      `'pools.${name}.zones' (${wanted?.join(', ')}) must include one of ${zones.join(', ')} because the network is in no other`,
    ]);
  }
  return found;
}
