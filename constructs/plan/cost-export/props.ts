import type { CostConfig } from '../cost/config';
import type { PriceFile } from '../cost/price-file';
import type { NetworkPeer } from '../network';
import type { ByteSize, TimeSpan } from '../quantities';

/** Where a ledger is kept. */
export type LedgerTarget =
  | {
      /** S3: `s3://bucket/prefix`. The ServiceAccount needs an EKS Pod Identity association whose role may write there. */
      readonly s3: string;
    }
  | {
      /** A PersistentVolumeClaim that exists, in the same namespace. */
      readonly claim: string;
    }
  | {
      /** Size of a PersistentVolumeClaim that is made; a year of a large hospital is about 1 GiB. */
      readonly size: ByteSize;
      /** @default - the cluster's default */
      readonly storageClass?: string;
    };

/** A Pushgateway, to which jobs that end send their metrics. */
export interface PushgatewayRef {
  /** Name of its Service. @default 'prometheus-pushgateway' */
  readonly service?: string;
  /** @default 'monitoring' */
  readonly namespace?: string;
  /** @default 9091 */
  readonly port?: number;
}

/** Properties of `CostExport`. */
export interface CostExportProps {
  /**
   * Name of the CronJob, the ServiceAccount and all else. A DNS label of at most 40 characters.
   *
   * @default - the construct's id, in lower case, `_` as `-`
   */
  readonly name?: string;

  /** @default - the chart's namespace; one of the two must be given */
  readonly namespace?: string;

  /** What the ledger is made from: Prometheus, who pays, people, shared services, the bill. */
  readonly cost: CostConfig;

  /** Price files, as `mediform/cost` reads them (`readPriceFiles`). A price is never guessed. */
  readonly prices: readonly PriceFile[];

  /** Where the ledger is kept. */
  readonly ledger: LedgerTarget;

  /** When it runs, five cron fields in the time zone of `cost`. @default '30 3 * * *' */
  readonly schedule?: string;

  /**
   * Days before today that are looked at: those that the ledger lacks are collected. Prometheus must keep its data as long.
   *
   * @default 7
   */
  readonly backfillDays?: number;

  /**
   * Days before today that are collected anew, until the bill no longer changes them.
   *
   * @default - 4 where `cost` has a bill, else 0
   */
  readonly recollectDays?: number;

  /** Longest time of one run. @default 2 hours */
  readonly deadline?: TimeSpan;

  /**
   * What a month may cost, in the ledger's currency, a decimal number in quotes. Needs a Pushgateway.
   *
   * @default - no budget, and no alarm on one
   */
  readonly monthlyBudget?: string;

  /**
   * Where the ledger's metrics go: without them there are no alarms on money and no Grafana dashboard.
   *
   * @default - the official Helm chart's Service in the namespace `monitoring`
   */
  readonly pushgateway?: PushgatewayRef | 'off';

  /**
   * More peers that the job may reach. Prometheus, where its address is that of a Service, the Pushgateway, DNS and, for S3,
   * HTTPS are there already.
   *
   * @default - none
   */
  readonly egress?: readonly NetworkPeer[];

  /**
   * Image with Node 24. A bill needs one with DuckDB beside it: `FROM node:24-slim` and
   * `RUN npm install --prefix / @duckdb/node-api`.
   *
   * @default - the official image, pinned
   */
  readonly image?: string;

  /** Memory of a run. @default 1 GiB */
  readonly memory?: ByteSize;

  /** Labels by which your Prometheus chooses its rules, such as `{ release: 'prometheus' }`. @default - none */
  readonly ruleLabels?: { readonly [label: string]: string };

  /**
   * Labels by which Grafana's sidecar finds dashboards.
   *
   * @default - `{ grafana_dashboard: '1' }`, as in the official Helm chart
   */
  readonly dashboardLabels?: { readonly [label: string]: string };

  /** Whether the pods must find a node pool in their app. @default true */
  readonly checkNodePools?: boolean;
}
