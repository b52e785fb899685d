import { ConfigurationError } from '../../constructs/plan/errors';
import {
  planGpuNodePool,
  planNodePool,
  planSpotBatchPool,
  type CpuNodePoolOptions,
  type GpuNodePoolOptions,
  type SpotBatchPoolOptions,
} from '../../constructs/plan/node-pools/plan';
import type { NodePoolSpec } from '../../constructs/plan/node-pools/spec';
import type { WeeklyWindow } from '../../constructs/plan/weekly-window';

const cluster = { name: 'hospital' };
/** Least options of a GPU pool. */
export const gpu: GpuNodePoolOptions = { name: 'gpu', cluster, accelerators: ['l4'], maxGpus: 16 };
/** Least options of a pool without GPUs. */
export const cpu: CpuNodePoolOptions = { name: 'cpu', cluster, type: 'compute-optimized', maxCpu: 64 };
/** Least options of a batch pool. */
export const batch: SpotBatchPoolOptions = { name: 'batch', cluster, maxCpu: 64 };
/** Office hours in a zone with daylight saving. */
export const clinicHours: WeeklyWindow = {
  days: ['Mon', 'Tue', 'Wed', 'Thu', 'Fri'],
  start: '07:00',
  end: '19:00',
  timeZone: 'Europe/Berlin',
};

/** Requirements as `key -> 'operator value ...'`, which reads well in a failure. */
export function requirements(spec: NodePoolSpec): { [key: string]: string } {
  return Object.fromEntries(
    spec.requirements.map(({ key, operator, values }) => [key, [operator, ...values].join(' ')]),
  );
}

/** The problem lines of a plan. Changes are untyped: users of JavaScript can write anything. */
function problemsOf(plan: () => NodePoolSpec): readonly string[] {
  try {
    plan();
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigurationError);
    return (error as ConfigurationError).problems;
  }
  return [];
}
/** Problem lines of a GPU pool with some options changed. */
export const gpuProblems = (change: object): readonly string[] =>
  problemsOf(() => planGpuNodePool({ ...gpu, ...change }));
/** Problem lines of a pool without GPUs. */
export const cpuProblems = (change: object): readonly string[] => problemsOf(() => planNodePool({ ...cpu, ...change }));
/** Problem lines of a batch pool. */
export const batchProblems = (change: object): readonly string[] =>
  problemsOf(() => planSpotBatchPool({ ...batch, ...change }));
