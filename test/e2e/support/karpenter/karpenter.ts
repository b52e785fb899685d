import { writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { ensureBinaries } from '../binaries';
import { type Cluster } from '../cluster';
import { freePorts } from '../ports';
import { instanceTypesFile } from './instance-types';

/** The class of all nodes that the simulated cloud makes. */
const NODE_CLASS = {
  apiVersion: 'karpenter.kwok.sh/v1alpha1',
  kind: 'KWOKNodeClass',
  metadata: { name: 'simulated' },
  spec: {},
};

/** Runs Karpenter's controller with its simulated cloud in a cluster. */
export async function startKarpenter(cluster: Cluster): Promise<void> {
  const { karpenter } = await ensureBinaries(['karpenter']);
  const [metricsPort, healthPort] = (await freePorts(2)) as [number, number];
  const file = join(cluster.processes.folder, 'instance-types.json');
  writeFileSync(file, instanceTypesFile());
  await cluster.apply([NODE_CLASS]);
  cluster.processes.run({
    name: 'karpenter',
    command: karpenter,
    args: [],
    env: {
      KUBECONFIG: cluster.kubeconfig,
      INSTANCE_TYPES_FILE_PATH: file,
      DISABLE_LEADER_ELECTION: 'true',
      METRICS_PORT: String(metricsPort),
      HEALTH_PROBE_PORT: String(healthPort),
    },
  });
  await cluster.waitFor('karpenter', () => isReady(`http://127.0.0.1:${healthPort}/readyz`));
}

function isReady(url: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    get(url, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    }).once('error', reject);
  });
}
