import { LEDGER_COLUMNS, PARTITION_COLUMN, type ColumnType } from '../../../constructs/plan/cost/columns';

/** Names and Athena types of a table's columns. */
export interface Columns {
  readonly [column: string]: string;
}

/** A table over Parquet files in the cost bucket. */
export interface CostTable {
  /** Name in the Glue database. */
  readonly name: string;
  readonly description: string;
  readonly columns: Columns;
  readonly partition: { readonly name: string; readonly type: string };
  /** Folder of the partitions in the bucket, with a slash at its end. */
  readonly folder: string;
  /** How Athena works out the partitions by itself. */
  readonly projection: {
    /** Folder of one partition; `$` stands for its value. */
    readonly folder: string;
    readonly format: 'yyyy-MM' | 'yyyy-MM-dd';
    readonly first: string;
    readonly unit: 'MONTHS' | 'DAYS';
  };
}

/** Folders of the cost bucket. */
export const Folder = { CUR: 'cur2', FOCUS: 'focus', LEDGER: 'ledger', RESULTS: 'query-results' } as const;

/** Names of the exports of a component, unique in an account. Data Exports makes a folder of that name in the one it is given. */
export function exportNames(component: string): { readonly cur: string; readonly focus: string } {
  return { cur: `${component}-cost-and-usage`, focus: `${component}-focus-1-2` };
}

const MAP = 'map<string,string>';

/**
 * Columns of the Cost and Usage Report 2.0: what was used, for how much, on which resource, and which pod's share it is.
 * Source: "CUR 2.0 table dictionary" of the AWS Data Exports user guide. The ratio of a split is a number in a string.
 */
export const CUR_COLUMNS: Columns = {
  bill_bill_type: 'string',
  bill_billing_entity: 'string',
  bill_billing_period_end_date: 'timestamp',
  bill_billing_period_start_date: 'timestamp',
  bill_invoice_id: 'string',
  bill_payer_account_id: 'string',
  identity_line_item_id: 'string',
  identity_time_interval: 'string',
  line_item_availability_zone: 'string',
  line_item_currency_code: 'string',
  line_item_line_item_description: 'string',
  line_item_line_item_type: 'string',
  line_item_operation: 'string',
  line_item_product_code: 'string',
  line_item_resource_id: 'string',
  line_item_unblended_cost: 'double',
  line_item_unblended_rate: 'string',
  line_item_usage_account_id: 'string',
  line_item_usage_amount: 'double',
  line_item_usage_end_date: 'timestamp',
  line_item_usage_start_date: 'timestamp',
  line_item_usage_type: 'string',
  pricing_public_on_demand_cost: 'double',
  pricing_purchase_option: 'string',
  pricing_term: 'string',
  pricing_unit: 'string',
  product: MAP,
  product_instance_type: 'string',
  product_product_family: 'string',
  product_region_code: 'string',
  product_servicecode: 'string',
  reservation_effective_cost: 'double',
  reservation_reservation_a_r_n: 'string',
  resource_tags: MAP,
  savings_plan_savings_plan_a_r_n: 'string',
  savings_plan_savings_plan_effective_cost: 'double',
  split_line_item_actual_usage: 'double',
  split_line_item_parent_resource_id: 'string',
  split_line_item_public_on_demand_split_cost: 'double',
  split_line_item_public_on_demand_unused_cost: 'double',
  split_line_item_reserved_usage: 'double',
  split_line_item_split_cost: 'double',
  split_line_item_split_usage: 'double',
  split_line_item_split_usage_ratio: 'string',
  split_line_item_unused_cost: 'double',
};

/** Columns of `FOCUS_1_2_AWS` that are neither text nor listed here: none. Source: its table dictionary. */
const FOCUS_TYPES: Columns = {
  ...Object.fromEntries(
    [
      'BilledCost',
      'CommitmentDiscountQuantity',
      'ConsumedQuantity',
      'ContractedCost',
      'ContractedUnitPrice',
      'EffectiveCost',
      'ListCost',
      'ListUnitPrice',
      'PricingCurrencyContractedUnitPrice',
      'PricingCurrencyEffectiveCost',
      'PricingCurrencyListUnitPrice',
      'PricingQuantity',
    ].map((column) => [column, 'double']),
  ),
  ...Object.fromEntries(
    ['BillingPeriodEnd', 'BillingPeriodStart', 'ChargePeriodEnd', 'ChargePeriodStart'].map((column) => [
      column,
      'timestamp',
    ]),
  ),
  SkuPriceDetails: MAP,
  Tags: MAP,
  x_Discounts: 'map<string,double>',
};

/** Columns of the FOCUS 1.2 export, all that AWS fills, in the order of its table dictionary. */
export const FOCUS_COLUMNS: Columns = Object.fromEntries(
  `AvailabilityZone BilledCost BillingAccountId BillingAccountName BillingAccountType BillingCurrency BillingPeriodEnd
   BillingPeriodStart CapacityReservationId CapacityReservationStatus ChargeCategory ChargeClass ChargeDescription
   ChargeFrequency ChargePeriodEnd ChargePeriodStart CommitmentDiscountCategory CommitmentDiscountId
   CommitmentDiscountName CommitmentDiscountQuantity CommitmentDiscountStatus CommitmentDiscountType
   CommitmentDiscountUnit ConsumedQuantity ConsumedUnit ContractedCost ContractedUnitPrice EffectiveCost InvoiceId
   InvoiceIssuerName ListCost ListUnitPrice PricingCategory PricingCurrency PricingCurrencyContractedUnitPrice
   PricingCurrencyEffectiveCost PricingCurrencyListUnitPrice PricingQuantity PricingUnit ProviderName PublisherName
   RegionId RegionName ResourceId ResourceName ResourceType ServiceCategory ServiceName ServiceSubcategory SkuId
   SkuMeter SkuPriceDetails SkuPriceId SubAccountId SubAccountName SubAccountType Tags x_Discounts x_Operation
   x_ServiceCode`
    .split(/\s+/)
    .map((column) => [column, FOCUS_TYPES[column] ?? 'string']),
);

/** The query of an export: Data Exports refuses `SELECT *`. */
export function exportQuery(table: string, columns: Columns): string {
  return `SELECT ${Object.keys(columns).join(', ')} FROM ${table}`;
}

const MONTHLY = { folder: 'BILLING_PERIOD=$', format: 'yyyy-MM', first: '2025-01', unit: 'MONTHS' } as const;
const BILLING_PERIOD = { name: 'billing_period', type: 'string' };

/** The tables of the Glue database. */
export function costTables(component: string): readonly CostTable[] {
  const { cur, focus } = exportNames(component);
  return [
    {
      name: 'cost_and_usage',
      description: 'AWS Cost and Usage Report 2.0, with what each pod held of its node',
      columns: CUR_COLUMNS,
      partition: BILLING_PERIOD,
      folder: `${Folder.CUR}/${cur}/data/`,
      projection: MONTHLY,
    },
    {
      name: 'focus_1_2',
      description: 'AWS bill in FOCUS 1.2',
      columns: FOCUS_COLUMNS,
      partition: BILLING_PERIOD,
      folder: `${Folder.FOCUS}/${focus}/data/`,
      projection: MONTHLY,
    },
    {
      name: 'ledger',
      description: "mediform's cost ledger",
      columns: Object.fromEntries(LEDGER_COLUMNS.map(({ name, type }) => [name, athenaType(type)])),
      partition: { name: PARTITION_COLUMN, type: 'date' },
      folder: `${Folder.LEDGER}/`,
      projection: { folder: `${PARTITION_COLUMN}=$`, format: 'yyyy-MM-dd', first: '2025-01-01', unit: 'DAYS' },
    },
  ];
}

/** Parameters of a Glue table by which Athena works out the partitions, so that nothing has to look for new ones. */
export function projectionParameters({ partition, folder, projection }: CostTable, bucket: string): Columns {
  const column = `projection.${partition.name}`;
  return {
    'projection.enabled': 'true',
    [`${column}.type`]: 'date',
    [`${column}.format`]: projection.format,
    [`${column}.range`]: `${projection.first},NOW`,
    [`${column}.interval`]: '1',
    [`${column}.interval.unit`]: projection.unit,
    'storage.location.template': `s3://${bucket}/${folder}${projection.folder.replace('$', () => `\${${partition.name}}`)}/`,
  };
}

/** Glue calls texts `string`. */
function athenaType(type: ColumnType): string {
  return type === 'varchar' ? 'string' : type;
}
