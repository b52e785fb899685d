/** What dcgm-exporter, kube-state-metrics and the pods of services would send, from one HTTP server. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';

/** What one pod sends. Undefined: nothing of the kind. */
export interface PodLoad {
  /** GPU utilisation in percent. */
  readonly gpu?: number;
  /** Requests that wait. */
  readonly queue?: number;
  /** 95th percentile of the response time in seconds. */
  readonly p95?: number;
  /** Share of requests that fail. */
  readonly errorPercent?: number;
}

/** What all pods send, or what each of them sends. */
export type Load = PodLoad | ((pod: number, pods: number) => PodLoad);

/** A Deployment as the exporter must know it. */
export interface Exported {
  readonly namespace: string;
  readonly name: string;
  readonly replicas: number;
  readonly readyReplicas: number;
  /** Names of the pods that are ready. */
  readonly pods: readonly string[];
  readonly load: Load;
  /** Whether kube-state-metrics tells of it. */
  readonly hasKubeState: boolean;
}

/** Upper bounds of the histogram's buckets, in seconds. */
const BUCKETS = [0.25, 0.5, 1, 2.5, 4, 6, 10];
/** Requests of each pod from scrape to scrape. */
const REQUESTS = 20;

export class Exporter {
  private readonly counters = new Map<string, number>();

  private constructor(
    private readonly server: Server,
    private readonly exported: () => readonly Exported[],
  ) {
    server.on('request', (_, response) => {
      response.setHeader('content-type', 'text/plain; version=0.0.4');
      response.end(`${this.lines().join('\n')}\n`);
    });
  }

  /** @param exported what there is at the moment of a scrape */
  static async start(exported: () => readonly Exported[]): Promise<Exporter> {
    const server = createServer();
    const exporter = new Exporter(server, exported);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return exporter;
  }

  get address(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  /** One scrape; counters have grown since the last one. */
  private lines(): string[] {
    return this.exported().flatMap((deployment) => [
      ...kubeState(deployment),
      ...deployment.pods.flatMap((pod, index) => {
        const { load, pods, namespace } = deployment;
        return this.podLines(namespace, pod, typeof load === 'function' ? load(index, pods.length) : load);
      }),
    ]);
  }

  private podLines(namespace: string, pod: string, { gpu, queue, p95, errorPercent }: PodLoad): string[] {
    const labels = { namespace, pod, container: 'model' };
    const lines: string[] = [];
    if (gpu !== undefined) {
      lines.push(sample('DCGM_FI_DEV_GPU_UTIL', dcgmLabels(namespace, pod), gpu));
    }
    if (queue !== undefined) {
      lines.push(sample('request_queue_length', labels, queue));
    }
    if (p95 !== undefined) {
      const name = 'request_duration_seconds';
      const counts = requestsPerBucket(p95);
      lines.push(
        ...BUCKETS.map((le, index) =>
          this.counter(`${name}_bucket`, { ...labels, le: String(le) }, counts[index] ?? 0),
        ),
        this.counter(`${name}_bucket`, { ...labels, le: '+Inf' }, REQUESTS),
        this.counter(`${name}_count`, labels, REQUESTS),
      );
    }
    if (errorPercent !== undefined) {
      const failed = (REQUESTS * errorPercent) / 100;
      lines.push(this.counter('requests_total', { ...labels, code: '200' }, REQUESTS - failed));
      lines.push(this.counter('requests_total', { ...labels, code: '503' }, failed));
    }
    return lines;
  }

  private counter(name: string, labels: Labels, growth: number): string {
    const key = selector(name, labels);
    const value = this.counters.get(key) ?? 0;
    this.counters.set(key, value + growth);
    return `${key} ${value}`;
  }
}

interface Labels {
  readonly [label: string]: string;
}

function selector(name: string, labels: Labels): string {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return `${name}{${pairs.join(',')}}`;
}

function sample(name: string, labels: Labels, value: number): string {
  return `${selector(name, labels)} ${value}`;
}

function kubeState({ namespace, name, replicas, readyReplicas, hasKubeState }: Exported): string[] {
  const labels = { namespace, deployment: name };
  return hasKubeState
    ? [
        sample('kube_deployment_status_replicas', labels, replicas),
        sample('kube_deployment_status_replicas_ready', labels, readyReplicas),
      ]
    : [];
}

/** As they arrive where dcgm-exporter's own scrape configuration renames the labels of the pod. */
function dcgmLabels(namespace: string, pod: string): Labels {
  return {
    exported_namespace: namespace,
    exported_pod: pod,
    exported_container: 'model',
    namespace: 'gpu-operator',
    pod: 'dcgm-exporter-q7wzx',
    gpu: '0',
    UUID: `GPU-${pod}`,
  };
}

/** Cumulative counts from which `histogram_quantile` reads this very percentile: it interpolates inside a bucket. */
function requestsPerBucket(p95: number): number[] {
  const bucket = BUCKETS.findIndex((bound) => p95 <= bound);
  const low = BUCKETS[bucket - 1] ?? 0;
  const position = (p95 - low) / ((BUCKETS[bucket] ?? NaN) - low);
  const faster = position > 0.95 ? 0 : (0.95 - position) / (1 - position);
  const upToThis = position > 0.95 ? 0.95 / position : 1;
  return BUCKETS.map((_, index) => {
    const share = index > bucket ? 1 : index === bucket ? upToThis : index === bucket - 1 ? faster : 0;
    return REQUESTS * share;
  });
}
