/** `npm run bench:cost [-- --quick]`: analyses of one and of ten million rows, against DuckDB's bare scan of the same files. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import Table from 'cli-table3';
import type { Measured } from './measure';
import { writeRows } from './rows';

const quick = process.argv.includes('--quick');
const rounds = quick ? 3 : 7;
const sizes = quick ? [100_000, 1_000_000] : [1_000_000, 10_000_000];
const FOLDER = join(__dirname, '../../dist/bench-cost');

/** Times of the bare scan that all analyses together may take. */
const BOUND = 5;
/** Times that ten times the rows may take; a little of every query does not grow with them. */
const LINEAR = 11;
const MEMORY_MIB = 1024;

interface Row {
  readonly what: string;
  readonly against: string;
  readonly value: number;
  readonly unit: string;
  readonly bound?: number;
}

async function measure(rows: number): Promise<Measured> {
  const folder = join(FOLDER, String(rows));
  await writeRows(folder, rows);
  const args = ['--expose-gc', '--import', 'tsx', join(__dirname, 'measure.ts'), folder, String(rounds)];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as Measured;
}

function total({ analyses }: Measured): number {
  return Object.values(analyses).reduce((sum, each) => sum + each, 0);
}

async function main(): Promise<void> {
  const [small, large] = [await measure(sizes[0] ?? 0), await measure(sizes[1] ?? 0)];
  const name = (rows = 0): string => `${rows.toLocaleString('en')} rows`;
  const bare = `bare scan of ${name(sizes[1])}`;
  const rows: Row[] = [
    ...Object.entries(large.analyses).map(([what, taken]) => ({
      what,
      against: bare,
      value: taken / large.bare,
      unit: '×',
    })),
    { what: 'all of them', against: bare, value: total(large) / large.bare, unit: '×', bound: BOUND },
    {
      what: `all of them, ${name(sizes[1])}`,
      against: name(sizes[0]),
      value: total(large) / total(small),
      unit: '×',
      bound: LINEAR,
    },
    { what: `memory, ${name(sizes[1])}`, against: 'at most', value: large.memoryMiB, unit: ' MiB', bound: MEMORY_MIB },
  ];
  const passed = (row: Row): boolean => row.bound === undefined || row.value <= row.bound;
  const table = new Table({
    head: ['of', 'against', 'measured', 'bound', ''],
    style: { head: [], border: [], compact: true },
  });
  table.push(
    ...rows.map((row) => [
      row.what,
      row.against,
      `${row.value.toFixed(row.unit === '×' ? 2 : 0)}${row.unit}`,
      row.bound === undefined ? '-' : `≤ ${row.bound}`,
      row.bound === undefined ? 'information' : passed(row) ? 'ok' : 'TOO MUCH',
    ]),
  );
  console.log(table.toString());
  process.exitCode = rows.every(passed) ? 0 : 1;
}

void main();
