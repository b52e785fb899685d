import { InvalidArgumentError, Option } from 'commander';
import { isDay, addDays } from '../../../constructs/plan/cost/days';
import type { Period } from '../analysis/period';
import type { Ledger } from '../ledger/ledger';
import { FORMATS } from './sheet';

/** Options that commands share. */
export const shared = {
  ledger: (): Option =>
    new Option('--ledger <location>', 'folder or s3://bucket/prefix of the ledger')
      .env('MEDIFORM_COST_LEDGER')
      .makeOptionMandatory(),
  from: (): Option => new Option('--from <day>', 'first day, YYYY-MM-DD').argParser(day),
  to: (): Option => new Option('--to <day>', 'last day, YYYY-MM-DD').argParser(day),
  format: (): Option => new Option('--format <format>', 'how to write it').choices(FORMATS).default('table'),
  monthlyBudget: (): Option =>
    new Option('--monthly-budget <amount>', 'what a month may cost, in the ledger’s currency').argParser(amount),
  failOverBudget: (): Option =>
    new Option('--fail-over-budget', 'end with exit code 3 where the budget is passed').default(false),
  diagnosis: (): Option => new Option('--diagnosis-service <name...>', 'services whose calls are diagnoses'),
  prices: (): Option =>
    new Option('--prices <path>', 'price file, or folder of price files')
      .env('MEDIFORM_COST_PRICES')
      .makeOptionMandatory(),
  config: (): Option =>
    new Option('--config <file>', 'what the ledger is made from, as YAML or JSON')
      .env('MEDIFORM_COST_CONFIG')
      .makeOptionMandatory(),
  manifests: (): Option => new Option('--manifests <folder>', 'manifests that a synthesis wrote'),
  models: (): Option => new Option('--models <file>', 'tasks and accuracies of the models, as YAML or JSON'),
  prometheus: (): Option => new Option('--prometheus <url>', 'Prometheus that has the metrics of the caches'),
};

function day(text: string): string {
  if (!isDay(text)) {
    throw new InvalidArgumentError('It is no day YYYY-MM-DD.');
  }
  return text;
}

function amount(text: string): string {
  if (!/^\d+(\.\d+)?$/.test(text)) {
    throw new InvalidArgumentError('It is no amount, such as 12000 or 99.50.');
  }
  return text;
}

/** Reads a year; for commander. */
export function year(text: string): number {
  if (!/^\d{4}$/.test(text)) {
    throw new InvalidArgumentError('It is no year YYYY.');
  }
  return Number(text);
}

/** The days that were asked for; by default the last 30 of the ledger. Undefined where the ledger has none. */
export async function periodOf(
  ledger: Ledger,
  { from, to }: { readonly from?: string; readonly to?: string },
): Promise<Period | undefined> {
  const last = to ?? (await ledger.days()).at(-1);
  return last === undefined ? undefined : { from: from ?? addDays(last, -29), to: last };
}
