import type { SignalPlan } from './props';

/** A response time that is far too long asks for twice the replicas at most: more may not be the cure. */
export const MAX_RESPONSE_TIME_PRESSURE = 2;

/** What was measured of one signal. */
export interface SignalReading {
  /** Value in the signal's own unit; NaN counts as absent. */
  readonly value?: number;
  /**
   * Whether every ready pod sent data.
   *
   * @default true
   */
  readonly complete?: boolean;
}

/** What was measured of a service; a signal that is not named sent no data. */
export type SignalReadings = { readonly [S in SignalPlan['signal']]?: SignalReading };

/**
 * The vote of one signal, as the recording rule `mediform:signal_pressure` computes it.
 *
 * The HPA multiplies the replicas by the largest vote: over 1 adds some, under 1 removes some, 1 keeps them. 0 is a
 * signal that has nothing against removing replicas and never asks for it.
 *
 * @param signal the rule
 * @param value what was measured; undefined or NaN where there is no data
 * @param complete whether every ready pod sent data; only then may replicas be removed
 * @param measuredOn fewest replicas that were ready in the averaging window, as a part of those that are ready now; an
 *   average still shows the load from before new replicas came
 */
export function signalVote(signal: SignalPlan, value: number | undefined, complete: boolean, measuredOn = 1): number {
  if (value === undefined || Number.isNaN(value)) {
    return 1;
  }
  const { scaleOutAbove, scaleInBelow, target } = signal;
  if (signal.signal === 'error_rate') {
    // errors add replicas through the floor, one step at a time
    return value > scaleOutAbove ? 1 : 0;
  }
  if (scaleInBelow === undefined) {
    const vote = Math.min(value / target, MAX_RESPONSE_TIME_PRESSURE);
    return value > scaleOutAbove ? Math.max(vote * measuredOn, 1) : 0;
  }
  if (value > scaleOutAbove) {
    const isAverage = signal.signal !== 'queue_length';
    return isAverage ? Math.max((value / target) * measuredOn, 1) : value / target;
  }
  return value < scaleInBelow && complete ? value / target : 1;
}

/**
 * The largest vote of a service's signals, as the recording rule `mediform:scaling_pressure` computes it.
 *
 * @param signals at least one; a service without signals has no pressure
 */
export function scalingPressure(signals: readonly SignalPlan[], readings: SignalReadings): number {
  return Math.max(
    ...signals.map((plan) => {
      const { value, complete = true } = readings[plan.signal] ?? {};
      return signalVote(plan, value, complete);
    }),
  );
}
