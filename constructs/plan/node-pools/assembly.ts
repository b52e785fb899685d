import type { Problems } from '../errors';
import type { GpuSharing } from '../gpu-sharing';
import { NodeLabel } from '../labels';
import { planDisruption, type DisruptionDefaults } from './disruption';
import type { GpuPlan } from './gpus';
import { checkCommonOptions, commonRequirements, planNodeClass, requirement, type NodePoolOptions } from './options';
import type { CapacityType, NodePoolLimits, NodePoolSpec, NodeRequirement, NodeTaint } from './spec';
import type { Priority } from '../priorities';

/** Smallest node without GPUs: 4 vCPUs. On smaller ones the daemons of the cluster take too large a part. */
export const SMALLEST_CPU = 4;

/** What the kinds of pools differ in. */
export interface PoolShape {
  readonly kind: NodePoolSpec['kind'];
  readonly labels: { readonly [key: string]: string };
  readonly taints: readonly NodeTaint[];
  readonly capacityTypes: readonly CapacityType[];
  readonly architectures: readonly string[];
  readonly gpus: GpuPlan;
  readonly requirements: readonly NodeRequirement[];
  readonly limits: NodePoolLimits;
  readonly sharing?: GpuSharing;
  readonly priorities: readonly Priority[];
  readonly disruption: DisruptionDefaults;
}

/** Adds what all pools share, and throws what was found wrong with the options. */
export function assemblePool(problems: Problems, options: NodePoolOptions, shape: PoolShape): NodePoolSpec {
  checkCommonOptions(problems, options);
  const nodeClass = planNodeClass(problems, options, NodeLabel.ACCELERATOR in shape.labels);
  const disruption = planDisruption(problems, options, shape.disruption);
  problems.throwIfAny();
  const byKey = (a: { readonly key: string }, b: { readonly key: string }): number => (a.key < b.key ? -1 : 1);
  return {
    name: options.name,
    kind: shape.kind,
    labels: { ...options.labels, ...shape.labels },
    taints: [...shape.taints].sort(byKey),
    requirements: [
      ...commonRequirements(options, shape.capacityTypes, shape.architectures),
      ...shape.gpus.requirements,
      ...shape.requirements,
    ].sort(byKey),
    capacityTypes: shape.capacityTypes,
    limits: shape.limits,
    ...(options.weight === undefined ? {} : { weight: options.weight }),
    accelerators: shape.gpus.accelerators,
    ...(shape.sharing === undefined ? {} : { sharing: shape.sharing }),
    priorities: shape.priorities,
    ...disruption,
    nodeClass,
  };
}

/** A taint that keeps new pods away. */
export function taint(key: string, value: string): NodeTaint {
  return { key, value, effect: 'NoSchedule' };
}

/** What nodes without GPUs are: of some EC2 categories, not tiny, and not of old generations. */
export function cpuRequirements(categories: readonly string[]): NodeRequirement[] {
  return [
    requirement('karpenter.k8s.aws/instance-category', 'In', categories),
    requirement('karpenter.k8s.aws/instance-cpu', 'Gt', [SMALLEST_CPU - 1]),
    requirement('karpenter.k8s.aws/instance-generation', 'Gt', [4]),
  ];
}
