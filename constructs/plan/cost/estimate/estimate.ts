import { Problems } from '../../errors';
import type { CostConfig } from '../config';
import { Decimal, money, sum } from '../money';
import { PriceBook } from '../price-book';
import type { CapacityType, PriceFile } from '../price-file';
import { instanceLabels, instanceShape } from '../../instance-types';
import { pack, poolsOf, type Offers, type PackedNode, type Packing, type PricedInstance } from './pack';
import { meets, misfitOf, type EstimatedPool, type EstimatedStack } from './stack';

/** What an estimate is made from. */
export interface EstimateInput {
  readonly stack: EstimatedStack;
  readonly prices: readonly PriceFile[];
  /** Day whose prices are taken, `YYYY-MM-DD`. */
  readonly day: string;
  /** Region, currency, types of volumes, shared services and people. */
  readonly config: Pick<CostConfig, 'region' | 'currency' | 'volumeTypes' | 'shared' | 'people'>;
}

/** A part of an estimate. Amounts are of a month of 730 hours. */
export interface EstimateLine {
  readonly kind: 'nodes' | 'node volumes' | 'volumes' | 'shared' | 'people';
  /** The pool, the workload, the service, the activity. */
  readonly name: string;
  /** What there is at the least: `3 × g5.xlarge on-demand`. */
  readonly least: string;
  /** What there is at the most. */
  readonly most: string;
  /** What is paid in any case: with all replicas at their minimum. */
  readonly fixed: Decimal;
  /** What comes on top with all replicas at their maximum. */
  readonly scales: Decimal;
}

/** What a stack will cost a month. */
export interface Estimate {
  /** ISO 4217 */
  readonly currency: string;
  readonly region: string;
  /** Day whose prices were taken. */
  readonly day: string;
  readonly lines: readonly EstimateLine[];
  /** With all replicas at their minimum. */
  readonly fixed: Decimal;
  /** With all replicas at their maximum. */
  readonly atMost: Decimal;
  /** Pods that find no room at the maximum: the limits of the pools end before. */
  readonly waiting: readonly { readonly workload: string; readonly pods: number }[];
  /** What depends on use and is not in it. */
  readonly notIncluded: readonly string[];
}

const HOURS_OF_MONTH = 730;
const WEEKS_OF_MONTH = new Decimal(HOURS_OF_MONTH).dividedBy(24 * 7);
const NOT_INCLUDED = [
  'tokens and calls of model APIs',
  'network traffic',
  'data outside of the cluster',
  'load balancers that are not in shared',
];

/**
 * What a stack will cost a month before it is deployed: nodes for all pods at their minimum and at their maximum, their
 * volumes, what serves all, and people.
 *
 * @throws ConfigurationError that names every price that is missing or stale, and every workload without a pool
 */
export function estimateStack({ stack, prices, day, config }: EstimateInput): Estimate {
  const problems = new Problems();
  const book = new PriceBook(prices, config.currency);
  const problem = (line: string): void => problems.add([line]);
  const offers = offersOf(problems, stack, prices, book, day, config.region);
  problems.throwIfAny();
  const [least, most] = [pack(stack.workloads, offers, 'min'), pack(stack.workloads, offers, 'max')];
  checkMinimum(problems, least);
  const lines = [
    ...nodeLines(stack.pools, least, most),
    ...nodeVolumeLines(stack.pools, least, most, (volumeType) =>
      priceOf(book.find({ kind: 'volume', volumeType, region: config.region }, day, problem)),
    ),
    ...volumeLines(problems, stack, config, (volumeType) =>
      priceOf(book.find({ kind: 'volume', volumeType, region: config.region }, day, problem)),
    ),
    ...sharedLines(config, (name) => priceOf(book.find({ kind: 'shared', name, region: config.region }, day, problem))),
    ...peopleLines(config, (activity) => priceOf(book.find({ kind: 'people', activity }, day, problem))),
  ];
  problems.throwIfAny();
  const fixed = sum(lines.map((line) => line.fixed));
  return {
    currency: config.currency,
    region: config.region,
    day,
    lines,
    fixed,
    atMost: fixed.plus(sum(lines.map(({ scales }) => scales))),
    waiting: [...most.waiting].map(([workload, pods]) => ({ workload, pods })),
    notIncluded: [...NOT_INCLUDED, ...stack.jobs.map((job) => `${job}, which runs now and then`)],
  };
}

/** Instance types of each pool that is needed, with their prices. */
function offersOf(
  problems: Problems,
  stack: EstimatedStack,
  prices: readonly PriceFile[],
  book: PriceBook,
  day: string,
  region: string,
): Offers {
  const offers = new Map<EstimatedPool, readonly PricedInstance[]>();
  for (const workload of stack.workloads) {
    const pools = poolsOf(workload, stack.pools);
    const reasons = stack.pools.map((pool) => `${pool.name} ${misfitOf(workload, pool)}`).join('; ') || 'there is none';
    problems.check(pools.length > 0, 'pools', workload.name, 'have one that its pods can run on', reasons);
    for (const pool of pools.filter((each) => !offers.has(each))) {
      offers.set(pool, pricedInstances(problems, pool, prices, book, day, region));
    }
  }
  return offers;
}

function pricedInstances(
  problems: Problems,
  pool: EstimatedPool,
  prices: readonly PriceFile[],
  book: PriceBook,
  day: string,
  region: string,
): readonly PricedInstance[] {
  const allowed = pool.requirements.find(({ key }) => key === 'karpenter.sh/capacity-type')?.values ?? ['on-demand'];
  // what was reserved is not known here, and is paid for anyway
  const capacityTypes = allowed.filter((type) => type !== 'reserved') as CapacityType[];
  const priced = prices
    .flatMap((file) => file.prices)
    .filter((price) => price.kind === 'instance' && price.region === region);
  const names = new Set(priced.flatMap((price) => (price.kind === 'instance' ? price.instanceType : [])));
  const found = [...names].flatMap((instanceType): PricedInstance[] => {
    const shape = instanceShape(instanceType);
    if (shape === undefined || !pool.requirements.every((requirement) => meets(requirement, instanceLabels(shape)))) {
      return [];
    }
    return capacityTypes.flatMap((capacityType) => {
      const query = { kind: 'instance', instanceType, region, capacityType } as const;
      if (!book.knows(query)) {
        return [];
      }
      const price = book.find(query, day, (line) => problems.add([line]));
      return price === undefined ? [] : [{ shape, capacityType, pricePerHour: price.price.times(price.exchangeRate) }];
    });
  });
  const wanted = pool.requirements
    .filter(({ key }) => /instance-(family|category|gpu-name)$/.test(key))
    .map(({ key, values }) => `${key.replace(/^.*instance-/, '')} ${values.join(' or ')}`);
  problems.check(
    found.length > 0,
    'prices',
    [`instance of pool ${pool.name}`, ...wanted, capacityTypes.join(' or '), region].join(', '),
    `have a price for ${day}`,
    'none of the price files has one of its instance types, and a price is never guessed',
  );
  return found;
}

function checkMinimum(problems: Problems, { waiting }: Packing): void {
  for (const [workload, pods] of waiting) {
    problems.check(
      false,
      'pools',
      workload,
      `have room for its minimum (${pods} pods have none)`,
      'no instance type with a price is large enough, or the limits end before',
    );
  }
}

function nodeLines(pools: readonly EstimatedPool[], least: Packing, most: Packing): EstimateLine[] {
  return pools.flatMap((pool) => {
    const [few, many] = [nodesOf(pool, least), nodesOf(pool, most)];
    return many.length === 0
      ? []
      : [line('nodes', pool.name, countText(few), countText(many), nodeCost(few), nodeCost(many))];
  });
}

function nodeVolumeLines(
  pools: readonly EstimatedPool[],
  least: Packing,
  most: Packing,
  price: (volumeType: string) => Decimal,
): EstimateLine[] {
  return pools.flatMap((pool) => {
    const [few, many] = [nodesOf(pool, least).length, nodesOf(pool, most).length];
    if (many === 0 || pool.nodeVolumes.length === 0) {
      return [];
    }
    const each = sum(pool.nodeVolumes.map(({ gib, volumeType }) => price(volumeType).times(gib)));
    const gib = pool.nodeVolumes.reduce((total, volume) => total + volume.gib, 0);
    return [
      line('node volumes', pool.name, `${few} × ${gib} GiB`, `${many} × ${gib} GiB`, each.times(few), each.times(many)),
    ];
  });
}

function volumeLines(
  problems: Problems,
  { workloads, claims }: EstimatedStack,
  { volumeTypes = {} }: EstimateInput['config'],
  price: (volumeType: string) => Decimal,
): EstimateLine[] {
  const alone = claims.map(({ name, ...volume }) => ({ name, volumes: [volume], minReplicas: 1, maxReplicas: 1 }));
  return [...workloads, ...alone].flatMap(({ name, volumes, minReplicas, maxReplicas }) =>
    volumes.flatMap(({ gib, storageClass = '' }) => {
      const type = volumeTypes[storageClass] ?? storageClass;
      if (
        !problems.check(
          type !== '',
          'volumeTypes',
          `the default storage class, of ${name}`,
          "have an entry ''",
          'which volumes the cluster makes by default is not known here',
        )
      ) {
        return [];
      }
      const each = price(type).times(gib);
      const text = (count: number): string => `${count} × ${gib} GiB of ${type}`;
      return [
        line('volumes', name, text(minReplicas), text(maxReplicas), each.times(minReplicas), each.times(maxReplicas)),
      ];
    }),
  );
}

function sharedLines({ shared = [] }: EstimateInput['config'], price: (name: string) => Decimal): EstimateLine[] {
  return shared.map(({ name }) => {
    const cost = price(name).times(HOURS_OF_MONTH);
    return line('shared', name, `${HOURS_OF_MONTH} hours`, `${HOURS_OF_MONTH} hours`, cost, cost);
  });
}

function peopleLines({ people = [] }: EstimateInput['config'], price: (activity: string) => Decimal): EstimateLine[] {
  return people.map(({ activity, hoursPerDay, days, service }) => {
    const hours = new Decimal(hoursPerDay).times(days?.length ?? 5).times(WEEKS_OF_MONTH);
    const text = `${hours.toDecimalPlaces(1).toString()} hours`;
    const cost = price(activity).times(hours);
    return line('people', service === undefined ? activity : `${activity}, ${service}`, text, text, cost, cost);
  });
}

function line(
  kind: EstimateLine['kind'],
  name: string,
  least: string,
  most: string,
  fixed: Decimal,
  atMost: Decimal,
): EstimateLine {
  // a packing of more pods may come cheaper by another type; what scales is then nothing
  return { kind, name, least, most, fixed: money(fixed), scales: money(Decimal.max(0, atMost.minus(fixed))) };
}

function nodesOf(pool: EstimatedPool, { nodes }: Packing): readonly PackedNode[] {
  return nodes.filter((node) => node.pool === pool);
}

function nodeCost(nodes: readonly PackedNode[]): Decimal {
  return sum(nodes.map(({ instance }) => instance.pricePerHour)).times(HOURS_OF_MONTH);
}

function countText(nodes: readonly PackedNode[]): string {
  const counts = new Map<string, number>();
  for (const { instance } of nodes) {
    const name = `${instance.shape.instanceType} ${instance.capacityType}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts].map(([name, count]) => `${count} × ${name}`).join(', ') || 'none';
}

/** Price in the ledger's currency; nothing where there was none, which is a problem already. */
function priceOf(found: { readonly price: Decimal; readonly exchangeRate: Decimal } | undefined): Decimal {
  return found === undefined ? new Decimal(0) : found.price.times(found.exchangeRate);
}
