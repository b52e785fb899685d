/** Day by day, the rows add up to what everything cost: computed here in whole numbers, and in no way as the code does it. */
import fc from 'fast-check';
import { allocateDay } from '../../../constructs/plan/cost/allocate/allocate-day';
import { gpuShare } from '../../../constructs/plan/cost/gpu-share';
import { Decimal } from '../../../constructs/plan/cost/money';
import { PriceBook } from '../../../constructs/plan/cost/price-book';
import type { Price } from '../../../constructs/plan/cost/price-file';
import type { LedgerRow } from '../../../constructs/plan/cost/row';
import type { DayUsage, ModelUsage, NodeUsage, Owner } from '../../../constructs/plan/cost/usage';
import { KEY_COLUMNS } from '../../../constructs/plan/cost/columns';
import { CONTEXT, instance, modelUsage, node, NOTHING, priceFile, REGION } from './support';

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

/** Ways to divide an A100 of 80 GB: the resource of a unit, its declaration, and how many units NVIDIA's documents give. */
const DIVISIONS = [
  { resource: 'nvidia.com/gpu', sharing: undefined, units: 1 },
  { resource: 'nvidia.com/gpu', sharing: { mode: 'mig', profile: '1g.10gb' }, units: 7 },
  { resource: 'nvidia.com/gpu', sharing: { mode: 'mig', profile: '2g.20gb' }, units: 3 },
  { resource: 'nvidia.com/mig-3g.40gb', sharing: undefined, units: 2 },
  { resource: 'nvidia.com/gpu', sharing: { mode: 'time-slicing', replicas: 6 }, units: 6 },
  { resource: 'nvidia.com/gpu.shared', sharing: { mode: 'mps', replicas: 9 }, units: 9 },
] as const;

const divided = fc
  .record({ division: fc.constantFrom(...DIVISIONS), gpus: fc.integer({ min: 1, max: 8 }), price, hours })
  .chain(({ division, ...given }) => {
    const total = division.units * given.gpus;
    // as many services as may be, none of which holds more than is left
    return fc
      .array(fc.integer({ min: 1, max: total }), { minLength: 1, maxLength: 7 })
      .map((wanted) => ({ ...given, division, total, held: fitting(wanted, total) }));
  });

function fitting(wanted: readonly number[], total: number): number[] {
  let left = total;
  return wanted.flatMap((units) => {
    const mine = Math.min(units, left);
    left -= mine;
    return mine === 0 ? [] : [mine];
  });
}

it('splits whole GPUs, MIG partitions and time slices by units, free ones included, to the billionth', () => {
  fc.assert(
    fc.property(divided, ({ division, gpus, price: given, hours: present, total, held }) => {
      const share = gpuShare(division.resource, { sharing: division.sharing, accelerator: 'a100-80gb' }) as Decimal;
      const pods = held.map((units, index) => ({
        service: `service-${index}`,
        namespace: 'imaging',
        hours: decimal(present),
        gpuHours: share.times(units).times(decimal(present)),
        cpuHours: new Decimal(0),
        memoryHours: new Decimal(0),
      }));
      const none = new Decimal(0);
      const found = allocateDay({
        day: '2026-03-02',
        usage: { ...NOTHING, nodes: [node({ hours: decimal(present), gpus, cores: none, memoryGiB: none, pods })] },
        prices: new PriceBook([priceFile([instance(text(given))])], 'EUR'),
        context: CONTEXT,
        rules: {},
      });
      const expected = billionths(present, given);
      expect(add(found.rows, 'EffectiveCost')).toBe(expected);
      const free = total - held.reduce((sum, units) => sum + units, 0);
      const shares = [...held.map((units, index) => ({ service: `service-${index}`, units })), { units: free }];
      for (const { service, units } of shares as readonly { readonly service?: string; readonly units: number }[]) {
        const cost = add(
          found.rows.filter((row) => row.x_Service === service),
          'EffectiveCost',
        );
        // within a billionth of its part, of which no more is left over than there are parts
        const off = cost * BigInt(total) - expected * BigInt(units);
        expect(off < BigInt(total) && off > -BigInt(total)).toBe(true);
      }
    }),
    { numRuns: 300 },
  );
});
