/** What `cdk8s synth` writes is what Pulumi registers: every example, object by object. */
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'cdk8s';
import { ChartResources } from 'mediform/pulumi';
import type { KubeObject } from 'mediform/testing';
import { parseAllDocuments } from 'yaml';
import { register } from './mock-engine';

/** Groups of Kubernetes itself. */
const BUILT_IN = /^(core|apps|autoscaling|batch|policy|(networking|scheduling|rbac\.authorization|storage)\.k8s\.io)$/;
const EXAMPLES = join(__dirname, '..', '..', 'examples');

/** Runs an example as a user would; gives its app, and the objects that it wrote. */
async function synth(example: string): Promise<{ app: App; written: KubeObject[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'mediform-'));
  process.env.CDK8S_OUTDIR = folder;
  const spy = jest.spyOn(App.prototype, 'synth');
  try {
    await import(join(EXAMPLES, example, 'main.ts'));
    const [app] = spy.mock.contexts as App[];
    const texts = readdirSync(folder).map((file) => readFileSync(join(folder, file), 'utf8'));
    const documents = texts.flatMap((text) => parseAllDocuments(text));
    return { app: app as App, written: documents.map((document) => document.toJS() as KubeObject) };
  } finally {
    spy.mockRestore();
    delete process.env.CDK8S_OUTDIR;
    rmSync(folder, { recursive: true });
  }
}

it.each(readdirSync(EXAMPLES))('%s', async (example) => {
  const { app, written } = await synth(example);
  const registrations = await register(() => new ChartResources('example', { charts: app }));
  const registered = registrations.filter(({ type, readId }) => type.startsWith('kubernetes:') && readId === undefined);

  expect(written.length).toBeGreaterThan(10);
  expect(registered.map(({ inputs }) => inputs).sort(byIdentity)).toEqual([...written].sort(byIdentity));
  for (const { type, name, inputs } of registered) {
    const { apiVersion, kind, metadata } = inputs;
    const [version, group = 'core'] = apiVersion.split('/').reverse();
    expect(type).toBe(`kubernetes:${group}/${version}:${kind}`);
    // of each kind that Kubernetes does not have itself, the definition is read
    const definition = registrations.some(
      ({ readId = '' }) => readId.endsWith(`.${group}`) && readId.startsWith(kind.toLowerCase()),
    );
    expect(`${kind} ${definition}`).toBe(`${kind} ${!BUILT_IN.test(group)}`);
    expect(name).toBe(['example', metadata.namespace ?? [], metadata.name].flat().join('/'));
  }
});

function byIdentity(a: KubeObject, b: KubeObject): number {
  const identity = ({ kind, metadata }: KubeObject): string => `${kind} ${metadata.namespace ?? ''}/${metadata.name}`;
  return identity(a).localeCompare(identity(b));
}
