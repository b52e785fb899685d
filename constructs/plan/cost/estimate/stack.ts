import type { NodeRequirement, NodeTaint } from '../../node-pools/spec';
import type { Toleration } from '../../scheduling';

/** Pods of one workload. */
export interface EstimatedWorkload {
  /** `namespace/name` */
  readonly name: string;
  readonly minReplicas: number;
  readonly maxReplicas: number;
  /** What one pod asks for. */
  readonly cpu: number;
  readonly memoryMiB: number;
  /** Units of the resource `nvidia.com/gpu`. */
  readonly gpus: number;
  readonly nodeSelector: { readonly [label: string]: string };
  readonly tolerations: readonly Toleration[];
  /** Volumes that each pod has of its own. */
  readonly volumes: readonly EstimatedVolume[];
}

/** A volume of the cluster. */
export interface EstimatedVolume {
  readonly gib: number;
  /** @default - the cluster's default */
  readonly storageClass?: string;
}

/** A pool of nodes. */
export interface EstimatedPool {
  readonly name: string;
  readonly labels: { readonly [label: string]: string };
  readonly taints: readonly Pick<NodeTaint, 'key' | 'value' | 'effect'>[];
  readonly requirements: readonly Pick<NodeRequirement, 'key' | 'operator' | 'values'>[];
  readonly weight: number;
  /** The most of each resource that its nodes may have together: GPU units, cores, MiB. */
  readonly limits: { readonly gpus?: number; readonly cpu?: number; readonly memoryMiB?: number };
  /** Volumes of each node. */
  readonly nodeVolumes: readonly { readonly gib: number; readonly volumeType: string }[];
  /** Schedulable units of a GPU: more than one where GPUs are divided. */
  readonly unitsPerGpu: number;
}

/** What of a stack costs something. */
export interface EstimatedStack {
  readonly workloads: readonly EstimatedWorkload[];
  readonly pools: readonly EstimatedPool[];
  /** Volumes that stand for themselves, whatever pods there are. */
  readonly claims: readonly (EstimatedVolume & { readonly name: string })[];
  /** Names of CronJobs and Jobs, which are not in an estimate. */
  readonly jobs: readonly string[];
}

/** Why pods cannot run on a pool; undefined where they can. */
export function misfitOf(workload: EstimatedWorkload, pool: EstimatedPool): string | undefined {
  for (const [label, value] of Object.entries(workload.nodeSelector)) {
    const required = pool.requirements.find(({ key, operator }) => key === label && operator === 'In')?.values;
    const offered = pool.labels[label] === undefined ? required : [pool.labels[label]];
    // what neither says is a label of the instance type, which is looked at for each of them
    if (offered !== undefined && !offered.includes(value)) {
      return `has no nodes with ${label}=${value}`;
    }
    if (offered === undefined && !INSTANCE_LABEL.test(label)) {
      return `has no nodes with ${label}`;
    }
  }
  const taint = pool.taints.find(
    ({ key, value, effect }) =>
      !workload.tolerations.some(
        (toleration) =>
          toleration.key === key &&
          toleration.effect === effect &&
          (toleration.operator === 'Exists' || toleration.value === value),
      ),
  );
  return taint === undefined ? undefined : `has the taint ${taint.key}=${taint.value}`;
}

const INSTANCE_LABEL =
  /^(karpenter\.k8s\.aws|karpenter\.sh|kubernetes\.io|node\.kubernetes\.io|topology\.kubernetes\.io)\//;

/** Whether a node with some labels meets a requirement. Labels that depend on the place are not known, and met. */
export function meets(
  { key, operator, values }: EstimatedPool['requirements'][number],
  labels: { readonly [label: string]: string },
): boolean {
  const value = labels[key];
  if (value === undefined) {
    return !key.startsWith('karpenter.k8s.aws/instance-') || operator === 'NotIn';
  }
  const [bound = NaN] = values.map(Number);
  switch (operator) {
    case 'In':
      return values.includes(value);
    case 'NotIn':
      return !values.includes(value);
    case 'Exists':
      return true;
    case 'Gt':
      return Number(value) > bound;
    case 'Lt':
      return Number(value) < bound;
  }
}
