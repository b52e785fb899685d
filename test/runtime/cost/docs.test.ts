/** docs/cost-analysis.md: every command and program of it runs, and writes what the page says. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'cdk8s';
import { costs } from '../../../examples/03-hospital/costs';
import { platform } from '../../../examples/03-hospital/platform';
import { PRICES } from '../../../examples/03-hospital/prices';
import { resultCache } from '../../../examples/03-hospital/cache';
import { services } from '../../../examples/03-hospital/services';
import { run } from '../../../runtime/cost/cli/program';

const ROOT = join(__dirname, '../../..');
const PAGE = readFileSync(join(ROOT, 'docs/cost-analysis.md'), 'utf8');

interface Block {
  readonly language: string;
  /** What stands behind the language. */
  readonly info: string;
  readonly code: string;
  /** What the page says that it writes; undefined where it does not say. */
  readonly output?: string;
}

const FENCE = /^```(\w+)[ ]?(.*)\n([^]*?)^```$/gm;
const all = [...PAGE.matchAll(FENCE)].map(([, language = '', info = '', code = '']) => ({ language, info, code }));
const blocks = all.map((block, index): Block => {
  const next = all[index + 1];
  return next?.language === 'text' ? { ...block, output: next.code } : block;
});
const of = (language: string): Block[] => blocks.filter((block) => block.language === language);

const before = { folder: process.cwd(), env: { ...process.env } };
let folder: string;
let demo: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mediform-docs-'));
  process.chdir(folder);
  for (const { info, code } of of('yaml')) {
    writeFileSync(info, code);
  }
  mkdirSync('prices');
  writeFileSync('prices/hospital.json', JSON.stringify({ ...PRICES[0] }));
  writeFileSync('prices/staff.json', JSON.stringify({ ...PRICES[1] }));
  // npm run cost:demo
  demo = runTypeScript(join(ROOT, 'scripts/cost-demo.ts'));
  // npm run synth
  const app = new App({ outdir: 'dist' });
  platform(app);
  services(app, resultCache(app));
  costs(app);
  app.synth();
}, 240_000);

afterAll(() => {
  process.chdir(before.folder);
  process.env = before.env;
  rmSync(folder, { recursive: true, force: true });
});

/** Runs a program in the test's folder; returns what it writes. */
function runTypeScript(path: string): string {
  const env = { ...process.env, TSX_TSCONFIG_PATH: join(ROOT, 'tsconfig.json') };
  const args = ['--import', require.resolve('tsx'), path];
  return execFileSync(process.execPath, args, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
}

/** Commands of a block, as a shell would read them: what they are made of, and how they end. */
function commandsOf({ code }: Block): { readonly line: string; readonly words: string[]; readonly exit: number }[] {
  return code
    .trim()
    .split('\n')
    .map((line) => {
      const [command = '', comment = ''] = line.split(/\s+#\s*/);
      return { line, words: command.split(' '), exit: Number(/exit code (\d)/.exec(comment)?.[1] ?? 0) };
    });
}

test('the page has commands and programs', () => {
  expect([of('sh').length, of('ts').length, of('yaml').length].every((count) => count >= 2)).toBe(true);
  expect(blocks.filter(({ output }) => output !== undefined).length).toBeGreaterThanOrEqual(5);
});

test('the demo makes a ledger, a report with advice on models, replicas and a cache, and a dashboard', () => {
  for (const title of ['By service, ', 'By model, ', '2026-06 against 2026-05', '2026 up to the end', 'Advice on ']) {
    expect(demo).toContain(title);
  }
  for (const property of ['model', 'scaling.minReplicas', 'gateway.routes[].cache.textFields']) {
    expect(demo).toContain(`│ ${property} `);
  }
  expect(readFileSync('dist/cost-demo/dashboard.html', 'utf8')).toContain('St. Example Hospital');
});

test('every command ends and writes as it says', async () => {
  for (const block of of('sh')) {
    let written = '';
    for (const { line, words, exit } of commandsOf(block)) {
      const [program, ...rest] = words;
      if (program === 'export') {
        const [name = '', value = ''] = (rest[0] ?? '').split('=');
        process.env[name] = value;
      } else if (program === 'npx') {
        const [out, err]: [string[], string[]] = [[], []];
        const code = await run(rest.slice(1), {
          out: (text) => void out.push(text),
          err: (text) => void err.push(text),
          terminal: false,
          now: () => new Date('2026-07-01T06:00:00Z'),
        });
        expect({ line, code, err: code === exit ? '' : err.join('') }).toEqual({ line, code: exit, err: '' });
        written += out.join('');
      } else {
        expect(line).toBe('npm run synth');
      }
    }
    if (block.output !== undefined) {
      expect(written).toBe(block.output);
    }
  }
  expect([existsSync('june.csv'), existsSync('costs.html')]).toEqual([true, true]);
}, 120_000);

test.each(of('ts').map((block) => [block.code.split('\n')[0], block] as const))(
  'the program that begins with %s writes what it says',
  (_, { code, output }) => {
    const path = join(folder, `${of('ts').findIndex((block) => block.code === code)}.ts`);
    writeFileSync(path, code);
    if (!existsSync('node_modules')) {
      symlinkSync(join(ROOT, 'node_modules'), 'node_modules');
    }
    expect(runTypeScript(path)).toBe(output);
  },
  60_000,
);
