import { Provider } from '@pulumi/kubernetes/provider';
import { ComponentResource, type ComponentResourceOptions, type ProviderResource } from '@pulumi/pulumi';
import type { GpuSharing } from '../../constructs/plan/gpu-sharing';
import { sharingKey } from '../../constructs/plan/gpu-sharing';
import { AddOns } from './add-ons/add-ons';
import { Cluster } from './cluster/cluster';
import { assertValid } from './component';
import { CostExport } from './cost-export/cost-export';
import { Database } from './database';
import { MemcachedCache } from './memcached-cache';
import { Network } from './network/network';
import { Karpenter } from './node-pools/karpenter';
import { NodePools } from './node-pools/node-pools';
import { checkPlatform, karpenterPools, managedPools, type AwsPlatformArgs } from './platform-args';
import type { PrivateDataArgs } from './private-data';
import { ValkeyCache } from './valkey-cache';

/**
 * The AWS side of a hospital's platform: network, cluster, pools, the three tiers of the cache, the cost export, and what
 * the library's constructs need in the cluster. Nothing of it is reached from the internet, everything is encrypted and
 * tagged, and every part can be had alone.
 *
 * Charts go into the cluster by its provider, after the add-ons:
 * `new ChartResources('hospital', { charts }, { provider: platform.kubernetes, dependsOn: platform.ready })`.
 *
 * Cost: see docs/aws-costs.md.
 *
 * @throws ConfigurationError that lists all wrong arguments of all parts, before anything is created
 */
export class AwsPlatform extends ComponentResource {
  public readonly network: Network;
  public readonly cluster: Cluster;
  /** Where no pool is Karpenter's, undefined. */
  public readonly karpenter: Karpenter | undefined;
  /** Where no pool is a managed node group, undefined. */
  public readonly pools: NodePools | undefined;
  public readonly valkey: ValkeyCache | undefined;
  public readonly memcached: MemcachedCache | undefined;
  public readonly database: Database | undefined;
  public readonly costExport: CostExport | undefined;
  public readonly addOns: AddOns | undefined;
  /** Pulumi's Kubernetes provider for the cluster, by the identity that runs Pulumi. */
  public readonly kubernetes: ProviderResource;
  /** What the app's charts depend on. */
  public readonly ready: readonly ComponentResource[];

  constructor(name: string, args: AwsPlatformArgs, options?: ComponentResourceOptions) {
    assertValid(name, (problems) => checkPlatform(problems, name, args));
    super('mediform:aws:AwsPlatform', name, {}, options);
    const { tags, clusterName } = args;
    const inside = { parent: this };
    this.network = new Network(`${name}-network`, { ...args.network, tags, clusterName }, inside);
    const { privateSubnetIds: subnetIds, zones, cidr: vpcCidr } = this.network;
    this.cluster = new Cluster(`${name}-cluster`, { ...args.cluster, tags, clusterName, subnetIds, vpcCidr }, inside);
    this.karpenter = this.startKarpenter(name, args);
    const managed = managedPools(args.pools);
    this.pools =
      managed.length === 0
        ? undefined
        : new NodePools(
            `${name}-pools`,
            {
              tags,
              clusterName: this.cluster.clusterName,
              version: this.cluster.version,
              subnetIds,
              zones,
              pools: managed,
            },
            inside,
          );
    const { valkey = {}, memcached = {}, database = {}, costExport } = args;
    const place: PrivateDataArgs = {
      vpcId: this.network.vpcId,
      subnetIds: this.network.isolatedSubnetIds,
      clientSecurityGroupId: this.cluster.nodeSecurityGroupId,
    };
    this.valkey =
      valkey === false ? undefined : new ValkeyCache(`${name}-valkey`, { ...valkey, ...place, tags }, inside);
    this.memcached =
      memcached === false
        ? undefined
        : new MemcachedCache(`${name}-memcached`, { ...memcached, ...place, tags }, inside);
    this.database =
      database === false ? undefined : new Database(`${name}-database`, { ...database, ...place, tags }, inside);
    this.costExport =
      costExport === false
        ? undefined
        : new CostExport(
            `${name}-costs`,
            { ...costExport, tags, job: { ...costExport.job, clusterName: this.cluster.clusterName } },
            inside,
          );
    this.kubernetes = new Provider(`${name}-kubernetes`, { kubeconfig: this.cluster.kubeconfig }, inside);
    this.addOns = this.install(name, args);
    this.ready = [this.cluster, this.karpenter, this.pools, this.addOns].filter((part) => part !== undefined);
    this.registerOutputs({ clusterName: this.cluster.clusterName, kubeconfig: this.cluster.kubeconfig });
  }

  private startKarpenter(name: string, { tags, pools }: AwsPlatformArgs): Karpenter | undefined {
    const [first] = karpenterPools(pools);
    if (first === undefined) {
      return undefined;
    }
    return new Karpenter(
      `${name}-karpenter`,
      {
        tags,
        clusterName: this.cluster.clusterName,
        nodeSecurityGroupId: this.cluster.nodeSecurityGroupId,
        nodeRoleName: first.nodeClass.nodeRole,
      },
      { parent: this },
    );
  }

  private install(name: string, { addOns = {}, pools }: AwsPlatformArgs): AddOns | undefined {
    if (addOns === false) {
      return undefined;
    }
    const { clusterName } = this.cluster;
    return new AddOns(
      `${name}-add-ons`,
      {
        ...addOns,
        ...(this.karpenter === undefined
          ? {}
          : { karpenter: { clusterName, interruptionQueue: this.karpenter.queueName } }),
        gpus: pools.some(({ spec }) => spec.accelerators.length > 0),
        sharing: distinct(pools.flatMap(({ spec }) => spec.sharing ?? [])),
      },
      {
        parent: this,
        provider: this.kubernetes,
        // its controller starts with a role, and its pods with DNS
        dependsOn: this.karpenter === undefined ? [this.cluster] : [this.cluster, this.karpenter],
      },
    );
  }
}

function distinct(sharing: readonly GpuSharing[]): GpuSharing[] {
  return [...new Map(sharing.map((one) => [sharingKey(one), one])).values()];
}
