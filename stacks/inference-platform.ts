import { ApiObject, Chart, type App } from 'cdk8s';
import type { Output } from '@pulumi/pulumi';
import { renderManifests } from './manifests';
import { asString } from './outputs';
import { podSpecOf, secretKeysOf, type SecretKey } from './references';

/** Keys of Secrets that the pods of an app cannot start without, each once. */
export function neededSecrets(app: App): SecretKey[] {
  const keys = renderManifests(app).flatMap(({ json }) => secretKeysOf(json));
  return [...new Map(keys.map((key) => [Object.values(key).join('/'), key])).values()];
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

/** Defines the Secrets of some keys. */
export function defineSecrets(app: App, keys: readonly SecretKey[], valueOf: (key: SecretKey) => Output<string>): void {
  const chart = new Chart(app, 'secrets');
  const names = new Map(keys.map(({ namespace, secret: name }) => [`${namespace}/${name}`, { namespace, name }]));
  for (const [id, metadata] of names) {
    const own = keys.filter((key) => key.namespace === metadata.namespace && key.secret === metadata.name);
    const stringData = Object.fromEntries(own.map((key) => [key.key, asString(valueOf(key))]));
    new ApiObject(chart, id, { apiVersion: 'v1', kind: 'Secret', metadata, stringData });
  }
}
