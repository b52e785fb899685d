import { addDays } from '../../../constructs/plan/cost/days';
import {
  CostOptimizationAdvisor,
  Decimal,
  Ledger,
  type AdviceReport,
  type AdvisorOptions,
  type LedgerRow,
  type ServiceConstraints,
} from 'mediform/cost';
import { inFolder, ledgerDay, row } from './support';

export type Given = { readonly [C in keyof LedgerRow]?: LedgerRow[C] };
export type Rows = readonly (readonly [cost: string, given: Given])[];

export const money = (text: string): Decimal => new Decimal(text);

/** The same day, some times over, and what is advised on it. */
export async function advise(rows: Rows, options: AdvisorOptions = {}, days = 2): Promise<AdviceReport> {
  let report: AdviceReport | undefined;
  await inFolder(async (folder) => {
    const ledger = await Ledger.open(folder, { threads: 1 });
    try {
      for (let index = 0; index < days; index++) {
        const day = addDays('2026-03-01', index);
        const ofDay = rows.map(([cost, given], number) => row(cost, { ResourceId: `r-${number}`, ...given }, day));
        await ledger.writeDay(ledgerDay(day, ofDay));
      }
      const period = { from: '2026-03-01', to: addDays('2026-03-01', days - 1) };
      report = await new CostOptimizationAdvisor(ledger, options).advise(period);
    } finally {
      await ledger.close();
    }
  });
  return report as AdviceReport;
}

/** Four replicas of a service that use their GPUs little; 24 € a day for each. */
export const IDLE: Rows = [
  ['96', { x_Service: 'ct', x_Model: 'unet', x_UsageHours: money('96'), x_Utilisation: money('0.12') }],
  ['0', { x_Service: 'ct', x_Model: 'unet', x_Category: 'api', x_Calls: 50 }],
];
export const CT: ServiceConstraints = {
  service: 'ct',
  construct: 'imaging/ct',
  priority: 'normal',
  minReplicas: 4,
  maxReplicas: 20,
};
