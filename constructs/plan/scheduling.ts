import { ACCELERATORS, isAccelerator, type Accelerator } from './accelerators';
import { ConfigurationError, Problems } from './errors';
import { checkSharing, sharingKey, unitsPerGpu, type GpuSharing } from './gpu-sharing';
import { GPU_RESOURCE, NodeLabel, NVIDIA_GPU } from './labels';
import { PRIORITY_CLASSES, Priority, unknownPriority } from './priorities';
import { cpuQuantity, memoryQuantity, type ByteSize } from './quantities';

/** The GPUs one pod needs. */
export interface GpuNeeds {
  /**
   * GPUs for each replica; partitions or shares where the GPU is divided.
   *
   * @default 1
   */
  readonly count?: number;

  /**
   * GPU model that the pod must get.
   *
   * @default - any
   */
  readonly accelerator?: Accelerator;

  /**
   * Ask for a part of a GPU: the pod then runs only on pools that divide their GPUs in this very way.
   *
   * @default - whole GPUs
   */
  readonly sharing?: GpuSharing;
}

/** What a workload needs of a node. */
export interface WorkloadNeeds {
  /**
   * CPU cores.
   *
   * @default - with GPUs, three quarters of the host's cores for each GPU, at most 16; else 2
   */
  readonly cpu?: number;

  /**
   * Memory.
   *
   * @default - with GPUs, three quarters of the host's memory for each GPU, at most 64 GiB; else 8 GiB
   */
  readonly memory?: ByteSize;

  /**
   * Run on memory-optimised nodes. Has no effect on a pod with GPUs: GPU nodes come first.
   *
   * @default - true where memory is over 4 GiB for each core
   */
  readonly memoryIntensive?: boolean;

  /**
   * GPUs.
   *
   * @default - none
   */
  readonly gpu?: GpuNeeds;
}

/** One entry of a pod's `tolerations`. */
export interface Toleration {
  readonly key: string;
  readonly operator: 'Equal' | 'Exists';
  readonly value?: string;
  readonly effect: 'NoSchedule';
}

/** Where a pod goes and what it asks for: the scheduling part of a pod spec, plus the same as numbers. */
export interface WorkloadSchedule {
  readonly priorityClassName: string;
  readonly nodeSelector: { readonly [label: string]: string };
  readonly tolerations: readonly Toleration[];
  readonly requests: { readonly [resource: string]: string };
  readonly limits: { readonly [resource: string]: string };
  /** Cores requested. */
  readonly cpu: number;
  /** Memory requested, in MiB. */
  readonly memoryMiB: number;
  /** GPU units requested. */
  readonly gpus: number;
}

/** GiB for each core above which a workload counts as memory-intensive: AWS sells 2 (c), 4 (m) and 8 (r). */
const MEMORY_INTENSIVE_GIB_PER_CORE = 4;
/** Part of the host's share for each GPU that one pod asks for; the rest is the kubelet's and the daemons'. */
const HOST_SHARE = 0.75;
const DEFAULT_CPU = 2;
const DEFAULT_MEMORY_MIB = 8 * 1024;
const MAX_DEFAULT_CPU = 16;
const MAX_DEFAULT_MEMORY_MIB = 64 * 1024;

/**
 * Chooses the nodes, the priority class and the resources of a workload.
 *
 * GPUs → `accelerator=nvidia-gpu`; else memory-intensive → `node-type=memory-optimized`; else
 * `node-type=compute-optimized`. Batch work goes to batch (Spot) pools only, and nothing else does.
 *
 * Memory is limited to its request, so that a pod never takes a neighbour's. CPU has no limit: throttling an idle
 * node's spare cores would only make a diagnosis slower.
 *
 * @throws ConfigurationError for an unknown priority or accelerator, or numbers that no node can have
 */
export function scheduleWorkload(needs: WorkloadNeeds, priority: Priority): WorkloadSchedule {
  if (!Object.hasOwn(PRIORITY_CLASSES, priority)) {
    throw new ConfigurationError([unknownPriority('priority', priority)]);
  }
  const gpus = needs.gpu === undefined ? 0 : (needs.gpu.count ?? 1);
  checkNeeds(needs, gpus);

  const share = gpuHostShare(needs.gpu);
  const cpu = needs.cpu ?? Math.min(Math.floor(share.cpu * gpus * HOST_SHARE) || DEFAULT_CPU, MAX_DEFAULT_CPU);
  const memoryMiB =
    needs.memory?.toMebibytes() ??
    Math.min(Math.floor(share.memoryGiB * gpus * HOST_SHARE) * 1024 || DEFAULT_MEMORY_MIB, MAX_DEFAULT_MEMORY_MIB);
  const gpuResources: { [resource: string]: string } = gpus > 0 ? { [GPU_RESOURCE]: String(gpus) } : {};
  const memory = memoryQuantity(memoryMiB);

  return {
    priorityClassName: PRIORITY_CLASSES[priority].name,
    nodeSelector: {
      ...(needs.gpu !== undefined ? gpuSelector(needs.gpu) : cpuSelector(needs, cpu, memoryMiB)),
      ...(priority === Priority.BATCH ? { [NodeLabel.WORKLOAD]: 'batch' } : {}),
    },
    tolerations: tolerations(needs.gpu, priority),
    requests: { cpu: cpuQuantity(cpu), memory, ...gpuResources },
    limits: { memory, ...gpuResources },
    cpu,
    memoryMiB,
    gpus,
  };
}

function checkNeeds(needs: WorkloadNeeds, gpus: number): void {
  const problems = new Problems();
  if (needs.cpu !== undefined) {
    problems.check(needs.cpu >= 0.001, 'cpu', needs.cpu, 'be at least 0.001 cores', 'Kubernetes counts in millicores');
  }
  if (needs.memory !== undefined) {
    const mebibytes = needs.memory.toMebibytes();
    problems.check(
      mebibytes >= 1,
      'memory',
      `${mebibytes} MiB`,
      'be at least 1 MiB',
      'a container cannot start in less',
    );
  }
  if (needs.gpu !== undefined) {
    checkGpu(problems, needs.gpu, gpus);
  }
  problems.throwIfAny();
}

function checkGpu(problems: Problems, gpu: GpuNeeds, gpus: number): void {
  problems.check(
    Number.isInteger(gpus) && gpus >= 1,
    'gpu.count',
    gpus,
    'be a whole number of at least 1',
    'a GPU cannot be split by asking for a fraction; see gpu.sharing',
  );
  const known = gpu.accelerator === undefined || isAccelerator(gpu.accelerator);
  problems.check(
    known,
    'gpu.accelerator',
    gpu.accelerator,
    `be one of ${Object.keys(ACCELERATORS).join(', ')}`,
    'only for these are the hardware facts known',
  );
  if (!known) {
    return;
  }
  const { accelerator, sharing } = gpu;
  if (sharing !== undefined) {
    checkSharing(problems, sharing, accelerator === undefined ? [] : [accelerator]);
    problems.check(
      sharing.mode === 'mig' || gpus === 1,
      'gpu.count',
      gpus,
      'be 1',
      `two ${sharing.mode} shares may be of the same GPU and give no more of it`,
    );
  }
  if (accelerator !== undefined) {
    const most = Math.max(...ACCELERATORS[accelerator].gpusPerNode) * unitsPerGpu(sharing, accelerator);
    problems.check(gpus <= most, 'gpu.count', gpus, `be at most ${most}`, `no ${accelerator} node has more`);
  }
}

function gpuHostShare(gpu: GpuNeeds | undefined): { cpu: number; memoryGiB: number } {
  if (gpu === undefined) {
    return { cpu: 0, memoryGiB: 0 };
  }
  const candidates = gpu.accelerator === undefined ? Object.values(ACCELERATORS) : [ACCELERATORS[gpu.accelerator]];
  const units = unitsPerGpu(gpu.sharing, gpu.accelerator);
  return {
    cpu: Math.min(...candidates.map((spec) => spec.hostCpuPerGpu)) / units,
    memoryGiB: Math.min(...candidates.map((spec) => spec.hostMemoryGiBPerGpu)) / units,
  };
}

function gpuSelector(gpu: GpuNeeds): { [label: string]: string } {
  const selector: { [label: string]: string } = { [NodeLabel.ACCELERATOR]: NVIDIA_GPU };
  if (gpu.accelerator !== undefined) {
    const spec = ACCELERATORS[gpu.accelerator];
    selector[NodeLabel.GPU_NAME] = spec.gpuName;
    if (spec.nameIsAmbiguous) {
      selector[NodeLabel.GPU_MEMORY] = String(spec.memoryMiB);
    }
  }
  if (gpu.sharing !== undefined) {
    selector[NodeLabel.GPU_SHARING] = sharingKey(gpu.sharing);
  }
  return selector;
}

function cpuSelector(needs: WorkloadNeeds, cpu: number, memoryMiB: number): { [label: string]: string } {
  const intensive = needs.memoryIntensive ?? memoryMiB / 1024 / cpu > MEMORY_INTENSIVE_GIB_PER_CORE;
  return { [NodeLabel.NODE_TYPE]: intensive ? 'memory-optimized' : 'compute-optimized' };
}

function tolerations(gpu: GpuNeeds | undefined, priority: Priority): Toleration[] {
  const list: Toleration[] = [];
  if (gpu !== undefined) {
    list.push({ key: GPU_RESOURCE, operator: 'Exists', effect: 'NoSchedule' });
  }
  if (gpu?.sharing !== undefined) {
    list.push({ key: NodeLabel.GPU_SHARING, operator: 'Equal', value: sharingKey(gpu.sharing), effect: 'NoSchedule' });
  }
  if (priority === Priority.BATCH) {
    list.push({ key: NodeLabel.WORKLOAD, operator: 'Equal', value: 'batch', effect: 'NoSchedule' });
  } else {
    list.push({ key: NodeLabel.RESERVED_FOR, operator: 'Equal', value: priority, effect: 'NoSchedule' });
  }
  return list;
}
