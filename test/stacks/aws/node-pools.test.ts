import { planGpuNodePool, planSpotBatchPool } from '../../../constructs/plan/node-pools/plan';
import { NodePools, subnetsIn, type NodePoolsArgs } from '../../../stacks/aws/node-pools/node-pools';
import { planNodeGroup } from '../../../stacks/aws/node-pools/node-group-plan';
import { findCycle, recordGraph, untagged, type Graph } from '../../support/aws-graph';
import { excesses } from '../../support/aws-policies';
import { problemsOf, TAGS } from '../../support/aws-stores';

const NODE_GROUP = 'aws:eks/nodeGroup:NodeGroup';
const cluster = { name: 'hospital' };
const gpu = planGpuNodePool({
  name: 'gpu',
  cluster,
  accelerators: ['a100-40gb'],
  maxGpus: 16,
  zones: ['eu-central-1b'],
  tags: { team: 'imaging' },
});
const batch = planSpotBatchPool({ name: 'batch', cluster, maxCpu: 64, budgets: [{ nodes: '2' }] });
const ARGS: NodePoolsArgs = {
  tags: TAGS,
  clusterName: 'hospital',
  version: '1.34',
  subnetIds: ['subnet-a', 'subnet-b', 'subnet-c'],
  zones: ['eu-central-1a', 'eu-central-1b', 'eu-central-1c'],
  pools: [{ spec: gpu }, { spec: batch, nodeSize: '2xlarge', minNodes: 0 }],
};

let graph: Graph;
beforeAll(async () => {
  graph = await recordGraph(() => new NodePools('pools', ARGS));
});

test('a GPU pool becomes a node group', () => {
  expect(graph.only(NODE_GROUP, 'pools-gpu').inputs).toMatchObject({
    clusterName: 'hospital',
    version: '1.34',
    nodeRoleArn: 'arn:aws:iam:eu-central-1:123456789012:pools-nodes',
    subnetIds: ['subnet-b'],
    amiType: 'AL2023_x86_64_NVIDIA',
    capacityType: 'ON_DEMAND',
    instanceTypes: ['p4d.24xlarge'],
    labels: { accelerator: 'nvidia-gpu' },
    taints: [{ key: 'nvidia.com/gpu', value: 'true', effect: 'NO_SCHEDULE' }],
    scalingConfig: { minSize: 1, desiredSize: 1, maxSize: 2 },
    updateConfig: { maxUnavailablePercentage: 10 },
    nodeRepairConfig: { enabled: true },
    launchTemplate: { id: 'pools-gpu-id', version: '1' },
  });
});

test('a batch pool becomes a Spot node group in all zones', () => {
  expect(graph.only(NODE_GROUP, 'pools-batch').inputs).toMatchObject({
    subnetIds: ['subnet-a', 'subnet-b', 'subnet-c'],
    capacityType: 'SPOT',
    scalingConfig: { minSize: 0, desiredSize: 0, maxSize: 8 },
    updateConfig: { maxUnavailable: 2 },
  });
});

test('what scales a group later is not undone', () => {
  expect(graph.ofType(NODE_GROUP).map(({ ignoreChanges }) => ignoreChanges)).toEqual([
    ['scalingConfig.desiredSize'],
    ['scalingConfig.desiredSize'],
  ]);
});

test('instances have encrypted volumes, metadata out of the reach of pods, and the tags of pool and platform', () => {
  const { inputs } = graph.only('aws:ec2/launchTemplate:LaunchTemplate', 'pools-gpu');
  expect(inputs).toMatchObject({
    metadataOptions: { httpEndpoint: 'enabled', httpTokens: 'required', httpPutResponseHopLimit: 1 },
    blockDeviceMappings: [{ deviceName: '/dev/xvda', ebs: { volumeSize: 200, volumeType: 'gp3', encrypted: 'true' } }],
  });
  for (const { tags } of inputs.tagSpecifications as { tags: object }[]) {
    expect(tags).toEqual({
      Name: 'pools-gpu',
      team: 'imaging',
      'mediform.io/node-pool': 'gpu',
      service: 'node-pools',
      environment: 'test',
      'cost-centre': 'radiology',
    });
  }
});

test('nodes join only when their role may; everything is tagged, no policy is too broad', () => {
  const attachments = graph.ofType('aws:iam/rolePolicyAttachment:RolePolicyAttachment').map(({ urn }) => urn);
  expect(attachments).toHaveLength(2);
  for (const { dependencies } of graph.ofType(NODE_GROUP)) {
    expect(dependencies).toEqual(expect.arrayContaining(attachments));
  }
  expect(untagged(graph, { service: 'node-pools', environment: 'test', 'cost-centre': 'radiology' })).toEqual([]);
  expect(excesses(graph)).toEqual([]);
  expect(findCycle(graph)).toBeUndefined();
});

test('a pool in none of the zones of the network', () => {
  expect(() => subnetsIn(planNodeGroup({ spec: gpu }), ['eu-central-1a'], ['subnet-a'])).toThrow(
    "'pools.gpu.zones' (eu-central-1b) must include one of eu-central-1a because the network is in no other",
  );
});

test('all that is wrong with all pools is told at once, and nothing is made', async () => {
  let problems: readonly string[] = [];
  const empty = await recordGraph(() => {
    problems = problemsOf(
      () =>
        new NodePools('pools', {
          ...ARGS,
          pools: [{ spec: gpu }, { spec: batch }, { spec: { ...gpu, weight: 5 } }],
        }),
    );
  });
  expect(problems.map((problem) => problem.slice(0, problem.indexOf(' must')))).toEqual([
    "'pools.batch.nodeSize' (undefined)",
    "'pools' (gpu)",
    "'pools.gpu.spec.weight' (5)",
  ]);
  expect(empty.resources).toEqual([]);
});
