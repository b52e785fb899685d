import { groupOf, type KubeObject } from './manifests';

/** An object by the name that others call it. */
export interface Reference {
  readonly kind: string;
  readonly name: string;
  /** Absent where the kind has no namespaces. */
  readonly namespace?: string;
}

/** A key of a Secret or ConfigMap without which a pod does not start. */
export interface NeededKey {
  readonly kind: 'Secret' | 'ConfigMap';
  readonly namespace: string;
  readonly name: string;
  readonly key: string;
}

interface Named {
  readonly name?: string;
  readonly optional?: boolean;
  /** Of a variable. */
  readonly key?: string;
  /** Of a volume. */
  readonly items?: readonly { readonly key: string }[];
}

interface Container {
  readonly env?: readonly {
    readonly valueFrom?: {
      readonly configMapKeyRef?: Named;
      readonly secretKeyRef?: Named;
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

/** Keys by which an object's pods refer to Secrets and ConfigMaps, without those that may be missing. */
export function neededKeysOf(json: KubeObject): NeededKey[] {
  const pod = podSpecOf(json);
  const variables = containersOf(pod).flatMap(({ env = [] }) => env.flatMap(({ valueFrom }) => valueFrom ?? []));
  const volumes = volumeSourcesOf(pod);
  const keys = (kind: NeededKey['kind'], references: readonly (Named | undefined)[]): NeededKey[] =>
    references.flatMap((reference) => {
      const { name = '', key, items = [], optional = false } = reference ?? { optional: true };
      const named = [...(key === undefined ? [] : [key]), ...items.map((item) => item.key)];
      const namespace = json.metadata.namespace ?? 'default';
      return optional ? [] : named.map((one) => ({ kind, namespace, name, key: one }));
    });
  return [
    ...keys(
      'Secret',
      variables.map(({ secretKeyRef }) => secretKeyRef),
    ),
    ...keys(
      'Secret',
      volumes.map(({ secret }) => secret && { ...secret, name: secret.secretName ?? secret.name }),
    ),
    ...keys(
      'ConfigMap',
      variables.map(({ configMapKeyRef }) => configMapKeyRef),
    ),
    ...keys(
      'ConfigMap',
      volumes.map(({ configMap }) => configMap),
    ),
  ];
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
  const volumes = volumeSourcesOf(pod);
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

function volumeSourcesOf(pod: PodSpec | undefined): readonly VolumeSource[] {
  return (pod?.volumes ?? []).flatMap((volume) => [volume, ...(volume.projected?.sources ?? [])]);
}

function containersOf(pod: PodSpec | undefined): readonly Container[] {
  return pod === undefined ? [] : [...(pod.initContainers ?? []), ...pod.containers];
}
