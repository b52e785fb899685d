import { ApiObject, JsonPatch, type ApiObjectProps } from 'cdk8s';
import type { Construct } from 'constructs';
import { ConfigurationError } from './plan/errors';
import { lateValueProblems } from './plan/late-values';

/** Kinds that belong to no namespace. */
const CLUSTER_SCOPED = new Set(['PriorityClass', 'NodePool', 'EC2NodeClass']);

/**
 * Defines one Kubernetes object from its exact JSON shape. Callers type the manifest by the interface that is generated
 * from its schema (`imports/`), so that a misspelled field does not compile.
 *
 * Patches that do not fit the object are reported as late errors, together with all others and before anything is
 * written; left alone, they would surface halfway through writing the manifests.
 */
export function kubeObject(
  scope: Construct,
  id: string,
  manifest: ApiObjectProps & { readonly metadata: { readonly name: string } },
): ApiObject {
  const object = new ApiObject(scope, id, manifest);
  if (CLUSTER_SCOPED.has(manifest.kind) && object.metadata.namespace !== undefined) {
    // cdk8s gives every object the chart's namespace, and these have none
    object.addJsonPatch(JsonPatch.remove('/metadata/namespace'));
  }
  object.node.addValidation({ validate: () => patchErrors(object) });
  return object;
}

function patchErrors(object: ApiObject): string[] {
  const { patches } = object as unknown as { readonly patches: readonly unknown[] };
  if (patches.length === 0) {
    return [];
  }
  try {
    object.toJson();
    return [];
  } catch (error) {
    return [(error as Error).message];
  }
}

/**
 * Runs a plan; what it finds wrong is thrown with the path of the construct that was given the values.
 *
 * @param props what the construct was given; values in it that only a deployment knows are refused before the plan runs
 */
export function planFor<T>(scope: Construct, plan: () => T, props: object = {}): T {
  try {
    const lateValues = lateValueProblems(props);
    if (lateValues.length > 0) {
      throw new ConfigurationError(lateValues);
    }
    return plan();
  } catch (error) {
    if (error instanceof ConfigurationError && error.path === undefined) {
      throw new ConfigurationError(error.problems, scope.node.path);
    }
    throw error;
  }
}
