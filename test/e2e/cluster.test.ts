/** The cluster that other tests build on: that it is real, on its own, and leaves nothing behind. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { CLUSTER_BINARIES, ensureBinaries } from './support/binaries';
import { startCluster, type Cluster } from './support/cluster';
import { crdFile } from './support/crds';
import { type KubeObject } from './support/kube-object';
import { BUILD_TIMEOUT_MS, describeWithCluster } from './support/suite';
import { waitFor } from './support/wait';

const SCRIPT = join(__dirname, '..', '..', 'scripts', 'cluster.ts');

interface Autoscaler extends KubeObject {
  readonly spec: { readonly behavior: { readonly scaleUp: { readonly tolerance?: string } } };
}

describeWithCluster('a cluster', () => {
  const started: Cluster[] = [];

  async function start(...args: Parameters<typeof startCluster>): Promise<Cluster> {
    const cluster = await startCluster(...args);
    started.push(cluster);
    return cluster;
  }

  beforeAll(async () => {
    await ensureBinaries(CLUSTER_BINARIES);
    await crdFile();
  }, BUILD_TIMEOUT_MS);
  afterEach(async () => {
    await Promise.all(started.splice(0).map((cluster) => cluster.stop()));
  });

  it('is ready when it says so, and runs pods', async () => {
    const cluster = await start();
    await cluster.addNodes({ name: 'one' });
    await cluster.apply([deployment('web', 3)]);
    await cluster.waitFor('three pods', async () => {
      const pods = await cluster.list<KubeObject & { status: { phase: string } }>('pods', 'default');
      return pods.filter(({ status }) => status.phase === 'Running').length === 3;
    });
  }, 180_000);

  it('does not disturb another one', async () => {
    const [one, other] = await Promise.all([start({ featureGates: { HPAConfigurableTolerance: true } }), start()]);
    await Promise.all([one.apply([autoscaler()]), other.apply([autoscaler()])]);
    // a field that only one of them knows
    expect(await toleranceIn(one)).toBe('100m');
    expect(await toleranceIn(other)).toBeUndefined();

    await one.addNodes({ name: 'only-here' });
    expect(await other.list('nodes')).toEqual([]);
    await one.stop();
    expect(await other.get('hpa', 'web', 'default')).toBeDefined();
  }, 240_000);

  it('refuses what is in no schema, and makes warnings errors', async () => {
    const cluster = await start();
    const { spec, ...rest } = deployment('web', 1);
    await expect(cluster.apply([{ ...rest, spec: { ...spec, replica: 2 } }])).rejects.toThrow(
      '.spec.replica: field not declared in schema',
    );
    const monitor = { apiVersion: 'monitoring.coreos.com/v1', kind: 'PodMonitor', metadata: rest.metadata };
    await expect(cluster.apply([{ ...monitor, spec: { selector: {}, ports: [] } }])).rejects.toThrow(
      '.spec.ports: field not declared in schema',
    );
    const labels = { 'pod-security.kubernetes.io/warn': 'restricted' };
    await cluster.apply([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'strict', labels } }]);
    const warned = { ...deployment('web', 1), metadata: { name: 'web', namespace: 'strict' } };
    await expect(cluster.apply([warned])).rejects.toThrow('would violate PodSecurity "restricted:latest"');
    const { warnings } = await cluster.apply([warned], { expectNoWarnings: false });
    expect(warnings).toHaveLength(1);
  }, 180_000);

  it('says why it does not start, and keeps the logs', async () => {
    const failure: unknown = await start({ apiServerArgs: ['--no-such-flag'] }).catch((error: unknown) => error);
    const { message, cause } = failure as Error & { cause: Error };
    expect(cause.message).toContain('unknown flag: --no-such-flag');
    const logs = /the logs are in (.*)-logs$/.exec(message)?.[1] ?? '';
    expect(readdirSync(`${logs}-logs`)).toEqual(['etcd.log', 'kube-apiserver.log']);
    rmSync(`${logs}-logs`, { recursive: true });
    expectNothingLeft(logs);
  }, 180_000);

  it('tells that a server has died', async () => {
    const cluster = await start();
    cluster.processes.run({ name: 'short', command: '/bin/sh', args: ['-c', 'echo last words; exit 3'] });
    await expect(cluster.waitFor('nothing', () => false)).rejects.toThrow(
      /short has ended \(exit code 3\):\nlast words/,
    );
  }, 180_000);

  it('leaves neither a process nor a folder after stop', async () => {
    const cluster = await start();
    const { folder } = cluster.processes;
    expect(processesOf(folder).length).toBe(6); // five servers and their supervisor
    await cluster.stop();
    expectNothingLeft(folder);
  }, 180_000);

  it.each(['SIGKILL', 'SIGINT'] as const)(
    'leaves nothing when the process that started it ends by %s',
    async (signal) => {
      const script = spawn(process.execPath, ['--import', 'tsx', SCRIPT], { stdio: ['ignore', 'pipe', 'inherit'] });
      let folder = '';
      for await (const line of createInterface({ input: script.stdout })) {
        folder = dirname(/^export KUBECONFIG=(.*)$/.exec(line)?.[1] ?? '');
        break;
      }
      expect(processesOf(folder).length).toBe(6);
      script.kill(signal);
      await waitFor('the end of all processes', () => processesOf(folder).length === 0 && !existsSync(folder));
      expectNothingLeft(folder);
    },
    180_000,
  );
});

it('says why it cannot run without Go', () => {
  const program = `console.log(require('./test/e2e/support/binaries').whyNotBuildable(['kubectl']))`;
  const options = { cwd: join(__dirname, '..', '..'), env: { ...process.env, PATH: '' }, encoding: 'utf8' } as const;
  const output = execFileSync(process.execPath, ['--import', 'tsx', '-e', program], options);
  expect(output).toBe('Go is not on the PATH\n');
});

function deployment(name: string, replicas: number): KubeObject & { readonly spec: object } {
  const labels = { app: name };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: 'default' },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'main', image: 'registry.example/main:1' }] } },
    },
  };
}

function autoscaler(): object {
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'web', namespace: 'default' },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
      maxReplicas: 3,
      behavior: { scaleUp: { tolerance: '0.1' } },
    },
  };
}

async function toleranceIn(cluster: Cluster): Promise<string | undefined> {
  return (await cluster.get<Autoscaler>('hpa', 'web', 'default'))?.spec.behavior.scaleUp.tolerance;
}

/** Command lines of processes that work in a folder. */
function processesOf(folder: string): string[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      } catch {
        return []; // it ended meanwhile
      }
    })
    .filter((command) => command.includes(folder));
}

function expectNothingLeft(folder: string): void {
  expect(processesOf(folder)).toEqual([]);
  expect(existsSync(folder)).toBe(false);
}
