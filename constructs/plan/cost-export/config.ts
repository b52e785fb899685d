import type { CostConfig } from '../cost/config';

/** Configuration of the program that writes the ledger in the cluster: plain JSON, mounted from a ConfigMap. */
export interface CostExportConfig {
  /** What the ledger is made from. */
  readonly cost: CostConfig;
  /** Folder, or `s3://bucket/prefix`. */
  readonly ledger: string;
  /** Name of the ledger in its metrics, `namespace/name`. */
  readonly name: string;
  /** Days before today that are looked at: those of them that the ledger lacks are collected. */
  readonly backfillDays: number;
  /** Days before today that are collected anew even where the ledger has them: until bills no longer change. */
  readonly recollectDays: number;
  /** What a month may cost, in the ledger's currency. @default - no budget */
  readonly monthlyBudget?: string;
  /** Address of the Pushgateway that metrics go to. @default - none */
  readonly pushgateway?: string;
}

/** Where the program finds its files. */
export const COST_EXPORT_PATHS = {
  /** `CostExportConfig` as JSON. */
  config: '/etc/mediform/cost/config.json',
  /** Folder of the price files. */
  prices: '/etc/mediform/cost/prices',
  /** Where the volume of the ledger is mounted. */
  ledger: '/var/lib/mediform/ledger',
} as const;
