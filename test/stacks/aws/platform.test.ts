import { planGpuNodePool } from '../../../constructs/plan/node-pools/plan';
import { AwsPlatform } from '../../../stacks/aws/platform';
import type { AwsPlatformArgs } from '../../../stacks/aws/platform-args';
import { recordGraph, type Graph } from '../../support/aws-graph';
import { PLATFORM, platformGraph, POOLS } from '../../support/aws-platform';
import { excesses } from '../../support/aws-policies';
import { problemsOf } from '../../support/aws-stores';

const RELEASE = 'kubernetes:helm.sh/v3:Release';
let graph: Graph;
let ready: readonly string[];
beforeAll(async () => {
  graph = await platformGraph({}, (platform) => {
    ready = platform.ready.map(({ constructor }) => constructor.name);
  });
});

function problems(args: Partial<AwsPlatformArgs>, name = 'mediform'): readonly string[] {
  return problemsOf(() => new AwsPlatform(name, { ...PLATFORM, ...args }));
}

test('has every part once', () => {
  const components = graph.resources.filter(({ type }) => type.startsWith('mediform:aws:'));
  expect(components.map(({ type, name }) => `${type.split(':')[2]} ${name}`)).toEqual([
    'AwsPlatform mediform',
    'Network mediform-network',
    'Cluster mediform-cluster',
    'Karpenter mediform-karpenter',
    'NodePools mediform-pools',
    'ValkeyCache mediform-valkey',
    'MemcachedCache mediform-memcached',
    'Database mediform-database',
    'CostExport mediform-costs',
    'AddOns mediform-add-ons',
  ]);
  expect(ready).toEqual(['Cluster', 'Karpenter', 'NodePools', 'AddOns']);
});

test('nodes are in private subnets, data stores in isolated ones', () => {
  const subnets = (kind: string): string[] => [0, 1, 2].map((zone) => `mediform-network-${kind}-${zone}-id`);
  for (const { inputs } of graph.ofType('aws:eks/nodeGroup:NodeGroup')) {
    expect(inputs.subnetIds).toEqual(subnets('private'));
  }
  expect(graph.only('aws:eks/cluster:Cluster').inputs).toMatchObject({ vpcConfig: { subnetIds: subnets('private') } });
  const groups = [
    ...graph.ofType('aws:elasticache/subnetGroup:SubnetGroup'),
    graph.only('aws:rds/subnetGroup:SubnetGroup'),
  ];
  expect(groups).toHaveLength(3);
  for (const { inputs } of groups) {
    expect(inputs.subnetIds).toEqual(subnets('isolated'));
  }
});

test('data stores let the nodes of the cluster in, and nobody else', () => {
  const stores = graph
    .ofType('aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule')
    .filter(({ name }) => !name.startsWith('mediform-network'));
  expect(stores.map(({ inputs }) => [inputs.fromPort, inputs.referencedSecurityGroupId, inputs.cidrIpv4])).toEqual([
    [6379, 'mediform-cluster-nodes', undefined],
    [11211, 'mediform-cluster-nodes', undefined],
    [5432, 'mediform-cluster-nodes', undefined],
  ]);
});

test('nothing is reached from the internet', () => {
  expect(graph.only('aws:eks/cluster:Cluster').inputs).toMatchObject({ vpcConfig: { endpointPublicAccess: false } });
  expect(graph.only('aws:rds/instance:Instance').inputs).toMatchObject({ publiclyAccessible: false });
  const rules = graph.ofType('aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule');
  expect(rules.map(({ inputs }) => inputs.cidrIpv4).filter((cidr) => cidr !== undefined)).toEqual(['10.0.0.0/16']);
});

test("Karpenter's role of nodes is the one that its pools name, and its queue the one that its chart is told", () => {
  expect(graph.only('aws:iam/role:Role', 'mediform-karpenter-nodes').inputs.name).toBe('hospital-nodes');
  const { values } = graph.only(RELEASE, 'mediform-add-ons-karpenter').inputs;
  expect(values).toMatchObject({
    settings: { clusterName: 'hospital', interruptionQueue: 'mediform-karpenter-interruptions' },
  });
});

test('charts are installed in this cluster, after its DNS, and after the role of Karpenter', () => {
  const provider = graph.only('pulumi:providers:kubernetes');
  expect(JSON.parse(String(provider.inputs.kubeconfig))).toMatchObject({ 'current-context': 'hospital' });
  expect(provider.dependencies).toContain(graph.only('aws:eks/addon:Addon', 'mediform-cluster-coredns').urn);
  const karpenter = graph.only(RELEASE, 'mediform-add-ons-karpenter');
  expect(karpenter.provider).toContain(provider.urn);
  // a child waits for its component, and that for what it depends on
  expect(karpenter.parent).toBe(graph.only('mediform:aws:AddOns').urn);
  expect(graph.only('mediform:aws:AddOns').dependencies).toEqual(
    expect.arrayContaining([
      graph.only('aws:eks/podIdentityAssociation:PodIdentityAssociation', 'mediform-karpenter-controller').urn,
      graph.only('aws:eks/addon:Addon', 'mediform-cluster-coredns').urn,
    ]),
  );
});

test('no policy is too broad', () => {
  expect(excesses(graph)).toEqual([]);
});

test('parts that are not wanted are not made', async () => {
  const small = await platformGraph({
    pools: [{ provisioner: 'managed', spec: POOLS.batch, nodeSize: 'xlarge' }],
    valkey: false,
    memcached: false,
    database: false,
    costExport: false,
    addOns: false,
  });
  const components = small.resources.filter(({ type }) => type.startsWith('mediform:aws:'));
  expect(components.map(({ type }) => type.split(':')[2])).toEqual(['AwsPlatform', 'Network', 'Cluster', 'NodePools']);
  expect(small.ofType(RELEASE)).toEqual([]);
});

test('without GPUs and Karpenter, neither is installed; with MIG the GPU operator is', async () => {
  const names = (of: Graph): string[] => of.ofType(RELEASE).map(({ name }) => name.replace('mediform-add-ons-', ''));
  const plain = await platformGraph({ pools: [{ provisioner: 'managed', spec: POOLS.batch, nodeSize: 'xlarge' }] });
  expect(names(plain)).not.toEqual(expect.arrayContaining(['karpenter']));
  expect(names(plain)).not.toEqual(expect.arrayContaining(['nvidia-device-plugin']));
  const mig = planGpuNodePool({
    name: 'mig',
    cluster: { name: 'hospital', nodeRole: 'hospital-nodes' },
    accelerators: ['a100-40gb'],
    maxGpus: 8,
    sharing: { mode: 'mig', profile: '1g.5gb' },
    tags:
      POOLS.gpu.nodeClass.tags.service === undefined
        ? {}
        : { service: 'node-pools', environment: 'test', 'cost-centre': 'x' },
  });
  const divided = await platformGraph({ pools: [{ provisioner: 'karpenter', spec: mig }] });
  expect(names(divided)).toEqual(expect.arrayContaining(['karpenter', 'gpu-operator']));
});

test('all that is wrong with all parts is told at once, before anything is made', async () => {
  let found: readonly string[] = [];
  const empty = await recordGraph(() => {
    found = problems({
      tags: { environment: 'test', costCentre: '' },
      clusterName: 'no spaces',
      network: { cidr: '10.0.0.0/8', zones: ['eu-central-1a', 'eu-central-1b'] },
      cluster: { logDays: 2, serviceCidr: '10.0.0.0/16' },
      pools: [
        { provisioner: 'karpenter', spec: POOLS.gpu },
        { provisioner: 'managed', spec: POOLS.compute },
        {
          provisioner: 'karpenter',
          spec: { ...POOLS.batch, nodeClass: { ...POOLS.batch.nodeClass, nodeRole: 'x', tags: {} } },
        },
      ],
      valkey: { nodes: 1 },
      memcached: { nodes: 1 },
      database: { backupDays: 0 },
      costExport: { budget: { monthlyUsd: 0, alarmEmails: ['finance@hospital.example'] } },
      addOns: { monitoring: { retentionDays: 1 } },
    });
  });
  expect(found.map((problem) => /'(\S+)'/.exec(problem)?.[1])).toEqual([
    'tags.costCentre',
    'clusterName',
    'network.cidr',
    'cluster.logDays',
    'cluster.serviceCidr',
    'pools.gpu.cluster.name',
    'pools.compute.cluster.name',
    'pools.batch.cluster.name',
    'pools.compute.nodeSize',
    'pools.batch.cluster.nodeRole',
    'pools.batch.tags',
    'valkey.nodes',
    'memcached.nodes',
    'database.backupDays',
    'costExport.budget.monthlyUsd',
    'addOns.monitoring.retentionDays',
  ]);
  expect(empty.resources).toEqual([]);
});

test('no budget and no pool is guessed', () => {
  const none = { costExport: undefined, pools: [] } as unknown as Partial<AwsPlatformArgs>;
  expect(problems(none).map((problem) => problem.slice(0, problem.indexOf(' because')))).toEqual([
    "'pools' ([]) must list at least one",
    "'costExport' (undefined) must be given, as { budget: { monthlyUsd, alarmEmails } } or false",
  ]);
});

test('pools are told apart, are in the zones of the network, and somebody starts them', () => {
  const far = planGpuNodePool({
    name: 'gpu',
    cluster: { name: 'hospital', nodeRole: 'hospital-nodes' },
    accelerators: ['l4'],
    maxGpus: 8,
    zones: ['eu-central-1c'],
    tags: { service: 'node-pools', environment: 'test', 'cost-centre': 'radiology' },
  });
  expect(
    problems({
      network: { zones: ['eu-central-1a', 'eu-central-1b'] },
      pools: [
        { provisioner: 'karpenter', spec: POOLS.gpu },
        { provisioner: 'somebody' as 'karpenter', spec: far },
      ],
    }).map((problem) => problem.slice(0, problem.indexOf(' because'))),
  ).toEqual([
    "'pools.gpu.provisioner' (somebody) must be one of karpenter, managed",
    "'pools' (gpu) must have different names",
    `'pools.gpu.zones' (["eu-central-1c"]) must include one of eu-central-1a, eu-central-1b`,
  ]);
});
