/**
 * Each example makes exactly what is committed beside it, and all of it passes the strict schemas. After a change that
 * is meant, `npm run golden` writes the files anew; read the difference before you commit it.
 */
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { schemaErrors } from './support/schema';

const EXAMPLES = join(__dirname, '..', 'examples');

interface KubeObject {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec?: unknown;
}

const folders: string[] = [];

afterAll(() => {
  folders.forEach((folder) => rmSync(folder, { recursive: true }));
});

/** Runs an example as a user would, and reads what it wrote. */
async function synth(example: string): Promise<{ folder: string; objects: KubeObject[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'mediform-'));
  folders.push(folder);
  process.env.CDK8S_OUTDIR = folder;
  await jest.isolateModulesAsync(async () => {
    await import(join(EXAMPLES, example, 'main.ts'));
  });
  return { folder, objects: files(folder).flatMap(([, text]) => objectsOf(text)) };
}

function files(folder: string): [string, string][] {
  return readdirSync(folder)
    .sort()
    .map((file) => [file, readFileSync(join(folder, file), 'utf8')]);
}

/**
 * Leaves out what a program is made of, and the names that follow from it: those change with every library that is in
 * it. All else is compared to the letter.
 */
function withoutPrograms([file, text]: [string, string]): [string, string] {
  const named = text.replaceAll(/\bmediform-(gateway|cache|cost)-[0-9a-f]{10}\b/g, 'mediform-$1-HASH');
  // a Job is named after its program too
  const jobs = named.replaceAll(/\b([a-z0-9-]+-migrate)-[0-9a-f]{10}\b/g, '$1-HASH');
  return [file, jobs.replaceAll(/^( +program\.br: )[A-Za-z0-9+/=]+$/gm, '$1PROGRAM')];
}

function objectsOf(text: string): KubeObject[] {
  return parseAllDocuments(text).map((document) => document.toJS() as KubeObject);
}

describe.each(['01-one-service', '02-reference-system', '03-hospital'])('%s', (example) => {
  const golden = join(EXAMPLES, example, 'golden');

  it('makes what is committed', async () => {
    const { folder } = await synth(example);
    const made = files(folder).map(withoutPrograms);
    if (process.env.UPDATE_GOLDEN !== undefined) {
      rmSync(golden, { recursive: true, force: true });
      mkdirSync(golden);
      made.forEach(([file, text]) => writeFileSync(join(golden, file), text));
    }
    expect(made).toEqual(files(golden));
  });

  it('passes the strict schemas', async () => {
    const { objects } = await synth(example);
    expect(objects.length).toBeGreaterThan(10);
    expect(objects.flatMap(schemaErrors)).toEqual([]);
  });

  it('names every object once', async () => {
    const { objects } = await synth(example);
    const names = objects.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ''}/${metadata.name}`);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });
});

it('is the reference autoscaler as the requirement has it', async () => {
  const { objects } = await synth('02-reference-system');
  const find = (kind: string, name: string): unknown =>
    objects.find((object) => object.kind === kind && object.metadata.name === name)?.spec;
  expect(find('HorizontalPodAutoscaler', 'medical-ai-hpa')).toEqual({
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'medical-ai-service' },
    minReplicas: 2,
    maxReplicas: 20,
    metrics: [
      {
        type: 'Pods',
        pods: { metric: { name: 'gpu_utilization' }, target: { type: 'AverageValue', averageValue: '80' } },
      },
      {
        type: 'Pods',
        pods: { metric: { name: 'request_queue_length' }, target: { type: 'AverageValue', averageValue: '10' } },
      },
    ],
    behavior: {
      scaleDown: {
        stabilizationWindowSeconds: 300,
        selectPolicy: 'Max',
        policies: [{ type: 'Percent', value: 50, periodSeconds: 60 }],
      },
      scaleUp: {
        stabilizationWindowSeconds: 0,
        selectPolicy: 'Max',
        policies: [
          { type: 'Percent', value: 100, periodSeconds: 15 },
          { type: 'Pods', value: 2, periodSeconds: 15 },
        ],
      },
    },
  });
  expect(find('VerticalPodAutoscaler', 'medical-ai-vpa')).toMatchObject({
    targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'medical-ai-service' },
    resourcePolicy: {
      containerPolicies: [
        { minAllowed: { cpu: '2', memory: '8Gi' }, maxAllowed: { cpu: '16', memory: '64Gi' } },
        { containerName: '*', mode: 'Off' },
      ],
    },
  });
});
