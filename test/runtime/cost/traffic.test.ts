import { Decimal } from 'mediform/cost';
import { Problems } from '../../../constructs/plan/errors';
import type { PrometheusDay, Sample } from '../../../runtime/cost/collect/prometheus';
import { collectTraffic } from '../../../runtime/cost/collect/usage-of-services';

const OWNERS = {
  ofPod: (namespace: string, pod: string) => ({ service: pod.replace(/-\d$/, ''), namespace }),
  ofClaim: () => ({}),
};

async function collect(counters: readonly Sample[], problems = new Problems()): Promise<string[]> {
  const prometheus = { counted: () => Promise.resolve(counters) } as unknown as PrometheusDay;
  const traffic = await collectTraffic(prometheus, OWNERS, 'eu-central-1', problems);
  return traffic.map(({ service, traffic: kind, gigabytes }) => `${service} ${kind} ${gigabytes.toFixed()}`);
}

function sent(pod: string, gigabytes: number, labels: Sample['labels']): Sample {
  const flags = { internet: 'false', same_region: 'true', same_zone: 'true', ...labels };
  return { labels: { namespace: 'imaging', pod_name: pod, ...flags }, value: new Decimal(gigabytes * 1e9) };
}

it('is what left the zone, the region or the provider, of all pods of a service together', async () => {
  const found = await collect([
    sent('ct-0', 3, { internet: 'true', same_region: 'false', same_zone: 'false' }),
    sent('ct-1', 4, { internet: 'true', same_region: 'false', same_zone: 'false' }),
    sent('ct-0', 5, { same_region: 'false', same_zone: 'false' }),
    sent('x-ray-0', 2, { same_zone: 'false' }),
    sent('ct-0', 100, {}),
  ]);
  expect(found.sort()).toEqual(['ct internet 7', 'ct region 5', 'x-ray zone 2']);
});

it('that nobody counts is an error, and never free', async () => {
  const problems = new Problems();
  expect(await collect([], problems)).toEqual([]);
  expect(problems.list).toEqual([
    expect.stringMatching(
      /^'traffic' \(opencost\) must be none where no pod has kubecost_pod_network_egress_bytes_total because/,
    ),
  ]);
});
