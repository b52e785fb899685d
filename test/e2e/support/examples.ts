import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseAllDocuments } from 'yaml';
import { type KubeObject } from './kube-object';
import { nodesOfPool, type NodePool, type NodeShape } from './nodes';

const EXAMPLES = join(__dirname, '..', '..', '..', 'examples');

/** All examples, by the names of their folders. */
export const exampleNames: readonly string[] = readdirSync(EXAMPLES).sort();

/** Runs an example as a user would, and reads what it wrote. */
export async function synthExample(name: string): Promise<readonly KubeObject[]> {
  const folder = mkdtempSync(join(tmpdir(), 'mediform-'));
  try {
    const program = join(EXAMPLES, name, 'main.ts');
    await promisify(execFile)(process.execPath, ['--import', 'tsx', program], {
      cwd: join(EXAMPLES, '..'),
      env: { ...process.env, CDK8S_OUTDIR: folder },
    });
    return readdirSync(folder)
      .sort()
      .flatMap((file) => parseAllDocuments(readFileSync(join(folder, file), 'utf8')))
      .map((document) => document.toJS() as KubeObject);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The namespaces that objects are in. Where services live, the Pod Security standard "restricted" is enforced. */
export function namespacesOf(objects: readonly KubeObject[]): KubeObject[] {
  const names = new Set(objects.flatMap(({ metadata }) => metadata.namespace ?? []));
  const ofServices = new Set(objects.filter(({ kind }) => kind === 'Deployment').map((o) => o.metadata.namespace));
  const restricted = {
    'pod-security.kubernetes.io/enforce': 'restricted',
    // so that the API server also says what it finds in a Deployment's template
    'pod-security.kubernetes.io/warn': 'restricted',
  };
  return [...names].map((name) => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name, labels: ofServices.has(name) ? restricted : {} },
  }));
}

/** Nodes of all the node pools among objects. */
export function nodesFor(objects: readonly KubeObject[]): NodeShape[] {
  return objects.filter((object): object is NodePool => object.kind === 'NodePool').flatMap(nodesOfPool);
}
