import type { Decimal } from './money';
import type { Activity, CapacityType, TrafficKind } from './price-file';

/** Whose usage it is. All empty: nobody's. */
export interface Owner {
  readonly service?: string;
  readonly model?: string;
  readonly namespace?: string;
  readonly priority?: string;
}

/** What an owner's pods held of a node in a day. */
export interface HeldByPods extends Owner {
  /** Hours that the pods ran, all replicas together. */
  readonly hours: Decimal;
  /** Hours of whole GPUs; half an hour of a seventh of a GPU is a fourteenth. */
  readonly gpuHours: Decimal;
  /** Hours of cores. */
  readonly cpuHours: Decimal;
  /** Hours of GiB. */
  readonly memoryHours: Decimal;
  /** Mean use of the GPUs that were held, 0 to 1. */
  readonly gpuUtilisation?: Decimal;
  /** Mean use of the cores that were held, 0 to 1. */
  readonly cpuUtilisation?: Decimal;
}

/** A node in a day. */
export interface NodeUsage {
  readonly name: string;
  /** The provider's id, such as `i-0abc`, by which a bill names it. */
  readonly providerId?: string;
  readonly instanceType: string;
  readonly capacityType: CapacityType;
  readonly region: string;
  readonly zone?: string;
  /** Hours of the day in which it was there. */
  readonly hours: Decimal;
  /** Physical GPUs. */
  readonly gpus: number;
  readonly cores: Decimal;
  readonly memoryGiB: Decimal;
  readonly pods: readonly HeldByPods[];
}

/** A volume of the cluster in a day; without a namespace nobody claims it. */
export interface VolumeUsage extends Owner {
  readonly name: string;
  /** The provider's id, such as `vol-0abc`. */
  readonly providerId?: string;
  readonly volumeType: string;
  readonly region: string;
  readonly gigabytes: Decimal;
  /** Hours of the day in which it was there. */
  readonly hours: Decimal;
}

/** What an owner sent in a day. */
export interface TrafficUsage extends Owner {
  readonly traffic: TrafficKind;
  readonly region: string;
  readonly gigabytes: Decimal;
}

/** What a service asked of a model in a day. */
export interface ModelUsage extends Owner {
  readonly model: string;
  readonly calls: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly inferenceSeconds: Decimal;
  readonly cacheHits: number;
  readonly cacheMisses: number;
}

/** Data outside of the cluster's volumes: a bucket, a database, backups. */
export interface DataStoreUsage extends Owner {
  readonly name: string;
  readonly storageClass: string;
  readonly region: string;
  readonly gigabytes: Decimal;
  readonly hours: Decimal;
}

/** Hours that people worked in a day. */
export interface PeopleUsage extends Owner {
  readonly activity: Activity;
  readonly hours: Decimal;
}

/** Something that serves all. */
export interface SharedUsage {
  readonly name: string;
  readonly region: string;
  readonly hours: Decimal;
}

/** All that was used in a day. */
export interface DayUsage {
  readonly nodes: readonly NodeUsage[];
  readonly volumes: readonly VolumeUsage[];
  readonly traffic: readonly TrafficUsage[];
  readonly models: readonly ModelUsage[];
  readonly dataStores: readonly DataStoreUsage[];
  readonly people: readonly PeopleUsage[];
  readonly shared: readonly SharedUsage[];
}

/** What a provider's bill says of one resource in a day; amounts are in the ledger's currency. */
export interface BilledResource {
  /** As the bill names it: `i-0abc`, `vol-0abc`, a bucket. */
  readonly resourceId: string;
  readonly billed: Decimal;
  readonly effective: Decimal;
  readonly contracted: Decimal;
  readonly list: Decimal;
  readonly invoiceId?: string;
  /** Where the bill is from. */
  readonly source: string;
  /** Day of the bill's file. */
  readonly published: string;
}
