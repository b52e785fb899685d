import { CostAnalyzer, CostOptimizationAdvisor, type Ledger } from 'mediform/cost';
import { addDays } from '../../constructs/plan/cost/days';
import { DAYS, FIRST_DAY } from './rows';

/** Something that is asked of a whole ledger. */
export interface Analysis {
  readonly name: string;
  readonly run: (ledger: Ledger) => Promise<unknown>;
}

const YEAR = { from: FIRST_DAY, to: addDays(FIRST_DAY, DAYS - 1) };

/** All that is measured, against one bare scan. */
export const ANALYSES: readonly Analysis[] = [
  { name: 'by service', run: (ledger) => new CostAnalyzer(ledger).byService(YEAR) },
  { name: 'by model', run: (ledger) => new CostAnalyzer(ledger).byModel(YEAR) },
  { name: 'daily trend', run: (ledger) => new CostAnalyzer(ledger).dailyTrend(YEAR) },
  { name: 'month against month', run: (ledger) => new CostAnalyzer(ledger).monthAgainstMonth() },
  { name: 'forecast of the year', run: (ledger) => new CostAnalyzer(ledger).forecastYear() },
  { name: 'advice', run: (ledger) => new CostOptimizationAdvisor(ledger).advise(YEAR) },
];
