import { SecretSync, type SecretSyncArgs } from '../../../stacks/aws/secret-sync';
import { findCycle, recordGraph } from '../../support/aws-graph';
import { expectTagged, problemsOf, TAGS } from '../../support/aws-stores';

const KEY = 'arn:aws:kms:eu-central-1:123456789012:key/1';
const REDIS = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:redis';
const DATABASE = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:rds!db-1';
const ARGS: SecretSyncArgs = {
  tags: TAGS,
  clusterName: 'hospital',
  secrets: [
    { name: 'redis', namespaces: ['imaging', 'cache'], secretArn: REDIS, keyArn: KEY },
    { name: 'database', namespaces: ['cache'], secretArn: DATABASE, keyArn: KEY },
  ],
};
const synced = (args: Partial<SecretSyncArgs> = {}) =>
  recordGraph(() => new SecretSync('secrets', { ...ARGS, ...args }));

test('the operator reads these secrets and decrypts them with their keys, and nothing else', async () => {
  const graph = await synced();
  const { policy } = graph.only('aws:iam/rolePolicy:RolePolicy').inputs;
  expect((JSON.parse(String(policy)) as { Statement: unknown }).Statement).toEqual([
    {
      Sid: 'ReadSecrets',
      Effect: 'Allow',
      Action: ['secretsmanager:DescribeSecret', 'secretsmanager:GetSecretValue'],
      Resource: [REDIS, DATABASE],
    },
    {
      Sid: 'DecryptSecrets',
      Effect: 'Allow',
      Action: 'kms:Decrypt',
      Resource: [KEY],
      Condition: { StringEquals: { 'kms:ViaService': 'secretsmanager.eu-central-1.amazonaws.com' } },
    },
  ]);
});

test('its role is given to the service account that the chart makes, before it starts', async () => {
  const graph = await synced();
  const association = graph.only('aws:eks/podIdentityAssociation:PodIdentityAssociation');
  const release = graph.only('kubernetes:helm.sh/v3:Release');
  expect(association.inputs).toMatchObject({ clusterName: 'hospital', namespace: release.inputs.namespace });
  expect((release.inputs.values as { serviceAccount: { name: string } }).serviceAccount.name).toBe(
    association.inputs.serviceAccount,
  );
  expect(release.dependencies).toContain(association.urn);
});

test('each secret reaches its namespaces, also those that come later, and follows what changes', async () => {
  const graph = await synced({ refreshSeconds: 60 });
  const store = graph.only('kubernetes:external-secrets.io/v1:ClusterSecretStore');
  expect(store.inputs.spec).toEqual({ provider: { aws: { service: 'SecretsManager', region: 'eu-central-1' } } });
  const [redis] = graph
    .ofType('kubernetes:external-secrets.io/v1:ClusterExternalSecret')
    .filter(({ name }) => name === 'secrets-redis');
  expect(redis?.inputs.spec).toMatchObject({
    namespaceSelectors: ['imaging', 'cache'].map((namespace) => ({
      matchLabels: { 'kubernetes.io/metadata.name': namespace },
    })),
    externalSecretSpec: {
      refreshInterval: '60s',
      secretStoreRef: { kind: 'ClusterSecretStore', name: (store.inputs.metadata as { name: string }).name },
      target: { name: 'redis' },
      dataFrom: [{ extract: { key: REDIS } }],
    },
  });
  expect(redis?.dependencies).toContain(store.urn);
  expect(store.dependencies).toContain(graph.only('kubernetes:helm.sh/v3:Release').urn);
  expect(findCycle(graph)).toBeUndefined();
});

test('everything that takes tags has them', async () => {
  expectTagged(await synced(), 'add-ons');
});

test('all that is wrong is told at once', () => {
  const change = {
    refreshSeconds: 1,
    secrets: [
      { ...ARGS.secrets[0], name: 'Redis' },
      { ...ARGS.secrets[1], namespaces: [] },
      { ...ARGS.secrets[1], namespaces: ['cache'] },
    ] as SecretSyncArgs['secrets'],
  };
  expect(problemsOf(() => new SecretSync('secrets', { ...ARGS, ...change }))).toEqual([
    "'refreshSeconds' (1) must be a whole number of at least 60 because every read of every secret is paid for",
    "'secrets[0].name' (Redis) must be a DNS label that no other has because it names a Secret in its namespaces",
    "'secrets[1].namespaces' ([]) must list at least one namespace because nobody could read it",
    "'secrets[2].name' (database) must be a DNS label that no other has because it names a Secret in its namespaces",
  ]);
  expect(problemsOf(() => new SecretSync('secrets', { ...ARGS, secrets: [] }))).toEqual([
    "'secrets' ([]) must list at least one because there is nothing to bring",
  ]);
});
