import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { LedgerError } from '../ledger/errors';

/** A Kubernetes object; each reader knows the fields of its kind. */
export interface Manifest {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: { readonly [label: string]: string };
  };
  readonly spec?: unknown;
}

/**
 * Reads the manifests that a synthesis wrote.
 *
 * @param folder with files that end in .yaml or .yml, such as `dist`
 * @throws LedgerError where there are none, or one is no YAML
 */
export async function readManifests(folder: string): Promise<readonly Manifest[]> {
  let names: string[];
  try {
    names = (await readdir(folder)).filter((name) => /\.ya?ml$/.test(name)).sort();
  } catch (cause) {
    throw new LedgerError(`no manifests in ${folder}: synthesise first, or name their folder`, { cause });
  }
  const objects: Manifest[] = [];
  for (const name of names) {
    for (const document of parseAllDocuments(await readFile(join(folder, name), 'utf8'))) {
      const [error] = document.errors;
      if (error !== undefined) {
        throw new LedgerError(`${join(folder, name)} is no YAML: ${error.message.split('\n')[0]}`);
      }
      const object = document.toJS() as Manifest | null;
      if (object !== null) {
        objects.push(object);
      }
    }
  }
  if (objects.length === 0) {
    throw new LedgerError(`no manifests in ${folder}: synthesise first, or name their folder`);
  }
  return objects;
}

/** `namespace/name` of an object. */
export function fullName({ metadata: { namespace, name } }: Manifest): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}

/** Replicas of a workload: the bounds of its autoscaler, or its own number. */
export function replicasOf(
  workload: Manifest,
  objects: readonly Manifest[],
): { readonly min: number; readonly max: number } {
  const scaler = objects.find((object) => {
    const target = (object.spec as { scaleTargetRef?: { name?: string; kind?: string } } | undefined)?.scaleTargetRef;
    return (
      target?.name === workload.metadata.name &&
      (target.kind ?? 'Deployment') === workload.kind &&
      object.metadata.namespace === workload.metadata.namespace
    );
  });
  if (scaler?.kind === 'HorizontalPodAutoscaler') {
    const { minReplicas = 1, maxReplicas } = scaler.spec as { minReplicas?: number; maxReplicas: number };
    return { min: minReplicas, max: maxReplicas };
  }
  if (scaler?.kind === 'ScaledObject') {
    const { minReplicaCount = 0, maxReplicaCount = 100 } = scaler.spec as {
      minReplicaCount?: number;
      maxReplicaCount?: number;
    };
    return { min: minReplicaCount, max: maxReplicaCount };
  }
  const { replicas = 1 } = (workload.spec ?? {}) as { replicas?: number };
  return { min: replicas, max: replicas };
}
