/** The programs that the end-to-end tests run, built from Go modules that are pinned in `cluster/tools`. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { CACHE, GO_ENV, cacheKey, goVersion, progress, withCacheLock } from './toolchain';

const execute = promisify(execFile);
const TOOLS = join(__dirname, '..', 'cluster', 'tools');

interface Source {
  /** Folder in `cluster/tools` with the go.mod. */
  readonly tool: string;
  readonly module: string;
  /** Folder of the command in the module. */
  readonly command?: string;
  /** Variables of the program that take its version. */
  readonly variables?: (version: string) => readonly string[];
}

const kubernetes = (command: string): Source => ({
  tool: 'kubernetes',
  module: 'k8s.io/kubernetes',
  command: `cmd/${command}`,
  variables: (version) => {
    const [major = '', minor = ''] = version.slice(1).split('.');
    const values = { gitVersion: version, gitMajor: major, gitMinor: minor };
    return Object.entries(values).map(([name, value]) => `k8s.io/component-base/version.${name}=${value}`);
  },
});
const vpa = (command: string): Source => ({
  tool: 'vpa',
  module: 'k8s.io/autoscaler/vertical-pod-autoscaler',
  command: `pkg/${command}`,
});

const SOURCES = {
  etcd: { tool: 'kubernetes', module: 'go.etcd.io/etcd/server/v3' },
  'kube-apiserver': kubernetes('kube-apiserver'),
  'kube-controller-manager': kubernetes('kube-controller-manager'),
  'kube-scheduler': kubernetes('kube-scheduler'),
  kubectl: kubernetes('kubectl'),
  kwok: {
    tool: 'kwok',
    module: 'sigs.k8s.io/kwok',
    command: 'cmd/kwok',
    variables: (version) => [`sigs.k8s.io/kwok/pkg/consts.Version=${version}`],
  },
  /** Karpenter's own controller with a simulated cloud. */
  karpenter: { tool: 'karpenter', module: 'sigs.k8s.io/karpenter', command: 'kwok' },
  'prometheus-adapter': {
    tool: 'prometheus-adapter',
    module: 'sigs.k8s.io/prometheus-adapter',
    command: 'cmd/adapter',
  },
  'metrics-server': { tool: 'metrics-server', module: 'sigs.k8s.io/metrics-server', command: 'cmd/metrics-server' },
  /** The command line that the Automation API drives. */
  pulumi: {
    tool: 'pulumi',
    module: 'github.com/pulumi/pulumi/pkg/v3',
    command: 'cmd/pulumi',
    variables: (version) => [`github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=${version}`],
  },
  'vpa-admission-controller': vpa('admission-controller'),
  'vpa-recommender': vpa('recommender'),
  'vpa-updater': vpa('updater'),
  /** A small server that speaks S3. */
  gofakes3: { tool: 's3', module: 'github.com/johannesboyne/gofakes3', command: 'cmd/gofakes3' },
} satisfies { [name: string]: Source };

export type BinaryName = keyof typeof SOURCES;

/** What a cluster is made of. */
export const CLUSTER_BINARIES = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kubectl',
  'kwok',
] as const satisfies readonly BinaryName[];

/** Why some programs cannot be built on this machine; undefined where they can. */
export function whyNotBuildable(names: readonly BinaryName[]): string | undefined {
  if (goVersion === undefined) {
    return 'Go is not on the PATH';
  }
  const wanted = names.map((name) => /^go ([\d.]+)$/m.exec(goMod(SOURCES[name].tool))?.[1] ?? '').sort(byVersion);
  const newest = wanted.at(-1) ?? '';
  return byVersion(goVersion.replace('go', ''), newest) < 0 ? `${goVersion} is older than go${newest}` : undefined;
}

/** Paths of programs. Those that are missing are built first, which takes minutes once. */
export async function ensureBinaries<Name extends BinaryName>(
  names: readonly Name[],
): Promise<{ readonly [name in Name]: string }> {
  const reason = whyNotBuildable(names);
  if (reason !== undefined) {
    throw new Error(`cannot build ${names.join(', ')}: ${reason}`);
  }
  const missing = (): Name[] => names.filter((name) => !existsSync(binaryPath(name)));
  if (missing().length > 0) {
    await withCacheLock(async () => {
      for (const name of missing()) {
        await build(name);
      }
    });
  }
  return Object.fromEntries(names.map((name) => [name, binaryPath(name)])) as { [name in Name]: string };
}

/** Version of a module that a tool is pinned to. */
export function pinnedVersion(tool: string, module: string): string {
  const line = goMod(tool)
    .split('\n')
    .find((candidate) => candidate.trim().startsWith(`${module} v`));
  if (line === undefined) {
    throw new Error(`cluster/tools/${tool}/go.mod does not require ${module}`);
  }
  return line.trim().split(' ')[1] as string;
}

function goMod(tool: string): string {
  return readFileSync(join(TOOLS, tool, 'go.mod'), 'utf8');
}

function binaryPath(name: BinaryName): string {
  const source: Source = SOURCES[name];
  const sums = readFileSync(join(TOOLS, source.tool, 'go.sum'), 'utf8');
  return join(CACHE, source.tool, cacheKey(goMod(source.tool), sums, goVersion ?? '', process.arch), name);
}

/** One program at a time: the compiler uses all cores by itself. A half-made file never has the final name. */
async function build(name: BinaryName): Promise<void> {
  const { tool, module, command, variables }: Source = SOURCES[name];
  const version = pinnedVersion(tool, module);
  const path = binaryPath(name);
  const draft = `${path}.${process.pid}`;
  const flags = ['-s', '-w', ...(variables?.(version) ?? []).map((variable) => `-X ${variable}`)].join(' ');
  const target = command === undefined ? module : `${module}/${command}`;
  const args = ['build', '-trimpath', '-buildvcs=false', '-ldflags', flags, '-o', draft, target];

  progress(`building ${name} ${version}`);
  const start = performance.now();
  mkdirSync(dirname(path), { recursive: true });
  await execute('go', args, { cwd: join(TOOLS, tool), env: GO_ENV, maxBuffer: 2 ** 26 });
  renameSync(draft, path);
  progress(`built ${name} in ${Math.round((performance.now() - start) / 1000)} s`);
}

function byVersion(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}
