import { follow, type Series, type Weights } from './smoothing';

/** Where the search starts. Damping stays at 0.98 or less: beyond that a trend is as good as undamped. */
const GRID = {
  alpha: [0.02, 0.1, 0.25, 0.5, 0.8],
  betaOfAlpha: [0, 0.02, 0.1, 0.3],
  gammaOfRest: [0, 0.02, 0.1, 0.3],
  phi: [0.85, 0.95, 0.98],
};
const BOUNDS = { alpha: [0.001, 0.99], betaOfAlpha: [0, 0.9], gammaOfRest: [0, 0.9], phi: [0.8, 0.98] } as const;
const ROUNDS = 5;

type Point = { readonly [K in keyof typeof GRID]: number };

/** The weights with the smallest squared errors of one day ahead: the best of a grid, and of ever smaller steps from it. */
export function fitWeights(series: Series): Weights {
  const error = (point: Point): number => follow(series, weightsOf(point)).variance;
  let best: { point: Point; error: number } | undefined;
  for (const point of grid()) {
    const found = error(point);
    if (best === undefined || found < best.error) {
      best = { point, error: found };
    }
  }
  let step = 0.5;
  for (let round = 0; round < ROUNDS && best !== undefined; round++, step /= 2) {
    for (const name of Object.keys(GRID) as (keyof Point)[]) {
      for (const direction of [-1, 1]) {
        const [low, high] = BOUNDS[name];
        const moved: number = best.point[name] + direction * step * Math.max(best.point[name], 0.02);
        const point: Point = { ...best.point, [name]: Math.min(Math.max(moved, low), high) };
        const found = error(point);
        if (found < best.error) {
          best = { point, error: found };
        }
      }
    }
  }
  return weightsOf(best?.point as Point);
}

function* grid(): Generator<Point> {
  for (const alpha of GRID.alpha) {
    for (const betaOfAlpha of GRID.betaOfAlpha) {
      for (const gammaOfRest of GRID.gammaOfRest) {
        for (const phi of GRID.phi) {
          yield { alpha, betaOfAlpha, gammaOfRest, phi };
        }
      }
    }
  }
}

function weightsOf({ alpha, betaOfAlpha, gammaOfRest, phi }: Point): Weights {
  return { alpha, beta: alpha * betaOfAlpha, gamma: (1 - alpha) * gammaOfRest, phi };
}
