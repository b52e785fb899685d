import { type Load, type PodLoad } from './exporter';

/** Inside every band. */
export const BUSY: PodLoad = { gpu: 50, queue: 20, p95: 2, errorPercent: 0 };
/** Under every threshold. */
export const IDLE: PodLoad = { gpu: 10, queue: 1, p95: 0.4, errorPercent: 0 };

/** The same work for any number of pods: each gets its part of what each of some pods would get. */
export function shared(work: PodLoad, pods: number, others: PodLoad = {}): Load {
  return (_, all) => {
    const parts = Object.entries(work).map(([signal, value]: [string, number]) => [signal, (value * pods) / all]);
    return { ...others, ...Object.fromEntries(parts) } as PodLoad;
  };
}
