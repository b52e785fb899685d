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

const PODS_COME_OF = new Set(['Deployment', 'StatefulSet', 'Job', 'CronJob']);

/** The namespaces that objects are in. Where pods live, the Pod Security standard "restricted" is enforced. */
export function namespacesOf(objects: readonly KubeObject[]): KubeObject[] {
  const names = new Set(objects.flatMap(({ metadata }) => metadata.namespace ?? []));
  const havePods = objects.filter(({ kind }) => PODS_COME_OF.has(kind));
  const ofPods = new Set(havePods.map(({ metadata }) => metadata.namespace));
  const restricted = {
    'pod-security.kubernetes.io/enforce': 'restricted',
    // so that the API server also says what it finds in a Deployment's template
    'pod-security.kubernetes.io/warn': 'restricted',
  };
  return [...names].map((name) => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name, labels: ofPods.has(name) ? restricted : {} },
  }));
}

interface StatefulSet extends KubeObject {
  readonly spec: {
    readonly replicas: number;
    readonly volumeClaimTemplates?: readonly {
      readonly metadata: { readonly name: string };
      readonly spec: {
        readonly accessModes: readonly string[];
        readonly storageClassName?: string;
        readonly resources: { readonly requests: { readonly storage: string } };
      };
    }[];
  };
}

/** Volumes for all the claims that StatefulSets among objects will make: here no cloud makes any. */
export function volumesFor(objects: readonly KubeObject[]): KubeObject[] {
  const statefulSets = objects.filter((object): object is StatefulSet => object.kind === 'StatefulSet');
  return statefulSets.flatMap(({ metadata, spec }) =>
    (spec.volumeClaimTemplates ?? []).flatMap((claim) =>
      Array.from({ length: spec.replicas }, (_, index): KubeObject & { readonly spec: object } => {
        const { accessModes, resources, storageClassName } = claim.spec;
        const name = `${claim.metadata.name}-${metadata.name}-${index}`;
        return {
          apiVersion: 'v1',
          kind: 'PersistentVolume',
          metadata: { name: `${metadata.namespace}-${name}` },
          spec: {
            accessModes,
            capacity: resources.requests,
            storageClassName,
            claimRef: { namespace: metadata.namespace, name },
            csi: { driver: 'ebs.csi.aws.com', volumeHandle: name },
          },
        };
      }),
    ),
  );
}

/** Nodes of all the node pools among objects. */
export function nodesFor(objects: readonly KubeObject[]): NodeShape[] {
  return objects.filter((object): object is NodePool => object.kind === 'NodePool').flatMap(nodesOfPool);
}
