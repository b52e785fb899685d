import { ACCELERATORS } from '../../../constructs/plan/accelerators';
import { Problems } from '../../../constructs/plan/errors';
import { NodeLabel } from '../../../constructs/plan/labels';
import type { NodePoolSpec } from '../../../constructs/plan/node-pools/spec';
import { nodeVolumes, type NodeVolume } from '../../../constructs/plan/node-pools/volumes';
import type { InstanceShape } from '../../../constructs/plan/instance-types';
import { uniformTypes, ZONE } from './uniform-types';

/** A pool that is made an EKS managed node group. */
export interface ManagedPool {
  /** As `planGpuNodePool`, `planNodePool` or `planSpotBatchPool` made it. */
  readonly spec: NodePoolSpec;
  /**
   * EC2 size of its nodes, such as `2xlarge`. The nodes of a group are alike: they have the same vCPUs and GPUs.
   *
   * @default - none; needed where instance types of several sizes fit the pool
   */
  readonly nodeSize?: string;
  /**
   * The fewest nodes, and how many it starts with. Whoever scales it keeps between this and what the pool's limits give.
   *
   * @default 1
   */
  readonly minNodes?: number;
  /**
   * Release of the machine image, as EKS writes it: `1.34.2-20251112` for AL2023. Goes with a pinned `amiAlias`.
   *
   * @default - the newest when the group is made; a later one is taken by giving it
   */
  readonly releaseVersion?: string;
}

/** A managed node group, as plain data. */
export interface NodeGroupPlan {
  readonly name: string;
  readonly amiType: string;
  readonly releaseVersion?: string;
  readonly capacityType: 'ON_DEMAND' | 'SPOT';
  /** On demand the first that is available is taken, on Spot the one that is least likely to be taken back. */
  readonly instanceTypes: readonly string[];
  readonly labels: { readonly [key: string]: string };
  readonly taints: readonly { readonly key: string; readonly value: string; readonly effect: 'NO_SCHEDULE' }[];
  readonly minNodes: number;
  readonly maxNodes: number;
  /** How many nodes an update replaces at a time. */
  readonly maxUnavailable: { readonly nodes: number } | { readonly percentage: number };
  /**
   * Names of the zones it is in.
   *
   * @default - all in which the cluster has subnets
   */
  readonly zones?: readonly string[];
  readonly volumes: readonly NodeVolume[];
  /** Tags of instances, volumes and network interfaces, besides those of the platform. */
  readonly tags: { readonly [key: string]: string };
}

const AMI_TYPES = {
  al2023: { amd64: 'AL2023_x86_64_STANDARD', arm64: 'AL2023_ARM_64_STANDARD', gpu: 'AL2023_x86_64_NVIDIA' },
  bottlerocket: { amd64: 'BOTTLEROCKET_x86_64', arm64: 'BOTTLEROCKET_ARM_64', gpu: 'BOTTLEROCKET_x86_64_NVIDIA' },
} as const;

/**
 * Plans the managed node group of a pool.
 *
 * What only Karpenter does is refused where the pool asks for it, and else left out: `consolidationPolicy`,
 * `consolidateAfter` and `expireAfter` have defaults in every pool, and a node group neither merges nor expires its nodes.
 *
 * @throws ConfigurationError that lists everything that a node group cannot be
 */
export function planNodeGroup(pool: ManagedPool): NodeGroupPlan {
  const { spec, minNodes = 1, releaseVersion } = pool;
  const problems = new Problems();
  checkKarpenterAlone(problems, spec);
  const types = uniformTypes(problems, spec, pool.nodeSize);
  const maxNodes = largestSize(problems, spec, types);
  checkMinNodes(problems, minNodes, maxNodes);
  checkRelease(problems, spec, releaseVersion);
  const maxUnavailable = unavailable(problems, spec);
  problems.throwIfAny();
  const zones = spec.requirements.find(({ key, operator }) => key === ZONE && operator === 'In')?.values;
  return {
    name: spec.name,
    amiType: amiType(spec, types),
    ...(releaseVersion === undefined ? {} : { releaseVersion }),
    capacityType: spec.capacityTypes[0] === 'spot' ? 'SPOT' : 'ON_DEMAND',
    instanceTypes: types.map(({ instanceType }) => instanceType),
    labels: { ...spec.labels, ...gpuLabels(spec) },
    taints: spec.taints.map(({ key, value }) => ({ key, value, effect: 'NO_SCHEDULE' })),
    minNodes,
    maxNodes,
    maxUnavailable,
    ...(zones === undefined ? {} : { zones }),
    volumes: nodeVolumes(spec.nodeClass),
    tags: spec.nodeClass.tags,
  };
}

/** Labels by which pods choose a GPU model: Karpenter writes them on its nodes, and nobody on those of a node group. */
function gpuLabels({ accelerators: [accelerator] }: NodePoolSpec): { readonly [key: string]: string } {
  if (accelerator === undefined) {
    return {};
  }
  const { gpuName, memoryMiB } = ACCELERATORS[accelerator];
  return { [NodeLabel.GPU_NAME]: gpuName, [NodeLabel.GPU_MEMORY]: String(memoryMiB) };
}

function amiType({ nodeClass: { amiAlias } }: NodePoolSpec, [type]: readonly InstanceShape[]): string {
  const family = amiAlias.startsWith('bottlerocket@') ? 'bottlerocket' : 'al2023';
  return AMI_TYPES[family][type?.accelerator === undefined ? (type?.architecture ?? 'amd64') : 'gpu'];
}

function checkKarpenterAlone(problems: Problems, spec: NodePoolSpec): void {
  const { capacityTypes, sharing, weight, terminationGracePeriodSeconds, accelerators, requirements } = spec;
  problems.check(
    capacityTypes.length === 1 && !capacityTypes.includes('reserved'),
    'spec.capacityTypes',
    capacityTypes,
    'be one of on-demand, spot',
    'a node group buys in one way; fallbacks and reservations need Karpenter',
  );
  problems.check(
    sharing === undefined,
    'spec.sharing',
    sharing,
    'not be given',
    'whoever scales an empty node group counts whole GPUs and would start a node for every part; Karpenter pools can',
  );
  problems.check(
    weight === undefined,
    'spec.weight',
    weight,
    'not be given',
    'only Karpenter prefers one pool to another',
  );
  problems.check(
    terminationGracePeriodSeconds === undefined,
    'spec.terminationGracePeriodSeconds',
    terminationGracePeriodSeconds,
    'not be given',
    'EKS gives pods 15 minutes to leave a node that it updates, and cannot be told otherwise',
  );
  problems.check(
    accelerators.length <= 1,
    'spec.accelerators',
    accelerators,
    'name one',
    'the nodes of a group are alike; make a pool of each',
  );
  for (const { key, minValues } of requirements) {
    problems.check(
      minValues === undefined,
      `spec.requirements.${key}.minValues`,
      minValues,
      'not be given',
      'EC2 Auto Scaling starts nodes with whatever is left',
    );
  }
}

/** The most nodes that keep within all limits; 0 where that is not known. */
function largestSize(problems: Problems, { limits }: NodePoolSpec, types: readonly InstanceShape[]): number {
  const [first] = types;
  const last = types.at(-1);
  if (first === undefined || last === undefined) {
    return 0;
  }
  const bounds = [
    { property: 'gpus', limit: limits.gpus, node: first.gpus },
    { property: 'cpu', limit: limits.cpu, node: first.vcpus },
    { property: 'memoryGiB', limit: limits.memoryGiB, node: last.memoryMiB / 1024 },
  ].flatMap(({ property, limit, node }) => (limit === undefined ? [] : [{ property, limit, node }]));
  problems.check(bounds.length > 0, 'spec.limits', limits, 'name a limit', 'a pool without one can grow without bound');
  for (const { property, limit, node } of bounds) {
    problems.check(
      limit >= node,
      `spec.limits.${property}`,
      limit,
      `be at least ${node}`,
      `one ${last.instanceType} has as many`,
    );
  }
  return Math.min(...bounds.map(({ limit, node }) => Math.floor(limit / node)));
}

function checkMinNodes(problems: Problems, minNodes: number, maxNodes: number): void {
  problems.check(
    Number.isInteger(minNodes) && minNodes >= 0 && (maxNodes < 1 || minNodes <= maxNodes),
    'minNodes',
    minNodes,
    `be a whole number from 0 to ${maxNodes < 1 ? 'what the limits give' : maxNodes}`,
    'the limits of the pool allow no more nodes',
  );
}

function checkRelease(
  problems: Problems,
  { nodeClass: { amiAlias } }: NodePoolSpec,
  release: string | undefined,
): void {
  const pinned = !amiAlias.endsWith('@latest');
  problems.check(
    pinned === (release !== undefined),
    'releaseVersion',
    release,
    pinned ? 'be given' : 'not be given',
    pinned
      ? `EKS calls ${amiAlias} by another name, with the version of Kubernetes before or a commit after it`
      : `'amiAlias' (${amiAlias}) asks for the newest`,
  );
  problems.check(
    release === undefined || /^\d+\.\d+\.\d+-[0-9a-z]+$/.test(release),
    'releaseVersion',
    release,
    'be a release such as 1.34.2-20251112',
    'EKS takes no other form',
  );
}

function unavailable(problems: Problems, { disruption: { budgets } }: NodePoolSpec): NodeGroupPlan['maxUnavailable'] {
  const [budget] = budgets;
  const plain =
    budget !== undefined && budgets.length === 1 && budget.schedule === undefined && budget.reasons === undefined;
  const value = plain ? Number.parseInt(budget.nodes, 10) : 0;
  problems.check(
    value >= 1,
    'spec.disruption.budgets',
    budgets,
    'be one without hours or reasons, of at least one node',
    'EKS updates a node group when it is told to and one node at least; clinic hours need Karpenter',
  );
  return plain && budget.nodes.endsWith('%') ? { percentage: value } : { nodes: value };
}
