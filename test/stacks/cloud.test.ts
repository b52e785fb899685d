/** The program of Pulumi.yaml with `aws: true`, on mocks: what the cloud and the charts say of each other. */
import { join } from 'node:path';
import { runtime } from '@pulumi/pulumi';
import { missingKeys } from '../../stacks/hospital';
import { MOCKS } from '../support/aws-platform';
import { findCycle, recordGraph, untagged, type Graph, type RecordedResource } from '../support/aws-graph';

const MAIN: string = join(__dirname, '../../stacks/main.pulumi.ts');
const SETTINGS = {
  aws: 'true',
  environment: 'production',
  costCentre: 'radiology',
  monthlyBudgetUsd: '20000',
  alarmEmails: '["ops@hospital.example"]',
};
let graph: Graph;

beforeAll(async () => {
  const values: { [kind: string]: { [name: string]: { [key: string]: string } } } = {};
  for (const { kind, name, key } of missingKeys(true)) {
    ((values[kind] ??= {})[name] ??= {})[key] = `value of ${key}`;
  }
  const settings = {
    ...SETTINGS,
    secrets: JSON.stringify(values.Secret),
    configMaps: JSON.stringify(values.ConfigMap),
  };
  const own = Object.entries(settings).map(([key, value]) => [`mediform:${key}`, value] as const);
  runtime.setAllConfig(Object.fromEntries([...own, ['aws:region', 'eu-central-1']]));
  const cacheNodes = [1, 2].map((node) => ({ id: `000${node}`, address: `memcached-${node}.example`, port: 11211 }));
  graph = await recordGraph(() => import(MAIN), {
    ...MOCKS,
    outputs: {
      ...MOCKS.outputs,
      'aws:elasticache/replicationGroup:ReplicationGroup': () => ({ primaryEndpointAddress: 'valkey.example' }),
      'aws:elasticache/cluster:Cluster': () => ({ cacheNodes }),
      'aws:rds/instance:Instance': () => ({
        ...MOCKS.outputs?.['aws:rds/instance:Instance']?.('', {}),
        address: 'database.example',
      }),
    },
  });
}, 120_000);

const deployment = (): RecordedResource =>
  graph.only('kubernetes:apps/v1:Deployment', 'hospital/imaging/image-diagnosis');

it('provisions every part once, and the charts after it', () => {
  expect(graph.only('mediform:aws:AwsPlatform').name).toBe('hospital');
  expect(graph.only('mediform:aws:SecretSync').name).toBe('hospital-secrets');
  const before = deployment().dependencies;
  expect(before).toEqual(
    expect.arrayContaining([
      graph.only('aws:eks/cluster:Cluster').urn,
      graph.only('kubernetes:helm.sh/v3:Release', 'hospital-add-ons-karpenter').urn,
      graph.only('kubernetes:external-secrets.io/v1:ClusterExternalSecret', 'hospital-secrets-results-redis').urn,
    ]),
  );
  expect(findCycle(graph)).toBeUndefined();
});

it('puts the charts into the new cluster, and reads no definition before the add-ons bring it', () => {
  const provider = graph.only('pulumi:providers:kubernetes').urn;
  const charts = graph.resources.filter(
    ({ type, name }) => type.startsWith('kubernetes:') && name.startsWith('hospital/'),
  );
  expect(charts.length).toBeGreaterThan(60);
  expect(charts.filter((resource) => !resource.provider.startsWith(`${provider}::`))).toEqual([]);
  expect(charts.filter(({ type }) => type.endsWith(':CustomResourceDefinition'))).toEqual([]);
});

it('has the tiers of the cache in AWS alone, and tells the services where', () => {
  expect(graph.resources.filter(({ type }) => type === 'kubernetes:apps/v1:StatefulSet')).toEqual([]);
  const configs = graph.resources.filter(
    ({ type, name }) =>
      type === 'kubernetes:core/v1:ConfigMap' && name.startsWith('hospital/imaging/image-diagnosis-gateway'),
  );
  expect(configs).toHaveLength(1);
  const { 'config.json': text = '' } = configs[0]?.inputs.data as { readonly [file: string]: string };
  expect(JSON.parse(text)).toMatchObject({
    cache: {
      redis: { url: 'rediss://valkey.example:6379', username: 'mediform' },
      memcached: { servers: ['memcached-1.example:11211', 'memcached-2.example:11211'] },
      database: { host: 'database.example', port: 5432, database: 'results', user: 'mediform_admin' },
    },
  });
});

it('brings passwords from Secrets Manager to every namespace that needs them, and asks for none', () => {
  const external = graph.only(
    'kubernetes:external-secrets.io/v1:ClusterExternalSecret',
    'hospital-secrets-results-database',
  );
  const { namespaceSelectors } = external.inputs.spec as { namespaceSelectors: { matchLabels: object }[] };
  expect(namespaceSelectors.map(({ matchLabels }) => Object.values(matchLabels)[0] as string).sort()).toEqual([
    'cache',
    'imaging',
    'knowledge',
  ]);
  const secrets = graph.ofType('kubernetes:core/v1:Secret').map(({ name }) => name);
  expect(secrets).toContain('hospital/imaging/results-keyring');
  expect(secrets.filter((name) => /redis|database/.test(name))).toEqual([]);
});

it('gives nodes of Karpenter the role and the tags that the platform makes', () => {
  const classes = graph.ofType('kubernetes:karpenter.k8s.aws/v1:EC2NodeClass');
  expect(classes.length).toBeGreaterThan(5);
  const role = graph.ofType('aws:iam/role:Role').find(({ inputs }) => inputs.name === 'hospital-prod-nodes');
  expect(role).toBeDefined();
  for (const { inputs } of classes) {
    expect(inputs.spec).toMatchObject({
      role: 'hospital-prod-nodes',
      tags: { service: 'node-pools', environment: 'production', 'cost-centre': 'radiology' },
    });
  }
  expect(untagged(graph, { environment: 'production', 'cost-centre': 'radiology' })).toEqual([]);
});

it('installs what the services scale by', () => {
  const kinds = new Set(graph.resources.map(({ type }) => type));
  const releases = graph.ofType('kubernetes:helm.sh/v3:Release').map(({ name }) => name);
  // one cluster has one server of external metrics
  expect(kinds.has('kubernetes:keda.sh/v1alpha1:ScaledObject')).toBe(releases.includes('hospital-add-ons-keda'));
  expect(kinds.has('kubernetes:autoscaling/v2:HorizontalPodAutoscaler')).toBe(
    releases.includes('hospital-add-ons-prometheus-adapter'),
  );
});
