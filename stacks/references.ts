import { groupOf, type KubeObject } from './manifests';

/** An object by the name that others call it. */
export interface Reference {
  readonly kind: string;
  readonly name: string;
  /** Absent where the kind has no namespaces. */
  readonly namespace?: string;
}

/** A key of a Secret that a container gets as a variable. */
export interface SecretKey {
  readonly namespace: string;
  readonly secret: string;
  readonly key: string;
}

interface Named {
  readonly name?: string;
  readonly optional?: boolean;
}

interface Container {
  readonly env?: readonly {
    readonly valueFrom?: {
      readonly configMapKeyRef?: Named;
      readonly secretKeyRef?: Named & { readonly key: string };
    };
  }[];
  readonly envFrom?: readonly { readonly configMapRef?: Named; readonly secretRef?: Named }[];
}

interface VolumeSource {
  readonly configMap?: Named;
  /** Named `secretName` as a volume, `name` as a part of a projected one. */
  readonly secret?: Named & { readonly secretName?: string };
}

interface PodSpec {
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly imagePullSecrets?: readonly Named[];
  readonly priorityClassName?: string;
  readonly serviceAccountName?: string;
  readonly volumes?: readonly (VolumeSource & {
    readonly projected?: { readonly sources?: readonly VolumeSource[] };
  })[];
}

/** What an object names that the API server or its pods need to be there; never what waits for it in turn. */
export function referencesOf(json: KubeObject): Reference[] {
  const { namespace } = json.metadata;
  const spec = json.spec as
    { readonly template?: { readonly spec?: { readonly nodeClassRef?: Reference } } } | undefined;
  const nodeClass = spec?.template?.spec?.nodeClassRef;
  const { roleRef } = json as { readonly roleRef?: Reference };
  return [
    { kind: 'CustomResourceDefinition', name: `${groupOf(json)}/${json.kind}` },
    ...(namespace === undefined ? [] : [{ kind: 'Namespace', name: namespace }]),
    ...(nodeClass === undefined ? [] : [{ kind: nodeClass.kind, name: nodeClass.name }]),
    ...(roleRef === undefined ? [] : [{ ...roleRef, ...(roleRef.kind === 'Role' && { namespace }) }]),
    ...podReferences(json),
  ];
}

/** Keys of Secrets without which the containers of an object's pods do not start. */
export function secretKeysOf(json: KubeObject): SecretKey[] {
  const references = containersOf(podSpecOf(json)).flatMap(({ env = [] }) =>
    env.flatMap(({ valueFrom }) => valueFrom?.secretKeyRef ?? []),
  );
  return references
    .filter(({ optional }) => optional !== true)
    .map(({ name = '', key }) => ({ namespace: json.metadata.namespace ?? 'default', secret: name, key }));
}

/** The pods that an object is or makes. */
export function podSpecOf({ kind, spec }: KubeObject): PodSpec | undefined {
  const { template, jobTemplate } = (spec ?? {}) as {
    readonly template?: { readonly spec?: PodSpec };
    readonly jobTemplate?: { readonly spec?: { readonly template?: { readonly spec?: PodSpec } } };
  };
  const found = kind === 'Pod' ? (spec as PodSpec) : (template?.spec ?? jobTemplate?.spec?.template?.spec);
  return found?.containers === undefined ? undefined : found;
}

function podReferences(json: KubeObject): Reference[] {
  const pod = podSpecOf(json);
  const { namespace } = json.metadata;
  const containers = containersOf(pod);
  const variables = containers.flatMap(({ env = [] }) => env.flatMap(({ valueFrom }) => valueFrom ?? []));
  const sources = containers.flatMap(({ envFrom = [] }) => envFrom);
  const volumes = (pod?.volumes ?? []).flatMap((volume) => [volume, ...(volume.projected?.sources ?? [])]);
  const names = (kind: string, names: readonly (string | undefined)[]): Reference[] =>
    names.flatMap((name) => (name === undefined ? [] : [{ kind, name, namespace }]));
  return [
    ...names(
      'ConfigMap',
      variables.map(({ configMapKeyRef }) => configMapKeyRef?.name),
    ),
    ...names(
      'ConfigMap',
      sources.map(({ configMapRef }) => configMapRef?.name),
    ),
    ...names(
      'ConfigMap',
      volumes.map(({ configMap }) => configMap?.name),
    ),
    ...names(
      'Secret',
      variables.map(({ secretKeyRef }) => secretKeyRef?.name),
    ),
    ...names(
      'Secret',
      sources.map(({ secretRef }) => secretRef?.name),
    ),
    ...names(
      'Secret',
      volumes.map(({ secret }) => secret?.secretName ?? secret?.name),
    ),
    ...names(
      'Secret',
      (pod?.imagePullSecrets ?? []).map(({ name }) => name),
    ),
    ...names('ServiceAccount', [pod?.serviceAccountName]),
    ...(pod?.priorityClassName === undefined ? [] : [{ kind: 'PriorityClass', name: pod.priorityClassName }]),
  ];
}

function containersOf(pod: PodSpec | undefined): readonly Container[] {
  return pod === undefined ? [] : [...(pod.initContainers ?? []), ...pod.containers];
}
