/** The cost ledger: what each day cost, where its prices are from, and what it adds up to. */
export * from './insights';
export { CostMonitor, type DailyCost } from './monitor';
export { Ledger, type DamagedDay, type LedgerOptions, type LedgerSettings, type QueryOptions } from './ledger/ledger';
export type { QueryRow, QueryValue } from './ledger/engine';
export type { S3Settings } from './s3';
export { DamagedLedgerError, LedgerError } from './ledger/errors';
export { collectDay, type CollectedDay, type CollectOptions } from './collect/collect-day';
export { collectDays, type CollectDaysOptions, type DayResult } from './collect/collect-days';
export { readCostConfig, readPriceFiles } from './prices/read-files';
export {
  pricesFromAws,
  spotPricesFromAws,
  type AwsOfferFile,
  type AwsPriceOptions,
  type AwsProductList,
  type AwsSpotHistory,
} from './prices/aws';
export { allocateDay, type AllocationRules, type DayInput } from '../../constructs/plan/cost/allocate/allocate-day';
export type { LedgerContext, SharedCostRule } from '../../constructs/plan/cost/allocate/context';
export {
  COST_CATEGORIES,
  COST_GROUPS,
  CostCategory,
  type Confidence,
  type CostGroup,
} from '../../constructs/plan/cost/categories';
export { COST_COLUMN, LEDGER_COLUMNS, type ColumnType, type LedgerColumn } from '../../constructs/plan/cost/columns';
export type * from '../../constructs/plan/cost/config';
export { Decimal } from '../../constructs/plan/cost/money';
export { PriceBook, type FoundPrice, type PriceQuery } from '../../constructs/plan/cost/price-book';
export type { LedgerDay, LedgerRow } from '../../constructs/plan/cost/row';
export type * from '../../constructs/plan/cost/price-file';
export type * from '../../constructs/plan/cost/usage';
