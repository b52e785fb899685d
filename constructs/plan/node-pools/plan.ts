import { Problems } from '../errors';
import { checkSharing, sharingKey, type GpuSharing } from '../gpu-sharing';
import { GPU_RESOURCE, NodeLabel, NVIDIA_GPU } from '../labels';
import type { DisruptionDefaults } from './disruption';
import { assemblePool, cpuRequirements, SMALLEST_CPU, taint } from './assembly';
import { NO_GPUS, planGpus, type GpuOptions } from './gpus';
import { checkLimit, SharingLabel, type NodePoolOptions } from './options';
import type { NodePoolSpec } from './spec';
import { Priority } from '../priorities';

/** The kinds of nodes without GPUs, by the hospital's own names. */
export type NodeType = 'compute-optimized' | 'memory-optimized';

/** CPU architecture of a node, as Kubernetes calls it. */
export type Architecture = 'amd64' | 'arm64';

/** Options of `planGpuNodePool`. */
export interface GpuNodePoolOptions extends NodePoolOptions, GpuOptions {
  /**
   * Keep the pool free for one priority, `emergency` or `normal`. Other pods stay away; give the pool a `weight`, so
   * that these pods prefer it to the shared pools.
   *
   * @default - emergency and normal share the pool
   */
  readonly reservedFor?: Priority;
  /**
   * Divide every GPU of the pool. Only pods that ask for this very division run there.
   *
   * @default - whole GPUs
   */
  readonly sharing?: GpuSharing;
  /**
   * Use EC2 capacity reservations with the tag `karpenter.sh/discovery=<cluster>` first.
   *
   * @default false
   */
  readonly useReservations?: boolean;
}

/** Options of `planNodePool`. At least one of the limits is needed. */
export interface CpuNodePoolOptions extends NodePoolOptions {
  /** Compute-optimised (EC2 category c) or memory-optimised (r) nodes. */
  readonly type: NodeType;
  /**
   * The most vCPUs that the pool may have.
   *
   * @default - bounded by `maxMemoryGiB` alone
   */
  readonly maxCpu?: number;
  /**
   * The most memory that the pool may have, in GiB.
   *
   * @default - bounded by `maxCpu` alone
   */
  readonly maxMemoryGiB?: number;
  /**
   * CPU architectures. Add `arm64` (Graviton, cheaper) where all images are built for it too.
   *
   * @default ['amd64']
   */
  readonly architectures?: readonly Architecture[];
}

/** Options of `planSpotBatchPool`. */
export interface SpotBatchPoolOptions extends Omit<NodePoolOptions, 'clinicHours'>, Partial<GpuOptions> {
  /**
   * What nodes without GPUs are like. `compute-optimized` takes the EC2 categories c, m and r, since Spot is the
   * steadier the more types there are to choose from; `memory-optimized` takes r.
   *
   * @default 'compute-optimized'
   */
  readonly type?: NodeType;
  /**
   * The most vCPUs that the pool may have. Needed where there are no accelerators.
   *
   * @default - bounded by `maxGpus` alone
   */
  readonly maxCpu?: number;
  /**
   * Buy on-demand nodes where Spot has none. Batch work then never waits, and costs up to ten times as much.
   *
   * @default false
   */
  readonly onDemandFallback?: boolean;
}

const NODE_TYPES: { readonly [T in NodeType]: { readonly category: string; readonly smallestGiB: number } } = {
  // EC2 instance type pages: c has 2 GiB for each vCPU, r has 8
  'compute-optimized': { category: 'c', smallestGiB: 2 * SMALLEST_CPU },
  'memory-optimized': { category: 'r', smallestGiB: 8 * SMALLEST_CPU },
};
const ARCHITECTURES: readonly Architecture[] = ['amd64', 'arm64'];

const GPU_DISRUPTION: DisruptionDefaults = { consolidationPolicy: 'WhenEmpty', consolidateAfterSeconds: 600 };
const CPU_DISRUPTION: DisruptionDefaults = {
  consolidationPolicy: 'WhenEmptyOrUnderutilized',
  consolidateAfterSeconds: 300,
};
const BATCH_DISRUPTION: DisruptionDefaults = { consolidationPolicy: 'WhenEmpty', consolidateAfterSeconds: 60 };

const GPU_TAINT = taint(GPU_RESOURCE, 'true');

/**
 * Plans a pool of on-demand GPU nodes for inference, label `accelerator=nvidia-gpu`.
 *
 * @throws ConfigurationError that lists every option which cannot work
 */
export function planGpuNodePool(options: GpuNodePoolOptions): NodePoolSpec {
  const { reservedFor, sharing } = options;
  const problems = new Problems();
  const gpus = planGpus(problems, options);
  checkReservedFor(problems, reservedFor);
  if (sharing !== undefined && checkMode(problems, sharing)) {
    checkSharing(problems, sharing, gpus.accelerators);
  }
  return assemblePool(problems, options, {
    kind: 'gpu',
    labels: {
      [NodeLabel.ACCELERATOR]: NVIDIA_GPU,
      ...(reservedFor === undefined ? {} : { [NodeLabel.RESERVED_FOR]: reservedFor }),
      ...(sharing === undefined ? {} : sharingLabels(sharing)),
    },
    taints: [
      GPU_TAINT,
      ...(reservedFor === undefined ? [] : [taint(NodeLabel.RESERVED_FOR, reservedFor)]),
      ...(sharing === undefined ? [] : [taint(NodeLabel.GPU_SHARING, sharingKey(sharing))]),
    ],
    capacityTypes: options.useReservations === true ? ['reserved', 'on-demand'] : ['on-demand'],
    architectures: ['amd64'],
    gpus,
    requirements: [],
    limits: { gpus: options.maxGpus },
    sharing,
    priorities: reservedFor === undefined ? [Priority.EMERGENCY, Priority.NORMAL] : [reservedFor],
    disruption: GPU_DISRUPTION,
  });
}

/**
 * Plans a pool of on-demand nodes without GPUs, label `node-type=<type>`: business logic on compute-optimised, caches
 * and databases on memory-optimised ones.
 *
 * @throws ConfigurationError that lists every option which cannot work
 */
export function planNodePool(options: CpuNodePoolOptions): NodePoolSpec {
  const { type, maxCpu, maxMemoryGiB, architectures = ['amd64'] } = options;
  const problems = new Problems();
  const known = checkType(problems, type);
  problems.check(
    Array.isArray(architectures) &&
      architectures.length > 0 &&
      architectures.every((a: Architecture) => ARCHITECTURES.includes(a)),
    'architectures',
    architectures,
    `list at least one of ${ARCHITECTURES.join(', ')}`,
    'EC2 has no other',
  );
  problems.check(
    maxCpu !== undefined || maxMemoryGiB !== undefined,
    'maxCpu',
    maxCpu,
    "be given, or 'maxMemory'",
    'a pool without a limit can grow without bound',
  );
  checkMaxCpu(problems, maxCpu);
  if (known) {
    const { smallestGiB } = NODE_TYPES[type];
    checkLimit(problems, 'maxMemory', maxMemoryGiB, smallestGiB, `the smallest node has ${smallestGiB} GiB`);
  }
  return assemblePool(problems, options, {
    kind: type,
    labels: { [NodeLabel.NODE_TYPE]: type },
    taints: [],
    capacityTypes: ['on-demand'],
    architectures,
    gpus: NO_GPUS,
    requirements: known ? cpuRequirements([NODE_TYPES[type].category]) : [],
    limits: { cpu: maxCpu, memoryGiB: maxMemoryGiB },
    priorities: [Priority.EMERGENCY, Priority.NORMAL, Priority.BATCH],
    disruption: CPU_DISRUPTION,
  });
}

/**
 * Plans a pool of Spot nodes for work that may lose its node at any time: batch processing and model training, and
 * nothing else. The only pool with Spot capacity.
 *
 * @throws ConfigurationError that lists every option which cannot work
 */
export function planSpotBatchPool(options: SpotBatchPoolOptions): NodePoolSpec {
  const { accelerators, maxGpus, maxCpu, type = 'compute-optimized' } = options;
  const problems = new Problems();
  const hasGpus = accelerators !== undefined;
  const known = checkType(problems, type);
  const gpus = hasGpus ? planGpus(problems, { ...options, accelerators, maxGpus: maxGpus as number }) : NO_GPUS;
  if (!hasGpus) {
    problems.check(
      maxGpus === undefined,
      'maxGpus',
      maxGpus,
      'not be given',
      "a pool without 'accelerators' has no GPUs",
    );
    problems.check(maxCpu !== undefined, 'maxCpu', maxCpu, 'be given', 'a pool without a limit can grow without bound');
  }
  const { clinicHours } = options as { readonly clinicHours?: unknown };
  problems.check(
    clinicHours === undefined,
    'clinicHours',
    clinicHours,
    'not be given',
    'Spot nodes may be lost at any hour, and batch work can wait',
  );
  checkMaxCpu(problems, maxCpu);
  const categories = type === 'memory-optimized' ? ['r'] : ['c', 'm', 'r'];
  return assemblePool(problems, options, {
    kind: 'batch',
    labels: {
      [NodeLabel.WORKLOAD]: 'batch',
      ...(hasGpus ? { [NodeLabel.ACCELERATOR]: NVIDIA_GPU } : { [NodeLabel.NODE_TYPE]: type }),
    },
    taints: [taint(NodeLabel.WORKLOAD, 'batch'), ...(hasGpus ? [GPU_TAINT] : [])],
    capacityTypes: options.onDemandFallback === true ? ['spot', 'on-demand'] : ['spot'],
    architectures: ['amd64'],
    gpus,
    requirements: hasGpus || !known ? [] : cpuRequirements(categories),
    limits: { gpus: maxGpus, cpu: maxCpu },
    priorities: [Priority.BATCH],
    disruption: BATCH_DISRUPTION,
  });
}

/** The label pods select by, and the one by which the NVIDIA operator divides the GPUs of a node. */
function sharingLabels(sharing: GpuSharing): { readonly [key: string]: string } {
  return {
    [NodeLabel.GPU_SHARING]: sharingKey(sharing),
    ...(sharing.mode === 'mig'
      ? { [SharingLabel.MIG]: `all-${sharing.profile}` }
      : { [SharingLabel.DEVICE_PLUGIN]: sharingKey(sharing) }),
  };
}

function checkMaxCpu(problems: Problems, maxCpu: number | undefined): void {
  checkLimit(problems, 'maxCpu', maxCpu, SMALLEST_CPU, `the smallest node has ${SMALLEST_CPU} vCPUs`);
}

function checkType(problems: Problems, type: NodeType): boolean {
  return problems.check(
    Object.hasOwn(NODE_TYPES, type),
    'type',
    type,
    `be one of ${Object.keys(NODE_TYPES).join(', ')}`,
    'it is the node-type label that pods select by',
  );
}

function checkReservedFor(problems: Problems, reservedFor: Priority | undefined): void {
  problems.check(
    reservedFor !== Priority.BATCH,
    'reservedFor',
    reservedFor,
    'be emergency or normal',
    'batch work belongs on Spot nodes: use SpotBatchPool',
  );
  problems.check(
    reservedFor === undefined || Object.values(Priority).includes(reservedFor),
    'reservedFor',
    reservedFor,
    'be one of emergency, normal',
    'a priority is never guessed',
  );
}

function checkMode(problems: Problems, sharing: GpuSharing): boolean {
  return problems.check(
    ['mig', 'time-slicing', 'mps'].includes(sharing.mode),
    'sharing.mode',
    sharing.mode,
    'be one of mig, time-slicing, mps',
    'NVIDIA divides GPUs in no other way',
  );
}
