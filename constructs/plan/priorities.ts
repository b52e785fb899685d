import { ConfigurationError } from './errors';

/**
 * The three classes of work in a hospital, from the most to the least urgent.
 *
 * - `EMERGENCY`: may preempt everything else.
 * - `NORMAL`: outpatient work; the default of every pod that names no class.
 * - `BATCH`: may wait, may lose its node, never preempts.
 */
export const Priority = {
  EMERGENCY: 'emergency',
  NORMAL: 'normal',
  BATCH: 'batch',
} as const;

/** `'emergency'`, `'normal'` or `'batch'`. */
export type Priority = (typeof Priority)[keyof typeof Priority];

/** What the PriorityClass of one priority says. */
export interface PriorityClassSpec {
  /** Name of the PriorityClass object. */
  readonly name: string;
  /** Higher wins. User classes must stay at or below 1,000,000,000. */
  readonly value: number;
  /** Whether pods without a class get this one. */
  readonly globalDefault: boolean;
  /** `Never`: waits for room instead of evicting others. */
  readonly preemptionPolicy: 'PreemptLowerPriority' | 'Never';
  /** Shown by `kubectl describe`. */
  readonly description: string;
}

/**
 * The PriorityClass of each priority. Batch stays above -10, the value under which the cluster
 * autoscaler no longer adds nodes for a pod.
 */
export const PRIORITY_CLASSES: { readonly [P in Priority]: PriorityClassSpec } = {
  emergency: {
    name: 'emergency-priority',
    value: 1_000_000,
    globalDefault: false,
    preemptionPolicy: 'PreemptLowerPriority',
    description: 'Emergency inference. Preempts outpatient and batch work.',
  },
  normal: {
    name: 'normal-priority',
    value: 100_000,
    globalDefault: true,
    preemptionPolicy: 'PreemptLowerPriority',
    description: 'Outpatient inference, and every pod that names no priority class.',
  },
  batch: {
    name: 'batch-priority',
    value: 1_000,
    globalDefault: false,
    preemptionPolicy: 'Never',
    description: 'Batch processing and model training. Waits for room, never preempts.',
  },
};

/**
 * Reads a priority from a string.
 *
 * @throws ConfigurationError when it is none of the three: a priority is never guessed
 */
export function parsePriority(value: string): Priority {
  if (!Object.hasOwn(PRIORITY_CLASSES, value)) {
    throw new ConfigurationError([unknownPriority('priority', value)]);
  }
  return value as Priority;
}

/** The problem line for a value that is no priority. */
export function unknownPriority(property: string, value: unknown): string {
  return `'${property}' (${String(value)}) must be one of emergency, normal, batch because a priority is never guessed`;
}
