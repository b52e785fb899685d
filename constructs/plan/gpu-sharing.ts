import { ACCELERATORS, type Accelerator } from './accelerators';
import type { Problems } from './errors';

/**
 * How the GPUs of a node are divided. Leave it out for whole GPUs.
 *
 * - `mig`: hardware partitions with memory and fault isolation; `profile` such as `1g.10gb`. Nodes run the
 *   device plugin's `single` strategy, so that a partition is still requested as `nvidia.com/gpu`.
 * - `time-slicing`, `mps`: `replicas` pods take turns on one GPU, without memory isolation.
 */
export type GpuSharing =
  | { readonly mode: 'mig'; readonly profile: string }
  | { readonly mode: 'time-slicing' | 'mps'; readonly replicas: number };

/** Value of the label and taint `mediform.io/gpu-sharing`: pods find nodes divided in the very same way. */
export function sharingKey(sharing: GpuSharing): string {
  return sharing.mode === 'mig' ? `mig-${sharing.profile}` : `${sharing.mode}-${sharing.replicas}`;
}

/** Schedulable GPU units that one physical GPU gives. */
export function unitsPerGpu(sharing: GpuSharing | undefined, accelerator: Accelerator | undefined): number {
  if (sharing === undefined) {
    return 1;
  }
  if (sharing.mode === 'mig') {
    return accelerator === undefined ? 1 : (ACCELERATORS[accelerator].migProfiles[sharing.profile] ?? 1);
  }
  return sharing.replicas;
}

/** Checks that a division exists on every one of the given accelerators. */
export function checkSharing(problems: Problems, sharing: GpuSharing, accelerators: readonly Accelerator[]): void {
  if (sharing.mode !== 'mig') {
    problems.check(
      Number.isInteger(sharing.replicas) && sharing.replicas >= 2,
      'sharing.replicas',
      sharing.replicas,
      'be a whole number of at least 2',
      'one replica is a whole GPU',
    );
    return;
  }
  for (const accelerator of accelerators) {
    const profiles = Object.keys(ACCELERATORS[accelerator].migProfiles);
    problems.check(
      profiles.includes(sharing.profile),
      'sharing.profile',
      sharing.profile,
      profiles.length > 0 ? `be one of ${profiles.join(', ')}` : `not be given for ${accelerator}`,
      profiles.length > 0 ? `these are the MIG profiles of ${accelerator}` : `${accelerator} has no MIG`,
    );
  }
}
