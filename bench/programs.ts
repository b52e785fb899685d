/** Compiles the measuring programs, runs them in plain Node, and prints what they measured. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import Table from 'cli-table3';
import ts from 'typescript';

const ROOT = join(__dirname, '..');
/** Compiled programs go here: inside the project, so that `mediform` means the project's compiled library. */
const PROGRAMS = join(ROOT, 'dist/bench');

export interface Row {
  readonly what: string;
  readonly against: string;
  readonly ratio: number;
  /** Absent where the figure is for information only. */
  readonly bound?: number;
}

/** Builds the library, and compiles the programs of this folder and one within. */
export function compile(within?: string): void {
  execFileSync('npm', ['run', 'build', '--silent'], { cwd: ROOT, stdio: 'inherit' });
  const folders = within === undefined ? ['.'] : ['.', within];
  const files = folders.flatMap((folder) => readdirSync(join(__dirname, folder)).map((file) => join(folder, file)));
  for (const file of files.filter((name) => name.endsWith('.ts'))) {
    const compilerOptions = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 };
    const { outputText } = ts.transpileModule(readFileSync(join(__dirname, file), 'utf8'), { compilerOptions });
    const path = join(PROGRAMS, file.replace(/\.ts$/, '.js'));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, outputText);
  }
}

/** Runs a program in plain Node; what it prints is JSON. */
export function run(program: string, argument: string | number): unknown {
  const args = ['--expose-gc', join(PROGRAMS, `${program}.js`), String(argument)];
  const env = { ...process.env, NODE_OPTIONS: '' };
  return JSON.parse(execFileSync(process.execPath, args, { env, encoding: 'utf8' }));
}

/** Prints a table; the process fails where a bound is passed. */
export function report(rows: readonly Row[]): void {
  const passed = (row: Row): boolean => row.bound === undefined || row.ratio <= row.bound;
  const table = new Table({
    head: ['measured', 'against', 'ratio', 'bound', ''],
    style: { head: [], border: [], compact: true },
  });
  table.push(
    ...rows.map((row) => [
      row.what,
      row.against,
      row.ratio.toFixed(2),
      row.bound === undefined ? '-' : `≤ ${row.bound}`,
      row.bound === undefined ? 'information' : passed(row) ? 'ok' : 'TOO MUCH',
    ]),
  );
  console.log(table.toString());
  process.exitCode = rows.every(passed) ? 0 : 1;
}
