/**
 * When Karpenter's own controller takes nodes away: what `consolidateAfter`, budgets and clinic hours of our pools
 * become. The cloud is simulated. Karpenter looks every 10 seconds and checks an empty node for 15 seconds more, which no
 * setting changes, so that all pools of this suite are watched at once.
 */
import { Duration, type Chart } from 'cdk8s';
import { Accelerator, GpuNodePool, MedicalInferenceService, type GpuNodePoolProps } from 'mediform';
import { Testbed } from './support/karpenter/testbed';
import { BUILD_TIMEOUT_MS, describeWithCluster } from './support/suite';

/** Namespace of all services. */
const WARDS = 'wards';
const TIME_ZONE = 'Europe/Berlin';
const OPEN_NOW = clinicHours(-0.5, 0.5);
const OPEN_LATER = clinicHours(3, 6);
/** Keeps empty nodes, but no others. */
const NOT_WHEN_EMPTY: GpuNodePoolProps['budgets'] = [{ nodes: '0', reasons: ['Empty'] }, { nodes: '50%' }];
const SOON = Duration.seconds(1);
const WAIT_MS = 90_000;

/** One pool for each way to keep or to lose a node, with one service on it. */
const POOLS: { readonly [name: string]: Partial<GpuNodePoolProps> } = {
  'empty-before-hours': { consolidateAfter: SOON, clinicHours: OPEN_LATER },
  'empty-in-hours': { consolidateAfter: SOON, clinicHours: OPEN_NOW },
  'empty-not-for-long': { consolidateAfter: Duration.hours(1) },
  'empty-by-budget': { consolidateAfter: SOON, budgets: NOT_WHEN_EMPTY },
  'drifted-before-hours': { clinicHours: OPEN_LATER, budgets: NOT_WHEN_EMPTY },
  'drifted-in-hours': { clinicHours: OPEN_NOW },
  'drifted-but-protected': {},
};
const EMPTY = Object.keys(POOLS).filter((name) => name.startsWith('empty'));
const DRIFTED = Object.keys(POOLS).filter((name) => name.startsWith('drifted'));

describeWithCluster(
  'nodes that Karpenter takes away',
  () => {
    let testbed: Testbed;
    /** The node that each pool had at first. */
    const first = new Map<string, string>();

    beforeAll(async () => {
      testbed = await Testbed.start();
    }, BUILD_TIMEOUT_MS);
    afterAll(() => testbed?.cluster.stop());

    beforeAll(async () => {
      const names = Object.keys(POOLS);
      await testbed.define(WARDS, (chart) => names.forEach((name) => poolWithService(chart, name)));
      for (const { service, node } of await testbed.running(WARDS, names.length)) {
        first.set(service, node.metadata.name);
      }
      // those that must stay are ready to go before the others are
      for (const name of [...EMPTY].sort(lastOf('empty-before-hours'))) {
        await testbed.cluster.kubectl(['delete', 'deployment', name, '-n', WARDS]);
        if (name !== 'empty-not-for-long') {
          await testbed.nodeIs('Consolidatable', name);
        }
      }
      for (const name of [...DRIFTED].sort(lastOf('drifted-before-hours'))) {
        await testbed.define(WARDS, (chart) => pool(chart, name, { labels: { ...wing(name), release: '2' } }));
        await testbed.nodeIs('Drifted', name);
      }
    }, 240_000);

    it('are empty ones, some time after the last pod left and outside of clinic hours', async () => {
      await testbed.cluster.waitFor('the empty node to go', () => nodeIsGone('empty-before-hours'), WAIT_MS);
    }, 240_000);

    it('are drifted ones outside of clinic hours, whose pods move first', async () => {
      const name = 'drifted-before-hours';
      await testbed.cluster.waitFor('the drifted node to go', () => nodeIsGone(name), WAIT_MS);
      const moved = (await testbed.running(WARDS, DRIFTED.length)).find(({ service }) => service === name);
      expect(moved?.node.metadata.labels).toMatchObject({ release: '2', 'karpenter.sh/nodepool': name });
    }, 240_000);

    it('are not those that have been empty for too short a time', () => expectToStay('empty-not-for-long'));
    it('are not empty ones that a budget keeps', () => expectToStay('empty-by-budget'));
    it('are not empty ones in clinic hours', () => expectToStay('empty-in-hours'));
    it('are not drifted ones in clinic hours', () => expectToStay('drifted-in-hours'));

    it('are not those of pods that must never be disrupted; a time this version does not understand', async () => {
      await expectToStay('drifted-but-protected');
      // Karpenter 1.8 knows only "true", and so has moved a pod that asked for ten minutes
      const pods = await testbed.cluster.list('pods', WARDS);
      const moved = pods.find(({ metadata }) => metadata.name.startsWith('drifted-before-hours'));
      expect(moved?.metadata.annotations?.['karpenter.sh/do-not-disrupt']).toBe('600s');
    });

    it('are all of these once the clinic is closed', async () => {
      for (const name of ['empty-in-hours', 'drifted-in-hours']) {
        const labels = name === 'drifted-in-hours' ? { ...wing(name), release: '2' } : wing(name);
        await testbed.define(WARDS, (chart) => pool(chart, name, { clinicHours: OPEN_LATER, labels }));
      }
      for (const name of ['empty-in-hours', 'drifted-in-hours']) {
        await testbed.cluster.waitFor(`the node of ${name} to go`, () => nodeIsGone(name), WAIT_MS);
      }
      for (const name of ['empty-not-for-long', 'empty-by-budget', 'drifted-but-protected']) {
        await expectToStay(name);
      }
    }, 180_000);

    async function nodeIsGone(name: string): Promise<boolean> {
      return !(await testbed.nodesOf(name)).includes(first.get(name) ?? '');
    }

    async function expectToStay(name: string): Promise<void> {
      expect(await testbed.nodesOf(name)).toEqual([first.get(name)]);
    }
  },
  ['karpenter'],
);

function pool(chart: Chart, name: string, more: Partial<GpuNodePoolProps> = {}): void {
  new GpuNodePool(chart, name, {
    cluster: { name: 'hospital' },
    accelerators: [Accelerator.A10G],
    gpusPerNode: [1],
    maxGpus: 4,
    labels: wing(name),
    ...POOLS[name],
    ...more,
  });
}

function poolWithService(chart: Chart, name: string): void {
  pool(chart, name);
  new MedicalInferenceService(chart, `on-${name}`, {
    name,
    image: 'registry.example/model:1',
    model: { name: 'resnet50', version: '1' },
    gpu: { accelerator: Accelerator.A10G },
    nodeSelector: wing(name),
    scaling: { minReplicas: 1, maxReplicas: 2 },
    ...(name === 'drifted-but-protected' && { podAnnotations: { 'karpenter.sh/do-not-disrupt': 'true' } }),
  });
}

function wing(name: string): { readonly wing: string } {
  return { wing: name };
}

/** Clinic hours of every day, by how many hours from now they start and end. */
function clinicHours(start: number, end: number): { start: string; end: string; timeZone: string } {
  const clock = new Intl.DateTimeFormat('en-GB', { timeZone: TIME_ZONE, timeStyle: 'short' });
  const inHours = (hours: number): string => clock.format(Date.now() + hours * 3_600_000);
  return { start: inHours(start), end: inHours(end), timeZone: TIME_ZONE };
}

function lastOf(name: string): (a: string, b: string) => number {
  return (a, b) => Number(a === name) - Number(b === name);
}
