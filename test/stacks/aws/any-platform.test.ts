/** Whatever valid arguments a platform is given: its graph is acyclic, fully tagged, private, encrypted, narrow. */
import fc from 'fast-check';
import { ACCELERATORS, Accelerator } from '../../../constructs/plan/accelerators';
import { planGpuNodePool, planNodePool, planSpotBatchPool } from '../../../constructs/plan/node-pools/plan';
import { NODE_SERVICES, REQUIRED_SERVICES } from '../../../stacks/aws/network/endpoints';
import type { AwsPlatformArgs, PlatformPool } from '../../../stacks/aws/platform-args';
import { findCycle, isTaggable, untagged, type Graph, type Properties } from '../../support/aws-graph';
import { excesses } from '../../support/aws-policies';
import { platformGraph } from '../../support/aws-platform';

const RUNS = 12;
const ZONES = ['a', 'b', 'c', 'd', 'e', 'f'].map((zone) => `eu-central-1${zone}`);
const SERVICES = ['network', 'cluster', 'node-pools', 'cache', 'database', 'cost-export', 'add-ons'];

const tagText = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9 _.:/=+@-]{0,30}$/);
const tags = fc.record({
  environment: tagText,
  costCentre: tagText,
  more: fc.dictionary(fc.stringMatching(/^x-[a-z0-9._-]{1,20}$/), tagText, { maxKeys: 3 }),
});

const network = fc
  .record({
    zones: fc.option(fc.shuffledSubarray(ZONES, { minLength: 2 }), { nil: undefined }),
    cidr: fc.constantFrom('10.0.0.0/16', '10.20.128.0/18', '192.168.16.0/20', '100.64.0.0/16'),
    nat: fc.constantFrom('per-zone' as const, 'single' as const, 'none' as const),
    more: fc.subarray([...NODE_SERVICES, 'bedrock-runtime', 'kms']),
    logDays: fc.constantFrom(1, 90, 3653),
  })
  .map(({ more, ...rest }) => {
    const least = rest.nat === 'none' ? NODE_SERVICES : REQUIRED_SERVICES;
    return { ...rest, endpoints: [...new Set([...least, ...more])] };
  });

const cluster = fc.record(
  {
    publicAccessCidrs: fc.constant(['203.0.113.0/24']),
    privateAccessCidrs: fc.uniqueArray(fc.constantFrom('172.16.0.0/12', '192.168.64.0/18'), { minLength: 1 }),
    access: fc.constant({
      staff: {
        principalArn: 'arn:aws:iam::123456789012:role/staff',
        level: 'view' as const,
        namespaces: ['imaging'],
      },
    }),
    deletionProtection: fc.boolean(),
    creatorIsAdmin: fc.constant(true),
    systemNodes: fc.record({ minNodes: fc.integer({ min: 2, max: 9 }) }),
  },
  { requiredKeys: [] },
);

const own = { cluster: { name: 'hospital' }, tags: { service: 'node-pools', environment: 'e', 'cost-centre': 'c' } };

/** Pools of every kind; the ones that node groups cannot be are Karpenter's. */
const pool = fc
  .record({
    accelerator: fc.constantFrom(...Object.values(Accelerator)),
    kind: fc.constantFrom('gpu', 'cpu', 'batch', 'reserved'),
    provisioner: fc.constantFrom('karpenter' as const, 'managed' as const),
    amiAlias: fc.constantFrom('al2023@latest', 'bottlerocket@latest'),
  })
  .map(({ accelerator, kind, provisioner, amiAlias }) => (name: string): PlatformPool => {
    const common = { ...own, name, amiAlias };
    if (kind === 'gpu' || kind === 'reserved') {
      const most = Math.max(...ACCELERATORS[accelerator].gpusPerNode);
      const gpus = { ...common, accelerators: [accelerator], maxGpus: 16, gpusPerNode: [most] };
      if (kind === 'reserved') {
        const spec = planGpuNodePool({ ...gpus, reservedFor: 'emergency', useReservations: true, weight: 9 });
        return { provisioner: 'karpenter', spec };
      }
      const nodeSize = LARGEST[accelerator];
      return { provisioner, spec: planGpuNodePool(gpus), nodeSize };
    }
    const spec =
      kind === 'cpu'
        ? planNodePool({ ...common, type: 'memory-optimized', maxCpu: 64 })
        : planSpotBatchPool({ ...common, maxCpu: 64 });
    return { provisioner, spec, nodeSize: '2xlarge', minNodes: 0 };
  });

/** Size of the instance type with the most GPUs. */
const LARGEST: { readonly [A in Accelerator]: string } = {
  v100: '16xlarge',
  t4: 'metal',
  a10g: '48xlarge',
  'a100-40gb': '24xlarge',
  'a100-80gb': '24xlarge',
  l4: '48xlarge',
  l40s: '48xlarge',
  h100: '48xlarge',
  h200: '48xlarge',
};

const optional = <T>(options: fc.Arbitrary<T>): fc.Arbitrary<T | false | undefined> =>
  fc.oneof(fc.constant(false as const), fc.constant(undefined), options);

const platforms: fc.Arbitrary<AwsPlatformArgs> = fc.record({
  tags,
  clusterName: fc.constant('hospital'),
  network,
  cluster,
  pools: fc
    .array(pool, { minLength: 1, maxLength: 4 })
    .map((makers) => makers.map((make, index) => make(`pool-${index}`))),
  valkey: optional(
    fc.record({ nodes: fc.integer({ min: 2, max: 6 }), passwordVersion: fc.integer({ min: 1, max: 9 }) }),
  ),
  memcached: optional(fc.record({ nodes: fc.integer({ min: 2, max: 9 }) })),
  database: optional(fc.record({ deletionProtection: fc.boolean(), storageGiB: fc.integer({ min: 20, max: 500 }) })),
  costExport: fc.oneof(
    fc.constant(false as const),
    fc.record({
      budget: fc.record({
        monthlyUsd: fc.integer({ min: 1, max: 1_000_000 }),
        alarmEmails: fc.constant(['finance@hospital.example']),
      }),
      activateTags: fc.boolean(),
      exports: fc.boolean(),
    }),
  ),
  addOns: optional(fc.record({ scalingEngine: fc.constantFrom('hpa' as const, 'keda' as const) })),
});

// Pulumi notes the stack of every promise, which takes most of the time of a run
const { stackTraceLimit } = Error;
beforeAll(() => {
  Error.stackTraceLimit = 0;
});
afterAll(() => {
  Error.stackTraceLimit = stackTraceLimit;
});

test('any valid platform', async () => {
  await fc.assert(
    fc.asyncProperty(platforms, async (args) => {
      const graph = await platformGraph(args);
      const { environment, costCentre, more } = args.tags;
      expect(findCycle(graph)).toBeUndefined();
      expect(unknownDependencies(graph)).toEqual([]);
      expect(untagged(graph, { ...more, environment, 'cost-centre': costCentre })).toEqual([]);
      expect(servicesOf(graph).filter((service) => !SERVICES.includes(String(service)))).toEqual([]);
      expect(repeated(graph)).toEqual([]);
      expect(excesses(graph)).toEqual([]);
      expect(unencrypted(graph)).toEqual([]);
    }),
    { numRuns: RUNS },
  );
}, 120_000);

function servicesOf({ resources }: Graph): unknown[] {
  return resources.filter(({ type }) => isTaggable(type)).map(({ inputs }) => (inputs.tags as Properties).service);
}

/** URNs that somebody waits for and nobody registered. */
function unknownDependencies({ resources }: Graph): string[] {
  const urns = new Set(resources.map(({ urn }) => urn));
  return resources.flatMap(({ dependencies }) => dependencies).filter((urn) => !urns.has(urn));
}

/** Resources of one type and name: the engine refuses them. */
function repeated({ resources }: Graph): string[] {
  const names = resources.map(({ type, name }) => `${type} ${name}`);
  return names.filter((name, index) => names.indexOf(name) !== index);
}

/** What keeps data, and does not say that it encrypts it. */
function unencrypted({ resources }: Graph): string[] {
  const encrypted: { readonly [type: string]: (inputs: Properties) => boolean } = {
    'aws:cloudwatch/logGroup:LogGroup': ({ kmsKeyId }) => kmsKeyId !== undefined,
    'aws:eks/cluster:Cluster': ({ encryptionConfig }) => encryptionConfig !== undefined,
    'aws:elasticache/replicationGroup:ReplicationGroup': (inputs) =>
      inputs.atRestEncryptionEnabled === true && inputs.transitEncryptionEnabled === true,
    'aws:elasticache/cluster:Cluster': (inputs) => inputs.transitEncryptionEnabled === true,
    'aws:rds/instance:Instance': ({ storageEncrypted }) => storageEncrypted === true,
    'aws:secretsmanager/secret:Secret': ({ kmsKeyId }) => kmsKeyId !== undefined,
    'aws:sqs/queue:Queue': ({ sqsManagedSseEnabled }) => sqsManagedSseEnabled === true,
    'aws:sns/topic:Topic': ({ kmsMasterKeyId }) => kmsMasterKeyId !== undefined,
    'aws:kms/key:Key': ({ enableKeyRotation }) => enableKeyRotation === true,
    'aws:ec2/launchTemplate:LaunchTemplate': ({ blockDeviceMappings }) =>
      (blockDeviceMappings as { ebs: Properties }[]).every(({ ebs }) => ebs.encrypted === 'true'),
  };
  const buckets = resources.filter(({ type }) => type.includes('BucketServerSideEncryption')).length;
  const bare = resources.filter(({ type }) => type === 'aws:s3/bucket:Bucket').length - buckets;
  return [
    ...resources.filter(({ type, inputs }) => encrypted[type]?.(inputs) === false).map(({ urn }) => urn),
    ...Array.from({ length: Math.max(bare, 0) }, () => 'a bucket'),
  ];
}
