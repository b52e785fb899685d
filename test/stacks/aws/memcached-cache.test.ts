import { MemcachedCache, type MemcachedCacheArgs } from '../../../stacks/aws/memcached-cache';
import { recordGraph, type Graph } from '../../support/aws-graph';
import { expectOnlyClients, expectTagged, PLACE, problemsOf, TAGS } from '../../support/aws-stores';

const ARGS: MemcachedCacheArgs = { tags: TAGS, ...PLACE };
const CLUSTER = 'aws:elasticache/cluster:Cluster';

async function memcached(args: Partial<MemcachedCacheArgs> = {}): Promise<{ cache: MemcachedCache; graph: Graph }> {
  let cache: MemcachedCache | undefined;
  const graph = await recordGraph(
    () => {
      cache = new MemcachedCache('common', { ...ARGS, ...args });
    },
    {
      outputs: {
        [CLUSTER]: () => ({
          configurationEndpoint: 'common.cfg.cache.amazonaws.com:11211',
          cacheNodes: ['0002', '0001'].map((id) => ({ id, address: `common.${id}.cache.amazonaws.com`, port: 11211 })),
        }),
      },
    },
  );
  return { cache: cache as MemcachedCache, graph };
}

test('speaks TLS, over several zones, in the private subnets', async () => {
  const { graph } = await memcached({ nodes: 3 });
  expect(graph.only(CLUSTER).inputs).toMatchObject({
    engine: 'memcached',
    transitEncryptionEnabled: true,
    azMode: 'cross-az',
    numCacheNodes: 3,
    subnetGroupName: 'common-subnets',
    securityGroupIds: ['common-access-id'],
  });
  expect(graph.only('aws:elasticache/subnetGroup:SubnetGroup').inputs.subnetIds).toEqual(PLACE.subnetIds);
});

test('lets only the nodes of the cluster in', async () => {
  const { graph } = await memcached();
  expectOnlyClients(graph, 11211);
});

test('names its servers in order', async () => {
  const { cache } = await memcached();
  expect(await new Promise((resolve) => cache.servers.apply(resolve))).toEqual([
    'common.0001.cache.amazonaws.com:11211',
    'common.0002.cache.amazonaws.com:11211',
  ]);
  expect(await new Promise((resolve) => cache.configurationEndpoint.apply(resolve))).toBe(
    'common.cfg.cache.amazonaws.com:11211',
  );
});

test('everything that takes tags has them', async () => {
  const { graph } = await memcached();
  expectTagged(graph, 'cache');
});

test('all that is wrong is told at once', () => {
  const change = { subnetIds: [], nodeType: 'large', nodes: 41, engineVersion: '1.6.6', maintenanceWindow: 'never' };
  expect(problemsOf(() => new MemcachedCache('Common', { ...ARGS, ...change }))).toEqual([
    expect.stringContaining("'name' (Common) must be at most 30 lower-case letters"),
    "'subnetIds' (0) must list subnets of at least two zones because a data store in one zone is gone when the zone is",
    "'nodeType' (large) must be an ElastiCache node type such as cache.r7g.large because there is no machine of another kind",
    "'nodes' (41) must be a whole number from 2 to 40 because they are spread over zones, and ElastiCache takes no more",
    "'maintenanceWindow' (never) must be a window in UTC such as sun:03:00-sun:04:00 because AWS takes no other form",
    "'engineVersion' (1.6.6) must be 1.6.12 or newer because older ones have no TLS",
  ]);
  expect(problemsOf(() => new MemcachedCache('common', { ...ARGS, engineVersion: '1.5.16' }))).toHaveLength(1);
});
