/** The package as its users get it: packed, installed into an empty project, type-checked and run there. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const ROOT = join(__dirname, '../..');
const { exports: entries } = readJson(join(ROOT, 'package.json')) as { exports: { readonly [path: string]: unknown } };

const PEERS = ['cdk8s', 'cdk8s-plus-27', 'constructs'];

/** Names by which users import what is JavaScript: `mediform`, `mediform/testing`. */
const MODULES = Object.keys(entries)
  .filter((path) => !path.endsWith('.json'))
  .map((path) => path.replace(/^\./, 'mediform'));

/** Of these, those that need Pulumi. */
const PULUMI_MODULES = ['mediform/pulumi', 'mediform/aws'];
/** What needs no optional peer. */
const BASE_MODULES = ['mediform', 'mediform/testing'];

/** A program under the strictest settings. What must not compile is marked as such: types that are `any` would show. */
const PROGRAM = `
import { App, Chart, Duration } from 'cdk8s';
import {
  Accelerator, ConfigurationError, GpuNodePool, MedicalInferenceService, Priority, PriorityClasses,
  PrometheusAdapterRules, SpotBatchPool, type MedicalInferenceServiceProps, type ServicePlan,
} from 'mediform';
import { synthObjects } from 'mediform/testing';

declare const console: { log(line: unknown): void };

const app = new App();
const chart = new Chart(app, 'imaging', { namespace: 'imaging' });
new PriorityClasses(chart, 'priorities');
new PrometheusAdapterRules(chart, 'adapter-rules');
new GpuNodePool(chart, 'gpu', { cluster: { name: 'prod' }, accelerators: [Accelerator.A10G], maxGpus: 20 });
new SpotBatchPool(chart, 'batch', { cluster: { name: 'prod' }, maxCpu: 64 });

const props: MedicalInferenceServiceProps = {
  image: 'registry.hospital.example/ct:1.0.0',
  model: { name: 'resnet50', version: '1.0.0' },
  priority: Priority.EMERGENCY,
  gpu: { accelerator: Accelerator.A10G },
  modelLoadTime: Duration.minutes(3),
};
const service = new MedicalInferenceService(chart, 'ct', props);
const plan: ServicePlan = service.plan;
// @ts-expect-error a priority is one of three words
export const urgent: MedicalInferenceServiceProps = { ...props, priority: 'urgent' };
// @ts-expect-error a plan is read only
export const rename = (): string => (plan.name = 'other');
try {
  new MedicalInferenceService(chart, 'no-image', { ...props, image: '' });
} catch (error) {
  if (!(error instanceof ConfigurationError)) throw error;
  console.log(error.path);
}
console.log(synthObjects(app).filter(({ kind }) => kind === 'Deployment').map(({ metadata }) => metadata.name).join());
`;

/** Two sources that differ in their module system only; and the same source as other settings resolve it. */
const COMMON = {
  strict: true,
  target: 'es2022',
  lib: ['es2022'],
  types: [],
  noEmitOnError: true,
  noUncheckedIndexedAccess: true,
};
const TSCONFIGS: { readonly [resolution: string]: { readonly [option: string]: unknown } } = {
  node16: { module: 'node16', moduleResolution: 'node16', outDir: 'out' },
  bundler: { module: 'esnext', moduleResolution: 'bundler', noEmit: true },
  node10: { module: 'commonjs', moduleResolution: 'node10', ignoreDeprecations: '6.0', noEmit: true },
};

let folder: string;
let project: string;
let tarball: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mediform-package-'));
  await run('npm', ['pack', '--silent', '--pack-destination', folder], ROOT);
  tarball = join(folder, readdirSync(folder).find((file) => file.endsWith('.tgz')) ?? '');

  project = join(folder, 'project');
  mkdirSync(project);
  const source = PROGRAM.trimStart();
  writeFileSync(join(project, 'package.json'), JSON.stringify({ private: true }));
  writeFileSync(join(project, 'common.ts'), source);
  writeFileSync(join(project, 'module.mts'), source);
  for (const [resolution, options] of Object.entries(TSCONFIGS)) {
    const files = resolution === 'node16' ? ['common.ts', 'module.mts'] : ['common.ts'];
    const tsconfig = { compilerOptions: { ...COMMON, ...options }, files };
    writeFileSync(join(project, `tsconfig.${resolution}.json`), JSON.stringify(tsconfig));
  }
  const flags = ['--no-audit', '--no-fund', '--ignore-scripts', '--prefer-offline', '--loglevel=error'];
  await run('npm', ['install', ...flags, tarball, ...[...PEERS, 'typescript'].map(asHere)], project);
}, 300_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('holds the compiled library and what explains it, and nothing else', async () => {
  const files = (await run('tar', ['-tzf', tarball], ROOT)).trim().split('\n');
  const others = files.filter((file) => !/^package\/(lib|bundles)\//.test(file)).sort();
  expect(others).toEqual(['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json'].map((file) => `package/${file}`));

  const bundles = files.filter((file) => file.startsWith('package/bundles/')).sort();
  expect(bundles).toEqual(['cache.br', 'cost.br', 'gateway.br', 'start.js'].map((file) => `package/bundles/${file}`));

  const modules = files.flatMap((file) => /^package\/lib\/(.*)\.js$/.exec(file)?.[1] ?? []);
  const expected = modules.flatMap((module) => [`package/lib/${module}.d.ts`, `package/lib/${module}.js`]);
  expect(files.filter((file) => file.startsWith('package/lib/')).sort()).toEqual(expected.sort());
  // what was compiled from a source that is gone would be packed too
  expect(modules.filter((module) => !existsSync(join(ROOT, `${module}.ts`)))).toEqual([]);
  expect(modules).toContain('constructs/index');
});

test('brings five small packages of its own, and insists on three peers only', () => {
  const manifest = readJson(join(project, 'node_modules/mediform/package.json')) as {
    readonly dependencies?: object;
    readonly peerDependencies: object;
    readonly peerDependenciesMeta?: { readonly [peer: string]: { readonly optional?: boolean } };
  };
  const { dependencies = {}, peerDependencies, peerDependenciesMeta = {} } = manifest;
  expect(Object.keys(dependencies).sort()).toEqual(['cli-table3', 'commander', 'decimal.js', 'yaml', 'zod']);
  const required = Object.keys(peerDependencies).filter((peer) => peerDependenciesMeta[peer]?.optional !== true);
  expect(required.sort()).toEqual(PEERS);
});

describe('in an empty project', () => {
  test.each(Object.keys(TSCONFIGS))(
    'type-checks under moduleResolution %s',
    async (resolution) => {
      await run('node', ['node_modules/typescript/bin/tsc', '-p', `tsconfig.${resolution}.json`], project);
    },
    120_000,
  );

  test.each(['common.js', 'module.mjs'])(
    'runs as %s',
    async (file) => {
      expect(await run('node', [join('out', file)], project)).toBe('imaging/no-image\nct\n');
    },
    60_000,
  );

  test('loads no module of Pulumi, unless it is asked for by name', async () => {
    const others = MODULES.filter((name) => !PULUMI_MODULES.includes(name));
    // the project of the user has no optional peer; this one has all, and finds itself by its own name
    for (const [directory, modules] of [
      [project, BASE_MODULES],
      [ROOT, others],
    ] as const) {
      const requires = modules.map((name) => `require('${name}');`).join('');
      const program = `${requires} console.log(JSON.stringify(Object.keys(require.cache)))`;
      const loaded = JSON.parse(await run('node', ['-e', program], directory)) as string[];
      expect(loaded.some((path) => path.endsWith(join('lib', 'constructs', 'index.js')))).toBe(true);
      expect(loaded.filter((path) => path.includes('@pulumi'))).toEqual([]);
    }
  }, 60_000);
});

test('mediform/pulumi loads of Pulumi what it needs', async () => {
  const program = `const { ChartResources, asString } = require('mediform/pulumi');
    console.log(typeof ChartResources, asString(1));
    console.log(Object.keys(require.cache).filter((path) => /@pulumi.(kubernetes|aws)/.test(path)).length);`;
  expect(await run('node', ['-e', program], ROOT)).toBe('function 1\n0\n');
}, 60_000);

test('publint has nothing to say', async () => {
  expect(await run(join(ROOT, 'node_modules/.bin/publint'), [tarball, '--strict'], folder)).toContain('All good!');
}, 60_000);

test('attw has nothing to say', async () => {
  const report = await run(join(ROOT, 'node_modules/.bin/attw'), [tarball, '--no-color', '--no-emoji'], folder);
  expect(report).toContain('No problems found');
}, 60_000);

/** What a program prints; an error holds all of it. */
async function run(program: string, args: readonly string[], cwd: string): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(program, [...args], { cwd, maxBuffer: 2 ** 26 });
    return stdout;
  } catch (error) {
    const { message, stdout, stderr } = error as { message: string; stdout?: string; stderr?: string };
    throw new Error([message, stdout, stderr].filter(Boolean).join('\n'), { cause: error });
  }
}

/** A package in the version that is installed here: the test must not change by itself. */
function asHere(name: string): string {
  const { version } = readJson(join(ROOT, 'node_modules', name, 'package.json')) as { readonly version: string };
  return `${name}@${version}`;
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8'));
}
