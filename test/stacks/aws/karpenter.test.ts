import { output } from '@pulumi/pulumi';
import { Karpenter, type KarpenterArgs } from '../../../stacks/aws/node-pools/karpenter';
import type { PolicyStatement } from '../../../stacks/aws/policy';
import { findCycle, recordGraph, untagged, type Graph } from '../../support/aws-graph';
import { excesses, policiesOf } from '../../support/aws-policies';
import { problemsOf, TAGS } from '../../support/aws-stores';

const ARGS: KarpenterArgs = { tags: TAGS, clusterName: 'hospital', nodeSecurityGroupId: output('sg-nodes') };

let graph: Graph;
let statements: readonly PolicyStatement[];
beforeAll(async () => {
  graph = await recordGraph(() => new Karpenter('karpenter', ARGS));
  statements = policyOf('RolePolicy::karpenter-controller');
});

function policyOf(urn: string): readonly PolicyStatement[] {
  return policiesOf(graph).find((recorded) => recorded.urn.endsWith(urn))?.document.Statement ?? [];
}

/** Statements that allow an action. */
function allowing(action: string): PolicyStatement[] {
  return statements.filter(({ Action }) => [Action].flat().includes(action));
}

test('the queue is encrypted, takes messages of these four rules alone, and TLS alone', () => {
  expect(graph.only('aws:sqs/queue:Queue').inputs).toMatchObject({
    sqsManagedSseEnabled: true,
    messageRetentionSeconds: 300,
  });
  const rules = graph.ofType('aws:cloudwatch/eventRule:EventRule');
  expect(rules.map(({ inputs }) => JSON.parse(String(inputs.eventPattern)) as unknown)).toEqual([
    { source: ['aws.health'], 'detail-type': ['AWS Health Event'] },
    { source: ['aws.ec2'], 'detail-type': ['EC2 Spot Instance Interruption Warning'] },
    { source: ['aws.ec2'], 'detail-type': ['EC2 Instance Rebalance Recommendation'] },
    { source: ['aws.ec2'], 'detail-type': ['EC2 Instance State-change Notification'] },
  ]);
  const queueArn = 'arn:aws:sqs:eu-central-1:123456789012:karpenter-interruptions';
  const targets = graph.ofType('aws:cloudwatch/eventTarget:EventTarget').map(({ inputs }) => inputs);
  expect(targets).toEqual(rules.map(({ name }) => ({ rule: name, arn: queueArn })));
  expect(policyOf('QueuePolicy::karpenter-interruptions')).toEqual([
    {
      Sid: 'Events',
      Effect: 'Allow',
      Principal: { Service: 'events.amazonaws.com' },
      Action: 'sqs:SendMessage',
      Resource: queueArn,
      Condition: {
        ArnEquals: {
          'aws:SourceArn': rules.map(({ name }) => `arn:aws:cloudwatch:eu-central-1:123456789012:${name}`),
        },
      },
    },
    {
      Sid: 'TlsOnly',
      Effect: 'Deny',
      Principal: '*',
      Action: 'sqs:*',
      Resource: queueArn,
      Condition: { Bool: { 'aws:SecureTransport': 'false' } },
    },
  ]);
});

test('nodes have a role that pools name by default, and may join the cluster', () => {
  expect(graph.only('aws:iam/role:Role', 'karpenter-nodes').inputs.name).toBe('KarpenterNodeRole-hospital');
  expect(graph.only('aws:eks/accessEntry:AccessEntry').inputs).toMatchObject({
    clusterName: 'hospital',
    principalArn: 'arn:aws:iam:eu-central-1:123456789012:karpenter-nodes',
    type: 'EC2_LINUX',
  });
  const attached = graph.ofType('aws:iam/rolePolicyAttachment:RolePolicyAttachment');
  expect(attached.map(({ inputs }) => inputs.policyArn)).toEqual([
    'arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy',
    'arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly',
  ]);
});

test('the security group of nodes is found by its tag', () => {
  expect(graph.only('aws:ec2/tag:Tag').inputs).toEqual({
    resourceId: 'sg-nodes',
    key: 'karpenter.sh/discovery',
    value: 'hospital',
  });
});

test('the controller gets its role by Pod Identity, as the service account that its chart makes', () => {
  expect(graph.only('aws:eks/podIdentityAssociation:PodIdentityAssociation').inputs).toMatchObject({
    clusterName: 'hospital',
    namespace: 'kube-system',
    serviceAccount: 'karpenter',
    roleArn: 'arn:aws:iam:eu-central-1:123456789012:karpenter-controller',
  });
});

test('the controller ends and tags only what is tagged as its own, and passes on only the role of nodes', () => {
  const owned = { 'aws:ResourceTag/kubernetes.io/cluster/hospital': 'owned' };
  const [end, ...others] = allowing('ec2:TerminateInstances');
  expect(others).toEqual([]);
  expect(end?.Condition).toEqual({
    StringEquals: owned,
    StringLike: { 'aws:ResourceTag/karpenter.sh/nodepool': '*' },
  });
  expect(allowing('ec2:CreateTags').every(({ Condition }) => Condition?.StringEquals !== undefined)).toBe(true);
  expect(allowing('iam:PassRole')).toEqual([
    expect.objectContaining({ Resource: 'arn:aws:iam:eu-central-1:123456789012:karpenter-nodes' }),
  ]);
  expect(allowing('sqs:ReceiveMessage').map(({ Resource }) => Resource)).toEqual([
    'arn:aws:sqs:eu-central-1:123456789012:karpenter-interruptions',
  ]);
  for (const action of ['iam:AddRoleToInstanceProfile', 'iam:DeleteInstanceProfile']) {
    expect(allowing(action)[0]?.Condition?.StringEquals).toEqual({
      ...owned,
      'aws:ResourceTag/topology.kubernetes.io/region': 'eu-central-1',
    });
  }
});

test('the policy has all that Karpenter asks for, and fits in a role', () => {
  const actions = new Set(statements.flatMap(({ Action }) => Action));
  // Karpenter's reference, "CloudFormation", v1.8
  expect([...actions].sort()).toEqual([
    'ec2:CreateFleet',
    'ec2:CreateLaunchTemplate',
    'ec2:CreateTags',
    'ec2:DeleteLaunchTemplate',
    'ec2:DescribeCapacityReservations',
    'ec2:DescribeImages',
    'ec2:DescribeInstanceTypeOfferings',
    'ec2:DescribeInstanceTypes',
    'ec2:DescribeInstances',
    'ec2:DescribeLaunchTemplates',
    'ec2:DescribeSecurityGroups',
    'ec2:DescribeSpotPriceHistory',
    'ec2:DescribeSubnets',
    'ec2:RunInstances',
    'ec2:TerminateInstances',
    'eks:DescribeCluster',
    'iam:AddRoleToInstanceProfile',
    'iam:CreateInstanceProfile',
    'iam:DeleteInstanceProfile',
    'iam:GetInstanceProfile',
    'iam:ListInstanceProfiles',
    'iam:PassRole',
    'iam:RemoveRoleFromInstanceProfile',
    'iam:TagInstanceProfile',
    'pricing:GetProducts',
    'sqs:DeleteMessage',
    'sqs:GetQueueUrl',
    'sqs:ReceiveMessage',
    'ssm:GetParameter',
  ]);
  // IAM quotas: 10,240 characters of inline policies in a role, white space not counted
  expect(JSON.stringify({ Version: '2012-10-17', Statement: statements }).length).toBeLessThan(10_240);
});

test('no policy is too broad, everything is tagged, nothing waits for itself', () => {
  expect(policiesOf(graph)).toHaveLength(4);
  expect(excesses(graph)).toEqual([]);
  expect(untagged(graph, { service: 'node-pools', environment: 'test', 'cost-centre': 'radiology' })).toEqual([]);
  expect(findCycle(graph)).toBeUndefined();
});

test('all that is wrong is told at once', () => {
  const problems = problemsOf(
    () =>
      new Karpenter('karpenter', {
        tags: { environment: '', costCentre: '' },
        clusterName: 'a'.repeat(47),
        nodeRoleName: 'no spaces',
        nodeSecurityGroupId: 'sg-nodes',
      }),
  );
  expect(problems.map((problem) => /'(\S+)'/.exec(problem)?.[1])).toEqual([
    'tags.environment',
    'tags.costCentre',
    'clusterName',
    'nodeRoleName',
  ]);
});
