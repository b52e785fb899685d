import { SecurityGroup } from '@pulumi/aws/ec2';
import { output } from '@pulumi/pulumi';
import { Network } from '../../../stacks/aws/network/network';
import { firstZones, type NetworkArgs } from '../../../stacks/aws/network/args';
import { findCycle, recordGraph, untagged, type Graph, type Properties } from '../../support/aws-graph';
import { excesses, policiesOf } from '../../support/aws-policies';
import { problemsOf, TAGS } from '../../support/aws-stores';

const ARGS: NetworkArgs = { tags: TAGS, clusterName: 'hospital' };
const SUBNET = 'aws:ec2/subnet:Subnet';
const ROUTE = 'aws:ec2/route:Route';
const ENDPOINT = 'aws:ec2/vpcEndpoint:VpcEndpoint';

function graphOf(args: Partial<NetworkArgs> = {}): Promise<Graph> {
  return recordGraph(() => new Network('net', { ...ARGS, ...args }));
}

/** Where the traffic of a subnet goes: the gateway of each route of the table it is associated with. */
function routesOf(graph: Graph, subnet: string): Properties[] {
  const table = graph.only('aws:ec2/routeTableAssociation:RouteTableAssociation', subnet).inputs.routeTableId;
  expect(graph.only('aws:ec2/routeTableAssociation:RouteTableAssociation', subnet).inputs.subnetId).toBe(
    `${subnet}-id`,
  );
  return graph
    .ofType(ROUTE)
    .filter(({ inputs }) => inputs.routeTableId === table)
    .map(({ inputs }) => ({ ...inputs, routeTableId: undefined }));
}

let graph: Graph;
beforeAll(async () => {
  graph = await graphOf();
});

test('three kinds of subnets in each of three zones; none gives addresses of the internet', () => {
  expect(graph.only('aws:ec2/vpc:Vpc').inputs).toMatchObject({ cidrBlock: '10.0.0.0/16', enableDnsHostnames: true });
  const subnets = graph.ofType(SUBNET);
  expect(subnets.map(({ name, inputs }) => [name, inputs.cidrBlock, inputs.availabilityZone]).sort()).toEqual([
    ['net-isolated-0', '10.0.195.0/24', 'eu-central-1a'],
    ['net-isolated-1', '10.0.196.0/24', 'eu-central-1b'],
    ['net-isolated-2', '10.0.197.0/24', 'eu-central-1c'],
    ['net-private-0', '10.0.0.0/18', 'eu-central-1a'],
    ['net-private-1', '10.0.64.0/18', 'eu-central-1b'],
    ['net-private-2', '10.0.128.0/18', 'eu-central-1c'],
    ['net-public-0', '10.0.192.0/24', 'eu-central-1a'],
    ['net-public-1', '10.0.193.0/24', 'eu-central-1b'],
    ['net-public-2', '10.0.194.0/24', 'eu-central-1c'],
  ]);
  expect(subnets.every(({ inputs }) => inputs.mapPublicIpOnLaunch === false && inputs.vpcId === 'net-vpc-id')).toBe(
    true,
  );
});

test('only private subnets are found by Karpenter, and load balancers find those of their kind', () => {
  const tagged = (key: string): unknown[] =>
    graph
      .ofType(SUBNET)
      .filter(({ inputs }) => key in (inputs.tags as Properties))
      .map(({ name, inputs }) => [name, (inputs.tags as Properties)[key]])
      .sort();
  const of = (kind: string, value: string): unknown[] => [0, 1, 2].map((zone) => [`net-${kind}-${zone}`, value]);
  expect(tagged('karpenter.sh/discovery')).toEqual(of('private', 'hospital'));
  expect(tagged('kubernetes.io/role/internal-elb')).toEqual(of('private', '1'));
  expect(tagged('kubernetes.io/role/elb')).toEqual(of('public', '1'));
});

test('public subnets reach the internet, private ones the NAT gateway of their zone, isolated ones nothing', () => {
  const everywhere = { destinationCidrBlock: '0.0.0.0/0' };
  for (const zone of [0, 1, 2]) {
    expect(routesOf(graph, `net-public-${zone}`)).toEqual([{ ...everywhere, gatewayId: 'net-internet-id' }]);
    expect(routesOf(graph, `net-private-${zone}`)).toEqual([{ ...everywhere, natGatewayId: `net-nat-${zone}-id` }]);
    expect(routesOf(graph, `net-isolated-${zone}`)).toEqual([]);
    expect(graph.only('aws:ec2/natGateway:NatGateway', `net-nat-${zone}`).inputs).toMatchObject({
      subnetId: `net-public-${zone}-id`,
      allocationId: `net-nat-${zone}-id`,
    });
  }
});

test('NAT gateways wait for the way to the internet, and users of private subnets for their way out', async () => {
  const route = graph.only(ROUTE, 'net-public');
  for (const gateway of graph.ofType('aws:ec2/natGateway:NatGateway')) {
    expect(gateway.dependencies).toContain(route.urn);
  }
  const used = await recordGraph(() => {
    const network = new Network('net', ARGS);
    new SecurityGroup('user', { vpcId: network.vpcId, description: output(network.privateSubnetIds[1]) });
  });
  const { dependencies } = used.only('aws:ec2/securityGroup:SecurityGroup', 'user');
  const waysOut = [
    used.only(ROUTE, 'net-private-1'),
    used.only('aws:ec2/routeTableAssociation:RouteTableAssociation', 'net-private-1'),
    used.only(ENDPOINT, 'net-s3'),
    used.only(ENDPOINT, 'net-ecr.api'),
  ];
  expect(dependencies).toEqual(expect.arrayContaining(waysOut.map(({ urn }) => urn)));
});

test('one NAT gateway for all zones, or none', async () => {
  const single = await graphOf({ nat: 'single' });
  expect(single.ofType('aws:ec2/natGateway:NatGateway')).toHaveLength(1);
  expect(single.ofType('aws:ec2/eip:Eip')).toHaveLength(1);
  expect(routesOf(single, 'net-private-2')).toEqual([
    { destinationCidrBlock: '0.0.0.0/0', natGatewayId: 'net-nat-0-id' },
  ]);
  const none = await graphOf({ nat: 'none' });
  expect(none.ofType('aws:ec2/natGateway:NatGateway')).toEqual([]);
  expect(none.ofType('aws:ec2/eip:Eip')).toEqual([]);
  expect(routesOf(none, 'net-private-0')).toEqual([]);
});

test('the default security group lets nothing through', () => {
  expect(graph.only('aws:ec2/defaultSecurityGroup:DefaultSecurityGroup').inputs).toMatchObject({
    vpcId: 'net-vpc-id',
    ingress: [],
    egress: [],
  });
});

test('services of AWS have endpoints in the private subnets, which the VPC alone reaches', () => {
  const interfaces = graph.ofType(ENDPOINT).filter(({ inputs }) => inputs.vpcEndpointType === 'Interface');
  expect(interfaces.map(({ inputs }) => inputs.serviceName).sort()).toEqual(
    ['ec2', 'ecr.api', 'ecr.dkr', 'eks', 'eks-auth', 'logs', 'sqs', 'ssm', 'sts'].map(
      (service) => `com.amazonaws.eu-central-1.${service}`,
    ),
  );
  for (const { inputs } of interfaces) {
    expect(inputs).toMatchObject({
      privateDnsEnabled: true,
      subnetIds: ['net-private-0-id', 'net-private-1-id', 'net-private-2-id'],
      securityGroupIds: ['net-endpoints-id'],
    });
  }
  const rules = graph.ofType('aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule');
  expect(rules.map(({ inputs }) => inputs)).toEqual([
    expect.objectContaining({
      securityGroupId: 'net-endpoints-id',
      cidrIpv4: '10.0.0.0/16',
      ipProtocol: 'tcp',
      fromPort: 443,
      toPort: 443,
    }),
  ]);
});

test('S3 is reached from private and isolated subnets; writes go to buckets of the account alone', () => {
  const { inputs, urn } = graph.only(ENDPOINT, 'net-s3');
  expect(inputs).toMatchObject({
    vpcEndpointType: 'Gateway',
    serviceName: 'com.amazonaws.eu-central-1.s3',
    routeTableIds: ['net-private-0-id', 'net-private-1-id', 'net-private-2-id', 'net-isolated-id'],
  });
  const [found] = policiesOf(graph).filter((recorded) => recorded.urn === urn);
  const writes = found?.document.Statement.filter(({ Action }) => Action.includes('s3:PutObject'));
  expect(writes).toHaveLength(1);
  expect(writes?.[0]?.Condition).toEqual({ StringEquals: { 'aws:ResourceAccount': '123456789012' } });
});

test('flow logs of all traffic are kept encrypted, by a role that writes them and does nothing else', () => {
  expect(graph.only('aws:ec2/flowLog:FlowLog').inputs).toMatchObject({
    vpcId: 'net-vpc-id',
    trafficType: 'ALL',
    logDestination: 'arn:aws:cloudwatch:eu-central-1:123456789012:net-flow-logs',
    iamRoleArn: 'arn:aws:iam:eu-central-1:123456789012:net-flow-logs',
  });
  const logs = graph.only('aws:cloudwatch/logGroup:LogGroup');
  expect(logs.inputs).toMatchObject({
    retentionInDays: 90,
    kmsKeyId: 'arn:aws:kms:eu-central-1:123456789012:net-flow-logs',
  });
  expect(logs.dependencies).toContain(graph.only('aws:kms/key:Key').urn);
  expect(graph.only('aws:kms/key:Key').inputs).toMatchObject({ enableKeyRotation: true });
  const [trust] = policiesOf(graph).filter(({ property }) => property === 'assumeRolePolicy');
  expect(trust?.document.Statement).toEqual([
    {
      Effect: 'Allow',
      Principal: { Service: 'vpc-flow-logs.amazonaws.com' },
      Action: 'sts:AssumeRole',
      Condition: { StringEquals: { 'aws:SourceAccount': '123456789012' } },
    },
  ]);
});

test('no policy is too broad, everything is tagged, nothing waits for itself', () => {
  expect(policiesOf(graph)).toHaveLength(4);
  expect(excesses(graph)).toEqual([]);
  expect(untagged(graph, { service: 'network', environment: 'test', 'cost-centre': 'radiology' })).toEqual([]);
  expect(findCycle(graph)).toBeUndefined();
});

test('zones and endpoints as given', async () => {
  const given = await graphOf({
    zones: ['us-east-1b', 'us-east-1d'],
    endpoints: ['sts', 'ecr.api', 'ecr.dkr', 'bedrock'],
  });
  expect(
    given
      .ofType(SUBNET)
      .map(({ inputs }) => inputs.availabilityZone)
      .sort(),
  ).toEqual([...Array.from({ length: 3 }, () => 'us-east-1b'), ...Array.from({ length: 3 }, () => 'us-east-1d')]);
  expect(
    given
      .ofType(ENDPOINT)
      .map(({ name }) => name)
      .sort(),
  ).toEqual(['net-bedrock', 'net-ecr.api', 'net-ecr.dkr', 'net-s3', 'net-sts']);
});

test('all that is wrong is told at once, and nothing is made', async () => {
  let problems: readonly string[] = [];
  const empty = await recordGraph(() => {
    problems = problemsOf(
      () =>
        new Network('net', {
          tags: { environment: '', costCentre: 'radiology', more: { service: 'mine' } },
          clusterName: 'no spaces please',
          cidr: '8.8.0.0/16',
          zones: ['eu-central-1a'],
          nat: 'double' as 'none',
          endpoints: ['s3'],
          logDays: 91,
        }),
    );
  });
  expect(problems.map((problem) => problem.slice(0, problem.indexOf(' must')))).toEqual([
    "'tags.environment' ()",
    "'tags.more.service' (mine)",
    "'logDays' (91)",
    "'clusterName' (no spaces please)",
    "'cidr' (8.8.0.0/16)",
    `'zones' (["eu-central-1a"])`,
    "'nat' (double)",
    `'endpoints' (["s3"])`,
    `'endpoints' (["s3"])`,
  ]);
  expect(empty.resources).toEqual([]);
});

test.each([['10.0.0.0/15'], ['10.0.0.0/21'], ['10.0.1.0/16'], ['no']])('%s is no VPC', (cidr) => {
  expect(problemsOf(() => new Network('net', { ...ARGS, cidr }))).toEqual([
    expect.stringContaining(`'cidr' (${cidr}) must`),
  ]);
});

test('without NAT, nodes need all endpoints', () => {
  expect(
    problemsOf(() => new Network('net', { ...ARGS, nat: 'none', endpoints: ['ecr.api', 'ecr.dkr', 'sts'] })),
  ).toEqual([expect.stringContaining('must include ec2, eks, eks-auth, logs, sqs, ssm because nodes without NAT')]);
});

test('of the zones of a region, the first three by name; a region with fewer needs them named', () => {
  expect(firstZones(['eu-central-1c', 'eu-central-1a', 'eu-central-1d', 'eu-central-1b'])).toEqual([
    'eu-central-1a',
    'eu-central-1b',
    'eu-central-1c',
  ]);
  expect(() => firstZones(['us-west-1a', 'us-west-1b'])).toThrow(
    "'zones' (undefined) must be given because the region has fewer than 3: us-west-1a, us-west-1b",
  );
});
