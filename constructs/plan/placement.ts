import { ACCELERATORS } from './accelerators';
import { Problems } from './errors';
import { unitsPerGpu } from './gpu-sharing';
import type { NodePoolSpec } from './node-pools/spec';
import type { Priority } from './priorities';
import type { WorkloadSchedule } from './scheduling';
import type { ServicePlan } from './service/plan';

/** Pods that have to find a node. */
export interface Placeable {
  readonly priority: Priority;
  readonly schedule: WorkloadSchedule;
  readonly nodeSelector: { readonly [label: string]: string };
}

/** Node labels that Kubernetes or the cloud sets, whatever the pool. */
const WELL_KNOWN =
  /^(kubernetes\.io|topology\.kubernetes\.io|node\.kubernetes\.io|karpenter\.k8s\.aws|karpenter\.sh)\//;

/**
 * What keeps a service from running on the node pools of its app: no pool that fits, too few GPUs for all replicas, or
 * a pool that takes its nodes back too soon.
 *
 * @returns one line for each problem; none where the app has no pools at all
 */
export function placementProblems(service: ServicePlan, pools: readonly NodePoolSpec[]): readonly string[] {
  if (pools.length === 0 || service.props.checkNodePools === false) {
    return [];
  }
  const problems = new Problems();
  const fitting = fittingPools(problems, service, pools);
  if (fitting.length > 0) {
    checkCapacity(problems, service, fitting);
    fitting.forEach((pool) => checkLifetimes(problems, service, pool));
  }
  return problems.list;
}

/**
 * The pools of an app that pods can run on. That there is none is a problem, unless the app has no pools at all.
 *
 * @param property what the user wrote, and the pods come of
 */
export function fittingPools(
  problems: Problems,
  pods: Placeable,
  pools: readonly NodePoolSpec[],
  property = 'nodeSelector',
): readonly NodePoolSpec[] {
  const fitting = pools.filter((pool) => misfit(pods, pool) === undefined);
  if (pools.length > 0 && fitting.length === 0) {
    const reasons = pools.map((pool) => `${pool.name}: ${misfit(pods, pool)}`).join('; ');
    problems.check(
      false,
      property,
      pods.nodeSelector,
      'fit a node pool of the app',
      `its pods would wait for ever (${reasons}); set checkNodePools to false where the pool is defined elsewhere`,
    );
  }
  return fitting;
}

/** Why pods cannot run on a pool. */
function misfit(pods: Placeable, pool: NodePoolSpec): string | undefined {
  if (!pool.priorities.includes(pods.priority)) {
    return `takes ${pool.priorities.join(' and ')} work only`;
  }
  for (const [label, value] of Object.entries(pods.nodeSelector)) {
    const required = pool.requirements.find(({ key, operator }) => key === label && operator === 'In');
    const offered = pool.labels[label] !== undefined ? [pool.labels[label]] : required?.values;
    if (offered === undefined ? !WELL_KNOWN.test(label) : !offered.includes(value)) {
      return `has no nodes with ${label}=${value}`;
    }
  }
  const taint = pool.taints.find(
    ({ key, value, effect }) =>
      !pods.schedule.tolerations.some(
        (toleration) =>
          toleration.key === key &&
          toleration.effect === effect &&
          (toleration.operator === 'Exists' || toleration.value === value),
      ),
  );
  if (taint !== undefined) {
    return `has the taint ${taint.key}=${taint.value}`;
  }
  const most = Math.max(0, ...pool.accelerators.map((gpu) => nodeUnits(pool, gpu)));
  return pods.schedule.gpus > most ? `has at most ${most} GPUs on a node` : undefined;
}

function nodeUnits(pool: NodePoolSpec, accelerator: NodePoolSpec['accelerators'][number]): number {
  return Math.max(...ACCELERATORS[accelerator].gpusPerNode) * unitsPerGpu(pool.sharing, accelerator);
}

function checkCapacity(problems: Problems, service: ServicePlan, pools: readonly NodePoolSpec[]): void {
  const { gpus } = service.schedule;
  if (gpus === 0) {
    return;
  }
  const units = pools.map((pool) => {
    const perGpu = Math.min(...pool.accelerators.map((accelerator) => unitsPerGpu(pool.sharing, accelerator)));
    return (pool.limits.gpus ?? Infinity) * perGpu;
  });
  const replicas = Math.floor(units.reduce((sum, some) => sum + some, 0) / gpus);
  problems.check(
    service.scaling.maxReplicas <= replicas,
    'scaling.maxReplicas',
    service.scaling.maxReplicas,
    `be at most ${replicas}`,
    `the GPU limits of ${pools.map(({ name }) => name).join(', ')} end there`,
  );
}

function checkLifetimes(problems: Problems, service: ServicePlan, pool: NodePoolSpec): void {
  const { consolidationPolicy, consolidateAfterSeconds } = pool.disruption;
  problems.check(
    consolidationPolicy === 'WhenEmpty' || consolidateAfterSeconds >= service.modelLoadSeconds,
    'modelLoadTime',
    `${service.modelLoadSeconds} s`,
    `be at most 'consolidateAfter' of pool ${pool.name} (${consolidateAfterSeconds} s)`,
    'the node could be consolidated away before the model is loaded',
  );
  const limit = pool.terminationGracePeriodSeconds;
  problems.check(
    limit === undefined || limit >= service.terminationGraceSeconds,
    'terminationGracePeriod',
    `${service.terminationGraceSeconds} s`,
    `be at most 'terminationGracePeriod' of pool ${pool.name} (${limit} s)`,
    'the node would go before the last request is answered',
  );
}
