import fc from 'fast-check';
import { hpaDesiredReplicas } from '../../../constructs/testing';

/** Rounds of each search. */
export const RUNS = { numRuns: 2000 };
/** Most replicas that are tried. */
export const MOST = 200;

/** A number from `min` to `max`, all as likely; `fc.double` would give powers of ten. */
export const between = (min: number, max: number): fc.Arbitrary<number> =>
  fc.integer({ min: 0, max: 1e9 }).map((part) => min + (part / 1e9) * (max - min));

/** Bounds and a number of replicas within them. */
export const state = fc
  .tuple(fc.integer({ min: 1, max: MOST }), fc.integer({ min: 1, max: MOST }), fc.integer({ min: 1, max: MOST }))
  .map((numbers) => numbers.sort((a, b) => a - b))
  .map(([minReplicas, replicas, maxReplicas]) => ({ minReplicas, replicas, maxReplicas }));
/** Bounds and a number of replicas within them. */
export type State = typeof state extends fc.Arbitrary<infer T> ? T : never;

/** What the HPA makes of a pressure, and of a floor where there is one. */
export const follow = (at: State, pressure: number | undefined, floor?: number): number =>
  hpaDesiredReplicas({
    ...at,
    metrics: [
      { type: 'Value', value: pressure },
      ...(floor === undefined ? [] : [{ type: 'AverageValue', value: floor } as const]),
    ],
  });

/** A value, and another that depends on it. */
export const with_ = <T, U>(first: fc.Arbitrary<T>, second: (value: T) => fc.Arbitrary<U>): fc.Arbitrary<[T, U]> =>
  first.chain((value) => second(value).map((other): [T, U] => [value, other]));
