import { Decimal as Base } from 'decimal.js';

/**
 * Decimal numbers of the cost ledger: exact, never a binary float. Sixty digits hold every product of a quantity and a
 * price without rounding; ties are rounded to the even neighbour.
 */
export const Decimal = Base.clone({ precision: 60, rounding: Base.ROUND_HALF_EVEN, toExpNeg: -40, toExpPos: 60 });

/** A decimal number of the cost ledger. */
export type Decimal = Base;

/** Digits after the point that the ledger keeps of an amount of money: billionths of the currency. */
export const MONEY_SCALE = 9;
/** Digits after the point that the ledger keeps of a unit price. */
export const PRICE_SCALE = 18;
/** Digits after the point that the ledger keeps of a priced quantity. */
export const QUANTITY_SCALE = 18;
/** Digits after the point that the ledger keeps of a measured quantity. */
export const USAGE_SCALE = 6;

/** Rounds an amount to what the ledger keeps. */
export function money(amount: Decimal): Decimal {
  return amount.toDecimalPlaces(MONEY_SCALE);
}

/** The exact sum of some amounts. */
export function sum(amounts: readonly Decimal[]): Decimal {
  return amounts.reduce((total, amount) => total.plus(amount), new Decimal(0));
}

/**
 * Splits an amount in proportion to weights, so that the parts add up to it exactly (largest remainder method): every
 * part is rounded down to the scale, and what is left goes, one smallest unit each, to the parts that lost most; of equal
 * losses, to the first.
 *
 * @param amount what to split, a multiple of the smallest unit
 * @param weights at least one, none negative, not all zero
 * @param scale digits after the point of the parts
 * @returns one part for each weight, in their order
 * @throws RangeError where the amount cannot be split so
 */
export function splitExactly(amount: Decimal, weights: readonly Decimal[], scale: number = MONEY_SCALE): Decimal[] {
  const unit = new Decimal(10).pow(-scale);
  const total = sum(weights);
  if (!total.greaterThan(0) || weights.some((weight) => weight.isNegative() && !weight.isZero())) {
    throw new RangeError('weights must be zero or more and at least one of them more, because parts are in proportion');
  }
  if (!amount.equals(amount.toDecimalPlaces(scale))) {
    throw new RangeError(`${amount.toString()} is not a multiple of ${unit.toString()}, so no parts add up to it`);
  }
  const quotas = weights.map((weight) => amount.abs().times(weight).dividedBy(total).dividedBy(unit));
  const floors = quotas.map((quota) => quota.floor());
  const left = amount.abs().dividedBy(unit).minus(sum(floors)).toNumber();
  const byLoss = quotas
    .map((quota, index) => ({ index, loss: quota.minus(floors[index] ?? 0) }))
    .sort((a, b) => b.loss.comparedTo(a.loss) || a.index - b.index);
  const extra = new Set(byLoss.slice(0, left).map(({ index }) => index));
  const sign = amount.isNegative() ? -1 : 1;
  return floors.map((floor, index) =>
    floor
      .plus(extra.has(index) ? 1 : 0)
      .times(unit)
      .times(sign),
  );
}
