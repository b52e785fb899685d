import { ACCELERATORS, Accelerator } from '../../../constructs/plan/accelerators';
import { GIB_PER_VCPU, GPU_FAMILIES, instanceShape, type InstanceShape } from '../../../constructs/plan/instance-types';

/** Generations without GPUs, by architecture; the older ones first, since more regions have them. */
const CPU_GENERATIONS = { amd64: ['6i', '6a', '7i', '7a'], arm64: ['6g', '7g', '8g'] } as const;
const CPU_SIZES = ['xlarge', '2xlarge', '4xlarge', '8xlarge'] as const;

/** All instance types that node groups are made of. */
export const INSTANCE_TYPES: readonly InstanceShape[] = [...gpuTypes(), ...cpuTypes()].map(
  // both sides take the names from the same table
  (name) => instanceShape(name) as InstanceShape,
);

function gpuTypes(): string[] {
  const families = Object.values(Accelerator).flatMap((accelerator) => ACCELERATORS[accelerator].instanceFamilies);
  return families.flatMap((family) => Object.keys(GPU_FAMILIES[family] ?? {}).map((size) => `${family}.${size}`));
}

function cpuTypes(): string[] {
  return Object.values(CPU_GENERATIONS).flatMap((generations) =>
    Object.keys(GIB_PER_VCPU).flatMap((category) =>
      generations.flatMap((generation) => CPU_SIZES.map((size) => `${category}${generation}.${size}`)),
    ),
  );
}
