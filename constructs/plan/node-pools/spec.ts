import type { Accelerator } from '../accelerators';
import type { GpuSharing } from '../gpu-sharing';
import type { Priority } from '../priorities';

/** What a pool is for. */
export type NodePoolKind = 'gpu' | 'compute-optimized' | 'memory-optimized' | 'batch';

/** How EC2 sells the nodes of a pool. `reserved` is capacity that was reserved beforehand. */
export type CapacityType = 'on-demand' | 'spot' | 'reserved';

/** Keeps pods away that do not tolerate it. */
export interface NodeTaint {
  /** Label key syntax. */
  readonly key: string;
  /** Value that a toleration with operator `Equal` names. */
  readonly value: string;
  /** `NoSchedule` keeps new pods away and leaves running ones alone. */
  readonly effect: 'NoSchedule';
}

/** One condition on the nodes of a pool; all of them hold at once. */
export interface NodeRequirement {
  /** Well-known or provider label. */
  readonly key: string;
  /** `Gt` and `Lt` compare whole numbers and take one value. */
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'Gt' | 'Lt';
  /** Sorted; empty for `Exists`. */
  readonly values: readonly string[];
  /**
   * How many of the values must still be possible when a node is launched.
   *
   * @default - no minimum
   */
  readonly minValues?: number;
}

/** The most that all nodes of a pool may have together. */
export interface NodePoolLimits {
  /**
   * Physical GPUs, whole ones even where pods get parts.
   *
   * @default - no limit
   */
  readonly gpus?: number;
  /**
   * vCPUs.
   *
   * @default - no limit
   */
  readonly cpu?: number;
  /**
   * Memory in GiB.
   *
   * @default - no limit
   */
  readonly memoryGiB?: number;
}

/**
 * When Karpenter removes nodes by itself: only those without pods, or also those whose pods fit elsewhere (it then
 * moves the pods).
 */
export type ConsolidationPolicy = 'WhenEmpty' | 'WhenEmptyOrUnderutilized';

/** Why Karpenter replaces or removes a node voluntarily. */
export type DisruptionReason = 'Underutilized' | 'Empty' | 'Drifted';

/** How many nodes of a pool may be disrupted at a time. Of several budgets, the strictest that is active counts. */
export interface DisruptionBudget {
  /** A number of nodes such as `2`, or a percentage such as `10%` (rounded up). `0` blocks. */
  readonly nodes: string;
  /**
   * Reasons that it counts for.
   *
   * @default - all
   */
  readonly reasons?: readonly DisruptionReason[];
  /**
   * When it becomes active: five cron fields in UTC, or a word such as `@daily`. Goes with `durationMinutes`.
   *
   * @default - always active
   */
  readonly schedule?: string;
  /**
   * Minutes that it stays active after each hit of `schedule`.
   *
   * @default - always active
   */
  readonly durationMinutes?: number;
}

/** Voluntary disruption of a pool's nodes. */
export interface DisruptionSpec {
  /** Which nodes are removed. */
  readonly consolidationPolicy: ConsolidationPolicy;
  /** Seconds without a change of pods before a node may be removed. */
  readonly consolidateAfterSeconds: number;
  /** How many at a time, and when none. */
  readonly budgets: readonly DisruptionBudget[];
}

/** What the machines of a pool are made from. */
export interface NodeClassSpec {
  /** Karpenter's image alias, `family@version`. */
  readonly amiAlias: string;
  /** Name of the EKS cluster; subnets and security groups are found by the tag `karpenter.sh/discovery` with it. */
  readonly clusterName: string;
  /** Name of the IAM role of the nodes. */
  readonly nodeRole: string;
  /** Size of the encrypted volume that holds container images and logs, in GiB. */
  readonly rootVolumeGiB: number;
  /** EC2 tags of instances, volumes and network interfaces. */
  readonly tags: { readonly [key: string]: string };
}

/**
 * A pool of nodes that grows and shrinks, as plain data. Karpenter objects and EKS node groups are both made from it,
 * and checks across an app read it.
 */
export interface NodePoolSpec {
  /** Name of the pool's objects; a DNS label, unique in its cluster. */
  readonly name: string;
  /** What the pool is for. */
  readonly kind: NodePoolKind;
  /** Labels of its nodes, by which pods choose them. */
  readonly labels: { readonly [key: string]: string };
  /** Taints of its nodes, sorted by key. */
  readonly taints: readonly NodeTaint[];
  /** Conditions on its nodes, sorted by key. */
  readonly requirements: readonly NodeRequirement[];
  /** How its nodes may be bought; the cheapest that is available is taken. */
  readonly capacityTypes: readonly CapacityType[];
  /** The most that it may grow to. */
  readonly limits: NodePoolLimits;
  /**
   * 1 to 100. Of the pools that a pod fits, the one with the largest weight is used.
   *
   * @default - Karpenter's own, the same as 0
   */
  readonly weight?: number;
  /** GPU models of its nodes; empty where they have none. */
  readonly accelerators: readonly Accelerator[];
  /**
   * How its GPUs are divided.
   *
   * @default - whole GPUs, or none
   */
  readonly sharing?: GpuSharing;
  /** Priorities whose pods may run there. */
  readonly priorities: readonly Priority[];
  /** When nodes are removed voluntarily. */
  readonly disruption: DisruptionSpec;
  /** Age in seconds at which a node is drained, whatever runs there and whatever the budgets say. */
  readonly expireAfterSeconds: number | 'Never';
  /**
   * Seconds after which pods that keep a node from draining are removed by force.
   *
   * @default - waits for ever
   */
  readonly terminationGracePeriodSeconds?: number;
  /** What its machines are made from. */
  readonly nodeClass: NodeClassSpec;
}
