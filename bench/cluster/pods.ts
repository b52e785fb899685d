/** Fast looks at many pods: kubectl would take longer to print them than the scheduler to place them. */
import { get } from 'node:https';
import { type Cluster } from '../../test/e2e/support/cluster';
import { type KubeObject } from '../../test/e2e/support/kube-object';
import { waitFor } from '../../test/e2e/support/wait';

export interface Pod extends KubeObject {
  readonly spec: { readonly nodeName?: string; readonly priorityClassName?: string };
  readonly status: {
    readonly phase: string;
    readonly conditions?: readonly { readonly type: string; readonly reason?: string }[];
  };
}

interface List<T> {
  readonly metadata: { readonly remainingItemCount?: number };
  readonly items: readonly T[];
}

export async function allPods(cluster: Cluster): Promise<readonly Pod[]> {
  return (await request<List<Pod>>(cluster, '/api/v1/pods')).items;
}

/** Waits until there are so many pods and each has a node. */
export async function allScheduled(cluster: Cluster, count: number): Promise<void> {
  await waitForPods(cluster, `${count} pods on nodes`, 250, async () => {
    const { items, metadata } = await request<List<Pod>>(cluster, '/api/v1/pods?limit=1');
    const there = items.length + (metadata.remainingItemCount ?? 0) === count;
    return there && (await request<List<Pod>>(cluster, WITHOUT_NODE)).items.length === 0;
  });
}

/** Waits with pauses, since looking at all pods keeps the API server busy. */
export function waitForPods<T>(
  cluster: Cluster,
  description: string,
  pauseMs: number,
  probe: () => Promise<T | false>,
): Promise<T> {
  const guard = (): void => cluster.processes.assertRunning();
  return waitFor(description, probe, { pauseMs, guard, timeoutMs: 1_200_000 });
}

const WITHOUT_NODE = `/api/v1/pods?limit=1&fieldSelector=${encodeURIComponent('spec.nodeName=')}`;

function request<T>({ url, token, caCertificate }: Cluster, path: string): Promise<T> {
  const options = { ca: caCertificate, headers: { authorization: `Bearer ${token}` } };
  return new Promise((resolve, reject) => {
    const sent = get(`${url}${path}`, options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const body = Buffer.concat(chunks).toString();
        if (response.statusCode === 200) {
          resolve(JSON.parse(body) as T);
        } else {
          reject(new Error(`${path}: ${response.statusCode} ${body}`));
        }
      });
    });
    sent.on('error', reject);
  });
}
