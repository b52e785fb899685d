/** What an app synthesises, as `mediform cost estimate` and `advise` read it. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Chart, Duration, Size } from 'cdk8s';
import { Accelerator, CostExport, GpuNodePool, MedicalInferenceService, NodePool } from 'mediform';
import { constraintsOf, type CostConfig, type PriceFile } from 'mediform/cost';
import { estimateStack } from '../../../constructs/plan/cost/estimate/estimate';
import { run } from '../../../runtime/cost/cli/program';
import { constraintsOfManifests } from '../../../runtime/cost/manifests/constraints';
import { readManifests } from '../../../runtime/cost/manifests/read';
import { stackOf } from '../../../runtime/cost/manifests/stack';
import { costs } from '../../../examples/03-hospital/costs';
import { platform } from '../../../examples/03-hospital/platform';
import { services } from '../../../examples/03-hospital/services';
import { resultCache } from '../../../examples/03-hospital/cache';
import { COST_EXPORT } from '../../support/cost-export';
import { inFolder } from './support';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mediform-manifests-'));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Result {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

describe('mediform cost estimate', () => {
  const region = 'eu-central-1';
  const instance = (instanceType: string, price: string): object => ({
    kind: 'instance',
    unit: 'Hours',
    instanceType,
    capacityType: 'on-demand',
    region,
    price,
  });
  const priceFile = (...more: readonly object[]): object => ({
    ...COST_EXPORT.prices[0],
    prices: [
      instance('g5.xlarge', '1'),
      instance('c7i.xlarge', '0.2'),
      { kind: 'volume', unit: 'GB-Months', volumeType: 'gp3', region, price: '0.1' },
      ...more,
    ],
  });

  /** Two to five replicas with a GPU each, on a pool of four GPUs; the ledger's own volume. */
  function synthesise(outdir: string): void {
    const app = new App({ outdir });
    const cluster = { name: 'prod' };
    const nodes = new Chart(app, 'nodes');
    new GpuNodePool(nodes, 'gpu', { cluster, accelerators: [Accelerator.A10G], maxGpus: 4 });
    new NodePool(nodes, 'compute', { cluster, type: 'compute-optimized', maxCpu: 8 });
    new MedicalInferenceService(new Chart(app, 'imaging', { namespace: 'imaging' }), 'ct', {
      image: 'registry.example/ct:1',
      model: { name: 'resnet50', version: '1' },
      gpu: { accelerator: Accelerator.A10G },
      gateway: 'off',
      scaling: { minReplicas: 2, maxReplicas: 4 },
    });
    new CostExport(new Chart(app, 'cost', { namespace: 'cost' }), 'costs', {
      ...COST_EXPORT,
      ledger: { size: Size.gibibytes(5) },
    });
    app.synth();
  }

  async function estimate(prices: object, ...flags: readonly string[]): Promise<Result> {
    writeFileSync(join(folder, 'prices.json'), JSON.stringify(prices));
    writeFileSync(join(folder, 'cost.json'), JSON.stringify({ ...COST_EXPORT.cost, volumeTypes: { '': 'gp3' } }));
    const [out, err]: [string[], string[]] = [[], []];
    const files = ['--manifests', join(folder, 'dist'), '--prices', join(folder, 'prices.json')];
    const code = await run(['cost', 'estimate', ...files, '--config', join(folder, 'cost.json'), ...flags], {
      out: (text) => void out.push(text),
      err: (text) => void err.push(text),
      terminal: false,
      now: () => new Date('2026-11-25T06:00:00Z'),
    });
    return { code, out: out.join(''), err: err.join('') };
  }

  beforeAll(() => synthesise(join(folder, 'dist')));

  it('says what the stack that was synthesised will cost, what is fixed and what scales', async () => {
    const { code, out } = await estimate(priceFile(), '--format', 'json');
    expect(code).toBe(0);
    const found = JSON.parse(out) as { fixed: string; atMost: string; lines: object[]; notIncluded: string[] };
    expect(found.lines).toEqual([
      // two replicas on a GPU each: 2 × 1 × 730, and as much again
      expect.objectContaining({ kind: 'nodes', name: 'gpu', fixed: '1460', scales: '1460' }) as object,
      // 200 GiB a node: 2 × 200 × 0.1, and as much again
      expect.objectContaining({ kind: 'node volumes', name: 'gpu', fixed: '40', scales: '40' }) as object,
      // the ledger is there, however much is asked for: 5 × 0.1
      {
        kind: 'volumes',
        name: 'cost/costs',
        least: '1 × 5 GiB of gp3',
        most: '1 × 5 GiB of gp3',
        fixed: '0.5',
        scales: '0',
      },
    ]);
    expect([found.fixed, found.atMost]).toEqual(['1500.5', '3000.5']);
    expect(found.notIncluded).toContain('cost/costs, which runs now and then');
  });

  it('is a table and CSV, too', async () => {
    const { out } = await estimate(priceFile(), '--format', 'csv');
    expect(out.split('\r\n').slice(0, 2)).toEqual([
      'kind,name,least,most,fixed,scales',
      'nodes,gpu,2 × g5.xlarge on-demand,4 × g5.xlarge on-demand,1460,1460',
    ]);
    const table = (await estimate(priceFile())).out;
    expect(table).toContain('A month of 730 hours in eu-central-1, at the prices of 2026-11-25');
    expect(table).toContain('Fixed €1,501 a month; with all replicas at their maximum €3,001');
  });

  it('is a gate for CI, of what is fixed', async () => {
    const gate = async (budget: string): Promise<Result> =>
      estimate(priceFile(), '--monthly-budget', budget, '--fail-over-budget');
    expect((await gate('1500.5')).code).toBe(0);
    expect(await gate('1500.49')).toMatchObject({
      code: 3,
      err: 'mediform: what is fixed passes the budget of €1,500\n',
    });
  });

  it('names prices that are missing or stale, and never takes another', async () => {
    const stale = await estimate(priceFile(), '--day', '2027-01-01');
    expect([stale.code, stale.out]).toEqual([1, '']);
    expect(stale.err).toContain(
      "mediform: 'prices' (instance g5.xlarge on-demand eu-central-1) must have a price for 2027-01-01 because that of 'test', published 2026-11-01, is stale: it held until 2026-12-31",
    );
    const none = await estimate({ ...priceFile(), prices: [instance('c7i.xlarge', '0.2')] });
    expect(none.err).toContain(
      "'prices' (instance of pool gpu, family g5, gpu-name a10g, on-demand, eu-central-1) must have a price for 2026-11-25",
    );
  });

  it('needs manifests', async () => {
    const { code, err } = await estimate(priceFile(), '--manifests', join(folder, 'nowhere'));
    expect([code, err]).toEqual([
      1,
      `mediform: no manifests in ${join(folder, 'nowhere')}: synthesise first, or name their folder\n`,
    ]);
  });
});

test('the hospital has a price for everything that it deploys', async () => {
  await inFolder(async (outdir) => {
    const app = new App({ outdir });
    platform(app);
    services(app, resultCache(app));
    costs(app);
    app.synth();
    const manifests = await readManifests(outdir);
    const filesOf = (name: string): readonly unknown[] => {
      const found = manifests.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === name);
      const { data } = found as unknown as { readonly data: { readonly [file: string]: string } };
      return Object.values(data).map((text) => JSON.parse(text) as unknown);
    };
    const [{ cost: config }] = filesOf('cost-export') as [{ cost: CostConfig }];
    const prices = filesOf('cost-export-prices') as readonly PriceFile[];
    const { lines } = estimateStack({ stack: stackOf(manifests), prices, day: '2026-11-25', config });
    expect(lines.filter(({ fixed, scales }) => fixed.plus(scales).isZero())).toEqual([]);
    const kinds = new Set(lines.map(({ kind }) => kind));
    expect([...kinds].sort()).toEqual(['node volumes', 'nodes', 'people', 'shared', 'volumes']);
  });
});

describe('quantities', () => {
  const stackWith = (memory: string | number, cpu: string | number) =>
    stackOf([
      {
        kind: 'Deployment',
        metadata: { name: 'ct', namespace: 'imaging' },
        spec: {
          template: {
            spec: {
              containers: [
                { resources: { requests: { memory, cpu } } },
                { resources: { requests: { memory: '1Mi', cpu: 1 } } },
              ],
              initContainers: [
                { restartPolicy: 'Always', resources: { requests: { memory: '2Mi', cpu: '500m' } } },
                { resources: { requests: { memory: '9Gi' } } },
              ],
            },
          },
        },
      },
    ]).workloads[0];

  it.each<[string | number, number, string | number, number]>([
    ['8Gi', 8192, '2500m', 2.5],
    ['512Mi', 512, 2, 2],
    [1_048_576, 1, '1e1', 10],
    ['1048576k', 1000, '0.25', 0.25],
    ['2Ti', 2 ** 21, '2k', 2000],
  ])('of memory and cores: %s is %d MiB, %s is %d cores', (memory, mebibytes, cpu, cores) => {
    // with the second container and the sidecar, but not what ends before they start
    expect(stackWith(memory, cpu)).toMatchObject({ memoryMiB: mebibytes + 3, cpu: cores + 1.5 });
  });

  it.each(['8GiB', 'much', '', '1.2.3'])('that are none are an error: %j', (memory) => {
    expect(() => stackWith(memory, 1)).toThrow(
      `'${memory}' is no quantity as Kubernetes writes them, such as 500m or 8Gi`,
    );
  });
});

describe('what services need', () => {
  it('is the same in the manifests of the hospital as in its plans', async () => {
    await inFolder(async (outdir) => {
      const app = new App({ outdir });
      platform(app);
      services(app, resultCache(app));
      app.synth();
      const plans = app.node.findAll().filter((construct) => construct instanceof MedicalInferenceService);
      const inOrder = (some: readonly { construct: string }[]): readonly object[] =>
        [...some].sort((a, b) => (a.construct < b.construct ? -1 : 1));
      const fromPlans = plans.map(({ plan }) => constraintsOf(plan));
      expect(fromPlans.length).toBeGreaterThanOrEqual(3);
      expect(fromPlans.some(({ peakReplicas }) => peakReplicas !== undefined)).toBe(true);
      expect(inOrder(constraintsOfManifests(await readManifests(outdir)))).toEqual(inOrder(fromPlans));
    });
  });

  it('is a disruption budget and the largest peak, where there are some', async () => {
    await inFolder(async (outdir) => {
      const app = new App({ outdir });
      const peak = { start: '07:00', end: '12:00', timeZone: 'Europe/Berlin' };
      new MedicalInferenceService(new Chart(app, 'imaging', { namespace: 'imaging' }), 'ct', {
        image: 'registry.example/ct:1',
        model: { name: 'resnet50', version: '1' },
        gpu: {},
        priority: 'emergency',
        modelLoadTime: Duration.minutes(2),
        disruption: { minAvailable: 2 },
        checkNodePools: false,
        scaling: {
          minReplicas: 3,
          maxReplicas: 9,
          peakHours: [
            { ...peak, replicas: 5 },
            { ...peak, replicas: 7 },
          ],
        },
      });
      app.synth();
      expect(constraintsOfManifests(await readManifests(outdir))).toEqual([
        {
          service: 'ct',
          model: 'resnet50',
          construct: 'imaging/ct',
          priority: 'emergency',
          minReplicas: 3,
          maxReplicas: 9,
          minAvailable: 2,
          peakReplicas: 7,
        },
      ]);
    });
  });
});

describe('a folder of manifests', () => {
  it('that holds no YAML is an error that names the file', async () => {
    await inFolder(async (outdir) => {
      mkdirSync(join(outdir, 'sub'));
      await expect(readManifests(outdir)).rejects.toThrow(`no manifests in ${outdir}`);
      writeFileSync(join(outdir, 'a.yaml'), 'a: [1');
      await expect(readManifests(outdir)).rejects.toThrow(`${join(outdir, 'a.yaml')} is no YAML: `);
    });
  });
});
