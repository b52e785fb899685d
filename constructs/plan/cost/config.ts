import type { Day } from '../weekly-window';
import type { AllocationRules } from './allocate/allocate-day';
import type { LedgerContext } from './allocate/context';
import type { Activity } from './price-file';

/** Where Prometheus is, and how it is asked. */
export interface PrometheusSettings {
  /** Such as `http://prometheus.monitoring.svc:9090`. */
  readonly url: string;
  /**
   * Least part of the day's minutes for which nodes must be known. A day with less is not written: it would be too cheap.
   *
   * @default 0.98
   */
  readonly minimumCoverage?: number;
  /**
   * Longest that a query may take, in seconds.
   *
   * @default 120
   */
  readonly timeoutSeconds?: number;
}

/** Hours that people work for the system. */
export interface PeopleHours {
  readonly activity: Activity;
  /** Hours a day, all people together, as a decimal number in quotes. */
  readonly hoursPerDay: string;
  /** @default - Mon to Fri */
  readonly days?: readonly Day[];
  /** First day, `YYYY-MM-DD`. @default - from the beginning */
  readonly from?: string;
  /** Last day, `YYYY-MM-DD`. @default - to this day */
  readonly to?: string;
  /** The service that they work for. @default - all */
  readonly service?: string;
}

/** Something that serves all and is paid by the hour: a control plane, a load balancer, a NAT gateway. */
export interface SharedService {
  /** Its name in the price files, and in the bill where it is in there. */
  readonly name: string;
  /** @default - from the beginning */
  readonly from?: string;
  /** @default - to this day */
  readonly to?: string;
}

/** Data outside of the cluster's volumes. */
export interface DataStore {
  /** Its name in the ledger, and in the bill where it is in there. */
  readonly name: string;
  /** As price files name it. */
  readonly storageClass: string;
  /** PromQL that gives how many bytes it holds, as one element. */
  readonly bytes: string;
  /** The service that it belongs to. @default - none */
  readonly service?: string;
}

/** The provider's bill, as Parquet files. */
export interface BillSettings {
  /** A folder, or `s3://bucket/prefix`. */
  readonly location: string;
  /** What its columns are: FOCUS, or CUR 2.0 with hourly lines and resource ids. */
  readonly format: 'focus' | 'cur-2.0';
}

/** What the cost ledger is made from, apart from the prices. */
export interface CostConfig extends Omit<LedgerContext, 'timeZone'>, AllocationRules {
  /**
   * IANA zone on whose clock days start and end. It cannot be changed once the ledger has days.
   *
   * @default 'UTC'
   */
  readonly timeZone?: string;
  /** Region of the cluster, for what does not say its own. */
  readonly region: string;
  readonly prometheus: PrometheusSettings;
  /**
   * Volume type, as price files name it, of each storage class.
   *
   * @default - the name of the storage class is that of the volume type
   */
  readonly volumeTypes?: { readonly [storageClass: string]: string };
  /**
   * Who counts traffic: OpenCost's network DaemonSet, or nobody, so that the ledger has no cost of it.
   *
   * @default 'opencost'
   */
  readonly traffic?: 'opencost' | 'none';
  /** @default - none */
  readonly people?: readonly PeopleHours[];
  /** @default - none */
  readonly shared?: readonly SharedService[];
  /** @default - none */
  readonly dataStores?: readonly DataStore[];
  /** @default - estimates are not corrected */
  readonly bill?: BillSettings;
}
