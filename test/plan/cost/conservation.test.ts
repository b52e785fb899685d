/** Day by day, the rows add up to what everything cost: computed here in whole numbers, and in no way as the code does it. */
import fc from 'fast-check';
import { allocateDay } from '../../../constructs/plan/cost/allocate/allocate-day';
import { Decimal } from '../../../constructs/plan/cost/money';
import { PriceBook } from '../../../constructs/plan/cost/price-book';
import type { Price } from '../../../constructs/plan/cost/price-file';
import type { LedgerRow } from '../../../constructs/plan/cost/row';
import type { DayUsage, ModelUsage, NodeUsage, Owner } from '../../../constructs/plan/cost/usage';
import { KEY_COLUMNS } from '../../../constructs/plan/cost/columns';
import { CONTEXT, modelUsage, node, NOTHING, priceFile, REGION } from './support';

/** A decimal number, as a whole number of its last digits. */
interface Fixed {
  readonly digits: bigint;
  readonly scale: number;
}

const fixed = (max: bigint, scale: number): fc.Arbitrary<Fixed> =>
  fc.bigInt({ min: 0n, max }).map((digits) => ({ digits, scale }));
const text = ({ digits, scale }: Fixed): string => new Decimal(digits.toString()).times(`1e-${scale}`).toFixed();
const decimal = (value: Fixed): Decimal => new Decimal(text(value));

/** The product divided by a whole number, in billionths, ties to the even neighbour. */
function billionths(a: Fixed, b: Fixed, divisor = 1n): bigint {
  const numerator = a.digits * b.digits * 10n ** 9n;
  const denominator = 10n ** BigInt(a.scale + b.scale) * divisor;
  const [quotient, rest] = [numerator / denominator, numerator % denominator];
  const twice = rest * 2n;
  return twice > denominator || (twice === denominator && quotient % 2n === 1n) ? quotient + 1n : quotient;
}

const name = fc.constantFrom('ct', 'x-ray', 'records');
const owner: fc.Arbitrary<Owner> = fc.record(
  { service: name, namespace: fc.constantFrom('imaging', 'kube-system') },
  { requiredKeys: ['namespace'] },
);
const price = fixed(10n ** 10n, 8);
const hours = fixed(25_000_000n, 6);

interface Costs {
  readonly usage: DayUsage;
  readonly prices: readonly Price[];
  /** What it all costs, in billionths. */
  readonly expected: bigint;
}

const nodeCosts = fc
  .record({
    price,
    hours,
    gpus: fc.integer({ min: 0, max: 8 }),
    cores: fixed(192_000n, 3),
    memory: fixed(2_000_000n, 3),
    pods: fc.uniqueArray(
      fc.record({ owner, gpu: fixed(300_000_000n, 6), cpu: fixed(5_000_000_000n, 6), memory: hours, hours }),
      {
        maxLength: 6,
        selector: ({ owner: { service, namespace } }) => `${service} ${namespace}`,
      },
    ),
  })
  .map((given) => ({
    cost: billionths(given.hours, given.price),
    price: given.price,
    usage: (index: number): NodeUsage =>
      node({
        name: `node-${index}`,
        instanceType: `type-${index}`,
        hours: decimal(given.hours),
        gpus: given.gpus,
        cores: decimal(given.cores),
        memoryGiB: decimal(given.memory),
        pods: given.pods.map((held) => ({
          ...held.owner,
          hours: decimal(held.hours),
          gpuHours: decimal(held.gpu),
          cpuHours: decimal(held.cpu),
          memoryHours: decimal(held.memory),
        })),
      }),
  }));

const tokens = fc.nat(2_000_000_000);
const modelCosts = fc
  .record({ input: price, output: price, inputTokens: tokens, outputTokens: tokens })
  .map((given) => ({
    cost: [[given.input, given.inputTokens] as const, [given.output, given.outputTokens] as const].reduce(
      (sum, [each, count]) => sum + billionths({ digits: BigInt(count), scale: 6 }, each),
      0n,
    ),
    input: given.input,
    output: given.output,
    usage: (index: number): ModelUsage =>
      modelUsage({
        model: `model-${index}`,
        inputTokens: given.inputTokens,
        outputTokens: given.outputTokens,
        calls: 3,
      }),
  }));

const direct = fc.record({
  price,
  gigabytes: fixed(10n ** 9n, 3),
  hours,
  people: hours,
  activity: price,
  shared: price,
  network: price,
  owner,
});

const costs: fc.Arbitrary<Costs> = fc
  .record({ nodes: fc.array(nodeCosts, { maxLength: 4 }), models: fc.array(modelCosts, { maxLength: 3 }), direct })
  .map(({ nodes, models, direct: other }) => {
    const { gigabytes } = other;
    const month = 744n;
    // the quantity is GB times hours, divided by the hours of March
    const stored: Fixed = { digits: gigabytes.digits * other.hours.digits, scale: gigabytes.scale + other.hours.scale };
    return {
      usage: {
        ...NOTHING,
        nodes: nodes.map(({ usage }, index) => usage(index)),
        models: models.map(({ usage }, index) => usage(index)),
        volumes: [
          {
            name: 'pvc',
            volumeType: 'gp3',
            region: REGION,
            gigabytes: decimal(gigabytes),
            hours: decimal(other.hours),
            ...other.owner,
          },
        ],
        traffic: [{ traffic: 'internet', region: REGION, gigabytes: decimal(gigabytes), ...other.owner }],
        people: [{ activity: 'review', hours: decimal(other.people) }],
        shared: [{ name: 'control-plane', region: REGION, hours: decimal(other.hours) }],
      },
      prices: [
        ...nodes.map((each, index): Price => ({
          kind: 'instance',
          unit: 'Hours',
          instanceType: `type-${index}`,
          region: REGION,
          capacityType: 'on-demand',
          price: text(each.price),
        })),
        ...models.flatMap((each, index): Price[] => [
          { kind: 'model', model: `model-${index}`, unit: '1000000 Input Tokens', price: text(each.input) },
          { kind: 'model', model: `model-${index}`, unit: '1000000 Output Tokens', price: text(each.output) },
        ]),
        { kind: 'volume', unit: 'GB-Months', volumeType: 'gp3', region: REGION, price: text(other.price) },
        { kind: 'network', unit: 'GB', traffic: 'internet', region: REGION, price: text(other.network) },
        { kind: 'people', unit: 'Hours', activity: 'review', price: text(other.activity) },
        { kind: 'shared', unit: 'Hours', name: 'control-plane', price: text(other.shared) },
      ],
      expected:
        [...nodes, ...models].reduce((sum, { cost }) => sum + cost, 0n) +
        billionths(stored, other.price, month) +
        billionths(gigabytes, other.network) +
        billionths(other.people, other.activity) +
        billionths(other.hours, other.shared),
    };
  });

const sharedCosts = fc.constantFrom('keep', 'by-cost', 'equally');

function add(rows: readonly LedgerRow[], column: 'EffectiveCost' | 'BilledCost' | 'ContractedCost'): bigint {
  return rows.reduce((sum, row) => sum + BigInt(row[column].times('1e9').toFixed(0)), 0n);
}

it('adds up to what nodes, volumes, traffic, models, people and shared services cost, idle included', () => {
  fc.assert(
    fc.property(costs, sharedCosts, ({ usage, prices, expected }, rule) => {
      const day = allocateDay({
        day: '2026-03-02',
        usage,
        prices: new PriceBook([priceFile(prices)], 'EUR'),
        context: CONTEXT,
        rules: { sharedNamespaces: ['kube-system'], sharedCosts: rule },
      });
      expect(add(day.rows, 'EffectiveCost')).toBe(expected);
      expect(day.total.times('1e9').toFixed(0)).toBe(expected.toString());
      expect([add(day.rows, 'BilledCost'), add(day.rows, 'ContractedCost')]).toEqual([expected, expected]);
      for (const row of day.rows) {
        expect(row.EffectiveCost.isNegative() && !row.EffectiveCost.isZero()).toBe(false);
        // what FOCUS asks of every row
        const product = (row.ListUnitPrice as Decimal).times(row.PricingQuantity as Decimal);
        expect(product.minus(row.ListCost).abs().lessThanOrEqualTo('1e-9')).toBe(true);
      }
      const keys = day.rows.map((row) => KEY_COLUMNS.map((column) => row[column] ?? '').join('|'));
      expect(new Set(keys).size).toBe(keys.length);
    }),
    { numRuns: 300 },
  );
});
