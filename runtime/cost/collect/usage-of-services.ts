import { Decimal } from '../../../constructs/plan/cost/money';
import type { TrafficKind } from '../../../constructs/plan/cost/price-file';
import type { ModelUsage, Owner, TrafficUsage, VolumeUsage } from '../../../constructs/plan/cost/usage';
import type { Problems } from '../../../constructs/plan/errors';
import type { Owners } from './owners';
import type { PrometheusDay, Sample } from './prometheus';
import { Counters, Query } from './queries';
import { hoursOf, labelOf, mostMinutes, usage } from './samples';

const GIB = new Decimal(2).pow(30);
/** Providers count traffic in decimal gigabytes. */
const GB = new Decimal('1e9');

/** Volumes of the cluster; their size is the mean over the time that they were there. */
export async function collectVolumes(
  prometheus: PrometheusDay,
  owners: Owners,
  region: string,
  volumeTypes: { readonly [storageClass: string]: string },
): Promise<VolumeUsage[]> {
  const [volumes, bytes, claims] = await Promise.all([
    prometheus.sumOfMinutes(Query.VOLUMES),
    prometheus.meanOfMinutes(Query.VOLUME_BYTES),
    prometheus.sumOfMinutes(Query.VOLUME_CLAIMS),
  ]);
  const sizes = mostMinutes(bytes, 'persistentvolume');
  const claimOf = mostMinutes(claims, 'persistentvolume');
  return [...mostMinutes(volumes, 'persistentvolume')]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { labels, value }]) => {
      const claim = claimOf.get(name)?.labels;
      const storageClass = labels.storageclass ?? '';
      return {
        name,
        providerId: labelOf(labels, ['csi_volume_handle']),
        volumeType: volumeTypes[storageClass] ?? storageClass,
        region,
        gigabytes: usage((sizes.get(name)?.value ?? new Decimal(0)).dividedBy(GIB)),
        hours: hoursOf(value),
        ...(claim?.claim_namespace ? owners.ofClaim(claim.claim_namespace, claim.name ?? '') : {}),
      };
    });
}

/** What pods sent out of their zone, as OpenCost's network DaemonSet counts it. */
export async function collectTraffic(
  prometheus: PrometheusDay,
  owners: Owners,
  region: string,
  problems: Problems,
): Promise<TrafficUsage[]> {
  const counters = await prometheus.counted(Counters.TRAFFIC);
  problems.check(
    counters.length > 0,
    'traffic',
    'opencost',
    'be none where no pod has kubecost_pod_network_egress_bytes_total',
    "traffic that nobody counts would cost nothing; OpenCost's network DaemonSet counts it",
  );
  const sent = new Map<string, TrafficUsage>();
  for (const { labels, value } of inOrder(counters)) {
    const traffic = trafficKind(labels);
    if (traffic !== undefined && value.greaterThan(0)) {
      const owner = owners.ofPod(labels.namespace ?? '', labels.pod_name ?? '');
      const key = JSON.stringify([traffic, owner]);
      const gigabytes = value.dividedBy(GB).plus(sent.get(key)?.gigabytes ?? 0);
      sent.set(key, { ...owner, traffic, region, gigabytes });
    }
  }
  return [...sent.values()].map((each) => ({ ...each, gigabytes: usage(each.gigabytes) }));
}

/** What services asked of models, as the gateways counted it. */
export async function collectModels(prometheus: PrometheusDay, owners: Owners): Promise<ModelUsage[]> {
  const models = new Map<string, Measured>();
  for (const [measure, counter] of MEASURES) {
    for (const { labels, value } of inOrder(await prometheus.counted(counter))) {
      const { namespace = '', pod = '' } = labels;
      const ofPod = owners.ofPod(namespace, pod);
      const owner = {
        ...ofPod,
        service: labelOf(labels, ['service']) ?? ofPod.service,
        model: labelOf(labels, ['model']) ?? ofPod.model,
      };
      // others count requests under this name, too
      if (owner.service !== undefined && owner.model !== undefined && value.greaterThan(0)) {
        const key = JSON.stringify([owner.service, owner.model, owner.namespace, owner.priority]);
        const known = models.get(key) ?? {
          owner: { ...owner, model: owner.model },
          counts: new Map<Measure, Decimal>(),
        };
        models.set(key, known);
        known.counts.set(measure, value.plus(known.counts.get(measure) ?? 0));
      }
    }
  }
  return [...models]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { owner, counts }]) => {
      const whole = (measure: Measure): number => (counts.get(measure) ?? new Decimal(0)).round().toNumber();
      return {
        ...owner,
        calls: whole('calls'),
        inputTokens: whole('inputTokens'),
        outputTokens: whole('outputTokens'),
        inferenceSeconds: usage(counts.get('inferenceSeconds') ?? new Decimal(0)),
        cacheHits: whole('cacheHits'),
        cacheMisses: whole('cacheMisses'),
      };
    });
}

const MEASURES = [
  ['calls', Counters.CALLS],
  ['inputTokens', Counters.INPUT_TOKENS],
  ['outputTokens', Counters.OUTPUT_TOKENS],
  ['inferenceSeconds', Counters.INFERENCE_SECONDS],
  ['cacheHits', Counters.CACHE_HITS],
  ['cacheMisses', Counters.CACHE_MISSES],
] as const;

type Measure = (typeof MEASURES)[number][0];

interface Measured {
  readonly owner: Owner & { readonly model: string };
  readonly counts: Map<Measure, Decimal>;
}

/** Traffic within a zone costs nothing. */
function trafficKind({ internet, same_region, same_zone }: Sample['labels']): TrafficKind | undefined {
  if (internet === 'true') {
    return 'internet';
  }
  if (same_region === 'false') {
    return 'region';
  }
  return same_zone === 'false' ? 'zone' : undefined;
}

/** Prometheus promises no order. */
function inOrder(samples: readonly Sample[]): readonly Sample[] {
  return [...samples].sort((a, b) => (JSON.stringify(a.labels) < JSON.stringify(b.labels) ? -1 : 1));
}
