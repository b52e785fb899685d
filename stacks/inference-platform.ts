import { ApiObject, Chart, type App } from 'cdk8s';
import type { Input } from '@pulumi/pulumi';
import { renderManifests, type KubeObject } from './manifests';
import { asString } from './outputs';
import { neededKeysOf, podSpecOf, type NeededKey } from './references';

/**
 * Keys of Secrets and ConfigMaps that the pods of an app do not start without, each once, besides those of objects that the
 * app defines or that cert-manager makes for it.
 */
export function neededKeys(app: App): NeededKey[] {
  const objects = renderManifests(app).map(({ json }) => json);
  const defined = new Set(objects.map(madeBy));
  const needed = objects.flatMap(neededKeysOf).filter((key) => !defined.has(pathOf(key)));
  return [...new Map(needed.map((key) => [`${pathOf(key)}/${key.key}`, key])).values()];
}

/** Defines the namespaces that pods of an app live in; they refuse pods below the Pod Security standard "restricted". */
export function defineNamespaces(app: App): void {
  const withPods = renderManifests(app).filter(({ json }) => podSpecOf(json) !== undefined);
  const names = new Set(withPods.flatMap(({ json }) => json.metadata.namespace ?? []));
  const chart = new Chart(app, 'namespaces', { labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } });
  for (const name of names) {
    new ApiObject(chart, name, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  }
}

/** Defines the Secrets and ConfigMaps of some keys. */
export function defineKeys(app: App, keys: readonly NeededKey[], valueOf: (key: NeededKey) => Input<string>): void {
  const chart = new Chart(app, 'configuration');
  for (const path of new Set(keys.map(pathOf))) {
    const own = keys.filter((key) => pathOf(key) === path);
    const [{ kind, namespace, name }] = own as [NeededKey];
    const data = Object.fromEntries(own.map((key) => [key.key, asString(valueOf(key))]));
    new ApiObject(chart, path, {
      apiVersion: 'v1',
      kind,
      metadata: { name, namespace },
      ...(kind === 'Secret' ? { stringData: data } : { data }),
    });
  }
}

/** The Secret or ConfigMap that is there because of an object, as `pathOf` names it. */
function madeBy({ kind, metadata, spec }: KubeObject): string {
  const { secretName } = (spec ?? {}) as { readonly secretName?: string };
  const { namespace = 'default', name } = metadata;
  return kind === 'Certificate'
    ? pathOf({ kind: 'Secret', namespace, name: secretName ?? '' })
    : `${kind}-${namespace}-${name}`;
}

function pathOf({ kind, namespace, name }: Pick<NeededKey, 'kind' | 'namespace' | 'name'>): string {
  return `${kind}-${namespace}-${name}`;
}
