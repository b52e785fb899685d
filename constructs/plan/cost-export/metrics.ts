/** Job under which the metrics of ledgers are pushed. */
export const COST_JOB = 'mediform_cost';

/**
 * Metrics of a ledger, all gauges with the labels `job="mediform_cost"`, `ledger` (`namespace/name`) and, of money,
 * `currency`.
 */
export const CostMetric = {
  /** Last second of the ledger's last day. */
  LAST_DAY: 'mediform_cost_last_day_end_timestamp_seconds',
  /** Days of those that are looked at that the ledger lacks. */
  MISSING_DAYS: 'mediform_cost_missing_days',
  /** Cost of the last day, `category`. */
  DAY: 'mediform_cost_last_day',
  /** Cost of the last day, `service`. */
  DAY_OF_SERVICE: 'mediform_cost_last_day_of_service',
  /** Calls of the last day, `service`. */
  CALLS_OF_SERVICE: 'mediform_cost_last_day_calls',
  /** Cost of the last day, `model`. */
  DAY_OF_MODEL: 'mediform_cost_last_day_of_model',
  /** Usage hours of the last day, `model`. */
  HOURS_OF_MODEL: 'mediform_cost_last_day_model_hours',
  /** Cost of the month of the last day, up to it. */
  MONTH: 'mediform_cost_month_to_date',
  /** Cost of the same days of the month before; absent where the ledger lacks one. */
  MONTH_BEFORE: 'mediform_cost_previous_month_to_date',
  /** What the month will have cost at the mean of its days so far. */
  MONTH_PROJECTED: 'mediform_cost_month_projected',
  /** What a month may cost; absent without a budget. */
  BUDGET: 'mediform_cost_month_budget',
} as const;
