import { MONEY_SCALE, PRICE_SCALE, QUANTITY_SCALE, USAGE_SCALE } from './money';

/** Types of the ledger's columns, as DuckDB and Athena both write them. */
export type ColumnType = 'varchar' | 'timestamp' | 'date' | 'bigint' | `decimal(${number},${number})`;

/** A column of the ledger. */
export interface LedgerColumn {
  /** Name as in FOCUS 1.2; those of our own start with `x_`. */
  readonly name: string;
  readonly type: ColumnType;
  /** Whether a row may leave it empty. */
  readonly nullable: boolean;
  readonly description: string;
}

const MONEY: ColumnType = `decimal(18,${MONEY_SCALE})`;
const PRICE: ColumnType = `decimal(38,${PRICE_SCALE})`;
const QUANTITY: ColumnType = `decimal(38,${QUANTITY_SCALE})`;
const USAGE: ColumnType = `decimal(18,${USAGE_SCALE})`;

function required(name: string, type: ColumnType, description: string): LedgerColumn {
  return { name, type, nullable: false, description };
}

function optional(name: string, type: ColumnType, description: string): LedgerColumn {
  return { name, type, nullable: true, description };
}

/**
 * All columns of the ledger's Parquet files, in their order. A day's file is `day=YYYY-MM-DD/part-0.parquet`; `day` itself
 * (a date) is the partition and no column of the file.
 *
 * Amounts are `decimal(18,9)`: below a billion for each row, to the billionth. All of a row is about one day.
 */
export const LEDGER_COLUMNS: readonly LedgerColumn[] = [
  required('BilledCost', MONEY, 'what an invoice says, or will say'),
  required('EffectiveCost', MONEY, 'what the day cost, upfront payments spread out: the column to add up'),
  required('ContractedCost', MONEY, 'at negotiated prices'),
  required('ListCost', MONEY, 'at list prices'),
  required('BillingCurrency', 'varchar', 'ISO 4217'),
  required('BillingAccountId', 'varchar', 'who pays'),
  required('BillingAccountName', 'varchar', 'name of who pays'),
  required('BillingAccountType', 'varchar', 'what kind of account it is'),
  required('BillingPeriodStart', 'timestamp', 'first moment of the calendar month in UTC'),
  required('BillingPeriodEnd', 'timestamp', 'first moment after it'),
  optional('SubAccountId', 'varchar', 'the cluster'),
  optional('SubAccountName', 'varchar', 'the cluster'),
  optional('SubAccountType', 'varchar', '`Cluster`'),
  optional('InvoiceId', 'varchar', 'of the bill that the amount was taken from'),
  required('InvoiceIssuerName', 'varchar', 'who sends the bill'),
  required('ProviderName', 'varchar', 'who provides it'),
  required('PublisherName', 'varchar', 'who made it'),
  required('ChargePeriodStart', 'timestamp', 'first moment of the day, in UTC'),
  required(
    'ChargePeriodEnd',
    'timestamp',
    'first moment after the day, in UTC; 23 or 25 hours later when clocks change',
  ),
  required('ChargeCategory', 'varchar', '`Usage`, `Purchase`, `Tax`, `Credit` or `Adjustment`'),
  optional('ChargeClass', 'varchar', '`Correction` where an invoiced month is corrected'),
  required('ChargeDescription', 'varchar', 'the charge in words'),
  required('ChargeFrequency', 'varchar', '`Usage-Based`, `Recurring` or `One-Time`'),
  required('ServiceCategory', 'varchar', 'one of FOCUS: `Compute`, `Storage`, `AI and Machine Learning`, ...'),
  required('ServiceSubcategory', 'varchar', 'one of FOCUS: `Virtual Machines`, `Generative AI`, ...'),
  required(
    'ServiceName',
    'varchar',
    "the provider's offering, such as Amazon Elastic Compute Cloud; not the hospital's service",
  ),
  required('ResourceId', 'varchar', 'what was paid for: a node, a volume, a model, a role'),
  required('ResourceName', 'varchar', 'its name for people'),
  required('ResourceType', 'varchar', '`Node`, `Volume`, `Traffic`, `Model`, `Data store`, `Role`, `Shared`'),
  optional('RegionId', 'varchar', 'region of the provider'),
  optional('RegionName', 'varchar', 'region of the provider'),
  optional('AvailabilityZone', 'varchar', 'zone of the region'),
  optional('SkuId', 'varchar', 'what the price is for, such as an instance type'),
  optional('SkuMeter', 'varchar', 'what is metered of it'),
  optional('SkuPriceId', 'varchar', 'which of its prices'),
  optional('SkuPriceDetails', 'varchar', 'JSON object'),
  optional('PricingCategory', 'varchar', '`Standard`, `Dynamic` (Spot), `Committed` or `Other`'),
  required('PricingCurrency', 'varchar', 'ISO 4217; currency of the price, which may be another than that of the bill'),
  required('PricingCurrencyEffectiveCost', MONEY, '`EffectiveCost` in the currency of the price'),
  optional('PricingCurrencyListUnitPrice', PRICE, '`ListUnitPrice` in the currency of the price'),
  optional('PricingCurrencyContractedUnitPrice', PRICE, '`ContractedUnitPrice` in the currency of the price'),
  optional('ListUnitPrice', PRICE, 'list price of one pricing unit'),
  optional('ContractedUnitPrice', PRICE, 'negotiated price of one pricing unit'),
  optional(
    'PricingQuantity',
    QUANTITY,
    'pricing units paid for: cost divided by unit price, so that shares have theirs',
  ),
  optional('PricingUnit', 'varchar', '`Hours`, `GB-Months`, `GB`, `1000000 Tokens`, ...'),
  optional('ConsumedQuantity', USAGE, 'what was used'),
  optional('ConsumedUnit', 'varchar', '`GPU-Hours`, `vCPU-Hours`, `GB-Hours`, `Tokens`, ...'),
  required('Tags', 'varchar', 'JSON object'),
  required(
    'x_Category',
    'varchar',
    '`gpu`, `cpu`, `storage`, `network`, `api`, `data_storage`, `people`, `idle`, `shared`',
  ),
  optional('x_Service', 'varchar', "the hospital's service; empty where the cost is of none"),
  optional('x_Model', 'varchar', 'the model; empty where the cost is of none'),
  optional('x_Namespace', 'varchar', 'namespace of the pods'),
  optional('x_Priority', 'varchar', '`emergency`, `normal` or `batch`'),
  required('x_PriceSource', 'varchar', 'where the price is from'),
  required('x_PriceDate', 'date', 'day on which the source published the price'),
  required('x_Confidence', 'varchar', '`billed`, `metered` or `declared`'),
  required(
    'x_AllocationRule',
    'varchar',
    'how the amount came to this row: `direct`, `gpu-cpu-memory`, `by-cost`, ...',
  ),
  optional(
    'x_UsageHours',
    USAGE,
    'hours that the model ran, all replicas together, or worked, where somebody else runs it; once for each replica',
  ),
  optional(
    'x_Utilisation',
    'decimal(9,6)',
    'mean use of what the row pays for, from 0 to 1; empty where it is not measured',
  ),
  optional(
    'x_Calls',
    'bigint',
    "requests that were answered; on the service's and model's `api` row only, so that sums are right",
  ),
  optional('x_InputTokens', 'bigint', 'tokens read; on the same row'),
  optional('x_OutputTokens', 'bigint', 'tokens written; on the same row'),
  optional('x_InferenceSeconds', USAGE, 'seconds that models worked; on the same row'),
  optional('x_CacheHits', 'bigint', 'requests that a cache answered; on the same row'),
  optional('x_CacheMisses', 'bigint', 'requests that no cache answered; on the same row'),
];

/** The column that adds up to what a day cost. */
export const COST_COLUMN = 'EffectiveCost';

/** Name of the partition key: the day, a date in the ledger's time zone. */
export const PARTITION_COLUMN = 'day';

/** Columns that together tell one row of a day from every other. */
export const KEY_COLUMNS = [
  'x_Category',
  'x_Service',
  'x_Model',
  'x_Namespace',
  'x_Priority',
  'ResourceId',
  'SkuId',
  'SkuMeter',
] as const;
