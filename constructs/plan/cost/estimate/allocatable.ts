import type { InstanceShape } from '../../instance-types';

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
