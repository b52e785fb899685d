import Table from 'cli-table3';
import { Decimal } from '../../../constructs/plan/cost/money';
import type { Format } from '../report/format';

/** Ways to write a result. */
export const FORMATS = ['table', 'json', 'csv'] as const;

/** `'table'`, `'json'` or `'csv'`. */
export type OutputFormat = (typeof FORMATS)[number];

/** A value of a sheet; amounts stay exact. */
export type Cell = string | number | Decimal | undefined;

/** A column of a sheet. */
export interface SheetColumn {
  /** Name in CSV. */
  readonly key: string;
  /** Name in a table. */
  readonly title: string;
  /** How its numbers are shown in a table. @default 'count' */
  readonly as?: 'money' | 'unit' | 'count' | 'percent';
  /** Width in a table, in characters; longer texts are wrapped. @default - as wide as its texts */
  readonly width?: number;
}

/** A result as rows and columns. */
export interface Sheet {
  readonly title: string;
  readonly columns: readonly SheetColumn[];
  readonly rows: readonly { readonly [key: string]: Cell }[];
}

/** A sheet as a table for people. */
export function tableText({ title, columns, rows }: Sheet, format: Format): string {
  const isNumber = (key: string): boolean => rows.some((row) => typeof row[key] !== 'string' && row[key] !== undefined);
  const table = new Table({
    head: columns.map((column) => column.title),
    colWidths: columns.map(({ width }) => width ?? null),
    wordWrap: true,
    colAligns: columns.map(({ key }) => (isNumber(key) ? 'right' : 'left')),
    style: { head: [], border: [], compact: true },
  });
  table.push(...rows.map((row) => columns.map((column) => shown(row[column.key], column, format))));
  return `${title}\n${rows.length === 0 ? '(none)' : table.toString()}\n`;
}

/** A sheet as CSV (RFC 4180); amounts with all their digits. */
export function csvText({ columns, rows }: Sheet): string {
  const line = (cells: readonly string[]): string => `${cells.map(quoted).join(',')}\r\n`;
  return [
    line(columns.map(({ key }) => key)),
    ...rows.map((row) => line(columns.map(({ key }) => exact(row[key])))),
  ].join('');
}

function shown(cell: Cell, { as = 'count' }: SheetColumn, format: Format): string {
  if (cell === undefined || typeof cell === 'string') {
    return cell ?? '';
  }
  const amount = new Decimal(cell);
  switch (as) {
    case 'money':
      return format.money(amount);
    case 'unit':
      return format.unitCost(amount);
    case 'percent':
      return format.percent(amount);
    case 'count':
      return format.count(amount);
  }
}

function exact(cell: Cell): string {
  if (cell === undefined) {
    return '';
  }
  return typeof cell === 'object' ? cell.toFixed() : String(cell);
}

/** In quotes where needed. A text that a spreadsheet would take for a formula is kept from being one. */
function quoted(text: string): string {
  const safe = /^[=+@\t\r]|^-(?!\d)/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
