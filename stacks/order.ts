import type { ApiObject } from 'cdk8s';
import { RunError } from '@pulumi/pulumi';
import { groupOf, type KubeObject, type Manifest } from './manifests';
import { podSpecOf, referencesOf, type Reference } from './references';

/** Kinds that are referred to and have no namespace, even where a chart gives them its own. */
const CLUSTER_SCOPED = new Set([
  'ClusterRole',
  'CustomResourceDefinition',
  'EC2NodeClass',
  'Namespace',
  'PriorityClass',
]);

/** An object, and those that must exist before it. */
export interface Step extends Manifest {
  readonly after: readonly ApiObject[];
}

/**
 * Objects in an order in which each comes after all that it needs: what its construct depends on, and what the API
 * server or its pods could not do without.
 *
 * - Namespaces and CustomResourceDefinitions come before what is in them or of their kind.
 * - ServiceAccounts, ConfigMaps, Secrets and PriorityClasses come before the pods that name them.
 * - Karpenter's node pools come before all pods, which may have nowhere else to run, and node classes before pools.
 * - Roles come before their bindings, which the API server refuses to most users otherwise.
 *
 * Nothing else waits. A Service or a volume claim, above all, may itself wait for the pods.
 *
 * @throws Error that names the constructs of a cycle
 */
export function inOrder(manifests: readonly Manifest[]): Step[] {
  const byName = new Map(manifests.map(({ object, json }) => [keyOf(referenceTo(json)), object]));
  const nodePools = manifests.filter(({ json }) => isNodePool(json)).map(({ object }) => object);
  const known = new Set<unknown>(manifests.map(({ object }) => object));
  const steps = manifests.map((manifest) => {
    const { object, json } = manifest;
    const after = new Set([
      ...object.node.dependencies.filter((needed): needed is ApiObject => known.has(needed)),
      ...referencesOf(json).flatMap((reference) => byName.get(keyOf(reference)) ?? []),
      ...(podSpecOf(json) === undefined ? [] : nodePools),
    ]);
    after.delete(object);
    return { ...manifest, after: [...after] };
  });
  return sorted(steps);
}

function sorted(steps: readonly Step[]): Step[] {
  const byObject = new Map(steps.map((step) => [step.object, step]));
  const done = new Set<Step>();
  const visit = (step: Step, path: readonly Step[]): void => {
    if (done.has(step)) {
      return;
    }
    if (path.includes(step)) {
      const cycle = [...path.slice(path.indexOf(step)), step].map(({ object }) => object.node.path);
      // in the words of cdk8s, which finds most cycles first
      throw new RunError(`Dependency cycle detected: ${cycle.join(' => ')}`);
    }
    step.after.forEach((object) => visit(byObject.get(object) as Step, [...path, step]));
    done.add(step);
  };
  steps.forEach((step) => visit(step, []));
  return [...done];
}

function referenceTo(json: KubeObject): Reference {
  if (json.kind === 'CustomResourceDefinition') {
    const { group, names } = json.spec as { readonly group: string; readonly names: { readonly kind: string } };
    return { kind: json.kind, name: `${group}/${names.kind}` };
  }
  return { kind: json.kind, ...json.metadata };
}

function isNodePool(json: KubeObject): boolean {
  return json.kind === 'NodePool' && groupOf(json) === 'karpenter.sh';
}

function keyOf({ kind, name, namespace = '' }: Reference): string {
  return `${kind} ${CLUSTER_SCOPED.has(kind) ? '' : namespace}/${name}`;
}
