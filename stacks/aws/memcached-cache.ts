import { Cluster, SubnetGroup } from '@pulumi/aws/elasticache';
import { ComponentResource, type ComponentResourceOptions, type Output } from '@pulumi/pulumi';
import type { Problems } from '../../constructs/plan/errors';
import { assertValid, type AwsComponentArgs } from './component';
import {
  checkCount,
  checkDataName,
  checkMaintenanceWindow,
  checkPrivateData,
  onlyFrom,
  type PrivateDataArgs,
} from './private-data';
import { checkTags, serviceTags } from './tags';
import { checkNodeType } from './valkey-cache';

/** Arguments of `MemcachedCache`. */
export interface MemcachedCacheArgs extends AwsComponentArgs, PrivateDataArgs {
  /**
   * ElastiCache node type, with `cache.` before it.
   *
   * @default 'cache.r7g.large'
   */
  readonly nodeType?: string;
  /**
   * Nodes, 2 to 40. Each holds a part of the entries: what one loses, the tier below still has.
   *
   * @default 2
   */
  readonly nodes?: number;
  /**
   * Version of Memcached, 1.6.12 or newer: older ones have no TLS.
   *
   * @default '1.6.22'
   */
  readonly engineVersion?: string;
  /**
   * When AWS may patch it, in UTC.
   *
   * @default 'sun:03:00-sun:04:00'
   */
  readonly maintenanceWindow?: string;
}

const PORT = 11211;

/**
 * The Memcached tier of the cache: an ElastiCache cluster with TLS, over several zones, in private subnets that only the
 * cluster's nodes reach.
 *
 * ElastiCache's Memcached has neither passwords nor encryption at rest, so the security group is all that keeps others
 * out. Let no client but the library's own write to it: that one encrypts every value and hashes every key.
 *
 * Cost: with defaults about 320 USD a month in us-east-1 (two cache.r7g.large), see docs/aws-costs.md.
 *
 * @throws ConfigurationError that lists all wrong arguments with the component's name
 */
export class MemcachedCache extends ComponentResource {
  /** All nodes as `host:port`, in the order of their numbers. */
  public readonly servers: Output<string[]>;
  /** `host:port` from which clients that know ElastiCache's discovery learn the nodes. */
  public readonly configurationEndpoint: Output<string>;
  /** TCP port, with TLS. */
  public readonly port: number = PORT;
  /** ID of its security group. */
  public readonly securityGroupId: Output<string>;

  constructor(name: string, args: MemcachedCacheArgs, options?: ComponentResourceOptions) {
    assertValid(name, (problems) => {
      checkDataName(problems, name);
      checkMemcachedCache(problems, args);
    });
    super('mediform:aws:MemcachedCache', name, {}, options);
    const tags = serviceTags(args.tags, 'cache');
    this.securityGroupId = onlyFrom(
      `${name}-access`,
      args,
      { port: PORT, description: `Memcached ${name}`, tags },
      this,
    );
    const subnets = new SubnetGroup(`${name}-subnets`, { subnetIds: [...args.subnetIds], tags }, { parent: this });
    const cluster = new Cluster(
      name,
      {
        engine: 'memcached',
        engineVersion: args.engineVersion ?? '1.6.22',
        nodeType: args.nodeType ?? 'cache.r7g.large',
        numCacheNodes: args.nodes ?? 2,
        azMode: 'cross-az',
        port: PORT,
        subnetGroupName: subnets.name,
        securityGroupIds: [this.securityGroupId],
        transitEncryptionEnabled: true,
        applyImmediately: false,
        maintenanceWindow: args.maintenanceWindow ?? 'sun:03:00-sun:04:00',
        tags,
      },
      { parent: this },
    );
    this.servers = cluster.cacheNodes.apply((nodes) =>
      [...nodes].sort((a, b) => a.id.localeCompare(b.id)).map(({ address, port }) => `${address}:${port}`),
    );
    this.configurationEndpoint = cluster.configurationEndpoint;
    this.registerOutputs({ servers: this.servers });
  }
}

/** Records all that is wrong with the arguments of a `MemcachedCache`. */
export function checkMemcachedCache(problems: Problems, args: MemcachedCacheArgs): void {
  checkTags(problems, args.tags);
  checkPrivateData(problems, args);
  checkNodeType(problems, args.nodeType);
  checkCount(problems, 'nodes', args.nodes, [2, 40], 'they are spread over zones, and ElastiCache takes no more');
  checkMaintenanceWindow(problems, args.maintenanceWindow);
  const { engineVersion } = args;
  const [, patch] = /^1\.6\.(\d+)$/.exec(engineVersion ?? '1.6.22') ?? [];
  problems.check(
    patch !== undefined && Number(patch) >= 12,
    'engineVersion',
    engineVersion,
    'be 1.6.12 or newer',
    'older ones have no TLS',
  );
}
