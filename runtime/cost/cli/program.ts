import { Command, CommanderError, Option } from 'commander';
import { ConfigurationError } from '../../../constructs/plan/errors';
import { LedgerError } from '../ledger/errors';
import * as commands from './commands';
import { exportRows } from './export';
import { ExitCode, type Io } from './io';
import { shared, year } from './options';
import { BREAKDOWNS } from './sheets';

/**
 * Runs `mediform`.
 *
 * @param args without the names of Node and of the program
 * @returns the exit code: 0, 1 (something failed), 2 (wrong command line) or 3 (`--fail-over-budget`)
 */
export async function run(args: readonly string[], io: Io): Promise<number> {
  let code: number = ExitCode.OK;
  const program = new Command('mediform')
    .description('Typed infrastructure for medical AI inference')
    .exitOverride()
    .configureOutput({ writeOut: io.out, writeErr: io.err });
  const cost = program.command('cost').description('what AI inference costs, and what to do about it');
  const add = (
    name: string,
    description: string,
    options: readonly Option[],
    // commander has checked what its options say
    action: (io: Io, flags: never) => Promise<number>,
  ): void => {
    const command = cost.command(name).description(description);
    options.forEach((option) => command.addOption(option));
    command.action(async (flags) => {
      code = await action(io, flags as never);
    });
  };
  const { ledger, from, to, format, monthlyBudget, failOverBudget, diagnosis, prices, config } = shared;
  const advice = (): Option[] => [shared.manifests(), shared.models(), shared.prometheus()];
  add(
    'collect',
    'write the days that the ledger lacks, or those from --from on again',
    [ledger(), config(), prices(), from(), to()],
    commands.collect,
  );
  add(
    'report',
    'cost by service, model, month, category or day',
    [
      ledger(),
      from(),
      to(),
      new Option('--by <what>', 'one breakdown alone; CSV has the first').choices(BREAKDOWNS),
      diagnosis(),
      monthlyBudget(),
      failOverBudget(),
      format(),
    ],
    commands.report,
  );
  add(
    'forecast',
    'what the year will have cost',
    [
      ledger(),
      new Option('--year <year>', 'another year than that of the last day').argParser(year),
      new Option('--level <level>', 'probability of the interval').choices(['0.8', '0.9', '0.95']).default('0.8'),
      monthlyBudget(),
      failOverBudget(),
      format(),
    ],
    commands.forecast,
  );
  add(
    'advise',
    'what to change, and what that saves',
    [ledger(), from(), to(), ...advice(), format()],
    commands.advise,
  );
  add(
    'export',
    'the rows of the ledger, with all FOCUS columns',
    [
      ledger(),
      from(),
      to(),
      new Option('--format <format>', 'how to write them; JSON has an object in each line')
        .choices(['csv', 'json'])
        .default('csv'),
      new Option('--output <file>', 'where to, instead of the standard output'),
    ],
    exportRows,
  );
  add(
    'dashboard',
    'all of it as one page of HTML',
    [
      ledger(),
      new Option('--output <file>', 'file of the page').makeOptionMandatory(),
      from(),
      to(),
      new Option('--title <title>', 'heading of the page'),
      diagnosis(),
      monthlyBudget(),
      ...advice(),
    ],
    commands.dashboard,
  );
  add(
    'estimate',
    'what a stack will cost a month before it is deployed',
    [
      new Option('--manifests <folder>', 'manifests that a synthesis wrote').default('dist'),
      prices(),
      config(),
      new Option('--day <day>', 'day whose prices are taken; by default today'),
      monthlyBudget(),
      failOverBudget(),
      format(),
    ],
    commands.estimate,
  );
  try {
    await program.parseAsync([...args], { from: 'user' });
    return code;
  } catch (error) {
    return ended(error, io);
  }
}

/** Help and a wrong command line have been written by commander; for anything else, a line for each problem. */
function ended(error: unknown, io: Io): number {
  if (error instanceof CommanderError) {
    return error.exitCode === 0 ? ExitCode.OK : ExitCode.USAGE;
  }
  // an error of this library says all that there is to do; for any other, the trace says where to look
  const { message, stack } = error as Error;
  const known = error instanceof ConfigurationError || error instanceof LedgerError || 'code' in (error as object);
  for (const line of (known ? message : (stack ?? message)).split('\n')) {
    io.err(`mediform: ${line}\n`);
  }
  return ExitCode.FAILED;
}
