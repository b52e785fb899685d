import type { ApiObject } from 'cdk8s';
import { Construct } from 'constructs';
import { planFor } from './kube-object';
import { defineNodePool, planOptions, type NodePoolBaseProps } from './node-pool-props';
import type { GpuOptions } from './plan/node-pools/gpus';
import type { NodePoolSpec } from './plan/node-pools/spec';
import { planSpotBatchPool, type SpotBatchPoolOptions } from './plan/node-pools/plan';

/** Properties of `SpotBatchPool`. With `accelerators` it needs `maxGpus`, without them `maxCpu`. */
export interface SpotBatchPoolProps
  extends NodePoolBaseProps, Partial<GpuOptions>, Pick<SpotBatchPoolOptions, 'type' | 'maxCpu' | 'onDemandFallback'> {}

/**
 * Spot nodes for work that is not critical: `batch_processing` and `model_training`. Label and taint
 * `mediform.io/workload=batch`; only pods of batch priority tolerate it, so that emergency and outpatient work can never
 * lose its node to another EC2 customer. With `accelerators` the nodes have GPUs.
 *
 * Makes a Karpenter NodePool and EC2NodeClass. The cluster needs Karpenter with its interruption queue, which drains a
 * node in the two minutes of notice that EC2 gives.
 *
 * Cost: Spot is 60 to 90 % cheaper than on-demand. Nodes are removed a minute after the last pod left. `maxGpus` and
 * `maxCpu` bound the bill. Where EC2 has no Spot capacity, pods wait; `onDemandFallback` pays the full price instead.
 *
 * @throws ConfigurationError that lists all wrong values with the construct's path
 */
export class SpotBatchPool extends Construct {
  /** All that was decided, as plain data. */
  public readonly spec: NodePoolSpec;
  /** The Karpenter NodePool object; patch it through this. */
  public readonly nodePool: ApiObject;
  /** The Karpenter EC2NodeClass object; patch it through this. */
  public readonly nodeClass: ApiObject;

  constructor(scope: Construct, id: string, props: SpotBatchPoolProps) {
    super(scope, id);
    this.spec = planFor(this, () => planSpotBatchPool(planOptions(id, props)), props);
    const { nodePool, nodeClass } = defineNodePool(this, this.spec);
    this.nodePool = nodePool;
    this.nodeClass = nodeClass;
  }
}
