import { policy, type AwsLocation, type PolicyDocument, type PolicyStatement } from '../policy';

/** What Karpenter's controller works on. */
export interface KarpenterScope {
  readonly location: AwsLocation;
  readonly clusterName: string;
  readonly nodeRoleArn: string;
  readonly queueArn: string;
}

/**
 * What Karpenter's controller may do: start and end nodes of its own cluster, and nothing else. Source: the controller's
 * policy in Karpenter's reference, "CloudFormation", v1.8. Stricter than there: nodes start in subnets and security groups
 * of this account alone.
 */
export function karpenterPolicy(scope: KarpenterScope): PolicyDocument {
  return policy(...launch(scope), ...tag(scope), ...read(scope), ...interruption(scope), ...instanceProfiles(scope));
}

const LAUNCH = ['ec2:CreateFleet', 'ec2:RunInstances'];

/** Conditions on tags of what is already there: it belongs to the cluster, and Karpenter made it. */
function owned(clusterName: string, kind: 'nodepool' | 'ec2nodeclass'): PolicyStatement['Condition'] {
  const key = kind === 'nodepool' ? 'karpenter.sh/nodepool' : 'karpenter.k8s.aws/ec2nodeclass';
  return {
    StringEquals: { [`aws:ResourceTag/kubernetes.io/cluster/${clusterName}`]: 'owned' },
    StringLike: { [`aws:ResourceTag/${key}`]: '*' },
  };
}

/** Tags that a request gives to what it makes, so that `owned` holds of it. */
function owning(clusterName: string): { readonly [key: string]: string } {
  return {
    [`aws:RequestTag/kubernetes.io/cluster/${clusterName}`]: 'owned',
    'aws:RequestTag/eks:eks-cluster-name': clusterName,
  };
}

const ofNodePool = { StringLike: { 'aws:RequestTag/karpenter.sh/nodepool': '*' } };

function launch({ location, clusterName }: KarpenterScope): PolicyStatement[] {
  const { partition, region, accountId } = location;
  const ec2 = (kind: string): string => `arn:${partition}:ec2:${region}:${accountId}:${kind}/*`;
  return [
    {
      Sid: 'UseForNodes',
      Effect: 'Allow',
      Action: LAUNCH,
      Resource: [
        // images and their snapshots belong to AWS
        `arn:${partition}:ec2:${region}::image/*`,
        `arn:${partition}:ec2:${region}::snapshot/*`,
        ec2('security-group'),
        ec2('subnet'),
        ec2('capacity-reservation'),
      ],
    },
    {
      Sid: 'UseOwnLaunchTemplates',
      Effect: 'Allow',
      Action: LAUNCH,
      Resource: ec2('launch-template'),
      Condition: owned(clusterName, 'nodepool'),
    },
    {
      Sid: 'MakeNodes',
      Effect: 'Allow',
      Action: [...LAUNCH, 'ec2:CreateLaunchTemplate'],
      Resource: MADE.map(ec2),
      Condition: { StringEquals: owning(clusterName), ...ofNodePool },
    },
    {
      Sid: 'EndOwnNodes',
      Effect: 'Allow',
      Action: ['ec2:DeleteLaunchTemplate', 'ec2:TerminateInstances'],
      Resource: [ec2('instance'), ec2('launch-template')],
      Condition: owned(clusterName, 'nodepool'),
    },
  ];
}

const MADE = ['fleet', 'instance', 'launch-template', 'network-interface', 'spot-instances-request', 'volume'];

function tag({ location: { partition, region, accountId }, clusterName }: KarpenterScope): PolicyStatement[] {
  const ec2 = (kind: string): string => `arn:${partition}:ec2:${region}:${accountId}:${kind}/*`;
  const condition = owned(clusterName, 'nodepool');
  return [
    {
      Sid: 'TagWhatItMakes',
      Effect: 'Allow',
      Action: 'ec2:CreateTags',
      Resource: MADE.map(ec2),
      Condition: {
        StringEquals: {
          ...owning(clusterName),
          'ec2:CreateAction': ['CreateFleet', 'CreateLaunchTemplate', 'RunInstances'],
        },
        ...ofNodePool,
      },
    },
    {
      Sid: 'NameOwnNodes',
      Effect: 'Allow',
      Action: 'ec2:CreateTags',
      Resource: ec2('instance'),
      Condition: {
        ...condition,
        StringEqualsIfExists: { 'aws:RequestTag/eks:eks-cluster-name': clusterName },
        'ForAllValues:StringEquals': { 'aws:TagKeys': ['Name', 'eks:eks-cluster-name', 'karpenter.sh/nodeclaim'] },
      },
    },
  ];
}

function read({ location: { partition, region, accountId }, clusterName }: KarpenterScope): PolicyStatement[] {
  return [
    {
      Sid: 'ReadRegion',
      Effect: 'Allow',
      Action: [
        'ec2:DescribeCapacityReservations',
        'ec2:DescribeImages',
        'ec2:DescribeInstanceTypeOfferings',
        'ec2:DescribeInstanceTypes',
        'ec2:DescribeInstances',
        'ec2:DescribeLaunchTemplates',
        'ec2:DescribeSecurityGroups',
        'ec2:DescribeSpotPriceHistory',
        'ec2:DescribeSubnets',
      ],
      Resource: '*',
      Condition: { StringEquals: { 'aws:RequestedRegion': region } },
    },
    {
      Sid: 'ReadImageVersions',
      Effect: 'Allow',
      Action: 'ssm:GetParameter',
      Resource: `arn:${partition}:ssm:${region}::parameter/aws/service/*`,
    },
    // prices are kept in two regions for all
    { Sid: 'ReadPrices', Effect: 'Allow', Action: 'pricing:GetProducts', Resource: '*' },
    {
      Sid: 'ReadCluster',
      Effect: 'Allow',
      Action: 'eks:DescribeCluster',
      Resource: `arn:${partition}:eks:${region}:${accountId}:cluster/${clusterName}`,
    },
  ];
}

function interruption({ queueArn }: KarpenterScope): PolicyStatement[] {
  return [
    {
      Sid: 'ReadInterruptions',
      Effect: 'Allow',
      Action: ['sqs:DeleteMessage', 'sqs:GetQueueUrl', 'sqs:ReceiveMessage'],
      Resource: queueArn,
    },
  ];
}

function instanceProfiles({ location, clusterName, nodeRoleArn }: KarpenterScope): PolicyStatement[] {
  const { partition, region, accountId } = location;
  const profiles = `arn:${partition}:iam::${accountId}:instance-profile/*`;
  const inRegion = { ...owning(clusterName), 'aws:RequestTag/topology.kubernetes.io/region': region };
  const ofNodeClass = { 'aws:RequestTag/karpenter.k8s.aws/ec2nodeclass': '*' };
  const own = owned(clusterName, 'ec2nodeclass');
  const ownInRegion = { ...own?.StringEquals, 'aws:ResourceTag/topology.kubernetes.io/region': region };
  return [
    {
      Sid: 'GiveNodesTheirRole',
      Effect: 'Allow',
      Action: 'iam:PassRole',
      Resource: nodeRoleArn,
      Condition: { StringEquals: { 'iam:PassedToService': ['ec2.amazonaws.com', 'ec2.amazonaws.com.cn'] } },
    },
    {
      Sid: 'MakeInstanceProfiles',
      Effect: 'Allow',
      Action: 'iam:CreateInstanceProfile',
      Resource: profiles,
      Condition: { StringEquals: inRegion, StringLike: ofNodeClass },
    },
    {
      Sid: 'TagOwnInstanceProfiles',
      Effect: 'Allow',
      Action: 'iam:TagInstanceProfile',
      Resource: profiles,
      Condition: {
        StringEquals: { ...ownInRegion, ...inRegion },
        StringLike: { ...own?.StringLike, ...ofNodeClass },
      },
    },
    {
      Sid: 'ChangeOwnInstanceProfiles',
      Effect: 'Allow',
      Action: ['iam:AddRoleToInstanceProfile', 'iam:DeleteInstanceProfile', 'iam:RemoveRoleFromInstanceProfile'],
      Resource: profiles,
      Condition: { ...own, StringEquals: ownInRegion },
    },
    { Sid: 'ReadInstanceProfiles', Effect: 'Allow', Action: 'iam:GetInstanceProfile', Resource: profiles },
    { Sid: 'ListInstanceProfiles', Effect: 'Allow', Action: 'iam:ListInstanceProfiles', Resource: '*' },
  ];
}

/** Lets these rules of EventBridge, and nobody else, put messages into the queue, and nobody use it without TLS. */
export function interruptionQueuePolicy(queueArn: string, ruleArns: readonly string[]): PolicyDocument {
  return policy(
    {
      Sid: 'Events',
      Effect: 'Allow',
      Principal: { Service: 'events.amazonaws.com' },
      Action: 'sqs:SendMessage',
      Resource: queueArn,
      Condition: { ArnEquals: { 'aws:SourceArn': ruleArns } },
    },
    {
      Sid: 'TlsOnly',
      Effect: 'Deny',
      Principal: '*',
      Action: 'sqs:*',
      Resource: queueArn,
      Condition: { Bool: { 'aws:SecureTransport': 'false' } },
    },
  );
}
