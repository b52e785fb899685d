import { CostMonitor, type Ledger } from 'mediform/cost';
import { addDays } from '../../constructs/plan/cost/days';
import { DAYS, FIRST_DAY } from './rows';

/** Something that is asked of a whole ledger. */
export interface Analysis {
  readonly name: string;
  readonly run: (ledger: Ledger) => Promise<unknown>;
}

/** All that is measured, against one bare scan. */
export const ANALYSES: readonly Analysis[] = [
  {
    name: 'daily cost by category, of a year',
    run: (ledger) => new CostMonitor(ledger).days(FIRST_DAY, addDays(FIRST_DAY, DAYS - 1)),
  },
];
