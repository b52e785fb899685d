import type { Decimal } from '../money';
import type { CapacityType } from '../price-file';
import { allocatable } from './allocatable';
import { instanceLabels, type InstanceShape } from '../../instance-types';
import { meets, misfitOf, type EstimatedPool, type EstimatedWorkload } from './stack';

/** An instance type of a pool, with what an hour of it costs. */
export interface PricedInstance {
  readonly shape: InstanceShape;
  readonly capacityType: CapacityType;
  readonly pricePerHour: Decimal;
}

/** Instance types of each pool that have a price. */
export type Offers = ReadonlyMap<EstimatedPool, readonly PricedInstance[]>;

/** A node with pods. */
export interface PackedNode {
  readonly pool: EstimatedPool;
  readonly instance: PricedInstance;
  /** Names of the pods' workloads, one for each pod. */
  readonly pods: string[];
}

/** Where all pods went. */
export interface Packing {
  readonly nodes: readonly PackedNode[];
  /** Pods that found no room, by workload: the limits of the pools end before. */
  readonly waiting: ReadonlyMap<string, number>;
}

interface OpenNode extends PackedNode {
  cpu: number;
  memoryMiB: number;
  gpus: number;
}

/**
 * Puts pods on nodes: the largest first, each on the first node with room, else on a new one of the cheapest type that fits
 * (first fit decreasing). Pools are tried by weight, then by name, up to their limits. Karpenter looks at pods in batches
 * and may find a better packing; it finds no much worse one.
 */
export function pack(workloads: readonly EstimatedWorkload[], offers: Offers, replicas: 'min' | 'max'): Packing {
  const pods = workloads
    .flatMap((workload) => {
      const count = replicas === 'min' ? workload.minReplicas : workload.maxReplicas;
      return Array.from({ length: count }, () => workload);
    })
    .sort((a, b) => b.gpus - a.gpus || b.memoryMiB - a.memoryMiB || b.cpu - a.cpu || (a.name < b.name ? -1 : 1));
  const nodes: OpenNode[] = [];
  const waiting = new Map<string, number>();
  for (const pod of pods) {
    const node = place(pod, offers, nodes);
    if (node === undefined) {
      waiting.set(pod.name, (waiting.get(pod.name) ?? 0) + 1);
      continue;
    }
    node.cpu -= pod.cpu;
    node.memoryMiB -= pod.memoryMiB;
    node.gpus -= pod.gpus;
    node.pods.push(pod.name);
  }
  return { nodes, waiting };
}

/** Pools that a workload can run on, in the order in which they are tried. */
export function poolsOf(workload: EstimatedWorkload, pools: Iterable<EstimatedPool>): readonly EstimatedPool[] {
  return [...pools]
    .filter((pool) => misfitOf(workload, pool) === undefined)
    .sort((a, b) => b.weight - a.weight || (a.name < b.name ? -1 : 1));
}

function place(pod: EstimatedWorkload, offers: Offers, nodes: OpenNode[]): OpenNode | undefined {
  for (const pool of poolsOf(pod, offers.keys())) {
    const there = nodes.find((node) => node.pool === pool && hasRoom(node, pod) && isFor(node.instance, pod));
    if (there !== undefined) {
      return there;
    }
    const [instance] = (offers.get(pool) ?? [])
      .filter((offer) => isFor(offer, pod) && hasRoom(capacity(pool, offer), pod) && isWithin(pool, offer, nodes))
      .sort((a, b) => a.pricePerHour.comparedTo(b.pricePerHour));
    if (instance !== undefined) {
      const node: OpenNode = { pool, instance, pods: [], ...capacity(pool, instance) };
      nodes.push(node);
      return node;
    }
  }
  return undefined;
}

interface Room {
  readonly cpu: number;
  readonly memoryMiB: number;
  readonly gpus: number;
}

function capacity(pool: EstimatedPool, { shape }: PricedInstance): Room {
  return { ...allocatable(shape), gpus: shape.gpus * pool.unitsPerGpu };
}

function hasRoom(room: Room, pod: EstimatedWorkload): boolean {
  return room.cpu >= pod.cpu && room.memoryMiB >= pod.memoryMiB && room.gpus >= pod.gpus;
}

/** Whether an instance type has the labels that pods insist on, as far as they are its own. */
function isFor({ shape }: PricedInstance, { nodeSelector }: EstimatedWorkload): boolean {
  const labels = instanceLabels(shape);
  return Object.entries(nodeSelector).every(
    ([key, value]) => meets({ key, operator: 'In', values: [value] }, labels) || !(key in labels),
  );
}

function isWithin(pool: EstimatedPool, { shape }: PricedInstance, nodes: readonly OpenNode[]): boolean {
  const ofPool = nodes.filter((node) => node.pool === pool).map(({ instance }) => instance.shape);
  const total = (of: (shape: InstanceShape) => number): number =>
    [...ofPool, shape].reduce((sum, each) => sum + of(each), 0);
  const { gpus = Infinity, cpu = Infinity, memoryMiB = Infinity } = pool.limits;
  return (
    total((each) => each.gpus * pool.unitsPerGpu) <= gpus &&
    total(({ vcpus }) => vcpus) <= cpu &&
    total((each) => each.memoryMiB) <= memoryMiB
  );
}
