import { Chart, Lazy, type ApiObject } from 'cdk8s';
import { Construct } from 'constructs';
import { AppFacts } from './app-facts';
import { kubeObject, planFor } from './kube-object';
import { Problems } from './plan/errors';
import type { NetworkPeer } from './plan/network';
import { fittingPools } from './plan/placement';
import { cacheServerRule } from './plan/tiered-cache/alerts';
import {
  maintenanceConfig,
  maintenanceLabels,
  maintenanceNetworkPolicy,
  migrationJob,
  warmUpCronJob,
  warmsUp,
} from './plan/tiered-cache/maintenance';
import { memcachedStatefulSet } from './plan/tiered-cache/memcached';
import {
  cachePodMonitor,
  cacheServiceAccount,
  certificate,
  clientCertificate,
  hasExporter,
  headlessService,
  redisService,
  serverDisruptionBudget,
  serverNetworkPolicy,
} from './plan/tiered-cache/objects';
import { planTieredCache, type TieredCachePlan } from './plan/tiered-cache/plan';
import type { TieredCacheProps } from './plan/tiered-cache/props';
import { valkeyConfigMap, valkeyStatefulSet } from './plan/tiered-cache/redis';
import type { CacheServerPlan } from './plan/tiered-cache/servers';
import { provideProgram } from './program';

/** The objects of one kind of server. */
export interface CacheServerObjects {
  /** The StatefulSet object; patch it through this. */
  readonly statefulSet: ApiObject;
  /** The headless Service object, by which the pods have names. */
  readonly pods: ApiObject;
  /** The PodDisruptionBudget object. */
  readonly podDisruptionBudget: ApiObject;
  /** The NetworkPolicy object. */
  readonly networkPolicy: ApiObject;
}

/** The objects of a cache's Jobs. */
export interface CacheMaintenanceObjects {
  /** The Job object that makes the tables. */
  readonly migration: ApiObject;
  /** The CronJob object that fills the tiers above the database; absent where that is off. */
  readonly warmUp?: ApiObject;
  /** The ConfigMap object. */
  readonly config: ApiObject;
  /** The NetworkPolicy object. */
  readonly networkPolicy: ApiObject;
}

/**
 * The shared tiers of a cache of results: Redis (Valkey), Memcached and PostgreSQL, asked in this order after the hot tier
 * in the memory of each user. Services use it by `cache`; programs of your own by `mediform/cache` and `plan.config`.
 *
 * Redis and Memcached run in the cluster, on memory-optimised nodes, under the Pod Security standard "restricted", over
 * TLS, for their users alone; or elsewhere, such as in ElastiCache. PostgreSQL is always elsewhere; a Job makes its tables,
 * and a CronJob fills the tiers above from it.
 *
 * Redis is one server, and comes back within seconds: nothing is lost with it that cannot be computed again. Every entry
 * is sealed with the key ring. All Secrets are named, never made, and must exist in the namespaces of the users too.
 *
 * Cost: memory, all the time: by default 4 GiB for Redis and 2 × 4 GiB for Memcached.
 *
 * @throws ConfigurationError that lists all wrong values with the construct's path
 */
export class TieredCache extends Construct {
  /** All that was decided, as plain data. */
  public readonly plan: TieredCachePlan;
  /** Identity of the pods, which may do nothing. */
  public readonly serviceAccount: ApiObject;
  /** Objects of Redis; absent where it is not in the cluster. Its Service has the server's name. */
  public readonly redis?: CacheServerObjects & { readonly configMap: ApiObject; readonly service: ApiObject };
  /** Objects of Memcached; absent where it is not in the cluster. */
  public readonly memcached?: CacheServerObjects;
  /** Certificate of the servers; absent where it is not cert-manager's. */
  public readonly certificate?: ApiObject;
  /**
   * Certificate that pods of the cache's namespace show to Memcached; absent where it is not cert-manager's. Services in
   * other namespaces bring one with them, where the issuer is for all namespaces.
   */
  public readonly clientCertificate?: ApiObject;
  /** Objects of the Jobs; absent where there is no database. */
  public readonly maintenance?: CacheMaintenanceObjects;
  /** The PodMonitor object; absent where no server has an exporter. */
  public readonly podMonitor?: ApiObject;
  /** The PrometheusRule object; absent where no server is in the cluster. */
  public readonly prometheusRule?: ApiObject;

  /** Who may reach the servers. Services add themselves. */
  private readonly users: NetworkPeer[];

  constructor(scope: Construct, id: string, props: TieredCacheProps) {
    super(scope, id);
    const plan = planFor(this, () => planTieredCache(id, props, Chart.of(this).namespace), props);
    this.plan = plan;
    this.users = this.register();
    this.serviceAccount = kubeObject(this, 'ServiceAccount', cacheServiceAccount(plan));

    const tls = certificate(plan);
    this.certificate = tls && kubeObject(this, 'Certificate', tls);
    const shown = clientCertificate(plan, plan.namespace);
    this.clientCertificate = shown && kubeObject(this, 'ClientCertificate', shown);
    this.redis = plan.redis && this.defineRedis(plan.redis);
    this.memcached =
      plan.memcached && this.defineServer('Memcached', plan.memcached, memcachedStatefulSet(plan, plan.memcached));
    this.maintenance = plan.props.database && this.defineMaintenance();
    this.podMonitor = hasExporter(plan) ? kubeObject(this, 'PodMonitor', cachePodMonitor(plan)) : undefined;
    const rule = cacheServerRule(plan);
    this.prometheusRule = rule && kubeObject(this, 'PrometheusRule', rule);
  }

  private defineRedis(server: CacheServerPlan): NonNullable<TieredCache['redis']> {
    const config = valkeyConfigMap(this.plan, server);
    return {
      configMap: kubeObject(this, 'RedisConfig', config),
      service: kubeObject(this, 'RedisService', redisService(this.plan, server)),
      ...this.defineServer('Redis', server, valkeyStatefulSet(this.plan, server, config.metadata.name)),
    };
  }

  private defineServer(
    id: string,
    server: CacheServerPlan,
    statefulSet: ReturnType<typeof memcachedStatefulSet>,
  ): CacheServerObjects {
    const { plan, users } = this;
    const policy = serverNetworkPolicy(plan, server, users);
    // services that are defined later are users too
    const ingress = Lazy.any({ produce: () => serverNetworkPolicy(plan, server, users).spec?.ingress }) as unknown;
    return {
      statefulSet: kubeObject(this, `${id}StatefulSet`, statefulSet),
      pods: kubeObject(this, `${id}Pods`, headlessService(plan, server)),
      podDisruptionBudget: kubeObject(this, `${id}DisruptionBudget`, serverDisruptionBudget(plan, server)),
      networkPolicy: kubeObject(this, `${id}NetworkPolicy`, {
        ...policy,
        spec: { ...policy.spec, ingress },
      }),
    };
  }

  private defineMaintenance(): CacheMaintenanceObjects {
    const { plan } = this;
    const program = provideProgram(this, 'cache', plan.namespace);
    return {
      config: kubeObject(this, 'MaintenanceConfig', maintenanceConfig(plan)),
      networkPolicy: kubeObject(this, 'MaintenanceNetworkPolicy', maintenanceNetworkPolicy(plan)),
      migration: kubeObject(this, 'Migration', migrationJob(plan, program)),
      warmUp: warmsUp(plan) ? kubeObject(this, 'WarmUp', warmUpCronJob(plan, program)) : undefined,
    };
  }

  /** Tells the rest of the app of the cache, and has it checked against that. */
  private register(): NetworkPeer[] {
    const { plan } = this;
    const { path } = this.node;
    const facts = AppFacts.of(this);
    const key = `${plan.namespace}/${plan.name}`;
    const users: NetworkPeer[] = [...(plan.props.consumers ?? [])];
    if (warmsUp(plan)) {
      users.push({ podLabels: maintenanceLabels(plan) });
    }
    const first = facts.caches.get(key) ?? { path, users };
    facts.caches.set(key, first);
    this.node.addValidation({
      validate: () => [
        ...[first.path, facts.services.get(key)?.path]
          .filter((other) => other !== undefined && other !== path)
          .map(
            (other) => `'name' (${key}) must be unique in its namespace because ${other} makes objects of that name`,
          ),
        ...this.placementProblems(facts),
      ],
    });
    return users;
  }

  private placementProblems({ nodePools }: AppFacts): readonly string[] {
    const { redis, memcached, maintenance, priority, props } = this.plan;
    if (props.checkNodePools === false) {
      return [];
    }
    const problems = new Problems();
    const pods = { redis, memcached, database: props.database && maintenance };
    const [first] = Object.entries(pods).flatMap(([tier, some]) => (some === undefined ? [] : [{ tier, ...some }]));
    if (first !== undefined) {
      // all of them want the same nodes
      const { tier, schedule } = first;
      const { nodeSelector } = schedule;
      fittingPools(problems, { priority, schedule, nodeSelector }, [...nodePools.values()], tier);
    }
    return problems.list;
  }
}
