import type { ConfigMap } from '../imports/config-map';
import type { Volume } from '../imports/k8s';
import { contentHash } from './content-hash';
import { ServiceLabel } from './labels';

/** Programs that run in the cluster, each from a ConfigMap on the official Node image. */
export const PROGRAMS = ['gateway', 'cache'] as const;

/** One of `PROGRAMS`. */
export type Program = (typeof PROGRAMS)[number];

/** A program as it was bundled: the start, in plain JavaScript, and all else, compressed with Brotli. */
export interface Bundle {
  readonly start: string;
  readonly compressed: Uint8Array;
}

/** Folder of a program in its container. */
export const PROGRAM_MOUNT = '/opt/mediform';
/** Unpacks what lies beside it and runs it. */
const START_FILE = 'start.js';
/** What an object may be for `kubectl apply` to write it down beside itself, less what else is in it. */
export const MAX_STORED_BYTES = 250 * 1024;

/** The ConfigMap of a program, which all its users in a namespace share. Another version has another name. */
export function programConfigMap(program: Program, namespace: string, { start, compressed }: Bundle): ConfigMap {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: `mediform-${program}-${contentHash(start, compressed)}`,
      namespace,
      labels: { [ServiceLabel.MANAGED_BY]: 'mediform' },
    },
    immutable: true,
    data: { [START_FILE]: start },
    binaryData: { 'program.br': Buffer.from(compressed).toString('base64') },
  };
}

/** What runs a program. */
export function programCommand(): readonly string[] {
  return ['node', `${PROGRAM_MOUNT}/${START_FILE}`];
}

/** The volume with a program. */
export function programVolume(configMap: string): Volume {
  return { name: 'program', configMap: { name: configMap, defaultMode: 0o444 } };
}
