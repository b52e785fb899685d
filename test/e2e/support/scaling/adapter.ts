import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureBinaries } from '../binaries';
import { type Cluster } from '../cluster';
import { freePorts } from '../ports';

const NAME = 'prometheus-adapter';
const NAMESPACE = 'monitoring';
const GROUPS = ['custom.metrics.k8s.io', 'external.metrics.k8s.io'];

/**
 * Runs prometheus-adapter beside the cluster and registers it as the API of custom and of external metrics.
 *
 * @param config its configuration file
 */
export async function startAdapter(cluster: Cluster, prometheusUrl: string, config: string): Promise<void> {
  const { folder } = cluster.processes;
  const command = (await ensureBinaries([NAME]))[NAME];
  const [port] = await freePorts(1);
  const configFile = join(folder, 'adapter.yaml');
  writeFileSync(configFile, config);
  cluster.processes.run({
    name: NAME,
    command,
    args: [
      '--bind-address=127.0.0.1',
      `--secure-port=${port}`,
      `--cert-dir=${join(folder, NAME)}`,
      ...['lister', 'authentication', 'authorization'].map((use) => `--${use}-kubeconfig=${cluster.kubeconfig}`),
      `--prometheus-url=${prometheusUrl}`,
      `--config=${configFile}`,
      '--metrics-relist-interval=1s',
      '--metrics-max-age=1m',
    ],
  });
  // an API server that finds nobody behind an APIService asks again only after a while
  await cluster.waitFor(NAME, () => cluster.processes.logTail(NAME, 2000).includes('Serving securely'));
  await cluster.apply([
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: NAME, namespace: NAMESPACE },
      spec: { type: 'ExternalName', externalName: 'localhost' },
    },
    ...GROUPS.map((group) => ({
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name: `v1beta1.${group}` },
      spec: {
        group,
        version: 'v1beta1',
        groupPriorityMinimum: 100,
        versionPriority: 100,
        insecureSkipTLSVerify: true,
        service: { name: NAME, namespace: NAMESPACE, port },
      },
    })),
  ]);
  await cluster.waitFor('metrics APIs', () =>
    Promise.all(GROUPS.map((group) => cluster.kubectl(['get', '--raw', `/apis/${group}/v1beta1`]))),
  );
}
