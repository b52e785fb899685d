/** The FinOps Foundation's own validator of FOCUS data, from PyPI, in the cache outside of the checkout. */
import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { CACHE, progress } from '../toolchain';

const execute = promisify(execFile);
const VERSION = '2.2.1';
/** What it needs of pyarrow, so that the numpy that it asks for will do. */
const PACKAGES = [`focus-validator==${VERSION}`, 'pyarrow<20'];
const FOLDER = join(CACHE, `focus-validator-${VERSION}`);
/** Its Python, which has sqlglot. */
export const FOCUS_PYTHON = join(FOLDER, 'bin/python');

/** What applies to a ledger: all but commitments, capacity reservations and virtual currencies. */
const CRITERIA = [
  'ACCOUNT_NAMING_SUPPORTED',
  'AVAILABILITY_ZONE_SUPPORTED',
  'BILLING_BASED_ON_PROVISIONED_RESOURCES_SUPPORTED',
  'MULTIPLE_BILLING_ACCOUNT_TYPES_SUPPORTED',
  'MULTIPLE_PRICING_CATEGORIES_SUPPORTED',
  'MULTIPLE_SUB_ACCOUNT_TYPES_SUPPORTED',
  'NEGOTIATED_PRICING_SUPPORTED',
  'PRICING_BILLING_CURRENCY_DIFFERENCES_SUPPORTED',
  'PUBLIC_PRICE_LIST_SUPPORTED',
  'REGION_SUPPORTED',
  'RESOURCE_TYPE_ASSIGNMENT_SUPPORTED',
  'SUB_ACCOUNT_SUPPORTED',
  'TAGGING_SUPPORTED',
  'UNIT_PRICING_SUPPORTED',
  'USAGE_MEASUREMENT_SUPPORTED',
];

/** What it says of a file. */
export interface FocusReport {
  readonly passed: number;
  /** Ids of the rules that are broken. */
  readonly failed: readonly string[];
}

/** Why it cannot be had on this machine; undefined where it can. Installs it where it is not there yet. */
export function whyNoFocusValidator(): string | undefined {
  const [major = 0, minor = 0] = pythonVersion() ?? [];
  if (major < 3 || minor < 11) {
    return 'Python 3.11 or newer is not on the PATH';
  }
  try {
    if (!existsSync(FOLDER)) {
      install(minor);
    }
    return undefined;
  } catch (error) {
    return `it cannot be installed: ${(error as Error).message.slice(0, 300)}`;
  }
}

/** Checks a Parquet file against FOCUS 1.2. */
export async function validateFocus(file: string): Promise<FocusReport> {
  const args = ['--block-download', '--validate-version', '1.2', '--applicability-criteria', CRITERIA.join(',')];
  // it looks for a file of its own below the folder that it runs in
  const options = { cwd: sitePackages(FOLDER), maxBuffer: 2 ** 26 };
  const report = execute(join(FOLDER, 'bin/focus-validator'), [...args, '--data-file', file], options);
  // it fails where a rule is broken, and prints the same
  const { stdout, stderr } = await report.catch((error: unknown) => error as { stdout: string; stderr: string });
  const passed = /Total: \d+ \| Pass: (\d+)/.exec(stdout)?.[1];
  if (passed === undefined) {
    throw new Error(`focus-validator printed no report:\n${stdout.slice(-2000)}${stderr.slice(-2000)}`);
  }
  const failed = [...stdout.matchAll(/^\S+ (\S+): FAIL /gm)].map(([, rule = '']) => rule);
  return { passed: Number(passed), failed: [...new Set(failed)].sort() };
}

function install(pythonMinor: number): void {
  progress(`installing focus-validator ${VERSION}`);
  const draft = `${FOLDER}.${process.pid}`;
  mkdirSync(dirname(draft), { recursive: true });
  try {
    run('python3', ['-m', 'venv', draft]);
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--ignore-requires-python'];
    run(join(draft, 'bin/python'), [...pip, ...PACKAGES]);
    if (pythonMinor < 12) {
      withoutNewQuotes(draft);
    }
    // programs of a venv name its Python by its path
    const program = join(draft, 'bin/focus-validator');
    writeFileSync(program, readFileSync(program, 'utf8').replaceAll(draft, FOLDER));
    renameSync(draft, FOLDER);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

function run(command: string, args: readonly string[]): void {
  execFileSync(command, args, { stdio: 'pipe' });
}

/** It asks for Python 3.12 for the sake of one line, which is written here as 3.11 reads it. */
function withoutNewQuotes(folder: string): void {
  const path = join(sitePackages(folder), 'focus_validator/config_objects/focus_to_duckdb_converter.py');
  const source = readFileSync(path, 'utf8');
  const line = String.raw`f"'{k.replace('\"', '\"\"')}'" for k in ignore_keys`;
  if (!source.includes(line)) {
    throw new Error('focus-validator is not as it was known to be');
  }
  writeFileSync(path, source.replace(line, String.raw`"'" + k.replace('"', '""') + "'" for k in ignore_keys`));
}

function sitePackages(folder: string): string {
  return join(folder, 'lib', `python3.${pythonVersion()?.[1]}`, 'site-packages');
}

function pythonVersion(): [major: number, minor: number] | undefined {
  const { status, stdout } = spawnSync('python3', ['--version'], { encoding: 'utf8' });
  const [, major, minor] = /^Python (\d+)\.(\d+)/.exec(status === 0 ? stdout : '') ?? [];
  return major === undefined ? undefined : [Number(major), Number(minor)];
}
