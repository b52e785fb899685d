/** The cost ledger: what each day cost, where its prices are from, and what it adds up to. */
export * from './insights';
export { CostMonitor, type DailyCost } from './monitor';
export { Ledger, type DamagedDay, type LedgerOptions, type QueryOptions } from './ledger/ledger';
export type { QueryRow, QueryValue } from './ledger/engine';
export type { S3Settings } from './ledger/s3-store';
export { DamagedLedgerError, LedgerError } from './ledger/errors';
export {
  COST_CATEGORIES,
  COST_GROUPS,
  CostCategory,
  type Confidence,
  type CostGroup,
} from '../../constructs/plan/cost/categories';
export { COST_COLUMN, LEDGER_COLUMNS, type ColumnType, type LedgerColumn } from '../../constructs/plan/cost/columns';
export { Decimal } from '../../constructs/plan/cost/money';
export type { LedgerDay, LedgerRow } from '../../constructs/plan/cost/row';
export type * from '../../constructs/plan/cost/price-file';
