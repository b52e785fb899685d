/**
 * What Karpenter's simulated cloud sells: EC2 instance types with the labels that Karpenter's AWS provider gives them.
 *
 * The simulated cloud knows type, architecture, system, zone and capacity type of an instance, and reads everything else
 * from its offerings. So the labels are requirements of each offering, and where an instance has no GPU they say that
 * the label does not exist, as the AWS provider does. Reserved capacity cannot be said: the simulated cloud has no label
 * for the id of a reservation.
 */
interface InstanceType {
  readonly cpu: number;
  readonly memoryGiB: number;
  readonly gpu?: { readonly name: string; readonly count: number; readonly memoryMiB: number };
  /** Price of an hour. Only the order counts: the cheapest that fits is bought. */
  readonly price: number;
  /**
   * Whether Spot has any.
   *
   * @default true
   */
  readonly spot?: boolean;
}

const T4 = { name: 't4', memoryMiB: 16_384 };
const V100 = { name: 'v100', memoryMiB: 16_384 };
const A10G = { name: 'a10g', memoryMiB: 24_576 };
const A100 = { name: 'a100', memoryMiB: 40_960 };
const L4 = { name: 'l4', memoryMiB: 22_888 };
const L40S = { name: 'l40s', memoryMiB: 45_776 };
const H100 = { name: 'h100', memoryMiB: 81_920 };

export const INSTANCE_TYPES: { readonly [name: string]: InstanceType } = {
  // older or smaller than any pool wants, and the cheapest
  'c4.xlarge': { cpu: 4, memoryGiB: 8, price: 0.1 },
  'c6i.large': { cpu: 2, memoryGiB: 4, price: 0.085 },
  'c6i.xlarge': { cpu: 4, memoryGiB: 8, price: 0.17 },
  'c6i.4xlarge': { cpu: 16, memoryGiB: 32, price: 0.68 },
  'r4.2xlarge': { cpu: 8, memoryGiB: 64, price: 0.3 },
  'r6i.xlarge': { cpu: 4, memoryGiB: 32, price: 0.252 },
  'r6i.2xlarge': { cpu: 8, memoryGiB: 64, price: 0.504 },
  'g4dn.xlarge': { cpu: 4, memoryGiB: 16, gpu: { ...T4, count: 1 }, price: 0.526 },
  'g4dn.12xlarge': { cpu: 48, memoryGiB: 192, gpu: { ...T4, count: 4 }, price: 3.912 },
  'g5.xlarge': { cpu: 4, memoryGiB: 16, gpu: { ...A10G, count: 1 }, price: 1.006 },
  'g5.12xlarge': { cpu: 48, memoryGiB: 192, gpu: { ...A10G, count: 4 }, price: 5.672 },
  'g5.48xlarge': { cpu: 192, memoryGiB: 768, gpu: { ...A10G, count: 8 }, price: 16.288 },
  'g6.xlarge': { cpu: 4, memoryGiB: 16, gpu: { ...L4, count: 1 }, price: 0.805 },
  'g6.12xlarge': { cpu: 48, memoryGiB: 192, gpu: { ...L4, count: 4 }, price: 4.602 },
  // an eighth of an L4: it has the name of the GPU, and a count of none
  'g6f.xlarge': { cpu: 4, memoryGiB: 16, gpu: { ...L4, count: 0 }, price: 0.243 },
  'g6e.xlarge': { cpu: 4, memoryGiB: 32, gpu: { ...L40S, count: 1 }, price: 1.861 },
  'g6e.12xlarge': { cpu: 48, memoryGiB: 384, gpu: { ...L40S, count: 4 }, price: 10.493 },
  'p3.2xlarge': { cpu: 8, memoryGiB: 61, gpu: { ...V100, count: 1 }, price: 3.06, spot: false },
  'p3dn.24xlarge': { cpu: 96, memoryGiB: 768, gpu: { ...V100, memoryMiB: 32_768, count: 8 }, price: 31.2, spot: false },
  'p4d.24xlarge': { cpu: 96, memoryGiB: 1152, gpu: { ...A100, count: 8 }, price: 21.957, spot: false },
  'p4de.24xlarge': {
    cpu: 96,
    memoryGiB: 1152,
    gpu: { ...A100, memoryMiB: 81_920, count: 8 },
    price: 27.447,
    spot: false,
  },
  'p5.4xlarge': { cpu: 16, memoryGiB: 256, gpu: { ...H100, count: 1 }, price: 6.88, spot: false },
  'p5.48xlarge': { cpu: 192, memoryGiB: 2048, gpu: { ...H100, count: 8 }, price: 55.04, spot: false },
};

const ZONES = ['eu-central-1a', 'eu-central-1b', 'eu-central-1c'];
const SPOT_DISCOUNT = 0.7;

/** The file that the environment variable INSTANCE_TYPES_FILE_PATH names. */
export function instanceTypesFile(): string {
  return JSON.stringify(Object.entries(INSTANCE_TYPES).map(([name, type]) => simulated(name, type)));
}

function simulated(name: string, type: InstanceType): object {
  const { cpu, memoryGiB, gpu, price, spot = true } = type;
  const labels = labelsOf(name, type);
  const offerings = ZONES.flatMap((zone) =>
    [
      { capacityType: 'on-demand', Price: price },
      { capacityType: 'spot', Price: price * (1 - SPOT_DISCOUNT) },
    ]
      .filter(({ capacityType }) => spot || capacityType !== 'spot')
      .map(({ capacityType, Price }) => ({
        Price,
        Requirements: [
          is('karpenter.sh/capacity-type', capacityType),
          is('topology.kubernetes.io/zone', zone),
          ...labels,
        ],
      })),
  );
  return {
    name,
    offerings,
    architecture: 'amd64',
    operatingSystems: ['linux'],
    resources: {
      cpu: String(cpu),
      memory: `${memoryGiB}Gi`,
      'ephemeral-storage': '200Gi',
      ...(gpu && { 'nvidia.com/gpu': String(gpu.count) }),
    },
  };
}

function labelsOf(name: string, { cpu, memoryGiB, gpu }: InstanceType): object[] {
  const [family = '', size = ''] = name.split('.');
  const [, category = '', generation = ''] = /^([a-z]+)(\d)/.exec(family) ?? [];
  const label = (key: string): string => `karpenter.k8s.aws/instance-${key}`;
  const gpuLabels = { 'gpu-name': gpu?.name, 'gpu-count': gpu?.count, 'gpu-memory': gpu?.memoryMiB };
  return [
    is(label('category'), category),
    is(label('family'), family),
    is(label('generation'), generation),
    is(label('size'), size),
    is(label('cpu'), String(cpu)),
    is(label('memory'), String(memoryGiB * 1024)),
    ...Object.entries(gpuLabels).map(([key, value]) =>
      value === undefined ? { key: label(key), operator: 'DoesNotExist' } : is(label(key), String(value)),
    ),
  ];
}

function is(key: string, value: string): object {
  return { key, operator: 'In', values: [value] };
}
