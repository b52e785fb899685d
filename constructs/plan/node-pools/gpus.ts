import { Accelerator, ACCELERATORS, isAccelerator } from '../accelerators';
import type { Problems } from '../errors';
import { NodeLabel } from '../labels';
import { checkLimit, requirement } from './options';
import type { NodeRequirement } from './spec';

/** Which GPUs the nodes of a pool have, and how many there may be. */
export interface GpuOptions {
  /** GPU models. Where there are several, the cheapest node that fits and is available is taken. */
  readonly accelerators: readonly Accelerator[];
  /** The most GPUs that the pool may have, physical ones even where they are divided. */
  readonly maxGpus: number;
  /**
   * How many GPUs a node may have.
   *
   * @default - any number in which the accelerators come
   */
  readonly gpusPerNode?: readonly number[];
  /**
   * EC2 instance types, of families that have the accelerators.
   *
   * @default - all that have the accelerators
   */
  readonly instanceTypes?: readonly string[];
}

/** GPUs of a pool, checked. */
export interface GpuPlan {
  /** Distinct, in the order of the accelerator table. */
  readonly accelerators: readonly Accelerator[];
  /** What makes Karpenter launch nodes with these GPUs and no others. */
  readonly requirements: readonly NodeRequirement[];
}

/** The GPUs of a pool that has none. */
export const NO_GPUS: GpuPlan = { accelerators: [], requirements: [] };

/** Plans the GPUs of a pool, and records accelerators that do not exist or that the other options rule out. */
export function planGpus(problems: Problems, options: GpuOptions): GpuPlan {
  const given: unknown = options.accelerators;
  const listed = problems.check(
    Array.isArray(given) && given.length > 0,
    'accelerators',
    given,
    `list at least one of ${Object.keys(ACCELERATORS).join(', ')}`,
    'the pool could have no nodes',
  );
  if (!listed || !options.accelerators.map((accelerator) => checkAccelerator(problems, accelerator)).every(Boolean)) {
    return NO_GPUS;
  }
  const accelerators = Object.values(Accelerator).filter((accelerator) => options.accelerators.includes(accelerator));
  checkInstanceTypes(problems, options.instanceTypes, accelerators);
  if (checkGpusPerNode(problems, options.gpusPerNode, accelerators)) {
    checkMaxGpus(problems, options, accelerators);
  }
  return { accelerators, requirements: gpuRequirements(options, accelerators) };
}

function gpuRequirements(options: GpuOptions, accelerators: readonly Accelerator[]): NodeRequirement[] {
  const specs = accelerators.map((accelerator) => ACCELERATORS[accelerator]);
  const { gpusPerNode, instanceTypes } = options;
  return [
    // Names and memories are two lists, and every pair of them matches: [a100-40gb, h100] would also let in the A100
    // with 80 GiB. The families are what makes the choice exact; names and memories are there for pods to select by.
    requirement(
      'karpenter.k8s.aws/instance-family',
      'In',
      specs.flatMap((spec) => spec.instanceFamilies),
    ),
    requirement(
      NodeLabel.GPU_NAME,
      'In',
      specs.map((spec) => spec.gpuName),
    ),
    ...(specs.some((spec) => spec.nameIsAmbiguous)
      ? [
          requirement(
            NodeLabel.GPU_MEMORY,
            'In',
            specs.map((spec) => spec.memoryMiB),
          ),
        ]
      : []),
    // g6f instances carry the name l4 and a count of 0: they have a fraction of a GPU
    gpusPerNode === undefined
      ? requirement('karpenter.k8s.aws/instance-gpu-count', 'Gt', [0])
      : requirement('karpenter.k8s.aws/instance-gpu-count', 'In', gpusPerNode),
    ...(instanceTypes === undefined ? [] : [requirement('node.kubernetes.io/instance-type', 'In', instanceTypes)]),
  ];
}

function checkAccelerator(problems: Problems, accelerator: unknown): boolean {
  return problems.check(
    isAccelerator(accelerator),
    'accelerators',
    accelerator,
    `be one of ${Object.keys(ACCELERATORS).join(', ')}`,
    'only for these are the hardware facts known',
  );
}

function checkGpusPerNode(
  problems: Problems,
  gpusPerNode: readonly number[] | undefined,
  accelerators: readonly Accelerator[],
): boolean {
  if (gpusPerNode === undefined) {
    return true;
  }
  const listed = problems.check(
    Array.isArray(gpusPerNode) && gpusPerNode.length > 0 && gpusPerNode.every((count) => Number.isInteger(count)),
    'gpusPerNode',
    gpusPerNode,
    'list at least one whole number',
    'the pool could have no nodes',
  );
  return (
    listed &&
    accelerators
      .map((accelerator) =>
        problems.check(
          ACCELERATORS[accelerator].gpusPerNode.some((count) => gpusPerNode.includes(count)),
          'gpusPerNode',
          gpusPerNode,
          `include one of ${ACCELERATORS[accelerator].gpusPerNode.join(', ')}`,
          `${accelerator} nodes have no other number of GPUs`,
        ),
      )
      .every(Boolean)
  );
}

function checkMaxGpus(problems: Problems, options: GpuOptions, accelerators: readonly Accelerator[]): void {
  const { maxGpus, gpusPerNode } = options;
  if (!problems.check(Number.isInteger(maxGpus) && maxGpus > 0, 'maxGpus', maxGpus, ...MAX_GPUS_RULE)) {
    return;
  }
  for (const accelerator of accelerators) {
    const counts = ACCELERATORS[accelerator].gpusPerNode.filter((count) => gpusPerNode?.includes(count) ?? true);
    const smallest = Math.min(...counts);
    checkLimit(problems, 'maxGpus', maxGpus, smallest, `the smallest ${accelerator} node has ${smallest} GPUs`);
  }
}

const MAX_GPUS_RULE = ['be a whole number of at least 1', 'a pool without a limit can grow without bound'] as const;

function checkInstanceTypes(
  problems: Problems,
  instanceTypes: readonly string[] | undefined,
  accelerators: readonly Accelerator[],
): void {
  if (instanceTypes === undefined) {
    return;
  }
  const families = accelerators.flatMap((accelerator) => ACCELERATORS[accelerator].instanceFamilies);
  problems.check(
    Array.isArray(instanceTypes) &&
      instanceTypes.length > 0 &&
      instanceTypes.every((type: unknown) => families.some((family) => String(type).startsWith(`${family}.`))),
    'instanceTypes',
    instanceTypes,
    `list at least one type, all of the families ${families.join(', ')}`,
    `no other family has ${accelerators.join(' or ')}`,
  );
}
