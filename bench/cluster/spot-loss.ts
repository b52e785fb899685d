/** What the loss of many Spot nodes at once does to the pods of each priority. */
import { type Cluster } from '../../test/e2e/support/cluster';
import { nodeOf, type NodeShape } from '../../test/e2e/support/nodes';
import { allPods, waitForPods, type Pod } from './pods';

export interface SpotLoss {
  readonly nodesLost: number;
  readonly spotNodes: number;
  readonly batchPods: number;
  /** On the lost nodes, and running again elsewhere. */
  readonly batchMoved: number;
  /** Without a node, because the others are full. */
  readonly batchWaiting: number;
  readonly otherPods: number;
  /** Emergency and normal pods that are gone, were replaced, or do not run. */
  readonly othersDisturbed: number;
}

/** Deletes a part of the Spot nodes, of each pool the same part, and waits until all has settled. */
export async function loseSpotNodes(cluster: Cluster, nodes: readonly NodeShape[], part: number): Promise<SpotLoss> {
  const spot = nodes.filter(({ labels }) => labels?.['karpenter.sh/capacity-type'] === 'spot');
  const lost = spot.filter((_, index) => Math.floor((index + 1) * part) > Math.floor(index * part));
  const before = await allPods(cluster);

  await cluster.delete(lost.map(nodeOf));
  const names = new Set(lost.map(({ name }) => name));
  const after = await waitForPods(cluster, 'all pods of lost nodes to be replaced', 5_000, async () => {
    const pods = await allPods(cluster);
    return pods.length === before.length && pods.every((pod) => isSettled(pod, names)) && pods;
  });

  const uids = new Set(before.map(({ metadata }) => metadata.uid));
  const replaced = after.filter((pod) => isBatch(pod) && !uids.has(pod.metadata.uid));
  const others = before.filter((pod) => !isBatch(pod));
  const kept = new Map(after.map((pod) => [pod.metadata.uid, pod]));
  const undisturbed = others.filter(({ metadata, spec }) => {
    const now = kept.get(metadata.uid);
    return now?.status.phase === 'Running' && now.spec.nodeName === spec.nodeName;
  });
  return {
    nodesLost: lost.length,
    spotNodes: spot.length,
    batchPods: before.filter(isBatch).length,
    batchMoved: replaced.filter(({ spec }) => spec.nodeName !== undefined).length,
    batchWaiting: after.filter(({ spec }) => spec.nodeName === undefined).length,
    otherPods: others.length,
    othersDisturbed: others.length - undisturbed.length,
  };
}

/** Whether it runs on a node that exists, or the scheduler has said that there is none. */
function isSettled({ spec, status }: Pod, lost: ReadonlySet<string>): boolean {
  return spec.nodeName === undefined
    ? status.conditions?.some(({ type, reason }) => type === 'PodScheduled' && reason === 'Unschedulable') === true
    : !lost.has(spec.nodeName) && status.phase === 'Running';
}

function isBatch({ spec }: Pod): boolean {
  return spec.priorityClassName === 'batch-priority';
}
