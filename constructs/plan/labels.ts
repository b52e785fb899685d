/** Prefix of the labels, taints and annotations that are this library's own. */
const PREFIX = 'mediform.io';

/** Labels by which pods choose nodes. The first two are the hospital's own convention. */
export const NodeLabel = {
  /** `nvidia-gpu` on GPU nodes. */
  ACCELERATOR: 'accelerator',
  /** `compute-optimized` or `memory-optimized` on nodes without GPUs. */
  NODE_TYPE: 'node-type',
  /** GPU model, Karpenter's own label: a value such as `a100`. */
  GPU_NAME: 'karpenter.k8s.aws/instance-gpu-name',
  /** Memory of one GPU in MiB, Karpenter's own label. */
  GPU_MEMORY: 'karpenter.k8s.aws/instance-gpu-memory',
  /** How the node's GPUs are divided; absent where they are whole. Also a taint key. */
  GPU_SHARING: `${PREFIX}/gpu-sharing`,
  /** `batch` on nodes that may be lost at any time. Also a taint key. */
  WORKLOAD: `${PREFIX}/workload`,
  /** Priority that a pool is kept free for. Also a taint key. */
  RESERVED_FOR: `${PREFIX}/reserved-for`,
} as const;

/** Value of `NodeLabel.ACCELERATOR` on GPU nodes. */
export const NVIDIA_GPU = 'nvidia-gpu';

/** Extended resource, and taint key, of a whole NVIDIA GPU. */
export const GPU_RESOURCE = 'nvidia.com/gpu';

/** Labels that every object of a service carries. */
export const ServiceLabel = {
  NAME: 'app.kubernetes.io/name',
  VERSION: 'app.kubernetes.io/version',
  MANAGED_BY: 'app.kubernetes.io/managed-by',
  MODEL: `${PREFIX}/model`,
  PRIORITY: `${PREFIX}/priority`,
} as const;
