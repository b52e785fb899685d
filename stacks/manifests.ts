import { ApiObject, App, Chart } from 'cdk8s';
import { LATE } from '../constructs/plan/late-values';
import { hasOutputs, outputResolver } from './outputs';

/** A Kubernetes object as a chart renders it, with placeholders where Outputs will be. */
export interface Manifest {
  /** The construct that it is made by. */
  readonly object: ApiObject;
  readonly json: KubeObject;
}

/** What of a Kubernetes object is the same for all kinds. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly annotations?: { readonly [key: string]: string };
  };
  readonly spec?: unknown;
}

/**
 * All objects of an app, or of a chart and the charts within it, in the order in which they were defined.
 *
 * @throws Error with all that `cdk8s synth` would find wrong with the app
 */
export function renderManifests(scope: App | Chart): Manifest[] {
  const { resolvers } = App.of(scope);
  // the first resolver that knows a value has the say
  resolvers.unshift(outputResolver);
  try {
    const constructs = scope.node.findAll();
    // validates the whole app, which the objects alone would not, and makes dependencies of charts those of objects
    constructs.find((construct): construct is Chart => Chart.isChart(construct))?.toJson();
    return constructs
      .filter((construct): construct is ApiObject => ApiObject.isApiObject(construct))
      .map((object) => ({ object, json: object.toJson() as KubeObject }));
  } finally {
    resolvers.splice(resolvers.indexOf(outputResolver), 1);
  }
}

/** What keeps an object from being a resource: an identity that is not known yet, or that another one has. */
export function identityProblems(manifests: readonly Manifest[]): string[] {
  const paths = new Map<string, string>();
  return manifests.flatMap(({ object, json }) => {
    const { path } = object.node;
    const { name, namespace = '' } = json.metadata;
    const identity = {
      apiVersion: json.apiVersion,
      kind: json.kind,
      'metadata.name': name,
      'metadata.namespace': namespace,
    };
    const late = Object.entries(identity).filter(([, text]) => hasOutputs(text));
    if (late.length > 0) {
      return late.map(
        ([field]) => `[${path}] '${field}' (${LATE}) must be known because its resource is named after it`,
      );
    }
    const key = `${groupOf(json)}/${json.kind} ${namespace}/${name}`;
    const first = paths.get(key);
    paths.set(key, first ?? path);
    return first === undefined
      ? []
      : [`[${path}] ${describe(json)} must be defined once because ${first} defines it too`];
  });
}

/** API group of an object; empty for the core group. */
export function groupOf({ apiVersion }: { readonly apiVersion: string }): string {
  return apiVersion.includes('/') ? (apiVersion.split('/')[0] as string) : '';
}

function describe({ kind, metadata: { name, namespace } }: KubeObject): string {
  return namespace === undefined ? `${kind} ${name}` : `${kind} ${namespace}/${name}`;
}
