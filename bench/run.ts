/** `npm run bench [-- --quick]`: measures everything side by side, and fails when a bound is passed. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import Table from 'cli-table3';
import ts from 'typescript';
import { median } from './measure';

/** Compiled programs go here: inside the project, so that `mediform` means the project's compiled library. */
const PROGRAMS = join(__dirname, '../dist/bench');

const quick = process.argv.includes('--quick');
const rounds = quick ? { scale: 3, stock: 7, load: 15 } : { scale: 7, stock: 25, load: 31 };

interface Row {
  readonly what: string;
  readonly against: string;
  readonly ratio: number;
  /** Absent where the figure is for information only. */
  readonly bound?: number;
}

function compile(): void {
  execFileSync('npm', ['run', 'build', '--silent'], { cwd: join(__dirname, '..'), stdio: 'inherit' });
  mkdirSync(PROGRAMS, { recursive: true });
  for (const file of readdirSync(__dirname).filter((name) => name.endsWith('.ts'))) {
    const compilerOptions = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 };
    const { outputText } = ts.transpileModule(readFileSync(join(__dirname, file), 'utf8'), { compilerOptions });
    writeFileSync(join(PROGRAMS, `${basename(file, '.ts')}.js`), outputText);
  }
}

/** Runs a program in plain Node; what it prints is JSON. */
function run(program: string, argument: string | number): unknown {
  const args = ['--expose-gc', join(PROGRAMS, `${program}.js`), String(argument)];
  const env = { ...process.env, NODE_OPTIONS: '' };
  return JSON.parse(execFileSync(process.execPath, args, { env, encoding: 'utf8' }));
}

function scaleRows(): Row[] {
  const figures = run('scale', rounds.scale) as { readonly [figure: string]: number };
  const { hundred = NaN, thousand = NaN, tenCharts = NaN, hundredCharts = NaN } = figures;
  return [
    { what: 'synth of 100 services', against: '10 services', ratio: hundred, bound: 12 },
    { what: 'synth of 1,000 services', against: '100 services', ratio: thousand, bound: 12 },
    { what: '1,000 services in 10 charts', against: 'in one chart', ratio: tenCharts },
    { what: '1,000 services in 100 charts', against: 'in one chart', ratio: hundredCharts },
  ];
}

function stockRow(): Row {
  const { stock } = run('stock', rounds.stock) as { readonly stock: number };
  return { what: 'synth of 100 services', against: 'stock cdk8s, the same objects', ratio: stock, bound: 1.3 };
}

function loadRow(): Row {
  const load = (name: string): number => run('load', name) as number;
  const [ours, theirs] = ['mediform', 'cdk8s-plus-27'];
  // the first of each fills the caches of the disk
  load(ours);
  load(theirs);
  const ratio = median(Array.from({ length: rounds.load }, () => load(ours) / load(theirs)));
  return { what: `require('${ours}')`, against: `require('${theirs}')`, ratio, bound: 1.3 };
}

compile();
const rows = [...scaleRows(), stockRow(), loadRow()];
const passed = (row: Row): boolean => row.bound === undefined || row.ratio <= row.bound;
const table = new Table({
  head: ['time of', 'against', 'ratio', 'bound', ''],
  style: { head: [], border: [], compact: true },
});
table.push(
  ...rows.map((row) => [
    row.what,
    row.against,
    row.ratio.toFixed(2),
    row.bound === undefined ? '-' : `≤ ${row.bound}`,
    row.bound === undefined ? 'information' : passed(row) ? 'ok' : 'TOO SLOW',
  ]),
);
console.log(table.toString());
process.exitCode = rows.every(passed) ? 0 : 1;
