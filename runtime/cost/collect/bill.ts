import type { BillSettings } from '../../../constructs/plan/cost/config';
import { isoSecond, type DayBounds } from '../../../constructs/plan/cost/days';
import { Decimal, money } from '../../../constructs/plan/cost/money';
import type { BilledResource } from '../../../constructs/plan/cost/usage';
import { Engine, literal, type QueryRow } from '../ledger/engine';
import { LedgerError } from '../ledger/errors';
import type { S3Settings } from '../s3';
import { billFiles } from './bill-files';

/** Where a format has what is needed of a line of the bill. */
interface Format {
  readonly name: string;
  readonly resource: string;
  readonly start: string;
  readonly end: string;
  readonly currency: string;
  readonly invoice: string;
  readonly billed: string;
  readonly effective: string;
  readonly contracted: string;
  readonly list: string;
  /** Which lines are usage: not purchases, taxes and credits. */
  readonly isUsage: string;
  /** Columns that tell a line from others, of those that a file has. */
  readonly identity: readonly string[];
}

const FORMATS: { readonly [F in BillSettings['format']]: Format } = {
  focus: {
    name: 'FOCUS',
    resource: 'ResourceId',
    start: 'ChargePeriodStart',
    end: 'ChargePeriodEnd',
    currency: 'BillingCurrency',
    invoice: 'InvoiceId',
    billed: 'BilledCost',
    effective: 'EffectiveCost',
    contracted: 'ContractedCost',
    list: 'ListCost',
    isUsage: "ChargeCategory = 'Usage'",
    identity: [
      'SkuId',
      'SkuPriceId',
      'SkuMeter',
      'ChargeDescription',
      'PricingQuantity',
      'CommitmentDiscountId',
      'x_Operation',
      'x_UsageType',
    ],
  },
  'cur-2.0': {
    name: 'CUR 2.0',
    resource: 'line_item_resource_id',
    start: 'line_item_usage_start_date',
    end: 'line_item_usage_end_date',
    currency: 'line_item_currency_code',
    invoice: 'bill_invoice_id',
    billed: 'line_item_unblended_cost',
    // what was bought ahead is spread over what it covered
    effective: `CASE line_item_line_item_type
      WHEN 'SavingsPlanCoveredUsage' THEN savings_plan_savings_plan_effective_cost
      WHEN 'DiscountedUsage' THEN reservation_effective_cost
      ELSE line_item_unblended_cost END`,
    contracted: 'line_item_unblended_cost',
    list: 'pricing_public_on_demand_cost',
    isUsage: "line_item_line_item_type IN ('Usage', 'SavingsPlanCoveredUsage', 'DiscountedUsage')",
    identity: ['identity_line_item_id'],
  },
};

/**
 * What the bill says of each resource in a day. A line that two files have, as exports do that keep old versions, counts
 * once. A bill that does not reach the end of the day yet says nothing of it.
 *
 * @throws LedgerError where the files cannot be read, are in another currency, or have lines that reach over the day
 */
export async function readBill(
  { location, format }: BillSettings,
  day: string,
  bounds: DayBounds,
  currency: string,
  s3: S3Settings = {},
): Promise<BilledResource[]> {
  const months = [...new Set([bounds.start, bounds.end - 1].map((second) => isoSecond(second).slice(0, 7)))];
  const files = await billFiles(location, months, s3);
  try {
    return files.paths.length === 0 ? [] : await readFiles(FORMATS[format], files.paths, day, bounds, currency);
  } finally {
    await files.close();
  }
}

async function readFiles(
  format: Format,
  paths: readonly string[],
  day: string,
  { start, end }: DayBounds,
  currency: string,
): Promise<BilledResource[]> {
  const engine = await Engine.start('512MB');
  try {
    const lines = await linesSql(engine, format, paths);
    const [dayStart, dayEnd] = [`to_timestamp(${start})`, `to_timestamp(${end})`];
    const [facts] = await engine.query(`SELECT
      COUNT(*) FILTER (line_end - line_start <= INTERVAL 1 DAY AND (line_start < ${dayStart} OR line_end > ${dayEnd})) AS across,
      COUNT(*) FILTER (currency <> ${literal(currency)}) AS foreign_lines, ANY_VALUE(currency) AS currency,
      COALESCE(MAX(line_end) >= ${dayEnd}, false) AS complete
      FROM (${lines}) WHERE line_start < ${dayEnd} AND line_end > ${dayStart}`);
    check(facts, format, day, currency);
    if (facts?.complete !== true) {
      return [];
    }
    const rows = await engine.query(`SELECT resource, MIN(invoice) AS invoice, SUM(billed * n) AS billed,
      SUM(effective * n) AS effective, SUM(contracted * n) AS contracted, SUM(list * n) AS list
      FROM (${lines}) WHERE line_start >= ${dayStart} AND line_end <= ${dayEnd} GROUP BY resource ORDER BY resource`);
    return rows.map((row) => billedResource(row, format, day));
  } catch (cause) {
    throw cause instanceof LedgerError
      ? cause
      : new LedgerError(`the bill cannot be read as ${format.name}: ${(cause as Error).message}`, { cause });
  } finally {
    engine.close();
  }
}

/** Lines of usage with a resource; `n` is how often a line is there in the file that has it most often. */
async function linesSql(engine: Engine, format: Format, paths: readonly string[]): Promise<string> {
  const files = `read_parquet([${paths.map(literal).join(', ')}], union_by_name = true, filename = true, hive_partitioning = false)`;
  const columns = new Set(
    (await engine.query(`DESCRIBE SELECT * FROM ${files}`)).map(({ column_name }) => column_name),
  );
  const identity = format.identity.filter((name) => columns.has(name)).map((name) => `"${name}"`);
  const amount = (expression: string): string => `CAST(${expression} AS DECIMAL(38, 12))`;
  const counted = `SELECT ${[
    ...identity,
    `${format.resource} AS resource`,
    `CAST(${format.start} AS TIMESTAMPTZ) AS line_start`,
    `CAST(${format.end} AS TIMESTAMPTZ) AS line_end`,
    `${format.currency} AS currency`,
    columns.has(format.invoice) ? `NULLIF(${format.invoice}, '') AS invoice` : 'CAST(NULL AS VARCHAR) AS invoice',
    `${amount(format.billed)} AS billed`,
    `${amount(format.effective)} AS effective`,
    `${amount(format.contracted)} AS contracted`,
    `COALESCE(${amount(format.list)}, ${amount(format.billed)}) AS list`,
    'filename',
    'COUNT(*) AS n',
  ].join(', ')} FROM ${files} WHERE ${format.isUsage} AND ${format.resource} <> '' GROUP BY ALL`;
  return `SELECT * EXCLUDE (filename, n), MAX(n) AS n FROM (${counted}) GROUP BY ALL`;
}

function check(facts: QueryRow | undefined, format: Format, day: string, currency: string): void {
  if (Number(facts?.foreign_lines) > 0) {
    throw new LedgerError(
      `'currency' (${currency}) must be ${String(facts?.currency)} because the ${format.name} bill has amounts in it`,
    );
  }
  if (Number(facts?.across) > 0) {
    throw new LedgerError(
      `the ${format.name} bill has ${Number(facts?.across)} lines that reach over the start or the end of ${day}; ` +
        'export it with hourly lines, or keep the ledger in the time zone UTC',
    );
  }
}

function billedResource(row: QueryRow, format: Format, day: string): BilledResource {
  const amount = (name: string): Decimal => money(new Decimal((row[name] as Decimal | null) ?? 0));
  return {
    resourceId: row.resource as string,
    billed: amount('billed'),
    effective: amount('effective'),
    contracted: amount('contracted'),
    list: amount('list'),
    invoiceId: (row.invoice as string | null) ?? undefined,
    source: `${format.name} bill`,
    published: day,
  };
}
