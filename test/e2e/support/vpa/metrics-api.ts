import { createServer, type Server } from 'node:https';
import { type Cluster } from '../cluster';
import { CertificateAuthority } from '../certificates';
import { type KubeObject } from '../kube-object';
import { freePorts } from '../ports';

const NAMESPACE = 'metrics';
const GROUPS = ['metrics.k8s.io', 'external.metrics.k8s.io'];

/** What a container uses. */
export interface Usage {
  readonly cores: number;
  readonly gibibytes: number;
}

interface Pod extends KubeObject {
  readonly spec: { readonly containers: readonly { readonly name: string }[] };
  readonly status: { readonly phase: string };
}

/**
 * The metrics APIs of a cluster, with values that a test sets: `metrics.k8s.io` in the place of metrics-server, for the
 * VPA's recommender, and `external.metrics.k8s.io` in the place of prometheus-adapter, for HPAs.
 */
export class MetricsApi {
  /** External metrics of services, by `service/metric`. What is not here does not exist. */
  readonly external = new Map<string, number>();
  /** What each pod of a service (by name) uses in each of its containers. */
  readonly usage = new Map<string, Usage>();

  private constructor(
    private readonly cluster: Cluster,
    private readonly server: Server,
  ) {}

  static async start(cluster: Cluster): Promise<MetricsApi> {
    const authority = new CertificateAuthority('metrics');
    const hosts = ['localhost', '127.0.0.1', `metrics.${NAMESPACE}.svc`];
    const { certificate, key } = authority.issue({ commonName: 'metrics', hosts });
    const [port] = (await freePorts(1)) as [number];
    const server = createServer({ cert: certificate, key }, (request, response) => {
      api.answer(new URL(request.url ?? '/', 'https://localhost')).then(
        (answer) => {
          response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' });
          response.end(JSON.stringify(answer ?? { kind: 'Status', apiVersion: 'v1', status: 'Failure', code: 404 }));
        },
        () => response.writeHead(500).end(),
      );
    });
    const api = new MetricsApi(cluster, server);
    await new Promise<void>((resolve) => server.listen({ port, host: '127.0.0.1' }, resolve));
    await cluster.apply([
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } },
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'metrics', namespace: NAMESPACE },
        spec: { type: 'ExternalName', externalName: 'localhost', ports: [{ port }] },
      },
      ...GROUPS.map((group) => apiService(group, port, authority.certificate)),
    ]);
    for (const group of GROUPS) {
      await cluster.waitFor(group, () => cluster.kubectl(['get', '--raw', `/apis/${group}/v1beta1`]));
    }
    return api;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  /** What the API says; undefined where there is nothing. */
  private async answer({ pathname, searchParams }: URL): Promise<object | undefined> {
    const [, , group = '', version = '', ...rest] = pathname.split('/');
    if (rest.length === 0) {
      const resources = group === 'metrics.k8s.io' ? [{ name: 'pods', namespaced: true, kind: 'PodMetrics' }] : [];
      return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: `${group}/${version}`, resources };
    }
    if (group === 'metrics.k8s.io') {
      return { kind: 'PodMetricsList', apiVersion: `${group}/v1beta1`, metadata: {}, items: await this.podMetrics() };
    }
    const metricName = rest.at(-1) ?? '';
    const service = searchParams.get('labelSelector')?.replace('service=', '') ?? '';
    const value = this.external.get(`${service}/${metricName}`);
    if (value === undefined) {
      return undefined;
    }
    const item = { metricName, metricLabels: {}, timestamp: new Date().toISOString(), value: String(value) };
    return { kind: 'ExternalMetricValueList', apiVersion: `${group}/v1beta1`, metadata: {}, items: [item] };
  }

  private async podMetrics(): Promise<object[]> {
    const pods = await this.cluster.list<Pod>('pods');
    return pods
      .filter(({ status }) => status.phase === 'Running')
      .flatMap(({ metadata: { name, namespace, labels = {} }, spec }) => {
        const used = this.usage.get(labels['app.kubernetes.io/name'] ?? '');
        const usage = used && { cpu: String(used.cores), memory: `${used.gibibytes}Gi` };
        return usage === undefined
          ? []
          : {
              metadata: { name, namespace },
              timestamp: new Date().toISOString(),
              window: '1s',
              containers: spec.containers.map((container) => ({ name: container.name, usage })),
            };
      });
  }
}

function apiService(group: string, port: number, caCertificate: string): object {
  return {
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name: `v1beta1.${group}` },
    spec: {
      group,
      version: 'v1beta1',
      groupPriorityMinimum: 100,
      versionPriority: 100,
      caBundle: Buffer.from(caCertificate).toString('base64'),
      service: { name: 'metrics', namespace: NAMESPACE, port },
    },
  };
}
