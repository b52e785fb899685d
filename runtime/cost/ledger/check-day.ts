import { KEY_COLUMNS, LEDGER_COLUMNS } from '../../../constructs/plan/cost/columns';
import { isDay } from '../../../constructs/plan/cost/days';
import { Problems } from '../../../constructs/plan/errors';
import { sum } from '../../../constructs/plan/cost/money';
import type { LedgerDay, LedgerRow } from '../../../constructs/plan/cost/row';
import type { DayMetadata } from './day-metadata';

/** Throws a ConfigurationError with all that keeps a day from being written. */
export function checkDay(day: LedgerDay, neighbour: DayMetadata | undefined): void {
  const problems = new Problems();
  problems.check(isDay(day.day), 'day', day.day, 'be a day YYYY-MM-DD', 'it names the partition');
  const total = sum(day.rows.map(({ EffectiveCost }) => EffectiveCost));
  problems.check(
    total.equals(day.total),
    'total',
    day.total.toFixed(),
    `be ${total.toFixed()}`,
    'the rows of a day add up to what the day cost',
  );
  const currencies = new Set(day.rows.map(({ BillingCurrency }) => BillingCurrency));
  problems.check(
    [...currencies].every((currency) => currency === day.currency),
    'currency',
    day.currency,
    `be that of all rows (${[...currencies].join(', ')})`,
    'amounts of two currencies have no sum',
  );
  if (neighbour !== undefined) {
    const because = `${neighbour.day} has it, and days of one ledger neither overlap nor mix`;
    const { timeZone, currency } = neighbour;
    problems.check(day.timeZone === timeZone, 'timeZone', day.timeZone, `be ${timeZone}`, because);
    problems.check(day.currency === currency, 'currency', day.currency, `be ${currency}`, because);
  }
  const keys = new Set<string>();
  for (const row of day.rows) {
    const key = keyOf(row);
    problems.check(!keys.has(key), 'rows', key, 'be there once', 'a second row of the same key would count twice');
    keys.add(key);
    for (const { name, nullable } of LEDGER_COLUMNS) {
      const given = row[name as keyof LedgerRow] !== undefined;
      problems.check(nullable || given, name, undefined, 'be given', 'every row of the ledger has it');
    }
  }
  problems.throwIfAny();
}

/** Rows in the order of their keys, so that the same rows give the same file. */
export function inOrder(rows: readonly LedgerRow[]): readonly LedgerRow[] {
  const keyed = rows.map((row) => ({ row, key: keyOf(row) }));
  // not by locale, which differs from machine to machine
  return keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)).map(({ row }) => row);
}

function keyOf(row: LedgerRow): string {
  return KEY_COLUMNS.map((name) => row[name] ?? '').join(' | ');
}
