import { acceleratorOf, gpuShare, parseSharingKey, type NodeGpus } from '../../../constructs/plan/cost/gpu-share';
import { Decimal, sum } from '../../../constructs/plan/cost/money';
import type { CapacityType } from '../../../constructs/plan/cost/price-file';
import type { HeldByPods, NodeUsage } from '../../../constructs/plan/cost/usage';
import type { Problems } from '../../../constructs/plan/errors';
import type { Owners } from './owners';
import type { PrometheusDay, Sample } from './prometheus';
import { NODE_LABELS, Query } from './queries';
import { hoursOf, labelOf, mostMinutes, usage } from './samples';

const GIB = new Decimal(2).pow(30);

/** Spellings of capacity types: Karpenter's, and those of managed node groups. */
const CAPACITY_TYPES: { readonly [label: string]: CapacityType } = {
  spot: 'spot',
  'on-demand': 'on-demand',
  reserved: 'reserved',
  SPOT: 'spot',
  ON_DEMAND: 'on-demand',
  CAPACITY_BLOCK: 'reserved',
};

/** The nodes of a day, and what pods held of them. */
export async function collectNodes(
  prometheus: PrometheusDay,
  owners: Owners,
  defaultRegion: string,
  problems: Problems,
): Promise<NodeUsage[]> {
  const [infos, labels, capacities, spots] = await Promise.all([
    prometheus.sumOfMinutes(Query.NODES),
    prometheus.sumOfMinutes(Query.NODE_LABELS),
    prometheus.meanOfMinutes(Query.NODE_CAPACITY),
    prometheus.meanOfMinutes(Query.NODE_IS_SPOT),
  ]);
  const pods = await collectPods(prometheus);
  const labelsOf = mostMinutes(labels, 'node');
  const nodes = [...mostMinutes(infos, 'node')].sort(([a], [b]) => (a < b ? -1 : 1));
  return nodes.flatMap(([name, info]): NodeUsage[] => {
    const own = labelsOf.get(name)?.labels ?? {};
    const isSpot = spots.find(({ labels: { node } }) => node === name)?.value.greaterThan('0.5');
    const capacityType = CAPACITY_TYPES[labelOf(own, NODE_LABELS.capacityType) ?? ''] ?? fromOpenCost(isSpot);
    const instanceType = labelOf(own, NODE_LABELS.instanceType);
    const known = [
      problems.check(
        instanceType !== undefined,
        `nodes.${name}`,
        own,
        'have the label node.kubernetes.io/instance-type in kube_node_labels',
        "a price is for an instance type; see kube-state-metrics' --metric-labels-allowlist",
      ),
      problems.check(
        capacityType !== undefined,
        `nodes.${name}`,
        own,
        'have the label karpenter.sh/capacity-type or eks.amazonaws.com/capacityType in kube_node_labels',
        'Spot and on-demand have different prices, and neither is guessed',
      ),
    ];
    if (!known.every(Boolean)) {
      return [];
    }
    const gpus = gpusOf(own);
    const capacity = capacities.filter(({ labels: { node } }) => node === name);
    const amount = (resource: string): Decimal => sum(capacity.filter(isOf(resource)).map(({ value }) => value));
    return [
      {
        name,
        providerId: labelOf(info.labels, ['provider_id'])?.split('/').at(-1),
        instanceType: instanceType as string,
        capacityType: capacityType as CapacityType,
        region: labelOf(own, NODE_LABELS.region) ?? defaultRegion,
        zone: labelOf(own, NODE_LABELS.zone),
        hours: hoursOf(sum(infos.filter(({ labels: { node } }) => node === name).map(({ value }) => value))),
        gpus: physicalGpus(name, capacity, gpus, problems),
        cores: amount('cpu'),
        memoryGiB: usage(amount('memory').dividedBy(GIB)),
        pods: heldOf(name, pods, gpus, owners),
      },
    ];
  });
}

interface Pods {
  readonly there: readonly Sample[];
  readonly requests: readonly Sample[];
  readonly runs: ReadonlyMap<string, Decimal>;
  readonly cpu: ReadonlyMap<string, Decimal>;
  readonly memory: ReadonlyMap<string, Decimal>;
  readonly gpu: ReadonlyMap<string, Decimal>;
  /** Minutes that each pod was there, on all nodes. */
  readonly minutes: ReadonlyMap<string, Decimal>;
}

async function collectPods(prometheus: PrometheusDay): Promise<Pods> {
  const [there, requests, runs, cpu, memory, gpu] = await Promise.all([
    prometheus.sumOfMinutes(Query.PODS),
    prometheus.sumOfMinutes(Query.POD_REQUESTS),
    prometheus.sumOfMinutes(Query.POD_RUNS),
    prometheus.sumOfMinutes(Query.POD_CPU),
    prometheus.sumOfMinutes(Query.POD_MEMORY),
    prometheus.meanOfMinutes(Query.POD_GPU),
  ]);
  const byPod = (samples: readonly Sample[]): Map<string, Decimal> => {
    const pods = new Map<string, Decimal>();
    samples.forEach((sample) => pods.set(podOf(sample), sample.value.plus(pods.get(podOf(sample)) ?? 0)));
    return pods;
  };
  return {
    there,
    requests,
    runs: byPod(runs),
    cpu: byPod(cpu),
    memory: byPod(memory),
    gpu: byPod(gpu),
    minutes: byPod(there),
  };
}

/** What each pod held of a node: the larger of what it asked for and what it used, and of GPUs what it asked for. */
function heldOf(node: string, pods: Pods, gpus: NodeGpus, owners: Owners): HeldByPods[] {
  const here = pods.there.filter(({ labels }) => labels.node === node);
  return here
    .map((there): HeldByPods => {
      const pod = podOf(there);
      // what it used on a node is what it used in all, by the minutes that it was there
      const part = there.value.dividedBy(pods.minutes.get(pod) ?? there.value);
      const used = (all: ReadonlyMap<string, Decimal>): Decimal => (all.get(pod) ?? new Decimal(0)).times(part);
      const requests = pods.requests.filter(({ labels }) => labels.node === node && podOf({ labels }) === pod);
      const asked = (resource: string): Decimal => sum(requests.filter(isOf(resource)).map(({ value }) => value));
      const [askedCpu, askedMemory] = [asked('cpu'), asked('memory')];
      const cpu = Decimal.max(askedCpu, used(pods.cpu));
      const units = requests.map(({ labels, value }) =>
        value.times(gpuShare(resourceName(labels.resource), gpus) ?? new Decimal(0)),
      );
      return {
        ...owners.ofPod(there.labels.namespace ?? '', there.labels.pod ?? ''),
        hours: hoursOf(used(pods.runs)),
        gpuHours: hoursOf(sum(units)),
        cpuHours: hoursOf(cpu),
        memoryHours: hoursOf(Decimal.max(askedMemory, used(pods.memory)).dividedBy(GIB)),
        gpuUtilisation: pods.gpu.get(pod),
        cpuUtilisation: cpu.isZero() || !pods.cpu.has(pod) ? undefined : used(pods.cpu).dividedBy(cpu),
      };
    })
    .sort((a, b) => (ownerKey(a) < ownerKey(b) ? -1 : 1));
}

function physicalGpus(name: string, capacity: readonly Sample[], gpus: NodeGpus, problems: Problems): number {
  const parts = capacity
    .filter(({ labels, value }) => /^nvidia_com_(gpu|mig)/.test(labels.resource ?? '') && value.greaterThan(0))
    .map(({ labels, value }) => {
      const share = gpuShare(resourceName(labels.resource), gpus);
      problems.check(
        share !== undefined,
        `nodes.${name}`,
        labels.resource,
        'be a GPU, or a part of one, that the library knows',
        'its part of the GPU is what it is charged; partitions need the labels karpenter.k8s.aws/instance-gpu-name and -memory',
      );
      return value.times(share ?? 0);
    });
  return sum(parts).round().toNumber();
}

function gpusOf(labels: Sample['labels']): NodeGpus {
  const memory = labelOf(labels, NODE_LABELS.gpuMemory);
  return {
    sharing: parseSharingKey(labelOf(labels, NODE_LABELS.gpuSharing) ?? ''),
    accelerator: acceleratorOf(labelOf(labels, NODE_LABELS.gpuName), memory === undefined ? undefined : Number(memory)),
  };
}

/** The resource that kube-state-metrics has made a label of: `nvidia_com_mig_1g_10gb`. */
function resourceName(label = ''): string {
  const mig = /^nvidia_com_mig_(\d+g)_(\d+gb)$/.exec(label);
  if (mig !== null) {
    return `nvidia.com/mig-${mig[1]}.${mig[2]}`;
  }
  return label
    .replace(/^nvidia_com_gpu_shared$/, 'nvidia.com/gpu.shared')
    .replace(/^nvidia_com_gpu$/, 'nvidia.com/gpu');
}

function isOf(resource: string): (sample: Sample) => boolean {
  return ({ labels }) => labels.resource === resource;
}

function podOf({ labels: { namespace, pod } }: Pick<Sample, 'labels'>): string {
  return `${namespace}/${pod}`;
}

function ownerKey({ service, model, namespace, priority }: HeldByPods): string {
  return [namespace, service, model, priority].join(' ');
}

function fromOpenCost(isSpot: boolean | undefined): CapacityType | undefined {
  return isSpot === undefined ? undefined : isSpot ? 'spot' : 'on-demand';
}
