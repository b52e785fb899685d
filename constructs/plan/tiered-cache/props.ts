import type { CacheKind } from '../cache/kinds';
import type { AuthorityRef, SecretKey } from '../mounts';
import type { NetworkPeer } from '../network';
import type { Priority } from '../priorities';
import type { ByteSize, TimeSpan } from '../quantities';

/** What every shared tier may be told. */
export interface CacheTierProps {
  /**
   * Largest entry that the tier takes; larger ones skip it.
   *
   * @default - Redis and database 8 MiB, Memcached just under 1 MB
   */
  readonly maxEntry?: ByteSize;

  /**
   * Longest wait for one operation. A tier that is slower counts as failed.
   *
   * @default - Redis and Memcached 100 ms, database 250 ms
   */
  readonly deadline?: TimeSpan;
}

/** What the servers in the cluster may be told. */
export interface CacheServerProps extends CacheTierProps {
  /**
   * Memory of one server, of which it gets all that it may use.
   *
   * @default 4 GiB
   */
  readonly memory?: ByteSize;

  /**
   * Part of it for entries; the rest is for connections, buffers and fragmentation. At most nine tenths of `memory`.
   *
   * @default - three quarters; half where Redis writes to a volume, since a rewrite of its log copies what changes meanwhile
   */
  readonly maxMemory?: ByteSize;

  /**
   * Cores that are requested.
   *
   * @default 1
   */
  readonly cpu?: number;

  /** @default - the official image, pinned */
  readonly image?: string;

  /** Image of the Prometheus exporter beside the server. @default - the exporter's own, pinned */
  readonly exporterImage?: string;
}

/** Policies under which Valkey evicts entries and never the log of invalidations, which alone has no expiry. */
export const EVICTION_POLICIES = ['volatile-lfu', 'volatile-lru', 'volatile-ttl', 'volatile-random'] as const;

/** One of `EVICTION_POLICIES`. */
export type EvictionPolicy = (typeof EVICTION_POLICIES)[number];

/** A Valkey server in the cluster. */
export interface RedisServerProps extends CacheServerProps {
  /** Password of the server, in Secrets of that name in the cache's namespace and in those of its users. */
  readonly password: SecretKey;

  /** Which entries go where memory is full. @default 'volatile-lfu' */
  readonly evictionPolicy?: EvictionPolicy;

  /**
   * Keeps the entries over a restart, in an append-only file on a volume of its own. Without it the tier comes back
   * empty, which is slower for a while and never wrong.
   *
   * @default - none
   */
  readonly persistence?: {
    /** At least twice `maxMemory`: the file is written anew beside the old one. */
    readonly size: ByteSize;
    /** @default - the cluster's default */
    readonly storageClass?: string;
  };
}

/** A server that is not this construct's to make: reached over TLS. */
export interface CacheEndpointProps extends CacheTierProps {
  /** @default - the servers' certificates must lead to a public authority */
  readonly authority?: AuthorityRef;

  /**
   * Addresses that it has, for the network policies.
   *
   * @default '0.0.0.0/0' on its port
   */
  readonly cidr?: string;
}

/** Redis 7 or Valkey outside of the cluster, such as ElastiCache: one primary, without cluster mode. */
export interface RedisEndpointProps extends CacheEndpointProps {
  /** `host`, or `host:port`. */
  readonly endpoint: string;

  /** User of the ACL. @default 'default' */
  readonly username?: string;

  /** @default - no authentication */
  readonly password?: SecretKey;
}

/** Memcached servers in the cluster; entries are spread over them. */
export interface MemcachedServerProps extends CacheServerProps {
  /**
   * Servers. Each that goes takes its part of the entries with it.
   *
   * @default 2
   */
  readonly servers?: number;

  /**
   * Certificates that users must show to be let in. The servers look at nothing in them but who has signed them, so the
   * authority should sign no others.
   *
   * @default - those of `tls.issuer`, else a Secret of the default name; none where there is a password
   */
  readonly clients?: {
    /**
     * Secret with `tls.crt` and `tls.key`, in the cache's namespace and in those of its users.
     *
     * @default - `NAME-memcached-client`
     */
    readonly secret?: string;
    /**
     * Who has signed them: PEM file in the cache's namespace. Where it is given, cert-manager is asked for none.
     *
     * @default - the authority of the servers' own certificate
     */
    readonly authority?: AuthorityRef;
  };

  /**
   * Password of the servers, without spaces, in place of certificates. The exporter cannot log in: with a password there
   * are no metrics of the servers, only those of their users.
   *
   * @default - none: users show certificates
   */
  readonly password?: SecretKey;
}

/** Memcached outside of the cluster, such as ElastiCache. */
export interface MemcachedEndpointProps extends CacheEndpointProps {
  /** `host`, or `host:port`, of each server. */
  readonly endpoints: readonly string[];

  /** Goes with `password`. @default - no authentication */
  readonly username?: string;

  /** @default - no authentication */
  readonly password?: SecretKey;
}

/** PostgreSQL 13 or newer, such as RDS. */
export interface CacheDatabaseProps extends CacheEndpointProps {
  /** Host name. */
  readonly host: string;

  /** @default 5432 */
  readonly port?: number;

  /** Name of the database, which exists. */
  readonly database: string;

  /** Role of the cache's users. */
  readonly user: string;

  readonly password: SecretKey;

  /**
   * Role that makes the tables and lets `user` use them.
   *
   * @default - `user` itself
   */
  readonly owner?: { readonly user: string; readonly password: SecretKey };

  /** Most connections of one pod. @default 4 */
  readonly maxConnections?: number;
}

/** An issuer of cert-manager. */
export interface CacheIssuer {
  readonly name: string;
  /** @default 'ClusterIssuer' */
  readonly kind?: string;
  /** @default 'cert-manager.io' */
  readonly group?: string;
}

/** Certificate of the servers in the cluster. Its names: see `TieredCachePlan.certificateNames`. */
export type CacheTlsProps = {
  /**
   * Where users of the cache find the authority of the certificate: a Secret or ConfigMap of that name in each of their
   * namespaces.
   *
   * @default - entry `ca.crt` of the certificate's Secret
   */
  readonly authority?: AuthorityRef;
} & (
  | {
      /** Secret with `tls.crt` and `tls.key`. */
      readonly secret: string;
    }
  | {
      /**
       * Issuer of cert-manager, which then keeps the Secret `NAME-tls`. A `ClusterIssuer` also signs what users show to
       * Memcached, in each of their namespaces; an `Issuer` in the cache's own alone.
       */
      readonly issuer: CacheIssuer;
    }
);

/**
 * Filling the tiers from the database: those of a pod when it starts, and the shared ones on a schedule, so that a server
 * that restarted empty does not stay so.
 */
export interface CacheWarmUpProps {
  /** Five cron fields. @default '17 * * * *' */
  readonly schedule?: string;
  /** @default 'Etc/UTC' */
  readonly timeZone?: string;
  /** Most entries to load. @default 1_000 */
  readonly maxEntries?: number;
  /** Most entries a second. @default 200 */
  readonly perSecond?: number;
}

/** Properties of `TieredCache`. */
export interface TieredCacheProps {
  /**
   * Name of the cache; its objects begin with it. A DNS label of at most 40 characters.
   *
   * @default - the construct's id, in lower case, `_` as `-`
   */
  readonly name?: string;

  /** @default - the chart's namespace; one of the two must be given */
  readonly namespace?: string;

  /**
   * The key ring (`KeyRingFile` of `mediform/cache`) that entries are sealed with, in Secrets of that name in the cache's
   * namespace and in those of its users. A pod without it does not start.
   */
  readonly keyRing: SecretKey;

  /**
   * First part of every key. Caches that share a database must differ in it, those of two clusters too.
   *
   * @default - `NAMESPACE.NAME`
   */
  readonly keyspace?: string;

  /** The tier in the memory of each user. @default - 64 MiB */
  readonly hot?: {
    readonly memory?: ByteSize;
    /** @default - an eighth of `memory` */
    readonly maxEntry?: ByteSize;
  };

  /** Valkey in the cluster (`password`), or any Redis elsewhere (`endpoint`). @default - no such tier */
  readonly redis?: RedisServerProps | RedisEndpointProps;

  /** Memcached in the cluster, or elsewhere (`endpoints`). Needs `redis` or `database` beside it. @default - no such tier */
  readonly memcached?: MemcachedServerProps | MemcachedEndpointProps;

  /** PostgreSQL, always elsewhere. A Job makes the tables. @default - no such tier */
  readonly database?: CacheDatabaseProps;

  /** Certificate of the servers in the cluster, which speak TLS alone. @default - none, which no server in the cluster allows */
  readonly tls?: CacheTlsProps;

  /** Priority of the pods. Batch nodes vanish, and a cache must not. @default Priority.NORMAL */
  readonly priority?: Exclude<Priority, 'batch'>;

  /**
   * Who may reach the servers, besides Prometheus and the services that name this cache.
   *
   * @default - nobody
   */
  readonly consumers?: readonly NetworkPeer[];

  /** `'off'`: neither on a schedule nor at the start of a pod. @default - once an hour, where there is a database */
  readonly warmUp?: CacheWarmUpProps | 'off';

  /** Version of each kind's data. A higher number leaves no older entry readable. @default - 1 each */
  readonly versions?: { readonly [K in CacheKind]?: number };

  /**
   * Time within which an invalidation is in force everywhere: a pod that hears of none stops answering from the cache.
   *
   * @default 2 seconds
   */
  readonly maxStaleness?: TimeSpan;

  /** How Prometheus finds the servers. */
  readonly monitoring?: {
    /** Labels by which your Prometheus chooses its PodMonitors and rules. @default - none */
    readonly labels?: { readonly [label: string]: string };
    /** Namespace that Prometheus runs in. @default 'monitoring' */
    readonly namespace?: string;
    /** @default 30 seconds */
    readonly interval?: TimeSpan;
  };

  /** Image of the Jobs' programs: Node 24 or newer. @default - the official image, pinned */
  readonly runtimeImage?: string;

  /** Whether the pods must find node pools in the app that can run them. @default true */
  readonly checkNodePools?: boolean;
}
