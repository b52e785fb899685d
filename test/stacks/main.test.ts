/** The program of Pulumi.yaml, as Pulumi runs it, in a process of its own and on mocks. */
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import type { KubeObject } from '../../stacks/manifests';

const ROOT = join(__dirname, '..', '..');
const project = parse(readFileSync(join(ROOT, 'Pulumi.yaml'), 'utf8')) as {
  readonly name: string;
  readonly main: string;
  readonly runtime: {
    readonly name: string;
    readonly options: { readonly typescript: boolean; readonly nodeargs: string };
  };
};
const MAIN = join(ROOT, project.main);

interface Resource {
  readonly type: string;
  readonly name: string;
  readonly inputs: { readonly [field: string]: unknown };
}

/** Pulumi starts Node in the folder of the main file, with the arguments of Pulumi.yaml, and requires the file. */
function run(config: { readonly [key: string]: string }): { resources: Resource[]; error: string } {
  const program = `
    const pulumi = require('@pulumi/pulumi');
    const resources = [];
    const newResource = ({ type, name, inputs, id }) => {
      resources.push({ type, name, inputs });
      return { id: id || name, state: inputs };
    };
    pulumi.runtime.setMocks({ newResource, call: ({ inputs }) => inputs }, ${JSON.stringify(project.name)});
    pulumi.runtime.runInPulumiStack(async () => require(${JSON.stringify(MAIN)})).then(
      async () => { await pulumi.runtime.disconnect(); console.log(JSON.stringify(resources)); },
      (error) => { console.error(error.message); process.exitCode = 1; },
    );`;
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [...project.runtime.options.nodeargs.split(' '), '-e', program],
    {
      cwd: join(MAIN, '..'),
      encoding: 'utf8',
      maxBuffer: 2 ** 26,
      env: { ...process.env, PULUMI_CONFIG: JSON.stringify(config) },
    },
  );
  return { resources: status === 0 ? (JSON.parse(stdout) as Resource[]) : [], error: stderr.trim() };
}

const GOLDEN = join(ROOT, 'examples/03-hospital/golden');
const golden = readdirSync(GOLDEN)
  .flatMap((file) => parseAllDocuments(readFileSync(join(GOLDEN, file), 'utf8')))
  .map((document) => document.toJS() as KubeObject);

/** The settings that an error asks for, each with a value. */
function asAsked(error: string): { readonly [setting: string]: string } {
  const settings: { [setting: string]: { [name: string]: { [key: string]: string } } } = {};
  for (const [, path = ''] of error.matchAll(/'((?:secrets|configMaps)[^']*)' must be given/g)) {
    const [setting = '', name = '', key = ''] = path
      .split(/\.(?=[\w-]+(?:[.[]|$))|\["|"\]/)
      .filter((part) => part !== '');
    ((settings[`mediform:${setting}`] ??= {})[name] ??= {})[key] = `value of ${key}`;
  }
  return Object.fromEntries(Object.entries(settings).map(([setting, values]) => [setting, JSON.stringify(values)]));
}

it('registers nothing where the configuration is wrong, and says all that is', () => {
  const { resources, error } = run({ 'mediform:aws': 'yes please' });
  expect(resources).toEqual([]);
  expect(error).toContain("'aws' (yes please) must be true or false");
  expect(error).toContain("'secrets.results-redis.password' must be given because pods do not start without it");
  expect(error).toContain(`'secrets.results-keyring["keyring.json"]' must be given`);
  expect(error).toContain(`'configMaps.rds-authorities["eu-central-1-bundle.pem"]' must be given`);
}, 60_000);

it('deploys the hospital, its namespaces, and the Secrets and ConfigMaps that it asked for', () => {
  const { resources, error } = run(asAsked(run({}).error));
  expect(error).toBe('');
  const named = (type: string): string[] => resources.filter((found) => found.type === type).map(({ name }) => name);
  const deployments = golden.filter(({ kind }) => kind === 'Deployment');
  expect(deployments.length).toBeGreaterThan(3);
  expect(named('kubernetes:apps/v1:Deployment')).toHaveLength(deployments.length);
  expect([...named('kubernetes:core/v1:Namespace')].sort()).toEqual(
    ['cache', 'cost', 'imaging', 'knowledge', 'records'].map((namespace) => `hospital/${namespace}`),
  );
  expect(named('kubernetes:core/v1:Secret')).toEqual(
    expect.arrayContaining(['hospital/cache/results-redis', 'hospital/imaging/results-redis']),
  );
  // cert-manager makes it there
  expect(named('kubernetes:core/v1:Secret')).not.toContain('hospital/cache/results-tls');
  expect(named('kubernetes:core/v1:ConfigMap')).toContain('hospital/knowledge/rds-authorities');
}, 60_000);

it('makes no namespaces where they are there already', () => {
  const { resources } = run({ ...asAsked(run({}).error), 'mediform:createNamespaces': 'false' });
  expect(resources.length).toBeGreaterThan(golden.length);
  expect(resources.filter(({ type }) => type === 'kubernetes:core/v1:Namespace')).toEqual([]);
}, 60_000);
