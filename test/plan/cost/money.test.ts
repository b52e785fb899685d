import fc from 'fast-check';
import { Decimal, splitExactly, sum } from '../../../constructs/plan/cost/money';

const weight = fc.oneof(
  fc.constant('0'),
  fc.integer({ min: 1, max: 1000 }).map(String),
  fc.bigInt({ min: 1n, max: 10n ** 18n }).map((digits) => `${digits}e-12`),
);
const weights = fc
  .array(weight, { minLength: 1, maxLength: 40 })
  .filter((all) => all.some((one) => one !== '0'))
  .map((all) => all.map((one) => new Decimal(one)));
const amount = fc.bigInt({ min: -(10n ** 17n), max: 10n ** 17n }).map((units) => new Decimal(`${units}e-9`));

describe('splitting an amount', () => {
  it('gives parts that add up to it exactly, each less than one unit from its share', () => {
    fc.assert(
      fc.property(amount, weights, (whole, shares) => {
        const parts = splitExactly(whole, shares);
        expect(sum(parts).toFixed()).toBe(whole.toFixed());
        const total = sum(shares);
        for (const [index, part] of parts.entries()) {
          const ideal = whole.times(shares[index] as Decimal).dividedBy(total);
          expect(part.minus(ideal).abs().lessThan('1e-9')).toBe(true);
          expect(part.decimalPlaces()).toBeLessThanOrEqual(9);
        }
      }),
    );
  });

  it('gives nothing to who has no weight, and the same to the same again', () => {
    fc.assert(
      fc.property(amount, weights, (whole, shares) => {
        const parts = splitExactly(whole, shares);
        expect(splitExactly(whole, shares)).toEqual(parts);
        shares.forEach((share, index) => expect(share.isZero() && !parts[index]?.isZero()).toBe(false));
      }),
    );
  });

  it('gives what is left to those who lost most, and of equals to the first', () => {
    const split = (whole: string, ...shares: number[]): string[] =>
      splitExactly(
        new Decimal(whole),
        shares.map((share) => new Decimal(share)),
        2,
      ).map((part) => part.toFixed(2));
    expect(split('100', 1, 1, 1)).toEqual(['33.34', '33.33', '33.33']);
    expect(split('0.02', 1, 1, 1)).toEqual(['0.01', '0.01', '0.00']);
    // quotas in cents: 16.67, 33.33, 50
    expect(split('1', 1, 2, 3)).toEqual(['0.17', '0.33', '0.50']);
    expect(split('-100', 1, 1, 1)).toEqual(['-33.34', '-33.33', '-33.33']);
  });

  it('is refused where no parts could add up', () => {
    const [one, minus] = [new Decimal(1), new Decimal(-1)];
    expect(() => splitExactly(one, [])).toThrow('at least one of them more');
    expect(() => splitExactly(one, [new Decimal(0)])).toThrow('at least one of them more');
    expect(() => splitExactly(one, [one, one, minus])).toThrow('weights must be zero or more');
    expect(() => splitExactly(new Decimal('0.0000000001'), [one])).toThrow(
      '0.0000000001 is not a multiple of 0.000000001',
    );
  });
});

it('multiplies and adds without a rounding that binary floats have', () => {
  expect(new Decimal('0.1').plus('0.2').toFixed()).toBe('0.3');
  expect(new Decimal('999999999.999999999').times('999999999.999999999999').toFixed()).toBe(
    '999999999999999998.999000000000000000001',
  );
});
