import type { ApiObject, Size } from 'cdk8s';
import { Construct } from 'constructs';
import { planFor } from './kube-object';
import { defineNodePool, planOptions, toGiB, type NodePoolBaseProps } from './node-pool-props';
import type { NodePoolSpec } from './plan/node-pools/spec';
import { planNodePool, type CpuNodePoolOptions } from './plan/node-pools/plan';
import type { WeeklyWindow } from './plan/weekly-window';

/** Properties of `NodePool`. At least one of the limits is needed. */
export interface NodePoolProps
  extends NodePoolBaseProps, Pick<CpuNodePoolOptions, 'type' | 'maxCpu' | 'architectures'> {
  /**
   * The most memory that the pool may have, in whole GiB.
   *
   * @default - bounded by `maxCpu` alone
   */
  readonly maxMemory?: Size;
  /**
   * Hours in which no node is disrupted voluntarily. Karpenter's schedules are in UTC: they cover the window with and
   * without daylight saving.
   *
   * @default - none
   */
  readonly clinicHours?: WeeklyWindow;
}

/**
 * On-demand nodes without GPUs, label `node-type=compute-optimized` for business logic or `node-type=memory-optimized`
 * for caches and databases.
 *
 * Makes a Karpenter NodePool and EC2NodeClass. The cluster needs Karpenter.
 *
 * Cost: nodes are bought when pods need them; half-empty ones are merged after 5 minutes. `maxCpu` and `maxMemory`
 * bound the bill.
 *
 * @throws ConfigurationError that lists all wrong values with the construct's path
 */
export class NodePool extends Construct {
  /** All that was decided, as plain data. */
  public readonly spec: NodePoolSpec;
  /** The Karpenter NodePool object; patch it through this. */
  public readonly nodePool: ApiObject;
  /** The Karpenter EC2NodeClass object; patch it through this. */
  public readonly nodeClass: ApiObject;

  constructor(scope: Construct, id: string, props: NodePoolProps) {
    super(scope, id);
    const plan = (): NodePoolSpec => planNodePool({ ...planOptions(id, props), maxMemoryGiB: toGiB(props.maxMemory) });
    this.spec = planFor(this, plan, props);
    const { nodePool, nodeClass } = defineNodePool(this, this.spec);
    this.nodePool = nodePool;
    this.nodeClass = nodeClass;
  }
}
