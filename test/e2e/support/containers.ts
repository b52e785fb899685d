/**
 * Runs containers of synthesised pods without a container runtime: their files in a folder, their commands as they are.
 * Of what they say, only the folder before absolute paths is changed.
 */
import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { ConfigMap } from '../../../constructs/imports/config-map';
import type { Container, PodSpec, Volume } from '../../../constructs/imports/k8s';
import type { KubeObject } from '../../../constructs/testing';
import { nodeRuntime } from './node-runtime';

/** Entries of Secrets, and of ConfigMaps that are not among the objects, by name. */
export interface Contents {
  readonly [object: string]: { readonly [key: string]: string };
}

/** What there is in a namespace. */
export interface Surroundings {
  readonly objects: readonly KubeObject[];
  readonly contents: Contents;
  /** Names of a cluster, with their ports, and the loopback ports that stand for them. */
  readonly hosts?: { readonly [hostAndPort: string]: number };
}

/** A container that can be run. */
export interface Runnable {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: { readonly [name: string]: string };
  /** The same text with the paths of the container led into its folder. */
  readonly located: (text: string) => string;
}

/** Lays out the files of a container in a folder of its own. */
export function layOut(folder: string, pod: PodSpec, container: string, surroundings: Surroundings): Runnable {
  const spec = pod.containers.find(({ name }) => name === container) as Container;
  const mounts = spec.volumeMounts ?? [];
  const located = (text: string): string =>
    mounts.reduce((result, { mountPath }) => result.replaceAll(mountPath, join(folder, mountPath)), text);
  for (const { name, mountPath } of mounts) {
    const volume = pod.volumes?.find((candidate) => candidate.name === name);
    mkdirSync(join(folder, mountPath), { recursive: true });
    for (const [path, content] of filesOf(volume, surroundings)) {
      const file = join(folder, mountPath, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, typeof content === 'string' ? located(content) : content);
    }
  }
  const [command = '', ...args] = [...(spec.command ?? []), ...(spec.args ?? [])].map(located);
  const variables = (spec.env ?? []).map(({ name, value = '' }) => [name, located(value)]);
  return {
    command,
    args,
    env: {
      ...(Object.fromEntries(variables) as { [name: string]: string }),
      PATH: [programs(folder), nodeRuntime.folder, process.env.PATH].join(delimiter),
      NODE_OPTIONS: `--require=${require.resolve('./hosts.cjs')}`,
      MEDIFORM_TEST_HOSTS: JSON.stringify(surroundings.hosts ?? {}),
    },
    located,
  };
}

/** Runs a container to its end; rejects where that is not well. */
export async function runToEnd({ command, args, env }: Runnable): Promise<string> {
  const { stdout } = await promisify(execFile)(command, [...args], { env: { ...env }, timeout: 60_000 });
  return stdout;
}

function filesOf(
  volume: Volume | undefined,
  { objects, contents }: Surroundings,
): [path: string, content: string | Buffer][] {
  const entry = (object: string, key: string): string | Buffer => {
    const map = objects.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === object);
    const { data = {}, binaryData = {} } = (map ?? {}) as Partial<ConfigMap>;
    const text = data[key] ?? contents[object]?.[key];
    const bytes = binaryData[key];
    if (text === undefined && bytes === undefined) {
      throw new Error(`${object} has no entry ${key}`);
    }
    return text ?? Buffer.from(bytes as string, 'base64');
  };
  // a claim has no volume of its own, and begins empty
  if (volume?.configMap !== undefined) {
    const name = volume.configMap.name as string;
    const map = objects.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === name);
    const { data = {}, binaryData = {} } = map as unknown as ConfigMap;
    return [...Object.keys(data), ...Object.keys(binaryData)].map((key) => [key, entry(name, key)]);
  }
  return (volume?.projected?.sources ?? []).flatMap(({ secret, configMap }) => {
    const from = secret ?? configMap;
    return (from?.items ?? []).map(({ key, path }): [string, string | Buffer] => [path, entry(from?.name ?? '', key)]);
  });
}

/** What the images have and this machine knows by another name. */
function programs(folder: string): string {
  const bin = join(folder, 'bin');
  mkdirSync(bin, { recursive: true });
  const scripts = {
    'valkey-server': '#!/bin/sh\nexec redis-server "$@"\n',
    'valkey-cli': '#!/bin/sh\nexec redis-cli "$@"\n',
    nc: [
      `#!${process.execPath}`,
      'const [host, port] = process.argv.slice(2);',
      "const socket = require('node:net').connect(Number(port), host);",
      "socket.on('error', () => process.exit(1));",
      'process.stdin.pipe(socket).pipe(process.stdout);',
      '',
    ].join('\n'),
  };
  for (const [name, script] of Object.entries(scripts)) {
    writeFileSync(join(bin, name), script);
    chmodSync(join(bin, name), 0o755);
  }
  return bin;
}
