/**
 * `npm run bench:cluster [-- --quick]`: how long a real scheduler takes to place 5,000 pods on 500 nodes, with our
 * priorities, spread and affinity and without; then the loss of Spot nodes. Fails when a bound is passed.
 */
import Table from 'cli-table3';
import { startCluster, type Cluster } from '../../test/e2e/support/cluster';
import { namespacesOf } from '../../test/e2e/support/examples';
import { type KubeObject } from '../../test/e2e/support/kube-object';
import { hospital, type Deployment } from './hospital';
import { allScheduled } from './pods';
import { processorSeconds } from './processor-time';
import { loseSpotNodes, type SpotLoss } from './spot-loss';

const RATIO_BOUND = 1.5;
const SPOT_PART_LOST = 0.3;
/** What of a pod the comparison is about. */
const OURS_ONLY = ['priorityClassName', 'affinity', 'topologySpreadConstraints'];
const ROUNDS = process.argv.includes('--quick') ? 1 : 2;

const { nodes, surroundings, deployments, podCount } = hospital();

/** What one side of the comparison applies. */
interface Side {
  readonly surroundings: readonly KubeObject[];
  readonly deployments: readonly Deployment[];
}

const OURS: Side = { surroundings, deployments };
/** The same pods in the same places, so that both must fit, and no more said about them. */
const PLAIN: Side = {
  surroundings: surroundings.filter(({ kind }) => kind !== 'PriorityClass'),
  deployments: deployments.map(({ spec, ...object }) => {
    const fields = Object.entries(spec.template.spec).filter(([field]) => !OURS_ONLY.includes(field));
    return { ...object, spec: { ...spec, template: { ...spec.template, spec: Object.fromEntries(fields) } } };
  }),
};

interface Times {
  /** From the apply of all Deployments until the last pod has a node. */
  readonly seconds: number;
  /** That the scheduler used a processor for; other work on the machine changes it little. */
  readonly schedulerSeconds: number;
}

/** Places all pods of a side on a cluster of its own. */
async function place(side: Side, then?: (cluster: Cluster) => Promise<void>): Promise<Times> {
  const cluster = await startCluster();
  try {
    await cluster.addNodes(...nodes);
    await cluster.apply(namespacesOf(side.deployments));
    await cluster.apply(side.surroundings);
    const start = performance.now();
    await Promise.all([cluster.apply(side.deployments), allScheduled(cluster, podCount)]);
    const seconds = (performance.now() - start) / 1000;
    const schedulerSeconds = processorSeconds('kube-scheduler', cluster.processes.folder);
    await then?.(cluster);
    return { seconds, schedulerSeconds };
  } finally {
    await cluster.stop();
  }
}

async function main(): Promise<void> {
  const ours: Times[] = [];
  const plain: Times[] = [];
  let loss: SpotLoss | undefined;
  for (let round = 1; round <= ROUNDS; round++) {
    plain.push(await place(PLAIN));
    const isLast = round === ROUNDS;
    ours.push(
      await place(OURS, async (cluster) => {
        loss = isLast ? await loseSpotNodes(cluster, nodes, SPOT_PART_LOST) : undefined;
      }),
    );
    progress(`round ${round}: ${describeTimes(ours.at(-1))} against ${describeTimes(plain.at(-1))}`);
  }
  // what else the machine does only adds to a time
  const ratio = (time: keyof Times): number =>
    Math.min(...ours.map((times) => times[time])) / Math.min(...plain.map((times) => times[time]));
  report(ratio('seconds'), ratio('schedulerSeconds'), loss as SpotLoss);
}

function report(ratio: number, schedulerRatio: number, loss: SpotLoss): void {
  const settings = { style: { head: [], border: [], compact: true } };
  const fast = ratio <= RATIO_BOUND;
  const against = 'no priority, spread or affinity';
  const times = new Table({ head: ['time of', 'against', 'ratio', 'bound', ''], ...settings });
  times.push(
    [
      `placing ${podCount} pods on ${nodes.length} nodes`,
      against,
      ratio.toFixed(2),
      `≤ ${RATIO_BOUND}`,
      fast ? 'ok' : 'TOO SLOW',
    ],
    ["the scheduler's processor meanwhile", against, schedulerRatio.toFixed(2), '-', 'information'],
  );
  console.log(times.toString());

  const calm = loss.othersDisturbed === 0;
  const share = (count: number): string => `${count} of ${loss.batchPods}`;
  const head = [`loss of ${loss.nodesLost} of ${loss.spotNodes} Spot nodes`, 'pods', ''];
  const losses = new Table({ head, ...settings });
  losses.push(
    ['emergency and normal, lost or moved', `${loss.othersDisturbed} of ${loss.otherPods}`, calm ? 'ok' : 'DISTURBED'],
    ['batch, running again elsewhere', share(loss.batchMoved), 'information'],
    ['batch, waiting for room', share(loss.batchWaiting), 'information'],
  );
  console.log(losses.toString());
  process.exitCode = fast && calm ? 0 : 1;
}

function describeTimes(times: Times | undefined): string {
  return `${times?.seconds.toFixed(1)} s (scheduler ${times?.schedulerSeconds.toFixed(1)} s)`;
}

function progress(line: string): void {
  process.stderr.write(`${line}\n`);
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
