import { type Problems } from '../../constructs/plan/errors';
import type { NodePoolSpec } from '../../constructs/plan/node-pools/spec';
import { checkAddOns, type AddOnsArgs } from './add-ons/add-ons';
import { checkCluster, type ClusterArgs } from './cluster/args';
import { checkClusterName, checkPart, type AwsComponentArgs } from './component';
import { checkCostExport, type CostExportArgs } from './cost-export/cost-export';
import type { CostJobAccount } from './cost-export/job-role';
import { checkDatabase, type DatabaseArgs } from './database';
import { checkMemcachedCache, type MemcachedCacheArgs } from './memcached-cache';
import { checkNetwork, CIDR, type NetworkArgs } from './network/args';
import { checkNodePools } from './node-pools/node-pools';
import type { ManagedPool } from './node-pools/node-group-plan';
import { ZONE } from './node-pools/uniform-types';
import { checkDataName, type PrivateDataArgs } from './private-data';
import { checkTags, TagKey } from './tags';
import { checkValkeyCache, type ValkeyCacheArgs } from './valkey-cache';

/** A pool of nodes, and who starts them. */
export type PlatformPool = KarpenterPool | (ManagedPool & { readonly provisioner: 'managed' });

/** A pool whose nodes Karpenter starts: its objects are made by `GpuNodePool`, `NodePool` or `SpotBatchPool`. */
export interface KarpenterPool {
  readonly provisioner: 'karpenter';
  /** The `spec` of the construct. */
  readonly spec: NodePoolSpec;
}

/** Options of a data store: where it is and who reaches it follows from the rest. */
type StoreOptions<Args> = Omit<Args, keyof PrivateDataArgs | 'tags'>;

/** Arguments of `AwsPlatform`. */
export interface AwsPlatformArgs extends AwsComponentArgs {
  /** Name of the EKS cluster, as the pools name it. Cannot be changed later. */
  readonly clusterName: string;
  /** Pools of nodes besides the system nodes; Karpenter is made where one is its. */
  readonly pools: readonly PlatformPool[];
  /** What the account may cost in a month and who is told, or `false` for no cost export. */
  readonly costExport:
    (Omit<CostExportArgs, 'tags' | 'job'> & { readonly job?: Omit<CostJobAccount, 'clusterName'> }) | false;
  /** @default - as on `NetworkArgs` */
  readonly network?: Omit<NetworkArgs, 'tags' | 'clusterName'>;
  /** @default - as on `ClusterArgs` */
  readonly cluster?: Omit<ClusterArgs, 'tags' | 'clusterName' | 'subnetIds' | 'vpcCidr'>;
  /**
   * The Redis tier of the cache, or `false` for none.
   *
   * @default - as on `ValkeyCacheArgs`
   */
  readonly valkey?: StoreOptions<ValkeyCacheArgs> | false;
  /**
   * The Memcached tier of the cache, or `false` for none.
   *
   * @default - as on `MemcachedCacheArgs`
   */
  readonly memcached?: StoreOptions<MemcachedCacheArgs> | false;
  /**
   * The database tier of the cache, or `false` for none.
   *
   * @default - as on `DatabaseArgs`
   */
  readonly database?: StoreOptions<DatabaseArgs> | false;
  /**
   * What is installed in the cluster, or `false` for nothing: then somebody else installs Karpenter and the rest. Karpenter
   * and GPUs follow from the pools.
   *
   * @default - as on `AddOnsArgs`
   */
  readonly addOns?: Omit<AddOnsArgs, 'karpenter' | 'gpus' | 'sharing'> | false;
}

/** Stands in for what is checked once, for the platform, so that no part finds it wrong a second time. */
const CHECKED = { tags: { environment: 'checked', costCentre: 'checked' }, clusterName: 'checked' };
const PRIVATE: PrivateDataArgs = { vpcId: '', subnetIds: ['', ''], clientSecurityGroupId: '' };

/** Records all that is wrong with the arguments of an `AwsPlatform`, of all its parts at once. */
export function checkPlatform(problems: Problems, name: string, args: AwsPlatformArgs): void {
  checkDataName(problems, `${name}-memcached`);
  checkTags(problems, args.tags);
  checkClusterName(problems, 'clusterName', args.clusterName);
  const { network = {}, cluster = {}, valkey = {}, memcached = {}, database = {}, costExport, addOns = {} } = args;
  checkPart(problems, 'network', (found) => checkNetwork(found, { ...CHECKED, ...network }));
  checkPart(problems, 'cluster', (found) =>
    checkCluster(found, { ...CHECKED, ...cluster, subnetIds: PRIVATE.subnetIds, vpcCidr: network.cidr ?? CIDR }),
  );
  checkPools(problems, args);
  if (valkey !== false) {
    checkPart(problems, 'valkey', (found) => checkValkeyCache(found, { ...CHECKED, ...PRIVATE, ...valkey }));
  }
  if (memcached !== false) {
    checkPart(problems, 'memcached', (found) => checkMemcachedCache(found, { ...CHECKED, ...PRIVATE, ...memcached }));
  }
  if (database !== false) {
    checkPart(problems, 'database', (found) => checkDatabase(found, { ...CHECKED, ...PRIVATE, ...database }));
  }
  const exported = problems.check(
    costExport !== undefined,
    'costExport',
    costExport,
    'be given, as { budget: { monthlyUsd, alarmEmails } } or false',
    'no budget is guessed',
  );
  if (exported && costExport !== false) {
    checkPart(problems, 'costExport', (found) =>
      checkCostExport(found, {
        ...costExport,
        ...CHECKED,
        job: { ...costExport.job, clusterName: CHECKED.clusterName },
      }),
    );
  }
  if (addOns !== false) {
    checkPart(problems, 'addOns', (found) => checkAddOns(found, addOns));
  }
}

function checkPools(problems: Problems, { pools, clusterName, network }: AwsPlatformArgs): void {
  const listed = problems.check(
    Array.isArray(pools) && pools.length > 0,
    'pools',
    pools,
    'list at least one',
    'services would have no nodes: system nodes are for the cluster itself',
  );
  if (!listed) {
    return;
  }
  const names = pools.map(({ spec }) => spec.name);
  pools.forEach(({ spec, provisioner }, index) => {
    const pool = `pools.${spec.name}`;
    problems.check(
      provisioner === 'karpenter' || provisioner === 'managed',
      `${pool}.provisioner`,
      provisioner,
      'be one of karpenter, managed',
      'nobody else starts nodes',
    );
    problems.check(
      names.indexOf(spec.name) === index,
      'pools',
      spec.name,
      'have different names',
      'nodes and costs are told apart by them',
    );
    problems.check(
      spec.nodeClass.clusterName === clusterName,
      `${pool}.cluster.name`,
      spec.nodeClass.clusterName,
      `be ${clusterName}`,
      'its nodes would look for another cluster',
    );
    const zones = spec.requirements.find(({ key, operator }) => key === ZONE && operator === 'In')?.values;
    problems.check(
      zones === undefined || (network?.zones?.some((zone) => zones.includes(zone)) ?? true),
      `${pool}.zones`,
      zones,
      `include one of ${network?.zones?.join(', ')}`,
      'the network is in no other',
    );
  });
  checkNodePools(problems, managedPools(pools));
  checkKarpenterPools(problems, karpenterPools(pools));
}

/** Karpenter's nodes have the tags and the role that their pools say: the platform makes only what they refer to. */
function checkKarpenterPools(problems: Problems, specs: readonly NodePoolSpec[]): void {
  const keys = [TagKey.SERVICE, TagKey.ENVIRONMENT, TagKey.COST_CENTRE];
  for (const { name, nodeClass } of specs) {
    problems.check(
      nodeClass.nodeRole === specs[0]?.nodeClass.nodeRole,
      `pools.${name}.cluster.nodeRole`,
      nodeClass.nodeRole,
      `be ${specs[0]?.nodeClass.nodeRole}`,
      'all nodes of Karpenter have one role',
    );
    const missing = keys.filter((key) => !Object.hasOwn(nodeClass.tags, key));
    problems.check(
      missing.length === 0,
      `pools.${name}.tags`,
      nodeClass.tags,
      `have ${missing.join(', ')}`,
      "the costs of its nodes would be nobody's; serviceTags(tags, 'node-pools') has them",
    );
  }
}

/** Specs of the pools whose nodes Karpenter starts. */
export function karpenterPools(pools: readonly PlatformPool[]): NodePoolSpec[] {
  return pools.filter(({ provisioner }) => provisioner === 'karpenter').map(({ spec }) => spec);
}

/** Pools that are managed node groups. */
export function managedPools(pools: readonly PlatformPool[]): ManagedPool[] {
  return pools.filter((pool) => pool.provisioner === 'managed');
}
