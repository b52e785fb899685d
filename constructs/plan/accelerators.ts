/** Keys of the accelerator table. A100 comes in two memory sizes, so its name alone never says which. */
export const Accelerator = {
  V100: 'v100',
  T4: 't4',
  A10G: 'a10g',
  A100_40GB: 'a100-40gb',
  A100_80GB: 'a100-80gb',
  L4: 'l4',
  L40S: 'l40s',
  H100: 'h100',
  H200: 'h200',
} as const;

/** One of the GPU models the library knows. */
export type Accelerator = (typeof Accelerator)[keyof typeof Accelerator];

/** Hardware facts of one GPU model as AWS offers it. */
export interface AcceleratorSpec {
  /** Value of Karpenter's label `karpenter.k8s.aws/instance-gpu-name`. */
  readonly gpuName: string;
  /** Memory of one GPU in MiB, as Karpenter's label `karpenter.k8s.aws/instance-gpu-memory` counts it. */
  readonly memoryMiB: number;
  /**
   * Whether `gpuName` alone also matches GPUs of another memory size, so that a pool must name the memory too:
   * `a100` is p4d (40 GiB) and p4de (80 GiB), `v100` is p3 (16 GiB) and p3dn (32 GiB).
   */
  readonly nameIsAmbiguous: boolean;
  /** EC2 instance families that carry it. */
  readonly instanceFamilies: readonly string[];
  /** How many GPUs one node can have, ascending. */
  readonly gpusPerNode: readonly number[];
  /** vCPUs of the host for each GPU, on the instance type that has the fewest. */
  readonly hostCpuPerGpu: number;
  /** Memory of the host for each GPU in GiB, on the instance type that has the least. */
  readonly hostMemoryGiBPerGpu: number;
  /** MIG profiles and how many instances of each fit on one GPU; empty where MIG is not supported. */
  readonly migProfiles: { readonly [profile: string]: number };
}

const NO_MIG = {};

/**
 * The accelerator table. Sources: EC2 instance type pages (GPUs, vCPUs, memory), Karpenter's instance type reference
 * (label values), NVIDIA MIG user guide (profiles and how many fit).
 */
export const ACCELERATORS: { readonly [A in Accelerator]: AcceleratorSpec } = {
  v100: {
    gpuName: 'v100',
    memoryMiB: 16_384,
    nameIsAmbiguous: true,
    instanceFamilies: ['p3'],
    gpusPerNode: [1, 4, 8],
    hostCpuPerGpu: 8,
    hostMemoryGiBPerGpu: 61,
    migProfiles: NO_MIG,
  },
  t4: {
    gpuName: 't4',
    memoryMiB: 16_384,
    nameIsAmbiguous: false,
    instanceFamilies: ['g4dn'],
    gpusPerNode: [1, 4, 8],
    hostCpuPerGpu: 4,
    hostMemoryGiBPerGpu: 16,
    migProfiles: NO_MIG,
  },
  a10g: {
    gpuName: 'a10g',
    memoryMiB: 24_576,
    nameIsAmbiguous: false,
    instanceFamilies: ['g5'],
    gpusPerNode: [1, 4, 8],
    hostCpuPerGpu: 4,
    hostMemoryGiBPerGpu: 16,
    migProfiles: NO_MIG,
  },
  'a100-40gb': {
    gpuName: 'a100',
    memoryMiB: 40_960,
    nameIsAmbiguous: true,
    instanceFamilies: ['p4d'],
    gpusPerNode: [8],
    hostCpuPerGpu: 12,
    hostMemoryGiBPerGpu: 144,
    migProfiles: { '1g.5gb': 7, '1g.10gb': 4, '2g.10gb': 3, '3g.20gb': 2, '4g.20gb': 1, '7g.40gb': 1 },
  },
  'a100-80gb': {
    gpuName: 'a100',
    memoryMiB: 81_920,
    nameIsAmbiguous: true,
    instanceFamilies: ['p4de'],
    gpusPerNode: [8],
    hostCpuPerGpu: 12,
    hostMemoryGiBPerGpu: 144,
    migProfiles: { '1g.10gb': 7, '1g.20gb': 4, '2g.20gb': 3, '3g.40gb': 2, '4g.40gb': 1, '7g.80gb': 1 },
  },
  l4: {
    gpuName: 'l4',
    memoryMiB: 22_888,
    nameIsAmbiguous: false,
    instanceFamilies: ['g6', 'gr6'],
    gpusPerNode: [1, 4, 8],
    hostCpuPerGpu: 4,
    hostMemoryGiBPerGpu: 16,
    migProfiles: NO_MIG,
  },
  l40s: {
    gpuName: 'l40s',
    memoryMiB: 45_776,
    nameIsAmbiguous: false,
    instanceFamilies: ['g6e'],
    gpusPerNode: [1, 4, 8],
    hostCpuPerGpu: 4,
    hostMemoryGiBPerGpu: 32,
    migProfiles: NO_MIG,
  },
  h100: {
    gpuName: 'h100',
    memoryMiB: 81_920,
    nameIsAmbiguous: false,
    instanceFamilies: ['p5'],
    gpusPerNode: [1, 8],
    hostCpuPerGpu: 16,
    hostMemoryGiBPerGpu: 256,
    migProfiles: { '1g.10gb': 7, '1g.20gb': 4, '2g.20gb': 3, '3g.40gb': 2, '4g.40gb': 1, '7g.80gb': 1 },
  },
  h200: {
    gpuName: 'h200',
    memoryMiB: 144_384,
    nameIsAmbiguous: false,
    instanceFamilies: ['p5e', 'p5en'],
    gpusPerNode: [8],
    hostCpuPerGpu: 24,
    hostMemoryGiBPerGpu: 256,
    migProfiles: { '1g.18gb': 7, '1g.35gb': 4, '2g.35gb': 3, '3g.71gb': 2, '4g.71gb': 1, '7g.141gb': 1 },
  },
};

/** Whether a value is a key of the accelerator table. */
export function isAccelerator(value: unknown): value is Accelerator {
  return typeof value === 'string' && Object.hasOwn(ACCELERATORS, value);
}
