/** The program of Pulumi.yaml, as Pulumi runs it, in a process of its own and on mocks. */
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import type { KubeObject } from '../../stacks/manifests';
import { secretKeysOf } from '../../stacks/references';

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
    { cwd: join(MAIN, '..'), encoding: 'utf8', env: { ...process.env, PULUMI_CONFIG: JSON.stringify(config) } },
  );
  return { resources: status === 0 ? (JSON.parse(stdout) as Resource[]) : [], error: stderr.trim() };
}

/** The hospital as it is committed. */
const GOLDEN = join(ROOT, 'examples/03-hospital/golden');
const golden = readdirSync(GOLDEN)
  .flatMap((file) => parseAllDocuments(readFileSync(join(GOLDEN, file), 'utf8')))
  .map((document) => document.toJS() as KubeObject);
const needed = golden.flatMap(secretKeysOf);

/** A value for each secret, and nothing else. */
function secrets(): { readonly [key: string]: string } {
  const values: { [namespace: string]: { [secret: string]: { [key: string]: string } } } = {};
  for (const { namespace, secret, key } of needed) {
    ((values[namespace] ??= {})[secret] ??= {})[key] = `value of ${key}`;
  }
  return { 'mediform:secrets': JSON.stringify(values) };
}

it('deploys the hospital, the namespaces of its pods and the Secrets that they read', () => {
  const { resources, error } = run(secrets());
  expect(error).toBe('');
  const named = (type: string): string[] => resources.filter((found) => found.type === type).map(({ name }) => name);
  const deployments = golden.filter(({ kind }) => kind === 'Deployment');
  expect(deployments.length).toBeGreaterThan(3);
  expect(named('kubernetes:apps/v1:Deployment')).toHaveLength(deployments.length);
  expect(named('kubernetes:core/v1:Namespace')).toEqual(
    expect.arrayContaining(['hospital/imaging', 'hospital/records', 'hospital/knowledge']),
  );
  expect(needed.length).toBeGreaterThan(0);
  for (const { namespace, secret } of needed) {
    expect(named('kubernetes:core/v1:Secret')).toContain(`hospital/${namespace}/${secret}`);
  }
}, 60_000);

it('makes no namespaces where they are there already', () => {
  const { resources } = run({ ...secrets(), 'mediform:createNamespaces': 'false' });
  expect(resources.length).toBeGreaterThan(golden.length);
  expect(resources.filter(({ type }) => type === 'kubernetes:core/v1:Namespace')).toEqual([]);
}, 60_000);

it('registers nothing where the configuration is wrong, and says what is', () => {
  const { resources, error } = run({ 'mediform:aws': 'yes please' });
  expect(resources).toEqual([]);
  expect(error).toContain("'aws' (yes please) must be true or false");
  for (const { namespace, secret, key } of needed) {
    expect(error).toContain(
      `'secrets.${namespace}.${secret}.${key}' must be given because pods do not start without it`,
    );
  }
}, 60_000);
