import { Decimal, sum } from '../money';
import type { PriceBook } from '../price-book';
import type { CapacityType } from '../price-file';
import type { BilledResource, HeldByPods, NodeUsage } from '../usage';
import type { Charge, Part } from './charge';

/**
 * What a unit of each resource costs relative to the others: a GPU 9, a vCPU 0.9, a GiB of memory 0.1. These are the
 * weights of AWS's split cost allocation data: GPU to CPU and memory 9:1, CPU to memory 9:1.
 */
export const RESOURCE_WEIGHTS = {
  gpu: new Decimal('9'),
  cpu: new Decimal('0.9'),
  memory: new Decimal('0.1'),
} as const;

const RULE = 'gpu-cpu-memory';

const PRICING: { readonly [C in CapacityType]: Charge['pricingCategory'] } = {
  'on-demand': 'Standard',
  spot: 'Dynamic',
  reserved: 'Committed',
};

/**
 * A node's day: split over what pods held and what nobody held, by GPUs, cores and memory. Where pods hold more than there
 * is, for example slices that do not fit each other, each has its share of what there is.
 *
 * @param isShared whether the pods of a namespace serve all
 */
export function nodeCharge(
  node: NodeUsage,
  day: string,
  book: PriceBook,
  isShared: (namespace: string | undefined) => boolean,
  bill: BilledResource | undefined,
  problem: (line: string) => void,
): Charge | undefined {
  const { instanceType, capacityType, region, zone, hours } = node;
  const price = book.find({ kind: 'instance', instanceType, capacityType, region, zone }, day, problem);
  if (price === undefined) {
    return undefined;
  }
  return {
    kind: 'instance',
    resourceId: node.providerId ?? node.name,
    resourceName: node.name,
    region,
    zone,
    description: `${instanceType}, ${capacityType}`,
    pricingCategory: PRICING[capacityType],
    price,
    quantity: hours,
    confidence: 'metered',
    bill,
    parts: partsOf(node, isShared),
  };
}

interface Capacity {
  readonly gpu: Decimal;
  readonly cpu: Decimal;
  readonly memory: Decimal;
}

function partsOf(node: NodeUsage, isShared: (namespace: string | undefined) => boolean): Part[] {
  const owners = byOwner(node.pods, isShared);
  const capacity: Capacity = {
    gpu: node.hours.times(node.gpus),
    cpu: node.hours.times(node.cores),
    memory: node.hours.times(node.memoryGiB),
  };
  const held: Capacity = {
    gpu: sum(node.pods.map(({ gpuHours }) => gpuHours)),
    cpu: sum(node.pods.map(({ cpuHours }) => cpuHours)),
    memory: sum(node.pods.map(({ memoryHours }) => memoryHours)),
  };
  const fit: Capacity = {
    gpu: fraction(capacity.gpu, held.gpu),
    cpu: fraction(capacity.cpu, held.cpu),
    memory: fraction(capacity.memory, held.memory),
  };
  const parts = [
    ...owners.flatMap((pods) => podParts(pods, fit, isShared(pods.namespace))),
    ...idleParts(capacity, held),
  ];
  // a node that says nothing of its capacity was paid for all the same
  return parts.length > 0 ? parts : [idlePart('CPU', 'vCPU-Hours', new Decimal(0), new Decimal(1))];
}

/** One entry for each owner; pods that serve all belong to their namespace alone. */
function byOwner(
  pods: readonly HeldByPods[],
  isShared: (namespace: string | undefined) => boolean,
): readonly HeldByPods[] {
  const owners = new Map<string, HeldByPods>();
  for (const held of pods) {
    const mine = isShared(held.namespace)
      ? { ...held, service: undefined, model: undefined, priority: undefined }
      : held;
    const key = JSON.stringify([mine.service, mine.model, mine.namespace, mine.priority]);
    const before = owners.get(key);
    owners.set(key, before === undefined ? mine : together(before, mine));
  }
  return [...owners.values()];
}

function together(a: HeldByPods, b: HeldByPods): HeldByPods {
  return {
    ...a,
    hours: a.hours.plus(b.hours),
    gpuHours: a.gpuHours.plus(b.gpuHours),
    cpuHours: a.cpuHours.plus(b.cpuHours),
    memoryHours: a.memoryHours.plus(b.memoryHours),
    gpuUtilisation: mean([a.gpuUtilisation, a.gpuHours], [b.gpuUtilisation, b.gpuHours]),
    cpuUtilisation: mean([a.cpuUtilisation, a.cpuHours], [b.cpuUtilisation, b.cpuHours]),
  };
}

/** The mean of what was measured, weighted; undefined where nothing was. */
function mean(...values: readonly (readonly [value: Decimal | undefined, weight: Decimal])[]): Decimal | undefined {
  const measured = values.filter((pair): pair is readonly [Decimal, Decimal] => pair[0] !== undefined);
  const weight = sum(measured.map(([, each]) => each));
  return weight.isZero() ? measured[0]?.[0] : sum(measured.map(([value, each]) => value.times(each))).dividedBy(weight);
}

function podParts(pods: HeldByPods, fit: Capacity, shared: boolean): Part[] {
  const { service, model, namespace, priority } = pods;
  const owner = { service, model, namespace, priority };
  const gpuHours = pods.gpuHours.times(fit.gpu);
  const cpuHours = pods.cpuHours.times(fit.cpu);
  const gpuWeight = gpuHours.times(RESOURCE_WEIGHTS.gpu);
  const cpuWeight = hostWeight(cpuHours, pods.memoryHours.times(fit.memory));
  const hasGpu = gpuWeight.greaterThan(0);
  const parts: Part[] = [];
  if (hasGpu) {
    parts.push({
      owner,
      category: shared ? 'shared' : 'gpu',
      meter: 'GPU',
      weight: gpuWeight,
      rule: RULE,
      consumed: gpuHours,
      consumedUnit: 'GPU-Hours',
      measures: { x_UsageHours: ledgerHours(pods.hours), x_Utilisation: pods.gpuUtilisation?.toDecimalPlaces(6) },
    });
  }
  if (cpuWeight.greaterThan(0)) {
    parts.push({
      owner,
      category: shared ? 'shared' : 'cpu',
      meter: 'CPU',
      weight: cpuWeight,
      rule: RULE,
      consumed: cpuHours,
      consumedUnit: 'vCPU-Hours',
      measures: {
        // counted once for each pod: on the row of its GPUs where it has any
        x_UsageHours: hasGpu ? undefined : ledgerHours(pods.hours),
        x_Utilisation: pods.cpuUtilisation?.toDecimalPlaces(6),
      },
    });
  }
  return parts;
}

function idleParts(capacity: Capacity, held: Capacity): Part[] {
  const rest = (resource: keyof Capacity): Decimal => Decimal.max(0, capacity[resource].minus(held[resource]));
  const parts = [
    idlePart('GPU', 'GPU-Hours', rest('gpu'), rest('gpu').times(RESOURCE_WEIGHTS.gpu)),
    idlePart('CPU', 'vCPU-Hours', rest('cpu'), hostWeight(rest('cpu'), rest('memory'))),
  ];
  return parts.filter(({ weight }) => weight.greaterThan(0));
}

function idlePart(meter: string, consumedUnit: string, consumed: Decimal, weight: Decimal): Part {
  return { owner: {}, category: 'idle', meter, weight, rule: RULE, consumed, consumedUnit };
}

function hostWeight(cpuHours: Decimal, memoryHours: Decimal): Decimal {
  return cpuHours.times(RESOURCE_WEIGHTS.cpu).plus(memoryHours.times(RESOURCE_WEIGHTS.memory));
}

function ledgerHours(hours: Decimal): Decimal {
  return hours.toDecimalPlaces(6);
}

/** What of a holding there is room for: 1, or less where more is held than there is. */
function fraction(capacity: Decimal, held: Decimal): Decimal {
  return held.lessThanOrEqualTo(capacity) ? new Decimal(1) : capacity.dividedBy(held);
}
