import { type Chart, Duration, JsonPatch, Size, Testing } from 'cdk8s';
import { GpuNodePool, type GpuNodePoolProps } from '../constructs/gpu-node-pool';
import { NodePool, type NodePoolProps } from '../constructs/node-pool';
import { ConfigurationError } from '../constructs/plan/errors';
import { SpotBatchPool, type SpotBatchPoolProps } from '../constructs/spot-batch-pool';
import { schemaErrors } from './support/schema';

interface KubeObject {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: { readonly [field: string]: unknown };
}

const cluster = { name: 'hospital' };
const gpu: GpuNodePoolProps = { cluster, accelerators: ['l4'], maxGpus: 16 };
const cpu: NodePoolProps = { cluster, type: 'compute-optimized', maxCpu: 64 };
const batch: SpotBatchPoolProps = { cluster, maxCpu: 64 };
const clinicHours = {
  days: ['Mon', 'Tue', 'Wed', 'Thu', 'Fri'],
  start: '07:00',
  end: '19:00',
  timeZone: 'Asia/Kolkata',
} as const;

/** The NodePool and the EC2NodeClass that a pool becomes, each valid by its schema. */
function render(define: (chart: Chart) => void): { nodePool: KubeObject; nodeClass: KubeObject } {
  const chart = Testing.chart();
  define(chart);
  const objects = Testing.synth(chart) as KubeObject[];
  expect(objects.flatMap(schemaErrors)).toEqual([]);
  expect(objects.map(({ kind }) => kind).sort()).toEqual(['EC2NodeClass', 'NodePool']);
  const ofKind = (kind: string): KubeObject => objects.find((object) => object.kind === kind) as KubeObject;
  return { nodePool: ofKind('NodePool'), nodeClass: ofKind('EC2NodeClass') };
}

function messageOf(define: () => unknown): string {
  try {
    define();
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigurationError);
    return (error as ConfigurationError).message;
  }
  return '';
}

describe('GpuNodePool', () => {
  test('is a Karpenter NodePool and an EC2NodeClass', () => {
    const { nodePool, nodeClass } = render((chart) => new GpuNodePool(chart, 'gpu', gpu));
    expect(nodePool).toEqual({
      apiVersion: 'karpenter.sh/v1',
      kind: 'NodePool',
      metadata: { name: 'gpu' },
      spec: {
        template: {
          metadata: { labels: { accelerator: 'nvidia-gpu' } },
          spec: {
            nodeClassRef: { group: 'karpenter.k8s.aws', kind: 'EC2NodeClass', name: 'gpu' },
            taints: [{ key: 'nvidia.com/gpu', value: 'true', effect: 'NoSchedule' }],
            requirements: [
              { key: 'karpenter.k8s.aws/instance-family', operator: 'In', values: ['g6', 'gr6'] },
              { key: 'karpenter.k8s.aws/instance-gpu-count', operator: 'Gt', values: ['0'] },
              { key: 'karpenter.k8s.aws/instance-gpu-name', operator: 'In', values: ['l4'] },
              { key: 'karpenter.sh/capacity-type', operator: 'In', values: ['on-demand'] },
              { key: 'kubernetes.io/arch', operator: 'In', values: ['amd64'] },
              { key: 'kubernetes.io/os', operator: 'In', values: ['linux'] },
            ],
            expireAfter: '720h',
          },
        },
        limits: { 'nvidia.com/gpu': '16' },
        disruption: { consolidationPolicy: 'WhenEmpty', consolidateAfter: '10m', budgets: [{ nodes: '10%' }] },
      },
    });
    const discovery = [{ tags: { 'karpenter.sh/discovery': 'hospital' } }];
    expect(nodeClass).toEqual({
      apiVersion: 'karpenter.k8s.aws/v1',
      kind: 'EC2NodeClass',
      metadata: { name: 'gpu' },
      spec: {
        amiSelectorTerms: [{ alias: 'al2023@latest' }],
        role: 'KarpenterNodeRole-hospital',
        subnetSelectorTerms: discovery,
        securityGroupSelectorTerms: discovery,
        blockDeviceMappings: [
          {
            deviceName: '/dev/xvda',
            ebs: { volumeType: 'gp3', volumeSize: '200Gi', encrypted: true, deleteOnTermination: true },
          },
        ],
        metadataOptions: { httpEndpoint: 'enabled', httpTokens: 'required', httpPutResponseHopLimit: 1 },
        tags: { 'mediform.io/node-pool': 'gpu' },
      },
    });
  });

  test('takes all properties', () => {
    const { nodePool, nodeClass } = render(
      (chart) =>
        new GpuNodePool(chart, 'Gpu', {
          ...gpu,
          cluster: { name: 'hospital', nodeRole: 'nodes' },
          name: 'emergency',
          reservedFor: 'emergency',
          useReservations: true,
          gpusPerNode: [1, 4],
          instanceTypes: ['g6.xlarge', 'g6.12xlarge'],
          zones: ['eu-central-1a'],
          amiAlias: 'bottlerocket@1.53.0',
          rootVolume: Size.gibibytes(100),
          weight: 50,
          clinicHours,
          consolidationPolicy: 'WhenEmptyOrUnderutilized',
          consolidateAfter: Duration.seconds(90),
          budgets: [
            { nodes: '1', reasons: ['Drifted'] },
            { nodes: '2', schedule: '@weekly', duration: Duration.minutes(45) },
          ],
          expireAfter: Duration.days(7),
          terminationGracePeriod: Duration.hours(2),
          labels: { team: 'radiology' },
          tags: { 'cost-center': '42' },
        }),
    );
    expect(nodePool.metadata.name).toBe('emergency');
    expect(nodePool.spec).toMatchObject({
      template: {
        metadata: { labels: { team: 'radiology', 'mediform.io/reserved-for': 'emergency' } },
        spec: { expireAfter: '168h', terminationGracePeriod: '2h' },
      },
      weight: 50,
      disruption: {
        consolidationPolicy: 'WhenEmptyOrUnderutilized',
        consolidateAfter: '90s',
        budgets: [
          { nodes: '1', reasons: ['Drifted'] },
          { nodes: '2', schedule: '@weekly', duration: '45m' },
          { nodes: '0', schedule: '30 1 * * mon-fri', duration: '12h' },
        ],
      },
    });
    expect(nodeClass.spec).toMatchObject({
      role: 'nodes',
      amiSelectorTerms: [{ alias: 'bottlerocket@1.53.0' }],
      capacityReservationSelectorTerms: [{ tags: { 'karpenter.sh/discovery': 'hospital' } }],
      blockDeviceMappings: [
        { deviceName: '/dev/xvda', ebs: { volumeSize: '4Gi', encrypted: true } },
        { deviceName: '/dev/xvdb', ebs: { volumeSize: '100Gi', encrypted: true } },
      ],
      tags: { 'cost-center': '42', 'mediform.io/node-pool': 'emergency' },
    });
  });

  test('limits divided GPUs in the units that the nodes report', () => {
    const limitsOf = (props: Partial<GpuNodePoolProps>): unknown =>
      render((chart) => new GpuNodePool(chart, 'gpu', { ...gpu, ...props })).nodePool.spec.limits;
    expect(limitsOf({ sharing: { mode: 'time-slicing', replicas: 4 } })).toEqual({ 'nvidia.com/gpu': '64' });
    // an A100 with 40 GiB gives 4 such parts, one with 80 GiB gives 7
    expect(
      limitsOf({ accelerators: ['a100-40gb', 'a100-80gb'], sharing: { mode: 'mig', profile: '1g.10gb' } }),
    ).toEqual({ 'nvidia.com/gpu': '64' });
  });

  test('clinic hours block disruption in UTC and turn off expiry', () => {
    const { spec } = render((chart) => new GpuNodePool(chart, 'gpu', { ...gpu, clinicHours })).nodePool;
    expect(spec).toMatchObject({
      template: { spec: { expireAfter: 'Never' } },
      disruption: { budgets: [{ nodes: '10%' }, { nodes: '0', schedule: '30 1 * * mon-fri', duration: '12h' }] },
    });
    const berlin = { ...clinicHours, timeZone: 'Europe/Berlin', end: '18:30' };
    const { nodePool } = render((chart) => new GpuNodePool(chart, 'gpu', { ...gpu, clinicHours: berlin }));
    expect(nodePool.spec.disruption).toMatchObject({
      budgets: [{}, { schedule: '0 5 * * mon-fri', duration: '12h30m' }],
    });
  });

  test('errors name the path and all that is wrong', () => {
    const chart = Testing.chart();
    const define = (): GpuNodePool => new GpuNodePool(chart, 'GPU', { ...gpu, maxGpus: 0 });
    expect(messageOf(define)).toBe(
      [
        `[test/GPU] 'maxGpus' (0) must be a whole number of at least 1 because a pool without a limit can grow without bound`,
        `[test/GPU] 'name' (GPU) must be at most 63 lower-case letters, digits and inner hyphens because it names Kubernetes objects and is the value of a node label`,
      ].join('\n'),
    );
  });

  test.each<[object, string]>([
    [{ consolidateAfter: 60 }, `'consolidateAfter' (60, which is no Duration) must be a whole number of seconds`],
    [{ consolidateAfter: '10m' }, `'consolidateAfter' (10m, which is no Duration) must be a whole number of seconds`],
    [{ consolidateAfter: Duration.millis(1500) }, `'consolidateAfter' (1.5) must be a whole number of seconds`],
    [{ expireAfter: '30d' }, `'expireAfter' (30d, which is no Duration) must be a whole number of seconds`],
    [{ terminationGracePeriod: 60 }, `'terminationGracePeriod' (60, which is no Duration) must be a whole number`],
    [{ rootVolume: 200 }, `'rootVolume' (200, which is no Size) must be 50 to 16384 whole GiB`],
    [{ rootVolume: Size.mebibytes(100_000) }, `'rootVolume' (97.65625) must be 50 to 16384 whole GiB`],
    [
      { budgets: [{ nodes: '1', schedule: '@daily', duration: 60 }] },
      `'budgets[0].duration' (60, which is no Duration) must be a whole number of minutes`,
    ],
    [
      { budgets: [{ nodes: '1', schedule: '@daily', duration: Duration.seconds(90) }] },
      `'budgets[0].duration' (1.5) must be a whole number of minutes`,
    ],
  ])('refuses quantities without a unit or in fractions: %j', (change, message) => {
    const props = { ...gpu, ...change };
    expect(messageOf(() => new GpuNodePool(Testing.chart(), 'gpu', props))).toContain(message);
  });
});

describe('NodePool', () => {
  test('makes compute-optimised nodes without a taint', () => {
    const { nodePool, nodeClass } = render((chart) => new NodePool(chart, 'business', cpu));
    expect(nodePool.spec).toMatchObject({
      template: { metadata: { labels: { 'node-type': 'compute-optimized' } } },
      limits: { cpu: '64' },
      disruption: { consolidationPolicy: 'WhenEmptyOrUnderutilized', consolidateAfter: '5m' },
    });
    expect(JSON.stringify(nodePool)).not.toContain('taints');
    expect(nodeClass.spec).toMatchObject({ blockDeviceMappings: [{ ebs: { volumeSize: '50Gi' } }] });
  });

  test('makes memory-optimised nodes, bounded by memory', () => {
    const { nodePool } = render(
      (chart) =>
        new NodePool(chart, 'cache', {
          cluster,
          type: 'memory-optimized',
          maxMemory: Size.tebibytes(1),
          architectures: ['amd64', 'arm64'],
          consolidateAfter: Duration.seconds(0),
          expireAfter: 'Never',
        }),
    );
    expect(nodePool.spec).toMatchObject({
      template: { metadata: { labels: { 'node-type': 'memory-optimized' } }, spec: { expireAfter: 'Never' } },
      limits: { memory: '1024Gi' },
      disruption: { consolidateAfter: '0s' },
    });
  });

  test('refuses Spot, which is only in SpotBatchPool', () => {
    const props = { ...cpu, capacityType: 'spot' } as NodePoolProps;
    expect(messageOf(() => new NodePool(Testing.chart(), 'cpu', props))).toBe(
      `[test/cpu] 'capacityType' (spot) must not be given because Spot capacity is only for batch work, in SpotBatchPool; all other pools are on-demand`,
    );
  });

  test('refuses memory that is no size', () => {
    const props = { ...cpu, maxMemory: 64 } as unknown as NodePoolProps;
    expect(messageOf(() => new NodePool(Testing.chart(), 'cpu', props))).toContain(
      `'maxMemory' (64, which is no Size)`,
    );
  });

  test('can be patched', () => {
    const { nodePool, nodeClass } = render((chart) => {
      const pool = new NodePool(chart, 'cpu', cpu);
      pool.nodePool.addJsonPatch(
        JsonPatch.add('/spec/template/spec/startupTaints', [{ key: 'a', effect: 'NoExecute' }]),
      );
      pool.nodeClass.addJsonPatch(JsonPatch.add('/spec/detailedMonitoring', true));
    });
    expect(nodePool.spec).toMatchObject({ template: { spec: { startupTaints: [{ key: 'a' }] } } });
    expect(nodeClass.spec).toMatchObject({ detailedMonitoring: true });
  });
});

describe('SpotBatchPool', () => {
  test('makes Spot nodes that only batch work tolerates', () => {
    const { nodePool } = render((chart) => new SpotBatchPool(chart, 'training', { ...batch, maxCpu: 256 }));
    expect(nodePool.spec).toMatchObject({
      template: {
        metadata: { labels: { 'mediform.io/workload': 'batch', 'node-type': 'compute-optimized' } },
        spec: {
          taints: [{ key: 'mediform.io/workload', value: 'batch', effect: 'NoSchedule' }],
          requirements: expect.arrayContaining([
            { key: 'karpenter.sh/capacity-type', operator: 'In', values: ['spot'] },
          ]) as unknown,
          expireAfter: '720h',
        },
      },
      limits: { cpu: '256' },
      disruption: { consolidationPolicy: 'WhenEmpty', consolidateAfter: '1m' },
    });
  });

  test('has GPUs where it is given accelerators', () => {
    const props: SpotBatchPoolProps = { cluster, accelerators: ['a100-40gb'], maxGpus: 16, onDemandFallback: true };
    const { nodePool } = render((chart) => new SpotBatchPool(chart, 'training', props));
    expect(nodePool.spec).toMatchObject({
      template: {
        metadata: { labels: { 'mediform.io/workload': 'batch', accelerator: 'nvidia-gpu' } },
        spec: {
          requirements: expect.arrayContaining([
            { key: 'karpenter.k8s.aws/instance-gpu-memory', operator: 'In', values: ['40960'] },
            { key: 'karpenter.sh/capacity-type', operator: 'In', values: ['on-demand', 'spot'] },
          ]) as unknown,
        },
      },
      limits: { 'nvidia.com/gpu': '16' },
    });
  });
});
