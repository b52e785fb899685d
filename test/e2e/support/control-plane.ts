/** The servers of a Kubernetes control plane, and the files they read. */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CLUSTER_BINARIES } from './binaries';
import { CertificateAuthority, signingKeys } from './certificates';
import { freePorts } from './ports';
import { type Server } from './processes';

/** What a cluster is told beyond its defaults. */
export interface ControlPlaneSettings {
  /**
   * Feature gates of all components.
   *
   * @default - as the Kubernetes version has them
   */
  readonly featureGates?: { readonly [gate: string]: boolean };
  /**
   * More arguments of the API server, such as `--runtime-config=...`.
   *
   * @default - none
   */
  readonly apiServerArgs?: readonly string[];
}

export interface ControlPlane {
  readonly url: string;
  readonly etcdUrl: string;
  readonly token: string;
  /** What the API server's certificate is checked with. */
  readonly caCertificate: string;
  readonly kubeconfig: string;
  readonly etcd: Server;
  readonly apiServer: Server;
  /** What needs the API server. */
  readonly controllers: readonly Server[];
}

type Binaries = { readonly [name in (typeof CLUSTER_BINARIES)[number]]: string };

/** Writes keys, certificates and the kubeconfig into the folder, and says what to run. */
export async function controlPlane(
  folder: string,
  binaries: Binaries,
  { featureGates = {}, apiServerArgs = [] }: ControlPlaneSettings,
): Promise<ControlPlane> {
  const [etcdPort, peerPort, apiPort, kwokPort] = (await freePorts(4)) as [number, number, number, number];
  const etcdUrl = `http://127.0.0.1:${etcdPort}`;
  const peerUrl = `http://127.0.0.1:${peerPort}`;
  const url = `https://127.0.0.1:${apiPort}`;
  const write = (name: string, content: string): string => {
    const path = join(folder, name);
    writeFileSync(path, content, { mode: 0o600 });
    return path;
  };

  const ca = new CertificateAuthority('mediform-e2e');
  const serving = ca.issue({
    commonName: 'kube-apiserver',
    hosts: ['127.0.0.1', 'localhost', 'kubernetes.default.svc', '10.0.0.1'],
  });
  const frontProxyCa = new CertificateAuthority('mediform-e2e-front-proxy');
  const frontProxy = frontProxyCa.issue({ commonName: 'front-proxy-client' });
  const serviceAccounts = signingKeys();
  const token = randomBytes(16).toString('hex');
  const caFile = write('ca.crt', ca.certificate);
  const signingKeyFile = write('service-accounts.key', serviceAccounts.privateKey);
  const kubeconfig = write('kubeconfig', kubeconfigOf(url, ca.certificate, token));
  const gates = Object.entries(featureGates).map(([gate, on]) => `${gate}=${on}`);
  const gateArgs = gates.length > 0 ? [`--feature-gates=${gates.join(',')}`] : [];

  const client = [`--kubeconfig=${kubeconfig}`, '--kube-api-qps=500', '--kube-api-burst=1000'];
  const controller = [...client, '--leader-elect=false', '--secure-port=0', ...gateArgs];
  return {
    url,
    etcdUrl,
    token,
    caCertificate: ca.certificate,
    kubeconfig,
    etcd: {
      name: 'etcd',
      command: binaries.etcd,
      args: [
        `--data-dir=${join(folder, 'etcd')}`,
        `--listen-client-urls=${etcdUrl}`,
        `--advertise-client-urls=${etcdUrl}`,
        `--listen-peer-urls=${peerUrl}`,
        `--initial-advertise-peer-urls=${peerUrl}`,
        `--initial-cluster=default=${peerUrl}`,
        '--unsafe-no-fsync',
        '--log-level=warn',
      ],
    },
    apiServer: {
      name: 'kube-apiserver',
      command: binaries['kube-apiserver'],
      args: [
        `--etcd-servers=${etcdUrl}`,
        // even in another cluster's etcd the two would not meet
        `--etcd-prefix=/${token.slice(0, 8)}`,
        '--bind-address=127.0.0.1',
        '--advertise-address=127.0.0.1',
        `--secure-port=${apiPort}`,
        `--tls-cert-file=${write('kube-apiserver.crt', serving.certificate)}`,
        `--tls-private-key-file=${write('kube-apiserver.key', serving.key)}`,
        `--client-ca-file=${caFile}`,
        `--token-auth-file=${write('tokens.csv', `${token},admin,admin,system:masters\n`)}`,
        '--authorization-mode=Node,RBAC',
        '--service-account-issuer=https://kubernetes.default.svc',
        `--service-account-key-file=${write('service-accounts.pub', serviceAccounts.publicKey)}`,
        `--service-account-signing-key-file=${signingKeyFile}`,
        `--requestheader-client-ca-file=${write('front-proxy-ca.crt', frontProxyCa.certificate)}`,
        '--requestheader-allowed-names=front-proxy-client',
        '--requestheader-extra-headers-prefix=X-Remote-Extra-',
        '--requestheader-group-headers=X-Remote-Group',
        '--requestheader-username-headers=X-Remote-User',
        `--proxy-client-cert-file=${write('front-proxy.crt', frontProxy.certificate)}`,
        `--proxy-client-key-file=${write('front-proxy.key', frontProxy.key)}`,
        '--service-cluster-ip-range=10.0.0.0/16',
        '--endpoint-reconciler-type=none',
        '--allow-privileged=true',
        ...gateArgs,
        ...apiServerArgs,
      ],
    },
    controllers: [
      {
        name: 'kube-controller-manager',
        command: binaries['kube-controller-manager'],
        args: [
          ...controller,
          `--root-ca-file=${caFile}`,
          `--service-account-private-key-file=${signingKeyFile}`,
          // decisions within seconds instead of minutes
          '--horizontal-pod-autoscaler-sync-period=1s',
          '--horizontal-pod-autoscaler-initial-readiness-delay=1s',
          '--horizontal-pod-autoscaler-cpu-initialization-period=1s',
        ],
      },
      { name: 'kube-scheduler', command: binaries['kube-scheduler'], args: controller },
      {
        name: 'kwok',
        command: binaries.kwok,
        args: [
          `--kubeconfig=${kubeconfig}`,
          '--manage-all-nodes=true',
          // with shorter leases nodes are taken for dead now and then
          '--node-lease-duration-seconds=40',
          '--node-ip=127.0.0.1',
          `--node-port=${kwokPort}`,
          `--server-address=127.0.0.1:${kwokPort}`,
        ],
      },
    ],
  };
}

/** JSON is YAML too. */
function kubeconfigOf(server: string, caCertificate: string, token: string): string {
  const name = 'mediform-e2e';
  const caData = Buffer.from(caCertificate).toString('base64');
  return JSON.stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': name,
      clusters: [{ name, cluster: { server, 'certificate-authority-data': caData } }],
      users: [{ name, user: { token } }],
      contexts: [{ name, context: { cluster: name, user: name } }],
    },
    undefined,
    2,
  );
}
