import { CACHE_LIFETIMES } from '../../constructs/plan/cache/kinds';

const { ttlSeconds: MAX_SECONDS, minTtlSeconds: MIN_SECONDS } = CACHE_LIFETIMES.model_output;
/** Updates weigh half as much after a week. */
const HALF_LIFE_SECONDS = 604_800;
/** How probable it may be that the data have changed by the time an entry expires. */
const CHANGED_BY_THEN = 0.1;
/** Models to remember; the one that was updated longest ago goes first. */
const MAX_MODELS = 1_024;

interface Rate {
  /** Updates, each halved once a half-life. */
  weight: number;
  at: number;
}

/**
 * How long model outputs live. Updates are taken as a Poisson process: with a rate r they have changed after t seconds with
 * probability 1 - exp(-r t), so t = -ln(1 - p) / r keeps that probability at p. The rate is the exponentially decayed count
 * of updates over its own time constant, half-life / ln 2.
 */
export class UpdateRates {
  private readonly rates = new Map<string, Rate>();

  constructor(private readonly random: () => number) {}

  /** Counts an update of the model with this keyed hash. */
  record(id: string, at: number): void {
    const weight = this.weight(id, at) + 1;
    this.rates.delete(id);
    this.rates.set(id, { weight, at });
    if (this.rates.size > MAX_MODELS) {
      const [[oldest]] = this.rates as unknown as [[string]];
      this.rates.delete(oldest);
    }
  }

  /** Seconds that an output of this model lives from now on, up to a tenth less at random, within the bounds. */
  ttlSeconds(id: string, now: number): number {
    const perSecond = this.weight(id, now) / (HALF_LIFE_SECONDS / Math.LN2);
    const wanted = perSecond === 0 ? MAX_SECONDS : -Math.log(1 - CHANGED_BY_THEN) / perSecond;
    const jittered = Math.min(MAX_SECONDS, wanted) * (1 - this.random() / 10);
    return Math.max(MIN_SECONDS, jittered);
  }

  private weight(id: string, now: number): number {
    const rate = this.rates.get(id);
    if (rate === undefined) {
      return 0;
    }
    const seconds = Math.max(0, now - rate.at) / 1000;
    return rate.weight * 2 ** (-seconds / HALF_LIFE_SECONDS);
  }
}
