import { ACCELERATORS, type Accelerator } from '../../accelerators';

/** What a node of an instance type has. */
export interface InstanceShape {
  readonly instanceType: string;
  readonly vcpus: number;
  readonly memoryMiB: number;
  readonly gpus: number;
  /** GPU model; absent where it has none. */
  readonly accelerator?: Accelerator;
  readonly architecture: 'amd64' | 'arm64';
}

interface Sizes {
  readonly [size: string]: readonly [vcpus: number, memoryGiB: number, gpus: number];
}

/** Sizes that g5 and g6 have alike. */
const G5: Sizes = {
  xlarge: [4, 16, 1],
  '2xlarge': [8, 32, 1],
  '4xlarge': [16, 64, 1],
  '8xlarge': [32, 128, 1],
  '12xlarge': [48, 192, 4],
  '16xlarge': [64, 256, 1],
  '24xlarge': [96, 384, 4],
  '48xlarge': [192, 768, 8],
};

/** GPU instances. Source: the EC2 instance type pages. */
const GPU_FAMILIES: { readonly [family: string]: Sizes } = {
  g4dn: {
    xlarge: [4, 16, 1],
    '2xlarge': [8, 32, 1],
    '4xlarge': [16, 64, 1],
    '8xlarge': [32, 128, 1],
    '12xlarge': [48, 192, 4],
    '16xlarge': [64, 256, 1],
    metal: [96, 384, 8],
  },
  g5: G5,
  g6: G5,
  gr6: { '4xlarge': [16, 128, 1], '8xlarge': [32, 256, 1] },
  g6e: {
    xlarge: [4, 32, 1],
    '2xlarge': [8, 64, 1],
    '4xlarge': [16, 128, 1],
    '8xlarge': [32, 256, 1],
    '12xlarge': [48, 384, 4],
    '16xlarge': [64, 512, 1],
    '24xlarge': [96, 768, 4],
    '48xlarge': [192, 1536, 8],
  },
  p3: { '2xlarge': [8, 61, 1], '8xlarge': [32, 244, 4], '16xlarge': [64, 488, 8] },
  p4d: { '24xlarge': [96, 1152, 8] },
  p4de: { '24xlarge': [96, 1152, 8] },
  p5: { '4xlarge': [16, 256, 1], '48xlarge': [192, 2048, 8] },
  p5e: { '48xlarge': [192, 2048, 8] },
  p5en: { '48xlarge': [192, 2048, 8] },
};

/** GiB for each vCPU of the families without GPUs. */
const GIB_PER_VCPU: { readonly [category: string]: number } = { c: 2, m: 4, r: 8 };
const GENERAL = /^([cmr])(\d+)([a-z]*)(?:-flex)?\.(?:(\d*)x)?large$/;

/**
 * What an EC2 instance type has: those of the library's accelerators, and the general ones (`c`, `m`, `r`), whose sizes
 * follow a rule: 2 vCPUs are `large`, 4 `xlarge`, 4 n `nxlarge`.
 *
 * @returns undefined where the library does not know it
 */
export function instanceShape(instanceType: string): InstanceShape | undefined {
  const [family = '', size = ''] = instanceType.split('.');
  const gpu = GPU_FAMILIES[family]?.[size];
  if (gpu !== undefined) {
    const [vcpus, memoryGiB, gpus] = gpu;
    const accelerator = (Object.keys(ACCELERATORS) as Accelerator[]).find((name) =>
      ACCELERATORS[name].instanceFamilies.includes(family),
    );
    return { instanceType, vcpus, memoryMiB: memoryGiB * 1024, gpus, accelerator, architecture: 'amd64' };
  }
  const [, category = '', , attributes = '', multiple] = GENERAL.exec(instanceType) ?? [];
  const gibPerVcpu = GIB_PER_VCPU[category];
  // c5n alone breaks the rule
  if (gibPerVcpu === undefined || family === 'c5n') {
    return undefined;
  }
  const vcpus = size === 'large' ? 2 : 4 * Number(multiple === '' ? 1 : multiple);
  const architecture = attributes.includes('g') ? 'arm64' : 'amd64';
  return { instanceType, vcpus, memoryMiB: vcpus * gibPerVcpu * 1024, gpus: 0, architecture };
}

/** Values of Karpenter's labels of a node; those that depend on the place are not among them. */
export function instanceLabels(shape: InstanceShape): { readonly [label: string]: string } {
  const [family = '', size = ''] = shape.instanceType.split('.');
  const [, category = '', generation = ''] = /^([a-z]+)(\d+)/.exec(family) ?? [];
  const prefix = 'karpenter.k8s.aws/instance-';
  const gpu = shape.accelerator === undefined ? undefined : ACCELERATORS[shape.accelerator];
  return {
    'node.kubernetes.io/instance-type': shape.instanceType,
    'kubernetes.io/arch': shape.architecture,
    'kubernetes.io/os': 'linux',
    [`${prefix}family`]: family,
    [`${prefix}size`]: size,
    [`${prefix}category`]: category,
    [`${prefix}generation`]: generation,
    [`${prefix}cpu`]: String(shape.vcpus),
    [`${prefix}memory`]: String(shape.memoryMiB),
    ...(gpu === undefined
      ? {}
      : {
          [`${prefix}gpu-name`]: gpu.gpuName,
          [`${prefix}gpu-memory`]: String(gpu.memoryMiB),
          [`${prefix}gpu-count`]: String(shape.gpus),
        }),
  };
}

/** Part of a node's memory that Karpenter leaves out, since the hypervisor takes some (`VM_MEMORY_OVERHEAD_PERCENT`). */
const VM_OVERHEAD = 0.075;
/** Memory in MiB under which the kubelet evicts pods. */
const EVICTION_MIB = 100;
/** Parts of the first core, the second, the next two, and the rest that EKS keeps for the kubelet. */
const RESERVED_CPU = [0.06, 0.01, 0.005, 0.005] as const;
const RESERVED_CPU_REST = 0.0025;

/** What pods may have of a node: less what EKS keeps for the kubelet (255 MiB and 11 for each pod that could be there). */
export function allocatable({ vcpus, memoryMiB }: InstanceShape): { readonly cpu: number; readonly memoryMiB: number } {
  // pods by network interfaces, as EKS counts them for these sizes
  const pods = vcpus < 16 ? 58 : vcpus < 64 ? 234 : 737;
  const reservedCpu = Array.from({ length: vcpus }, (_, core) => RESERVED_CPU[core] ?? RESERVED_CPU_REST);
  return {
    cpu: vcpus - reservedCpu.reduce((total, part) => total + part, 0),
    memoryMiB: Math.floor(memoryMiB * (1 - VM_OVERHEAD)) - (255 + 11 * pods) - EVICTION_MIB,
  };
}
