import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureBinaries, type BinaryName } from '../binaries';
import { CertificateAuthority } from '../certificates';
import { type Cluster } from '../cluster';
import { freePorts } from '../ports';

export const VPA_BINARIES = [
  'vpa-admission-controller',
  'vpa-updater',
  'vpa-recommender',
] as const satisfies readonly BinaryName[];

/** Runs the VPA's admission controller. It registers itself as a webhook 10 seconds after its start. */
export async function startAdmissionController(cluster: Cluster): Promise<void> {
  const authority = new CertificateAuthority('vpa-webhook');
  const { certificate, key } = authority.issue({ commonName: 'vpa-webhook', hosts: ['127.0.0.1'] });
  const write = (name: string, content: string): string => {
    const path = join(cluster.processes.folder, name);
    writeFileSync(path, content, { mode: 0o600 });
    return path;
  };
  const [port] = (await freePorts(1)) as [number];
  await start(cluster, 'vpa-admission-controller', [
    `--port=${port}`,
    '--register-by-url',
    '--webhook-address=https://127.0.0.1',
    `--webhook-port=${port}`,
    // without it, the API server goes on in silence where the webhook does not answer
    '--webhook-failure-policy-fail',
    `--client-ca-file=${write('vpa-webhook-ca.crt', authority.certificate)}`,
    `--tls-cert-file=${write('vpa-webhook.crt', certificate)}`,
    `--tls-private-key=${write('vpa-webhook.key', key)}`,
  ]);
}

/** Runs the VPA's updater, every second. */
export async function startUpdater(cluster: Cluster): Promise<void> {
  await start(cluster, 'vpa-updater', ['--updater-interval=1s']);
}

/** Runs the VPA's recommender, every second. */
export async function startRecommender(cluster: Cluster): Promise<void> {
  await start(cluster, 'vpa-recommender', ['--recommender-interval=1s']);
}

async function start(cluster: Cluster, name: (typeof VPA_BINARIES)[number], args: readonly string[]): Promise<void> {
  const [port] = (await freePorts(1)) as [number];
  const binaries = await ensureBinaries(VPA_BINARIES);
  cluster.processes.run({
    name,
    command: binaries[name],
    args: [`--kubeconfig=${cluster.kubeconfig}`, `--address=127.0.0.1:${port}`, ...args],
  });
}
