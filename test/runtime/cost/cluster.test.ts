import { Decimal } from 'mediform/cost';
import { Problems } from '../../../constructs/plan/errors';
import { collectNodes } from '../../../runtime/cost/collect/cluster';
import { collectOwners } from '../../../runtime/cost/collect/owners';
import type { PrometheusDay, Sample } from '../../../runtime/cost/collect/prometheus';
import { Query } from '../../../runtime/cost/collect/queries';
import type { NodeUsage } from '../../../constructs/plan/cost/usage';

type Answers = { readonly [Q in keyof typeof Query]?: readonly (readonly [labels: Sample['labels'], value: number])[] };

const DAY = 1440;

/** Nodes as they are collected from what Prometheus answers; what is wrong goes to `problems`. */
async function collect(answers: Answers, problems = new Problems()): Promise<NodeUsage[]> {
  const names = Object.entries(Query);
  const answer = (expression: string): Promise<readonly Sample[]> => {
    const name = names.find(([, query]) => query === expression)?.[0] as keyof typeof Query;
    return Promise.resolve((answers[name] ?? []).map(([labels, value]) => ({ labels, value: new Decimal(value) })));
  };
  const prometheus = { sumOfMinutes: answer, meanOfMinutes: answer } as unknown as PrometheusDay;
  return collectNodes(prometheus, await collectOwners(prometheus), 'eu-central-1', problems);
}

const A100 = {
  label_node_kubernetes_io_instance_type: 'p4d.24xlarge',
  label_karpenter_sh_capacity_type: 'on-demand',
  label_karpenter_k8s_aws_instance_gpu_name: 'a100',
  label_karpenter_k8s_aws_instance_gpu_memory: '40960',
};

function oneNode(labels: Sample['labels'], capacity: { readonly [resource: string]: number }): Answers {
  return {
    NODES: [[{ node: 'n', provider_id: 'aws:///eu-central-1a/i-1' }, DAY]],
    NODE_LABELS: [[{ node: 'n', ...labels }, DAY]],
    NODE_CAPACITY: Object.entries(capacity).map(([resource, amount]) => [{ node: 'n', resource }, amount]),
  };
}

function onePod(requests: { readonly [resource: string]: number }): Answers {
  const pod = { namespace: 'imaging', pod: 'ct-0' };
  return {
    PODS: [[{ ...pod, node: 'n' }, DAY]],
    POD_RUNS: [[pod, DAY]],
    POD_REQUESTS: Object.entries(requests).map(([resource, amount]) => [{ ...pod, node: 'n', resource }, amount * DAY]),
  };
}

describe('GPUs of a node', () => {
  it.each([
    ['whole', {}, { nvidia_com_gpu: 8 }, { nvidia_com_gpu: 2 }, '48'],
    [
      'in turns',
      { label_mediform_io_gpu_sharing: 'time-slicing-4' },
      { nvidia_com_gpu: 32 },
      { nvidia_com_gpu: 2 },
      '12',
    ],
    [
      'in turns, renamed',
      { label_mediform_io_gpu_sharing: 'mps-4' },
      { nvidia_com_gpu_shared: 32 },
      { nvidia_com_gpu_shared: 1 },
      '6',
    ],
    [
      'partitions, all alike',
      { label_mediform_io_gpu_sharing: 'mig-1g.5gb' },
      { nvidia_com_gpu: 56 },
      { nvidia_com_gpu: 7 },
      '24',
    ],
    [
      'partitions, mixed',
      {},
      { nvidia_com_mig_1g_5gb: 28, nvidia_com_mig_3g_20gb: 8 },
      { nvidia_com_mig_3g_20gb: 1 },
      '12',
    ],
  ])('%s are counted as the physical ones that they are', async (_, labels, capacity, requests, gpuHours) => {
    const [found] = await collect({ ...oneNode({ ...A100, ...labels }, capacity), ...onePod(requests) });
    expect(found).toMatchObject({ gpus: 8, providerId: 'i-1', hours: new Decimal(24) });
    expect(found?.pods.map((held) => held.gpuHours.toFixed())).toEqual([gpuHours]);
  });

  it('that cannot be told are an error', async () => {
    const problems = new Problems();
    await collect(
      oneNode({ ...A100, label_karpenter_k8s_aws_instance_gpu_name: '' }, { nvidia_com_mig_1g_5gb: 7 }),
      problems,
    );
    expect(problems.list).toEqual([
      expect.stringMatching(
        /^'nodes\.n' \(nvidia_com_mig_1g_5gb\) must be a GPU, or a part of one, that the library knows because/,
      ),
    ]);
  });
});

describe('a node', () => {
  it('without an instance type or a capacity type is an error that says what to export', async () => {
    const problems = new Problems();
    expect(await collect(oneNode({}, { cpu: 2 }), problems)).toEqual([]);
    expect(problems.list).toEqual([
      expect.stringContaining(
        "must have the label node.kubernetes.io/instance-type in kube_node_labels because a price is for an instance type; see kube-state-metrics' --metric-labels-allowlist",
      ),
      expect.stringContaining('must have the label karpenter.sh/capacity-type or eks.amazonaws.com/capacityType'),
    ]);
  });

  it.each([
    [1, 'spot'],
    [0, 'on-demand'],
  ])('may have its capacity type from OpenCost: %d', async (isSpot, capacityType) => {
    const labels = { label_node_kubernetes_io_instance_type: 'm7i.large' };
    const [found] = await collect({ ...oneNode(labels, { cpu: 2 }), NODE_IS_SPOT: [[{ node: 'n' }, isSpot]] });
    expect(found?.capacityType).toBe(capacityType);
  });

  it('whose labels changed has those that it had for longer', async () => {
    const answers = oneNode(A100, { cpu: 2 });
    const before = { node: 'n', ...A100, label_karpenter_sh_capacity_type: 'spot' };
    const labels = [...(answers.NODE_LABELS ?? []), [before, 30] as const];
    const [found] = await collect({ ...answers, NODE_LABELS: labels });
    expect(found?.capacityType).toBe('on-demand');
  });
});

describe('a pod', () => {
  it('that moved from node to node used on each what it used in all, by its minutes', async () => {
    const pod = { namespace: 'data', pod: 'etl-0' };
    const labels = { label_node_kubernetes_io_instance_type: 'm7i.large', label_karpenter_sh_capacity_type: 'spot' };
    const nodes = await collect({
      NODES: ['a', 'b'].map((node) => [{ node }, DAY]),
      NODE_LABELS: ['a', 'b'].map((node) => [{ node, ...labels }, DAY]),
      PODS: [
        [{ ...pod, node: 'a' }, 360],
        [{ ...pod, node: 'b' }, 1080],
      ],
      POD_RUNS: [[pod, DAY]],
      POD_CPU: [[pod, 2 * DAY]],
      POD_REQUESTS: [[{ ...pod, node: 'b', resource: 'cpu' }, 3 * 1080]],
    });
    expect(nodes.map(({ pods }) => pods.map(({ cpuHours, hours }) => [cpuHours.toFixed(), hours.toFixed()]))).toEqual([
      [['12', '6']],
      // there it asked for more than it used
      [['54', '18']],
    ]);
  });
});
