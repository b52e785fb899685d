import { addDays, dayAt, daysBetween } from '../../../constructs/plan/cost/days';
import { estimateStack } from '../../../constructs/plan/cost/estimate/estimate';
import { Decimal } from '../../../constructs/plan/cost/money';
import { CostOptimizationAdvisor } from '../advice/advisor';
import { CostAnalyzer } from '../analysis/analyzer';
import { collectDays } from '../collect/collect-days';
import type { IntervalLevel } from '../forecast/year';
import { LedgerError } from '../ledger/errors';
import type { Ledger } from '../ledger/ledger';
import { readManifests } from '../manifests/read';
import { stackOf } from '../manifests/stack';
import { readCostConfig, readPriceFiles } from '../prices/read-files';
import { costDashboard } from '../report/dashboard';
import { Format } from '../report/format';
import { costReport, type ReportOptions } from '../report/report';
import { adviceInputs, type AdviceSources } from './inputs';
import { withLedger, writeOut, type LedgerFlags, type PeriodFlags } from './files';
import { ExitCode, Progress, type Io } from './io';
import { periodOf } from './options';
import { csvText, tableText, type OutputFormat, type Sheet } from './sheet';
import { adviceSheet, BREAKDOWNS, estimateSheet, forecastSheet, reportSheet, type Breakdown } from './sheets';

interface BudgetFlags {
  readonly monthlyBudget?: string;
  readonly failOverBudget: boolean;
}

interface FormatFlag {
  readonly format: OutputFormat;
}

/** `collect`: days that the ledger lacks, up to yesterday, or those that were named. */
export async function collect(
  io: Io,
  flags: LedgerFlags & PeriodFlags & { readonly config: string; readonly prices: string },
): Promise<number> {
  const config = await readCostConfig(flags.config);
  const prices = await readPriceFiles(flags.prices);
  return withLedger(
    flags,
    async (ledger) => {
      const yesterday = addDays(dayAt(Math.floor(io.now().getTime() / 1000), config.timeZone ?? 'UTC'), -1);
      const to = flags.to ?? yesterday;
      const known = await ledger.days();
      // what was asked for is collected anew; otherwise, what is missing
      const days = flags.from === undefined ? await ledger.gaps(known[0] ?? to, to) : daysBetween(flags.from, to);
      if (days.length === 0) {
        io.err(`the ledger has every day up to ${to}\n`);
      }
      const progress = new Progress(io, days.length);
      const results = await collectDays({
        ledger,
        config,
        prices,
        days,
        onDay: (result) => progress.step(`${result.day} ${result.ok ? 'collected' : 'failed'}`),
      });
      for (const result of results) {
        if (!result.ok) {
          io.err(`${result.day}: ${result.error.message}\n`);
        } else if (result.unmatched.length > 0) {
          io.err(
            `${result.day}: the bill has ${result.unmatched.length} resources that nothing here has; not in the ledger\n`,
          );
        }
      }
      const failed = results.filter(({ ok }) => !ok);
      io.out(`${results.length - failed.length} of ${results.length} days collected\n`);
      return failed.length === 0 ? ExitCode.OK : ExitCode.FAILED;
    },
    { make: true },
  );
}

/** `report`: what there is to say about some days. */
export async function report(
  io: Io,
  flags: LedgerFlags &
    PeriodFlags &
    FormatFlag &
    BudgetFlags & { readonly by?: Breakdown; readonly diagnosisService?: readonly string[] },
): Promise<number> {
  checkBudget(flags);
  return withLedger(flags, async (ledger) => {
    const found = await costReport(ledger, await reportOptions(io, ledger, flags));
    const format = new Format(found.currency);
    const sheets = (flags.by === undefined ? BREAKDOWNS.filter((by) => by !== 'day') : [flags.by]).map((by) =>
      reportSheet(found, by),
    );
    const { diagnosis, budget } = found;
    const notes = [
      `Total ${format.money(found.total)}${found.trend.missing.length > 0 ? `, without ${found.trend.missing.length} days that the ledger lacks` : ''}`,
      ...(diagnosis === undefined
        ? []
        : [
            `A diagnosis costs ${format.unitCost(diagnosis.costPerDiagnosis)} (${format.count(diagnosis.diagnoses)} diagnoses)`,
          ]),
      ...(budget === undefined
        ? []
        : [
            `${budget.month} has cost ${format.money(budget.spent)} of its budget of ${format.money(budget.budget)}, ${format.percent(budget.spentRatio)}`,
          ]),
    ];
    write(io, flags.format, sheets, found, format, notes);
    return flags.failOverBudget && budget?.passed === true
      ? overBudget(io, 'the budget of the month is passed')
      : ExitCode.OK;
  });
}

/** `forecast`: what the year will have cost. */
export async function forecast(
  io: Io,
  flags: LedgerFlags & FormatFlag & BudgetFlags & { readonly year?: number; readonly level: string },
): Promise<number> {
  checkBudget(flags);
  return withLedger(flags, async (ledger) => {
    const level = Number(flags.level) as IntervalLevel;
    const found = await new CostAnalyzer(ledger).forecastYear(flags.year, { level });
    const format = new Format(found.currency);
    const { year, total, lower, upper, backtest } = found;
    const scores = backtest.scores.map(
      ({ method, meanAbsoluteError }) => `${method} missed by ${format.percent(meanAbsoluteError)}`,
    );
    write(io, flags.format, [forecastSheet(found)], found, format, [
      `${year} will have cost ${format.money(total)}; with a probability of ${level * 100}%, ${format.money(lower)} to ${format.money(upper)}`,
      `Backtest over ${backtest.horizonDays} days, ${backtest.forecasts} times: ${scores.join(', ')}; ${backtest.winner} is used`,
    ]);
    const budget = flags.monthlyBudget === undefined ? undefined : new Decimal(flags.monthlyBudget).times(12);
    return flags.failOverBudget && budget !== undefined && total.greaterThan(budget)
      ? overBudget(io, `twelve months’ budget, ${format.money(budget)}, will be passed`)
      : ExitCode.OK;
  });
}

/** `advise`: what to change. */
export async function advise(io: Io, flags: LedgerFlags & PeriodFlags & FormatFlag & AdviceSources): Promise<number> {
  return withLedger(flags, async (ledger) => {
    const period = await periodOf(ledger, flags);
    if (period === undefined) {
      throw new LedgerError('the ledger has no day; collect some first');
    }
    const found = await new CostOptimizationAdvisor(ledger, await adviceInputs(flags, period)).advise(period);
    const format = new Format(found.currency);
    const withheld = found.withheld.map(({ subject, reason }) => `Not advised: ${subject}: ${reason}`);
    write(io, flags.format, [adviceSheet(found)], found, format, [
      `${format.money(found.monthlySaving)} a month could be saved at the same time`,
      ...withheld,
    ]);
    return ExitCode.OK;
  });
}

/** `dashboard`: all of it as one page of HTML. */
export async function dashboard(
  io: Io,
  flags: LedgerFlags &
    PeriodFlags &
    AdviceSources & {
      readonly output: string;
      readonly title?: string;
      readonly monthlyBudget?: string;
      readonly diagnosisService?: readonly string[];
    },
): Promise<number> {
  return withLedger(flags, async (ledger) => {
    const options = await reportOptions(io, ledger, flags);
    const found = await costReport(ledger, options);
    const generated = io.now().toISOString().slice(0, 16).replace('T', ' ');
    await writeOut(
      flags.output,
      await costDashboard(found, {
        generated: `${generated} UTC`,
        ...(flags.title === undefined ? {} : { title: flags.title }),
      }),
    );
    io.err(`${flags.output}\n`);
    return ExitCode.OK;
  });
}

/** `estimate`: what a stack will cost before it is deployed. */
export async function estimate(
  io: Io,
  flags: FormatFlag &
    BudgetFlags & {
      readonly manifests: string;
      readonly prices: string;
      readonly config: string;
      readonly day?: string;
    },
): Promise<number> {
  checkBudget(flags);
  const config = await readCostConfig(flags.config);
  const found = estimateStack({
    stack: stackOf(await readManifests(flags.manifests)),
    prices: await readPriceFiles(flags.prices),
    day: flags.day ?? dayAt(Math.floor(io.now().getTime() / 1000), config.timeZone ?? 'UTC'),
    config,
  });
  const format = new Format(found.currency);
  write(io, flags.format, [estimateSheet(found)], found, format, [
    `Fixed ${format.money(found.fixed)} a month; with all replicas at their maximum ${format.money(found.atMost)}`,
    ...found.waiting.map(
      ({ workload, pods }) => `${pods} pods of ${workload} would wait: the limits of the pools end before`,
    ),
    `Not included: ${found.notIncluded.join('; ')}`,
  ]);
  const budget = flags.monthlyBudget;
  return flags.failOverBudget && budget !== undefined && found.fixed.greaterThan(budget)
    ? overBudget(io, `what is fixed passes the budget of ${format.money(new Decimal(budget))}`)
    : ExitCode.OK;
}

async function reportOptions(
  io: Io,
  ledger: Ledger,
  flags: PeriodFlags &
    AdviceSources & { readonly monthlyBudget?: string; readonly diagnosisService?: readonly string[] },
): Promise<ReportOptions> {
  const period = await periodOf(ledger, flags);
  const progress = new Progress(io, REPORT_STEPS);
  return {
    ...(period === undefined ? {} : { period, advice: await adviceInputs(flags, period) }),
    ...(flags.monthlyBudget === undefined ? {} : { monthlyBudget: flags.monthlyBudget }),
    ...(flags.diagnosisService === undefined ? {} : { diagnosisServices: flags.diagnosisService }),
    // in a log, five lines about a second of work would be noise
    ...(io.terminal ? { onProgress: (what: string) => progress.step(what) } : {}),
  };
}

/** Steps that a report tells of. */
const REPORT_STEPS = 5;

function write(
  io: Io,
  format: OutputFormat,
  sheets: readonly Sheet[],
  json: object,
  numbers: Format,
  notes: readonly string[],
): void {
  if (format === 'json') {
    io.out(`${JSON.stringify(json, undefined, 2)}\n`);
  } else if (format === 'csv') {
    io.out(csvText(sheets[0] as Sheet));
  } else {
    io.out([...sheets.map((sheet) => tableText(sheet, numbers)), `${notes.join('\n')}\n`].join('\n'));
  }
}

/** A gate without a bound would let everything pass. */
function checkBudget({ failOverBudget, monthlyBudget }: BudgetFlags): void {
  if (failOverBudget && monthlyBudget === undefined) {
    throw new LedgerError('--fail-over-budget needs --monthly-budget');
  }
}

function overBudget(io: Io, why: string): number {
  io.err(`mediform: ${why}\n`);
  return ExitCode.OVER_BUDGET;
}
