/** `npm run bench:cache [-- --quick | --long]`: measures the cache side by side with others, and fails when a bound is missed. */
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import Table from 'cli-table3';
import ts from 'typescript';
import { Processes } from '../../test/e2e/support/processes';
import { startRedis } from '../../test/e2e/support/stores';
import type { Setting } from './setting';

const ROOT = join(__dirname, '../..');
/** Inside the project, so that `mediform/cache` means the project's compiled library. */
const PROGRAMS = join(ROOT, 'dist/bench/cache');

const quick = process.argv.includes('--quick');
const long = process.argv.includes('--long');

interface Row {
  readonly what: string;
  readonly against: string;
  readonly ratio: number;
  /** Least ratio; absent where the figure is for information only. */
  readonly atLeast?: number;
  /** Largest ratio. */
  readonly atMost?: number;
}

function compile(): void {
  execFileSync('npm', ['run', 'build', '--silent'], { cwd: ROOT, stdio: 'inherit' });
  mkdirSync(PROGRAMS, { recursive: true });
  for (const file of readdirSync(__dirname).filter((name) => name.endsWith('.ts') && name !== 'run.ts')) {
    // keeps `import()`, which packages without CommonJS need
    const compilerOptions = { module: ts.ModuleKind.Node16, target: ts.ScriptTarget.ES2022 };
    const source = readFileSync(join(__dirname, file), 'utf8');
    const { outputText } = ts.transpileModule(source, { compilerOptions, fileName: join(__dirname, file) });
    // what is not exported is there all the same
    const program = outputText.replaceAll('../../runtime/', join(ROOT, 'lib/runtime/'));
    writeFileSync(join(PROGRAMS, `${basename(file, '.ts')}.js`), program);
  }
}

/** Runs a program in plain Node; what it prints is JSON. */
function run(program: string, setting: Setting): Promise<{ readonly [figure: string]: number }> {
  return new Promise((resolve, reject) => {
    const args = ['--expose-gc', join(PROGRAMS, `${program}.js`), JSON.stringify(setting)];
    const env = { ...process.env, NODE_OPTIONS: '' };
    const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (data: Buffer) => (output += data.toString()));
    child.on('close', (code) => {
      if (code === 0) {
        resolve(JSON.parse(output) as { readonly [figure: string]: number });
      } else {
        reject(new Error(`${program} has failed: ${output}`));
      }
    });
  });
}

/** Has a bound only where it is as it is deployed: a Redis elsewhere than on the loopback interface is reached over TLS. */
function redisRow(of: string, ratio = NaN, atLeast?: number, what = 'Redis-tier hits a second'): Row {
  const row = { what: `${what}, ${of}`, against: 'bare GET, same client', ratio };
  return atLeast === undefined ? row : { ...row, atLeast };
}

async function rows(setting: Setting, tls: Setting['redis']): Promise<Row[]> {
  const { bentocache = NaN, cacheManager = NaN } = await run('hot', setting);
  const deployed = await run('redis', { ...setting, redis: tls });
  const plain = await run('redis', setting);
  const { zipf = NaN, scan = NaN } = await run('hit-ratio', setting);
  const { live = NaN, resident = NaN } = await run('memory', setting);
  return [
    { what: 'hot hits a second', against: 'bentocache, memory + Redis', ratio: bentocache, atLeast: 2 },
    { what: 'hot hits a second', against: 'cache-manager, memory + Redis', ratio: cacheManager, atLeast: 1.5 },
    redisRow('800 B, TLS', deployed.small, 0.8),
    redisRow('800 B, TLS', deployed.decrypted, undefined, 'bare GETs that are decrypted'),
    redisRow('8 KiB, TLS', deployed.medium),
    redisRow('800 B, TLS, 16 at a time', deployed.concurrent),
    redisRow('800 B, no TLS', plain.small),
    redisRow('800 B, no TLS', plain.decrypted, undefined, 'bare GETs that are decrypted'),
    redisRow('8 KiB, no TLS', plain.medium),
    redisRow('800 B, no TLS, 16 at a time', plain.concurrent),
    { what: 'hit ratio, Zipf 0.8, room for 1 %', against: 'LRU', ratio: zipf, atLeast: 1.2 },
    { what: 'hit ratio, the same with scans', against: 'LRU', ratio: scan, atLeast: 1.2 },
    {
      what: `memory of the process after ${setting.seconds} s of load`,
      against: 'a third before',
      ratio: resident,
      atMost: 1.1,
    },
    { what: 'what of it is live', against: 'a third before', ratio: live, atMost: 1.1 },
  ];
}

function passed({ atLeast = -Infinity, atMost = Infinity, ratio }: Row): boolean {
  return ratio >= atLeast && ratio <= atMost;
}

function bound({ atLeast, atMost }: Row): string {
  return atLeast !== undefined ? `≥ ${atLeast}` : atMost !== undefined ? `≤ ${atMost}` : '-';
}

async function main(): Promise<void> {
  compile();
  const processes = await Processes.start();
  try {
    const redis = await startRedis(processes);
    const tls = await startRedis(processes, { tls: true });
    const keyRingFile = join(processes.folder, 'keyring.json');
    const key = randomBytes(32).toString('base64');
    writeFileSync(keyRingFile, JSON.stringify({ current: 'bench', keys: { bench: key } }));
    const seconds = long ? 600 : quick ? 5 : 20;
    const table = new Table({
      head: ['', 'against', 'ratio', 'bound', ''],
      style: { head: [], border: [], compact: true },
    });
    const setting = { redis: redis.config, keyRingFile, rounds: quick ? 5 : 15, seconds };
    const measured = await rows(setting, tls.config);
    table.push(
      ...measured.map((row) => [
        row.what,
        row.against,
        row.ratio.toFixed(2),
        bound(row),
        bound(row) === '-' ? 'information' : passed(row) ? 'ok' : 'MISSED',
      ]),
    );
    console.log(table.toString());
    process.exitCode = measured.every(passed) ? 0 : 1;
  } finally {
    await processes.stop();
  }
}

void main();
