import type { VerticalPodAutoscaler } from '../../imports/vertical-pod-autoscaler';
import type { Problems } from '../errors';
import { cpuQuantity, memoryQuantity, type ByteSize } from '../quantities';
import type { ScalingPlan } from '../scaling/props';
import type { WorkloadSchedule } from '../scheduling';

/** Least or most that one replica may be given. */
export interface ResourceBounds {
  /** Cores. */
  readonly cpu?: number;
  /** Memory. */
  readonly memory?: ByteSize;
  /** GPUs. The VPA cannot change them: these bounds limit what the service may ask for. */
  readonly gpus?: number;
}

/** How the CPU and memory of each replica follow its use. */
export interface VerticalScalingProps {
  /**
   * Name of the VerticalPodAutoscaler.
   *
   * @default - name of the service
   */
  readonly name?: string;

  /**
   * How recommendations are applied: in place where the node has room, else by eviction (`InPlaceOrRecreate`, VPA 1.4
   * and Kubernetes 1.33 or newer); by eviction; at pod creation only; not at all. `Auto` is deprecated.
   *
   * @default 'InPlaceOrRecreate'
   */
  readonly mode?: 'InPlaceOrRecreate' | 'Recreate' | 'Initial' | 'Off';

  /** @default - 2 cores, 8 GiB (or what is requested, where that is less), 1 GPU */
  readonly min?: ResourceBounds;

  /** @default - 16 cores, 64 GiB (or what is requested, where that is more), 4 GPUs */
  readonly max?: ResourceBounds;

  /**
   * What the VPA changes.
   *
   * @default - cpu and memory; memory alone where the HPA scales on CPU
   */
  readonly resources?: readonly ('cpu' | 'memory')[];
}

/** `VerticalScalingProps`, checked and with defaults. Memory in MiB. */
export interface VerticalScalingPlan {
  readonly name: string;
  readonly mode: 'InPlaceOrRecreate' | 'Recreate' | 'Initial' | 'Off';
  readonly resources: readonly string[];
  readonly min: { readonly cpu: number; readonly memoryMiB: number };
  readonly max: { readonly cpu: number; readonly memoryMiB: number };
}

const MODES = ['InPlaceOrRecreate', 'Recreate', 'Initial', 'Off'];

/** Fills in defaults and checks a service's vertical scaling. */
export function planVerticalScaling(
  problems: Problems,
  props: VerticalScalingProps,
  serviceName: string,
  schedule: WorkloadSchedule,
  scaling: ScalingPlan,
): VerticalScalingPlan {
  const hpaResources = [
    ...(scaling.signals.some(({ signal }) => signal === 'cpu_utilization') ? ['cpu'] : []),
    ...Object.keys(scaling.targets?.resources ?? {}),
  ];
  const resources = props.resources ?? ['cpu', 'memory'].filter((resource) => !hpaResources.includes(resource));
  const mode = props.mode ?? 'InPlaceOrRecreate';
  problems.check(
    MODES.includes(mode),
    'verticalScaling.mode',
    mode,
    `be one of ${MODES.join(', ')}`,
    'these are the modes of the VPA that are not deprecated',
  );
  problems.check(
    resources.length > 0,
    'verticalScaling',
    props,
    "be 'off'",
    'the HPA scales on every resource that the VPA could change',
  );
  for (const resource of resources) {
    problems.check(
      resource === 'cpu' || resource === 'memory',
      'verticalScaling.resources',
      resource,
      'be cpu or memory',
      'the VPA refuses all others',
    );
    problems.check(
      !hpaResources.includes(resource),
      'verticalScaling.resources',
      resource,
      'not be a resource that the HPA scales on',
      'the two would push each other: fewer replicas use more, and get more',
    );
  }
  const bounds = {
    min: {
      cpu: props.min?.cpu ?? Math.min(2, schedule.cpu),
      memoryMiB: props.min?.memory?.toMebibytes() ?? Math.min(8 * 1024, schedule.memoryMiB),
    },
    max: {
      cpu: props.max?.cpu ?? Math.max(16, schedule.cpu),
      memoryMiB: props.max?.memory?.toMebibytes() ?? Math.max(64 * 1024, schedule.memoryMiB),
    },
  };
  checkWithin(problems, 'cpu', 'cores', schedule.cpu, bounds.min.cpu, bounds.max.cpu);
  checkWithin(problems, 'memory', 'MiB', schedule.memoryMiB, bounds.min.memoryMiB, bounds.max.memoryMiB);
  if (schedule.gpus > 0) {
    checkWithin(problems, 'gpus', 'GPUs', schedule.gpus, props.min?.gpus ?? 1, props.max?.gpus ?? 4);
  }
  return { name: props.name ?? serviceName, mode, resources, ...bounds };
}

function checkWithin(
  problems: Problems,
  what: 'cpu' | 'memory' | 'gpus',
  unit: string,
  requested: number,
  min: number,
  max: number,
): void {
  const ordered = problems.check(
    min > 0 && max >= min,
    `verticalScaling.max.${what}`,
    `${max} ${unit}`,
    `be at least 'verticalScaling.min.${what}' (${min} ${unit}), which must be over 0`,
    'nothing lies between the two',
  );
  if (ordered) {
    problems.check(
      requested >= min && requested <= max,
      what === 'gpus' ? 'gpu.count' : what,
      `${requested} ${unit}`,
      `lie within 'verticalScaling' (${min} to ${max} ${unit})`,
      what === 'gpus'
        ? 'these bounds limit the GPUs of one replica'
        : 'the VPA would change it as soon as the pod is created',
    );
  }
}

/** The VerticalPodAutoscaler of a service. */
export function verticalPodAutoscaler(
  plan: VerticalScalingPlan,
  target: { namespace: string; service: string; containerName: string; labels: { readonly [label: string]: string } },
): VerticalPodAutoscaler {
  const allowed = (bounds: { cpu: number; memoryMiB: number }): { [resource: string]: string } => ({
    ...(plan.resources.includes('cpu') ? { cpu: cpuQuantity(bounds.cpu) } : {}),
    ...(plan.resources.includes('memory') ? { memory: memoryQuantity(bounds.memoryMiB) } : {}),
  });
  return {
    apiVersion: 'autoscaling.k8s.io/v1',
    kind: 'VerticalPodAutoscaler',
    metadata: { name: plan.name, namespace: target.namespace, labels: { ...target.labels } },
    spec: {
      targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: target.service },
      updatePolicy: { updateMode: plan.mode },
      resourcePolicy: {
        containerPolicies: [
          {
            containerName: target.containerName,
            controlledResources: [...plan.resources],
            controlledValues: 'RequestsAndLimits',
            minAllowed: allowed(plan.min),
            maxAllowed: allowed(plan.max),
          },
          { containerName: '*', mode: 'Off' },
        ],
      },
    },
  };
}
