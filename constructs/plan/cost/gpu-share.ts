import { ACCELERATORS, type Accelerator } from '../accelerators';
import { unitsPerGpu, type GpuSharing } from '../gpu-sharing';
import { GPU_RESOURCE } from '../labels';
import { Decimal } from './money';

/** Prefix of the resources of MIG partitions where nodes run the device plugin's `mixed` strategy. */
const MIG_RESOURCE = 'nvidia.com/mig-';
/** Resource of GPUs that take turns, where the device plugin renames it. */
const SHARED_RESOURCE = `${GPU_RESOURCE}.shared`;

/** How the GPUs of a node are divided, and which they are. */
export interface NodeGpus {
  /** @default - whole GPUs */
  readonly sharing?: GpuSharing;
  /** Needed where the GPUs are partitioned by MIG. */
  readonly accelerator?: Accelerator;
}

/**
 * What part of a physical GPU one schedulable unit is.
 *
 * - a whole GPU: 1
 * - a MIG partition: one of as many as fit on the GPU, whatever else was cut out of it
 * - time-slicing and MPS: one of the replicas, used or not
 *
 * @param resource as Kubernetes names it: `nvidia.com/gpu`, `nvidia.com/gpu.shared`, `nvidia.com/mig-1g.10gb`
 * @returns undefined where it is no GPU, or one that the library does not know
 */
export function gpuShare(resource: string, { sharing, accelerator }: NodeGpus): Decimal | undefined {
  if (resource.startsWith(MIG_RESOURCE)) {
    const profile = resource.slice(MIG_RESOURCE.length);
    const fit = accelerator === undefined ? undefined : ACCELERATORS[accelerator].migProfiles[profile];
    return fit === undefined ? undefined : new Decimal(1).dividedBy(fit);
  }
  if (resource !== GPU_RESOURCE && resource !== SHARED_RESOURCE) {
    return undefined;
  }
  if (
    sharing?.mode === 'mig' &&
    (accelerator === undefined || !(sharing.profile in ACCELERATORS[accelerator].migProfiles))
  ) {
    return undefined;
  }
  return new Decimal(1).dividedBy(unitsPerGpu(sharing, accelerator));
}

/** Reads the value of the label `mediform.io/gpu-sharing`; undefined where it is none that the library writes. */
export function parseSharingKey(key: string): GpuSharing | undefined {
  const mig = /^mig-(\d+g\.\d+gb)$/.exec(key)?.[1];
  if (mig !== undefined) {
    return { mode: 'mig', profile: mig };
  }
  const [, mode, replicas] = /^(time-slicing|mps)-(\d+)$/.exec(key) ?? [];
  return mode === undefined ? undefined : { mode: mode as 'time-slicing' | 'mps', replicas: Number(replicas) };
}

/** The accelerator that Karpenter's labels of a node name. */
export function acceleratorOf(gpuName: string | undefined, memoryMiB: number | undefined): Accelerator | undefined {
  const names = Object.keys(ACCELERATORS) as Accelerator[];
  return names.find((name) => {
    const spec = ACCELERATORS[name];
    return spec.gpuName === gpuName && (!spec.nameIsAmbiguous || spec.memoryMiB === memoryMiB);
  });
}
