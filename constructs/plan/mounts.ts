import type { Volume, VolumeProjection } from '../imports/k8s';
import type { Problems } from './errors';

/** One entry of a Secret in the pod's namespace. */
export interface SecretKey {
  /** Name of the Secret. */
  readonly secret: string;
  /** Entry of it. */
  readonly key: string;
}

/** PEM file of the authorities that a server's certificate must lead to, in a Secret or a ConfigMap. */
export type AuthorityRef = SecretKey | { readonly configMap: string; readonly key: string };

/** A file that a pod gets from a Secret or ConfigMap. */
export interface MountedFile {
  /** Absolute path in the container. */
  readonly path: string;
  readonly from: AuthorityRef;
}

/** Owner and group may read. */
const READ_ONLY_MODE = 0o440;
const OBJECT_NAME = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;
const ENTRY = /^[-._a-zA-Z0-9]{1,253}$/;

/**
 * One volume of files from several objects. The kubelet brings them up to date together when a Secret changes, which it
 * would not do for files mounted one by one (`subPath`).
 *
 * @param root folder that the volume is mounted at; all paths are below it
 */
export function projectedVolume(name: string, root: string, files: readonly MountedFile[]): Volume {
  const sources = new Map<string, { from: AuthorityRef; items: { key: string; path: string }[] }>();
  for (const { path, from } of files) {
    if (!path.startsWith(`${root}/`)) {
      throw new Error(`${path} is not below ${root}`);
    }
    const object = 'secret' in from ? `secret/${from.secret}` : `configMap/${from.configMap}`;
    const source = sources.get(object) ?? { from, items: [] };
    source.items.push({ key: from.key, path: path.slice(root.length + 1) });
    sources.set(object, source);
  }
  return {
    name,
    projected: {
      defaultMode: READ_ONLY_MODE,
      sources: [...sources.values()].map(({ from, items }): VolumeProjection =>
        'secret' in from ? { secret: { name: from.secret, items } } : { configMap: { name: from.configMap, items } },
      ),
    },
  };
}

/** Checks a reference; plain JavaScript may have left anything out. */
export function checkReference(problems: Problems, property: string, reference: AuthorityRef | undefined): void {
  const kind = reference !== undefined && 'configMap' in reference ? 'configMap' : 'secret';
  const given = (reference ?? {}) as { readonly [part: string]: string | undefined };
  problems.check(
    OBJECT_NAME.test(given[kind] ?? ''),
    `${property}.${kind}`,
    given[kind],
    `be the name of a ${kind === 'secret' ? 'Secret' : 'ConfigMap'}`,
    'it is mounted from there, and no value is ever written into a manifest',
  );
  problems.check(
    ENTRY.test(given.key ?? ''),
    `${property}.key`,
    given.key,
    'be the name of an entry of it',
    'a Secret and a ConfigMap hold several',
  );
}
