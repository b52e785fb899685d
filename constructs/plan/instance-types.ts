import { ACCELERATORS, type Accelerator } from './accelerators';

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

/** vCPUs, GiB and GPUs of a size. */
type Size = readonly [cpu: number, memoryGiB: number, gpus: number];

/** Families with one, four or eight GPUs of 24 GB share their sizes. */
const G5_SIZES: { readonly [size: string]: Size } = {
  xlarge: [4, 16, 1],
  '2xlarge': [8, 32, 1],
  '4xlarge': [16, 64, 1],
  '8xlarge': [32, 128, 1],
  '16xlarge': [64, 256, 1],
  '12xlarge': [48, 192, 4],
  '24xlarge': [96, 384, 4],
  '48xlarge': [192, 768, 8],
};

/** GPU families. Source: EC2 instance type pages ("Accelerated computing"). */
export const GPU_FAMILIES: { readonly [family: string]: { readonly [size: string]: Size } } = {
  p3: { '2xlarge': [8, 61, 1], '8xlarge': [32, 244, 4], '16xlarge': [64, 488, 8] },
  g4dn: {
    xlarge: [4, 16, 1],
    '2xlarge': [8, 32, 1],
    '4xlarge': [16, 64, 1],
    '8xlarge': [32, 128, 1],
    '16xlarge': [64, 256, 1],
    '12xlarge': [48, 192, 4],
    metal: [96, 384, 8],
  },
  g5: G5_SIZES,
  g6: G5_SIZES,
  gr6: { '4xlarge': [16, 128, 1], '8xlarge': [32, 256, 1] },
  g6e: {
    xlarge: [4, 32, 1],
    '2xlarge': [8, 64, 1],
    '4xlarge': [16, 128, 1],
    '8xlarge': [32, 256, 1],
    '16xlarge': [64, 512, 1],
    '12xlarge': [48, 384, 4],
    '24xlarge': [96, 768, 4],
    '48xlarge': [192, 1536, 8],
  },
  p4d: { '24xlarge': [96, 1152, 8] },
  p4de: { '24xlarge': [96, 1152, 8] },
  p5: { '4xlarge': [16, 256, 1], '48xlarge': [192, 2048, 8] },
  p5e: { '48xlarge': [192, 2048, 8] },
  p5en: { '48xlarge': [192, 2048, 8] },
};

/** GiB for each vCPU of the families without GPUs, by category. Source: the EC2 instance type pages. */
export const GIB_PER_VCPU: { readonly [category: string]: number } = { c: 2, m: 4, r: 8 };
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
