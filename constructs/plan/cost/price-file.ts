/** How a node is paid for. */
export type CapacityType = 'on-demand' | 'spot' | 'reserved';

/** What people do whose hours are counted. */
export type Activity = 'development' | 'operations' | 'review';

/** Where traffic goes: to another zone, another region, or out. */
export type TrafficKind = 'zone' | 'region' | 'internet';

/** What a model is priced by. A model may have a price for each. */
export type ModelUnit = '1000000 Input Tokens' | '1000000 Output Tokens' | '1000 Calls' | 'Hours';

interface PriceOf<Kind extends string, Unit extends string> {
  readonly kind: Kind;
  readonly unit: Unit;
  /** Decimal number as a string, such as `'0.526'`: a JSON number is a binary float. */
  readonly price: string;
  /**
   * Price without discounts, as a string.
   *
   * @default - `price`
   */
  readonly listPrice?: string;
  /**
   * The provider's id of the thing that is priced.
   *
   * @default - made of the price's other properties
   */
  readonly sku?: string;
  /**
   * First day of the price, `YYYY-MM-DD`.
   *
   * @default - that of the file
   */
  readonly validFrom?: string;
  /**
   * Last day of the price, `YYYY-MM-DD`.
   *
   * @default - that of the file
   */
  readonly validTo?: string;
}

/** An hour of a node. */
export interface InstancePrice extends PriceOf<'instance', 'Hours'> {
  readonly instanceType: string;
  readonly region: string;
  readonly capacityType: CapacityType;
  /**
   * Spot prices differ from zone to zone.
   *
   * @default - all zones of the region that have no price of their own
   */
  readonly zone?: string;
}

/** A gigabyte-month of a volume of the cluster. */
export interface VolumePrice extends PriceOf<'volume', 'GB-Months'> {
  /** Such as `gp3`. */
  readonly volumeType: string;
  readonly region: string;
}

/** A gigabyte of traffic. */
export interface NetworkPrice extends PriceOf<'network', 'GB'> {
  readonly traffic: TrafficKind;
  readonly region: string;
}

/** Tokens, calls or hours of a model. */
export interface ModelPrice extends PriceOf<'model', ModelUnit> {
  readonly model: string;
}

/** A gigabyte-month of data outside of the cluster's volumes. */
export interface DataStoragePrice extends PriceOf<'data-storage', 'GB-Months'> {
  /** Such as `s3-standard`. */
  readonly storageClass: string;
  readonly region: string;
}

/** An hour of somebody's work. */
export interface PeoplePrice extends PriceOf<'people', 'Hours'> {
  readonly activity: Activity;
}

/** An hour of something that serves all, such as a control plane. */
export interface SharedPrice extends PriceOf<'shared', 'Hours'> {
  readonly name: string;
  /** @default - the name holds in every region */
  readonly region?: string;
}

/** One price. */
export type Price =
  InstancePrice | VolumePrice | NetworkPrice | ModelPrice | DataStoragePrice | PeoplePrice | SharedPrice;

/** What one unit of another currency is in the ledger's. */
export interface ExchangeRate {
  /** ISO 4217. */
  readonly from: string;
  /** ISO 4217. */
  readonly to: string;
  /** Decimal number as a string: how many units of `to` one of `from` is. */
  readonly rate: string;
}

/** A price file: prices of one source, published together. */
export interface PriceFile {
  /** Where the prices are from, such as `AWS Price List AmazonEC2 eu-central-1`. */
  readonly source: string;
  /** Who sells, such as `AWS`; for people, who employs them. */
  readonly provider: string;
  /** Day on which the source published them, `YYYY-MM-DD`. */
  readonly published: string;
  /** ISO 4217. */
  readonly currency: string;
  /** First day on which the prices hold, `YYYY-MM-DD`. */
  readonly validFrom: string;
  /** Last day on which they hold, `YYYY-MM-DD`: a later day finds a stale price, which is an error. */
  readonly validTo: string;
  readonly prices: readonly Price[];
  /** @default - none: prices in another currency than the ledger's are then an error */
  readonly exchangeRates?: readonly ExchangeRate[];
}
