import type { PriceFile } from '../../../../constructs/plan/cost/price-file';
import { AddOns, type AddOnsArgs } from '../../../../stacks/aws/add-ons/add-ons';
import { CHARTS } from '../../../../stacks/aws/add-ons/charts';
import { findCycle, recordGraph, type Graph, type RecordedResource } from '../../../support/aws-graph';
import { problemsOf } from '../../../support/aws-stores';

const RELEASE = 'kubernetes:helm.sh/v3:Release';
const KARPENTER = { clusterName: 'hospital', interruptionQueue: 'hospital-queue' };
const PRICES: PriceFile = {
  source: 'AWS Price List',
  provider: 'AWS',
  published: '2026-11-01',
  currency: 'USD',
  validFrom: '2026-11-01',
  validTo: '2026-12-31',
  prices: [
    {
      kind: 'instance',
      unit: 'Hours',
      price: '1.258',
      instanceType: 'g5.xlarge',
      region: 'eu-central-1',
      capacityType: 'on-demand',
    },
  ],
};
const OPEN_COST = { clusterName: 'hospital', region: 'eu-central-1', prices: PRICES };

const addOns = (args: AddOnsArgs = {}): Promise<Graph> => recordGraph(() => new AddOns('add-ons', args));
const names = (graph: Graph): unknown[] =>
  graph
    .ofType(RELEASE)
    .map(({ inputs }) => inputs.name)
    .sort();
const release = (graph: Graph, name: string): RecordedResource => graph.only(RELEASE, `add-ons-${name}`);

test('every chart is pinned to one version', async () => {
  const graphs = [
    await addOns({ karpenter: KARPENTER, openCost: OPEN_COST, scalingEngine: 'keda' }),
    await addOns({ sharing: [{ mode: 'mig', profile: '1g.10gb' }] }),
  ];
  const releases = graphs.flatMap((graph) => graph.ofType(RELEASE));
  const installed = new Set([...releases.map(({ inputs }) => inputs.name), 'external-secrets']);
  expect(installed).toEqual(new Set(Object.keys(CHARTS)));
  for (const { inputs } of releases) {
    expect(inputs.version).toMatch(/^v?\d+\.\d+\.\d+$/);
    const { repo } = (inputs.repositoryOpts ?? {}) as { repo?: string };
    expect(repo ?? inputs.chart).toMatch(/^(https|oci):\/\//);
  }
});

test('Karpenter comes first, then what defines monitors, then what has them', async () => {
  const graph = await addOns({ karpenter: KARPENTER, openCost: OPEN_COST });
  const after = (name: string, other: string) =>
    expect(release(graph, name).dependencies).toContain(release(graph, other).urn);
  after('karpenter', 'karpenter-crd');
  after('kube-prometheus-stack', 'karpenter');
  after('dcgm-exporter', 'kube-prometheus-stack');
  after('prometheus-adapter', 'kube-prometheus-stack');
  after('opencost', 'kube-prometheus-stack');
  expect(release(graph, 'karpenter').inputs).toMatchObject({
    skipCrds: true,
    values: { settings: KARPENTER },
    namespace: 'kube-system',
    createNamespace: false,
  });
  expect(findCycle(graph)).toBeUndefined();
});

test('nobody waits for prometheus-adapter, whose ConfigMap comes with the app', async () => {
  const graph = await addOns();
  const waits = graph.ofType(RELEASE).filter(({ inputs }) => inputs.skipAwait === true);
  expect(waits.map(({ inputs }) => inputs.name)).toEqual(['prometheus-adapter']);
  expect(waits[0]?.inputs.values).toMatchObject({ rules: { existing: 'prometheus-adapter-rules' } });
});

test('one engine serves the external metrics', async () => {
  const keda = names(await addOns({ scalingEngine: 'keda' }));
  expect(keda).toContain('keda');
  expect(keda).not.toContain('prometheus-adapter');
  expect(names(await addOns())).toEqual([
    'dcgm-exporter',
    'kube-prometheus-stack',
    'metrics-server',
    'nvidia-device-plugin',
    'prometheus-adapter',
    'vertical-pod-autoscaler',
  ]);
});

test('MIG brings the GPU operator in place of the plugin and the exporter', async () => {
  const graph = await addOns({ sharing: [{ mode: 'mig', profile: '1g.10gb' }] });
  expect(names(graph)).toContain('gpu-operator');
  expect(names(graph)).not.toContain('nvidia-device-plugin');
  expect(names(graph)).not.toContain('dcgm-exporter');
});

test('a cluster without GPUs has nothing for them', async () => {
  expect(names(await addOns({ gpus: false, metricsServer: false }))).toEqual([
    'kube-prometheus-stack',
    'prometheus-adapter',
    'vertical-pod-autoscaler',
  ]);
});

test("OpenCost's prices are there before it starts", async () => {
  const graph = await addOns({ openCost: OPEN_COST });
  const prices = graph.only('kubernetes:core/v1:ConfigMap');
  expect(prices.inputs).toMatchObject({
    metadata: { name: 'opencost-prices', namespace: 'monitoring' },
    data: { 'prices.csv': expect.stringContaining('g5.xlarge,eu-central-1,node') as string },
  });
  expect(release(graph, 'opencost').dependencies).toContain(prices.urn);
  expect(prices.dependencies).toContain(release(graph, 'kube-prometheus-stack').urn);
});

test('metrics are on an encrypted volume', async () => {
  const graph = await addOns();
  const storage = graph.only('kubernetes:storage.k8s.io/v1:StorageClass');
  expect(storage.inputs).toMatchObject({
    metadata: { name: 'gp3', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
    provisioner: 'ebs.csi.aws.com',
    parameters: { type: 'gp3', encrypted: 'true' },
    volumeBindingMode: 'WaitForFirstConsumer',
  });
  const stack = release(graph, 'kube-prometheus-stack');
  expect(stack.dependencies).toContain(storage.urn);
  expect(JSON.stringify(stack.inputs.values)).toContain('"storageClassName":"gp3"');
  const own = await addOns({ monitoring: { storageClass: 'hospital' } });
  expect(own.ofType('kubernetes:storage.k8s.io/v1:StorageClass')).toEqual([]);
});

test('takes more values', async () => {
  const graph = await addOns({ values: { 'prometheus-adapter': { replicas: 3 } }, adapterRules: 'my-rules' });
  expect(release(graph, 'prometheus-adapter').inputs.values).toMatchObject({
    replicas: 3,
    rules: { existing: 'my-rules' },
  });
});

test('all that is wrong is told at once', () => {
  const args = {
    gpus: false,
    sharing: [{ mode: 'time-slicing', replicas: 1 }],
    scalingEngine: 'vpa',
    monitoring: { retentionDays: 7, storageGiB: 5 },
    openCost: { clusterName: '', region: 'us-east-1', prices: { ...PRICES, currency: 'EUR' } },
    values: { grafana: {} },
  } as unknown as AddOnsArgs;
  expect(problemsOf(() => new AddOns('add-ons', args))).toEqual([
    "'scalingEngine' (vpa) must be hpa or keda because services scale by no other",
    expect.stringContaining("must not be given where 'gpus' is false because there are no GPUs to divide"),
    "'sharing.replicas' (1) must be a whole number of at least 2 because one replica is a whole GPU",
    "'monitoring.retentionDays' (7) must be a whole number of at least 8 because forecasts read last week's demand",
    "'monitoring.storageGiB' (5) must be a whole number of at least 10 because a full volume stops all scaling",
    "'openCost.clusterName' () must name the cluster because reports would not say whose costs they are",
    "'openCost.prices.currency' (EUR) must be USD because OpenCost counts in dollars and converts nothing",
    "'openCost.prices.prices' (AWS Price List) must have an on-demand instance of us-east-1 because nodes would cost nothing",
    expect.stringContaining("'values.grafana' (...) must be for one of karpenter-crd, karpenter"),
  ]);
});
