import { ACCELERATORS, Accelerator } from '../../../constructs/plan/accelerators';
import { NodeLabel } from '../../../constructs/plan/labels';

/** An EC2 instance type that a node group may have. */
export interface InstanceType {
  readonly name: string;
  readonly cpu: number;
  readonly memoryGiB: number;
  readonly gpus: number;
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
const GPU_FAMILIES: { readonly [family: string]: { readonly [size: string]: Size } } = {
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

/** Families without GPUs, by architecture; the older ones first, since more regions have them. */
const CPU_FAMILIES = { amd64: ['6i', '6a', '7i', '7a'], arm64: ['6g', '7g', '8g'] } as const;
/** GiB for each vCPU. Source: EC2 instance type pages. */
const CPU_CATEGORIES = { c: 2, m: 4, r: 8 } as const;
const CPU_SIZES = { xlarge: 4, '2xlarge': 8, '4xlarge': 16, '8xlarge': 32 } as const;

/** All instance types that node groups are made of. */
export const INSTANCE_TYPES: readonly InstanceType[] = [...gpuTypes(), ...cpuTypes()];

function gpuTypes(): InstanceType[] {
  return Object.values(Accelerator).flatMap((accelerator) =>
    ACCELERATORS[accelerator].instanceFamilies.flatMap((family) =>
      Object.entries(GPU_FAMILIES[family] ?? {}).map(([size, [cpu, memoryGiB, gpus]]) => ({
        name: `${family}.${size}`,
        cpu,
        memoryGiB,
        gpus,
        accelerator,
        architecture: 'amd64' as const,
      })),
    ),
  );
}

function cpuTypes(): InstanceType[] {
  return (['amd64', 'arm64'] as const).flatMap((architecture) =>
    Object.entries(CPU_CATEGORIES).flatMap(([category, gibPerCpu]) =>
      CPU_FAMILIES[architecture].flatMap((family) =>
        Object.entries(CPU_SIZES).map(([size, cpu]) => ({
          name: `${category}${family}.${size}`,
          cpu,
          memoryGiB: cpu * gibPerCpu,
          gpus: 0,
          architecture,
        })),
      ),
    ),
  );
}

/** What Karpenter would write on a node of this type, as far as pools ask for it. */
export function nodeLabels(type: InstanceType): { readonly [key: string]: string } {
  const { accelerator } = type;
  const [family = '', size = ''] = type.name.split('.');
  return {
    'kubernetes.io/arch': type.architecture,
    'kubernetes.io/os': 'linux',
    'node.kubernetes.io/instance-type': type.name,
    'karpenter.k8s.aws/instance-family': family,
    'karpenter.k8s.aws/instance-size': size,
    'karpenter.k8s.aws/instance-category': /^[a-z]+/.exec(family)?.[0] ?? '',
    'karpenter.k8s.aws/instance-generation': /\d+/.exec(family)?.[0] ?? '',
    'karpenter.k8s.aws/instance-cpu': String(type.cpu),
    'karpenter.k8s.aws/instance-memory': String(type.memoryGiB * 1024),
    ...(accelerator === undefined
      ? {}
      : {
          [NodeLabel.GPU_NAME]: ACCELERATORS[accelerator].gpuName,
          [NodeLabel.GPU_MEMORY]: String(ACCELERATORS[accelerator].memoryMiB),
          'karpenter.k8s.aws/instance-gpu-count': String(type.gpus),
        }),
  };
}
