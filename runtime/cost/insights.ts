/** What is made of the ledger: analyses, forecast, advice, report. */
export {
  CostAnalyzer,
  type DailyTrend,
  type DiagnosisCost,
  type ModelCost,
  type ServiceCost,
} from './analysis/analyzer';
export type { MonthComparison, ServiceChange } from './analysis/months';
export type { Period } from './analysis/period';
export type { TrendDay } from './analysis/trend';
export { type Backtest, type MethodScore } from './forecast/backtest';
export type { MethodName } from './forecast/methods';
export type { ForecastDay, ForecastOptions, IntervalLevel, YearForecast } from './forecast/year';
export { CostOptimizationAdvisor, type AdvisorOptions } from './advice/advisor';
export { constraintsOf } from './advice/constraints';
export {
  ADVICE_RULES,
  type Advice,
  type AdviceConfidence,
  type AdviceKind,
  type AdviceReport,
  type AdviceRules,
  type CacheUsage,
  type ModelFacts,
  type ServiceConstraints,
  type WithheldAdvice,
} from './advice/types';
export { costDashboard, type DashboardOptions } from './report/dashboard';
export { costReport, type BudgetState, type CostReport, type PriceSource, type ReportOptions } from './report/report';
