import { ValkeyCache, type ValkeyCacheArgs } from '../../../stacks/aws/valkey-cache';
import { recordGraph, type Graph } from '../../support/aws-graph';
import { expectOnlyClients, expectTagged, PLACE, problemsOf, TAGS } from '../../support/aws-stores';

const ARGS: ValkeyCacheArgs = { tags: TAGS, ...PLACE };
const CALLS = { 'aws:secretsmanager/getRandomPassword:getRandomPassword': { randomPassword: 'drawn-at-random' } };
const OUTPUTS = {
  'aws:elasticache/replicationGroup:ReplicationGroup': (name: string) => ({
    primaryEndpointAddress: `${name}.cache.amazonaws.com`,
    readerEndpointAddress: `${name}-ro.cache.amazonaws.com`,
  }),
};

async function valkey(args: Partial<ValkeyCacheArgs> = {}): Promise<{ cache: ValkeyCache; graph: Graph }> {
  let cache: ValkeyCache | undefined;
  const graph = await recordGraph(
    () => {
      cache = new ValkeyCache('cache', { ...ARGS, ...args });
    },
    { calls: CALLS, outputs: OUTPUTS },
  );
  return { cache: cache as ValkeyCache, graph };
}

const GROUP = 'aws:elasticache/replicationGroup:ReplicationGroup';
const problems = (change: object, name = 'cache') => problemsOf(() => new ValkeyCache(name, { ...ARGS, ...change }));

test('is encrypted, with TLS alone, and fails over to another zone', async () => {
  const { graph } = await valkey();
  expect(graph.only(GROUP).inputs).toMatchObject({
    engine: 'valkey',
    transitEncryptionEnabled: true,
    transitEncryptionMode: 'required',
    atRestEncryptionEnabled: true,
    kmsKeyId: 'arn:aws:kms:eu-central-1:123456789012:cache-key',
    automaticFailoverEnabled: true,
    multiAzEnabled: true,
    numCacheClusters: 2,
    snapshotRetentionLimit: 1,
    autoMinorVersionUpgrade: true,
  });
});

test('is in the private subnets, and lets only the nodes of the cluster in', async () => {
  const { graph } = await valkey();
  expect(graph.only('aws:elasticache/subnetGroup:SubnetGroup').inputs.subnetIds).toEqual(PLACE.subnetIds);
  expectOnlyClients(graph, 6379);
  expect(graph.only(GROUP).inputs.securityGroupIds).toEqual(['cache-access-id']);
});

test('nobody connects without the generated password, which is a secret wherever it is', async () => {
  const { graph } = await valkey();
  const version = graph.only('aws:secretsmanager/secretVersion:SecretVersion');
  expect(version.inputs.secretString).toBe('{"username":"mediform","password":"drawn-at-random"}');
  expect(version.secrets).toContain('secretString');
  const user = graph.only('aws:elasticache/user:User');
  expect(user.inputs).toMatchObject({
    userName: 'mediform',
    authenticationMode: { type: 'password', passwords: ['drawn-at-random'] },
  });
  expect(user.secrets).toContain('authenticationMode');
  expect(user.dependencies).toContain(version.urn);
  expect(graph.only('aws:elasticache/userGroup:UserGroup').inputs.userIds).toEqual([user.inputs.userId]);
  expect(graph.only(GROUP).inputs.userGroupIds).toEqual(['cache-users']);
  const plain = graph.resources.filter(
    ({ inputs, secrets }) => secrets.length === 0 && JSON.stringify(inputs).includes('drawn-at-random'),
  );
  expect(plain).toEqual([]);
});

test('the password is kept over runs, and a new version of it is a new secret version', async () => {
  const { graph } = await valkey({ passwordVersion: 2 });
  const version = graph.only('aws:secretsmanager/secretVersion:SecretVersion');
  expect(version.name).toBe('cache-credentials-2');
  expect(version.ignoreChanges).toEqual(['secretString']);
});

test('secret and logs are encrypted with the same key, and only the logs service uses it besides the account', async () => {
  const { graph, cache } = await valkey();
  const key = await new Promise((resolve) => cache.keyArn.apply(resolve));
  expect(graph.only('aws:secretsmanager/secret:Secret').inputs.kmsKeyId).toBe(key);
  const logs = graph.only('aws:cloudwatch/logGroup:LogGroup');
  expect(logs.inputs).toMatchObject({
    kmsKeyId: key,
    retentionInDays: 30,
    namePrefix: '/aws/vendedlogs/elasticache/cache-',
  });
  const { policy, enableKeyRotation } = graph.only('aws:kms/key:Key').inputs;
  expect(enableKeyRotation).toBe(true);
  const { Statement } = JSON.parse(String(policy)) as { Statement: { Principal: object; Condition?: object }[] };
  expect(Statement.map(({ Principal }) => Principal)).toEqual([
    { AWS: 'arn:aws:iam::123456789012:root' },
    { Service: 'logs.eu-central-1.amazonaws.com' },
  ]);
  expect(Statement[1]?.Condition).toEqual({
    ArnLike: {
      'kms:EncryptionContext:aws:logs:arn':
        'arn:aws:logs:eu-central-1:123456789012:log-group:/aws/vendedlogs/elasticache/cache*',
    },
  });
  expect(String(policy)).not.toMatch(/kms:\*|"Action":"\*"/);
});

test('delivers slow and engine logs', async () => {
  const { graph } = await valkey();
  expect(graph.only(GROUP).inputs.logDeliveryConfigurations).toEqual(
    ['slow-log', 'engine-log'].map((logType) => ({
      logType,
      logFormat: 'json',
      destinationType: 'cloudwatch-logs',
      destination: 'cache-logs',
    })),
  );
});

test('the family of its parameters follows its version', async () => {
  for (const [engineVersion, family] of [
    ['7.2', 'valkey7'],
    ['8.1', 'valkey8'],
    ['9.0', 'valkey9'],
  ] as const) {
    const { graph } = await valkey({ engineVersion, evictionPolicy: 'volatile-ttl' });
    expect(graph.only('aws:elasticache/parameterGroup:ParameterGroup').inputs).toMatchObject({
      family,
      parameters: [{ name: 'maxmemory-policy', value: 'volatile-ttl' }],
    });
    expect(graph.only(GROUP).inputs.engineVersion).toBe(engineVersion);
  }
});

test('says where it is, and where its password is', async () => {
  const { cache } = await valkey();
  const read = (output: ValkeyCache['endpoint']) => new Promise((resolve) => output.apply(resolve));
  expect(await read(cache.endpoint)).toBe('cache.cache.amazonaws.com');
  expect(await read(cache.readerEndpoint)).toBe('cache-ro.cache.amazonaws.com');
  expect(await read(cache.secretName)).toBe('cache-credentials');
  expect([cache.port, cache.username]).toEqual([6379, 'mediform']);
});

test('everything that takes tags has them', async () => {
  const { graph } = await valkey();
  expectTagged(graph, 'cache');
});

test('all that is wrong is told at once, before anything is made', () => {
  expect(
    problems({
      subnetIds: ['subnet-1'],
      nodeType: 'r7g.large',
      nodes: 1,
      engineVersion: '6.2',
      evictionPolicy: 'allkeys-lfu',
      snapshotDays: 36,
      maintenanceWindow: 'Sunday',
      logDays: 31,
      passwordVersion: 0,
    }),
  ).toEqual([
    "'subnetIds' (1) must list subnets of at least two zones because a data store in one zone is gone when the zone is",
    "'nodeType' (r7g.large) must be an ElastiCache node type such as cache.r7g.large because there is no machine of another kind",
    "'nodes' (1) must be a whole number from 2 to 6 because a primary needs a replica to fail over to, and may have five",
    "'snapshotDays' (36) must be a whole number from 0 to 35 because ElastiCache keeps snapshots for no longer",
    "'passwordVersion' (0) must be a whole number from 1 to 9999 because it counts the passwords there have been",
    "'maintenanceWindow' (Sunday) must be a window in UTC such as sun:03:00-sun:04:00 because AWS takes no other form",
    expect.stringContaining("'logDays' (31) must be one of 1, 3, 5, 7, 14, 30, 60"),
    "'engineVersion' (6.2) must be 7.2 or newer, as major.minor because older engines are not Valkey, and patches come by themselves",
    "'evictionPolicy' (allkeys-lfu) must be one of volatile-lfu, volatile-lru, volatile-ttl, volatile-random because the log of invalidations, which alone has no expiry, must never be evicted",
  ]);
  expect(problems({}, 'Cache_1')).toEqual([expect.stringContaining("'name' (Cache_1) must be at most 30 lower-case")]);
  expect(problems({ tags: { environment: '', costCentre: 'radiology' } })).toHaveLength(1);
});
