import type { ApiObject } from 'cdk8s';
import { Construct } from 'constructs';
import { planFor } from './kube-object';
import { defineNodePool, planOptions, type NodePoolBaseProps } from './node-pool-props';
import type { GpuOptions } from './plan/node-pools/gpus';
import type { NodePoolSpec } from './plan/node-pools/spec';
import { planGpuNodePool, type GpuNodePoolOptions } from './plan/node-pools/plan';
import type { WeeklyWindow } from './plan/weekly-window';

/** Properties of `GpuNodePool`. */
export interface GpuNodePoolProps
  extends NodePoolBaseProps, GpuOptions, Pick<GpuNodePoolOptions, 'reservedFor' | 'sharing' | 'useReservations'> {
  /**
   * Hours in which no node is disrupted voluntarily. Karpenter's schedules are in UTC: they cover the window with and
   * without daylight saving.
   *
   * @default - none
   */
  readonly clinicHours?: WeeklyWindow;
}

/**
 * On-demand nodes with GPUs for inference, label `accelerator=nvidia-gpu`. A taint keeps pods without GPUs away.
 *
 * Makes a Karpenter NodePool and EC2NodeClass. The cluster needs Karpenter and the NVIDIA device plugin; for `sharing`
 * the plugin's configuration of that name, or the NVIDIA operator's MIG manager with strategy `single`.
 *
 * Cost: nodes are bought when pods need them and removed 10 minutes after the last one left; an idle pool costs
 * nothing. `maxGpus` bounds the bill. Emergency and outpatient work never runs on Spot; for batch work see
 * `SpotBatchPool`.
 *
 * @throws ConfigurationError that lists all wrong values with the construct's path
 */
export class GpuNodePool extends Construct {
  /** All that was decided, as plain data. */
  public readonly spec: NodePoolSpec;
  /** The Karpenter NodePool object; patch it through this. */
  public readonly nodePool: ApiObject;
  /** The Karpenter EC2NodeClass object; patch it through this. */
  public readonly nodeClass: ApiObject;

  constructor(scope: Construct, id: string, props: GpuNodePoolProps) {
    super(scope, id);
    this.spec = planFor(this, () => planGpuNodePool(planOptions(id, props)), props);
    const { nodePool, nodeClass } = defineNodePool(this, this.spec);
    this.nodePool = nodePool;
    this.nodeClass = nodeClass;
  }
}
