import { SizeRoundingBehavior, type ApiObject, type Duration, type Size } from 'cdk8s';
import type { Construct } from 'constructs';
import { AppFacts } from './app-facts';
import { ec2NodeClass, karpenterNodePool } from './karpenter';
import { kubeObject } from './kube-object';
import type { NodePoolOptions } from './plan/node-pools/options';
import type { ConsolidationPolicy, DisruptionReason, NodePoolSpec } from './plan/node-pools/spec';

/** How many nodes of a pool may be disrupted at a time. Of several budgets, the strictest that is active counts. */
export interface DisruptionBudgetProps {
  /** A number of nodes such as `2`, or a percentage such as `10%` (rounded up). `0` blocks. */
  readonly nodes: string;
  /**
   * Reasons that it counts for.
   *
   * @default - all
   */
  readonly reasons?: readonly DisruptionReason[];
  /**
   * When it becomes active: five cron fields in UTC, or a word such as `@daily`. Goes with `duration`.
   *
   * @default - always active
   */
  readonly schedule?: string;
  /**
   * How long it stays active after each hit of `schedule`, in whole minutes.
   *
   * @default - always active
   */
  readonly duration?: Duration;
}

/** What every pool may be told. */
export interface NodePoolBaseProps extends Pick<
  NodePoolOptions,
  'cluster' | 'zones' | 'amiAlias' | 'weight' | 'labels' | 'tags'
> {
  /**
   * Name of the pool and its objects; a DNS label, unique in its cluster.
   *
   * @default - id of the construct
   */
  readonly name?: string;
  /**
   * Size of the encrypted volume for container images and logs, in whole GiB.
   *
   * @default - 200 GiB with GPUs (images with CUDA are large), else 50 GiB
   */
  readonly rootVolume?: Size;
  /**
   * Which nodes Karpenter removes.
   *
   * @default - GPU and batch pools: `WhenEmpty`; others: `WhenEmptyOrUnderutilized`
   */
  readonly consolidationPolicy?: ConsolidationPolicy;
  /**
   * How long no pod came or went before a node may be removed.
   *
   * @default - GPU pools 10 minutes (a model takes long to load again), batch pools 1 minute, others 5 minutes
   */
  readonly consolidateAfter?: Duration;
  /**
   * How many nodes may be disrupted at a time.
   *
   * @default [{ nodes: '10%' }]
   */
  readonly budgets?: readonly DisruptionBudgetProps[];
  /**
   * Age at which a node is drained. Expiry is forceful: it ignores budgets and `do-not-disrupt`. New machine images come
   * by drift, which budgets do govern.
   *
   * @default - `Never` with `clinicHours`, else 30 days
   */
  readonly expireAfter?: Duration | 'Never';
  /**
   * Time after which pods that keep a node from draining are removed by force, even those marked `do-not-disrupt`.
   *
   * @default - waits for ever
   */
  readonly terminationGracePeriod?: Duration;
}

/** The Kubernetes objects of a pool. */
export interface NodePoolObjects {
  /** The Karpenter NodePool object. */
  readonly nodePool: ApiObject;
  /** The Karpenter EC2NodeClass object. */
  readonly nodeClass: ApiObject;
}

/** Options of the plan from the props of a construct: names the pool, and turns quantities into plain numbers. */
export function planOptions<P extends NodePoolBaseProps>(
  id: string,
  props: P,
): Omit<P, 'budgets'> & Omit<NodePoolOptions, 'clinicHours'> {
  return {
    ...props,
    name: props.name ?? id,
    rootVolumeGiB: toGiB(props.rootVolume),
    consolidateAfterSeconds: toSeconds(props.consolidateAfter),
    budgets: props.budgets?.map(({ duration, ...budget }) => {
      const seconds = toSeconds(duration);
      return { ...budget, durationMinutes: typeof seconds === 'number' ? seconds / 60 : seconds };
    }),
    expireAfterSeconds: props.expireAfter === 'Never' ? 'Never' : toSeconds(props.expireAfter),
    terminationGracePeriodSeconds: toSeconds(props.terminationGracePeriod),
  };
}

/** Makes the objects of a pool, and tells the rest of the app of it. */
export function defineNodePool(scope: Construct, spec: NodePoolSpec): NodePoolObjects {
  const { path } = scope.node;
  const facts = AppFacts.of(scope);
  const key = `${spec.nodeClass.clusterName}/${spec.name}`;
  const first = facts.nodePoolPaths.get(key) ?? path;
  facts.nodePoolPaths.set(key, first);
  facts.nodePools.set(path, spec);
  scope.node.addValidation({
    validate: () =>
      first === path
        ? []
        : [`'name' (${spec.name}) must be unique in its cluster because ${first} makes objects of that name`],
  });
  return {
    nodePool: kubeObject(scope, 'NodePool', karpenterNodePool(spec)),
    nodeClass: kubeObject(scope, 'NodeClass', ec2NodeClass(spec)),
  };
}

/** GiB of a size, with fractions; what is no size is left for the plan to refuse. */
export function toGiB(size: Size | undefined): number | undefined {
  if (size === undefined) {
    return undefined;
  }
  return typeof size.toGibibytes === 'function'
    ? size.toGibibytes({ rounding: SizeRoundingBehavior.NONE })
    : notA('Size', size);
}

/** Seconds of a duration, with fractions; what is no duration is left for the plan to refuse. */
function toSeconds(duration: Duration | undefined): number | undefined {
  if (duration === undefined) {
    return undefined;
  }
  return typeof duration.toSeconds === 'function'
    ? duration.toSeconds({ integral: false })
    : notA('Duration', duration);
}

/** No number to the plan, which then names the property; a bare number has no unit that could be meant. */
function notA(type: string, value: unknown): number {
  return `${String(value)}, which is no ${type}` as unknown as number;
}
