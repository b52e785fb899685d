import { Cluster } from '../../../stacks/aws/cluster/cluster';
import type { ClusterArgs } from '../../../stacks/aws/cluster/args';
import { findCycle, recordGraph, untagged, type Graph, type RecordedResource } from '../../support/aws-graph';
import { excesses, policiesOf } from '../../support/aws-policies';
import { problemsOf, TAGS } from '../../support/aws-stores';

const ARGS: ClusterArgs = { tags: TAGS, clusterName: 'hospital', subnetIds: ['subnet-a', 'subnet-b', 'subnet-c'] };
const CLUSTER = 'aws:eks/cluster:Cluster';
const NODE_GROUP = 'aws:eks/nodeGroup:NodeGroup';
const ADD_ON = 'aws:eks/addon:Addon';
const TEMPLATE = 'aws:ec2/launchTemplate:LaunchTemplate';

interface Outputs {
  readonly kubeconfig: string;
  readonly clusterName: string;
  readonly nodeSecurityGroupId: string;
}

async function create(args: Partial<ClusterArgs> = {}): Promise<{ graph: Graph; outputs: Outputs }> {
  const outputs: { -readonly [O in keyof Outputs]?: string } = {};
  const graph = await recordGraph(() => {
    const cluster = new Cluster('eks', { ...ARGS, ...args });
    cluster.kubeconfig.apply((value) => (outputs.kubeconfig = value));
    cluster.clusterName.apply((value) => (outputs.clusterName = value));
    cluster.nodeSecurityGroupId.apply((value) => (outputs.nodeSecurityGroupId = value));
  });
  return { graph, outputs: outputs as Outputs };
}

let graph: Graph;
let outputs: Outputs;
beforeAll(async () => {
  ({ graph, outputs } = await create());
});

/** Names of all that is created before a resource, whatever the type. */
function before(resource: RecordedResource): string[] {
  const byUrn = new Map(graph.resources.map((one) => [one.urn, one]));
  return resource.dependencies.map((urn) => byUrn.get(urn)?.name ?? urn);
}

test('the API is reached from the VPC alone, secrets are encrypted, all logs are kept', () => {
  const { inputs } = graph.only(CLUSTER);
  expect(inputs).toMatchObject({
    name: 'hospital',
    version: '1.34',
    vpcConfig: { subnetIds: ARGS.subnetIds, endpointPrivateAccess: true, endpointPublicAccess: false },
    kubernetesNetworkConfig: { serviceIpv4Cidr: '172.20.0.0/16' },
    encryptionConfig: { provider: { keyArn: expect.stringContaining('eks-key') as string }, resources: ['secrets'] },
    enabledClusterLogTypes: ['api', 'audit', 'authenticator', 'controllerManager', 'scheduler'],
    accessConfig: { authenticationMode: 'API', bootstrapClusterCreatorAdminPermissions: true },
    bootstrapSelfManagedAddons: false,
    deletionProtection: true,
    upgradePolicy: { supportType: 'STANDARD' },
  });
  expect(graph.only('aws:kms/key:Key').inputs).toMatchObject({ enableKeyRotation: true });
});

test('the log group is there before the cluster, encrypted and for a year', () => {
  const logs = graph.only('aws:cloudwatch/logGroup:LogGroup');
  expect(logs.inputs).toMatchObject({
    name: '/aws/eks/hospital/cluster',
    retentionInDays: 365,
    kmsKeyId: expect.stringContaining('eks-key') as string,
  });
  expect(graph.only(CLUSTER).dependencies).toContain(logs.urn);
});

test('the control plane has its role for this cluster alone, and its permissions before it starts', () => {
  const trust = policiesOf(graph).find(({ urn }) => urn.endsWith('Role::eks-control-plane'));
  expect(trust?.document.Statement[0]?.Condition).toEqual({
    StringEquals: { 'aws:SourceAccount': '123456789012' },
    ArnLike: { 'aws:SourceArn': 'arn:aws:eks:eu-central-1:123456789012:cluster/hospital' },
  });
  expect(before(graph.only(CLUSTER))).toEqual(
    expect.arrayContaining(['eks-control-plane', 'eks-control-plane-AmazonEKSClusterPolicy']),
  );
});

test('core add-ons are pinned; those without which no node is ready come before the nodes, the others after', () => {
  const addOns = graph.ofType(ADD_ON);
  expect(Object.fromEntries(addOns.map(({ inputs }) => [inputs.addonName, inputs.addonVersion]))).toEqual({
    'vpc-cni': 'v1.21.1-eksbuild.1',
    'kube-proxy': 'v1.34.1-eksbuild.2',
    'eks-pod-identity-agent': 'v1.3.10-eksbuild.1',
    coredns: 'v1.12.4-eksbuild.1',
    'aws-ebs-csi-driver': 'v1.54.0-eksbuild.1',
  });
  const nodes = graph.only(NODE_GROUP);
  const uses = (addOn: string): boolean => before(nodes).includes(`eks-${addOn}`);
  expect(['vpc-cni', 'kube-proxy', 'eks-pod-identity-agent'].every(uses)).toBe(true);
  for (const addOn of ['coredns', 'aws-ebs-csi-driver']) {
    expect(graph.only(ADD_ON, `eks-${addOn}`).dependencies).toContain(nodes.urn);
  }
});

test('the network plugin delegates prefixes, enforces policies and has its role by Pod Identity', () => {
  const { inputs } = graph.only(ADD_ON, 'eks-vpc-cni');
  expect(JSON.parse(String(inputs.configurationValues))).toEqual({
    env: { ENABLE_PREFIX_DELEGATION: 'true', WARM_PREFIX_TARGET: '1' },
    enableNetworkPolicy: 'true',
  });
  expect(inputs.podIdentityAssociations).toEqual([
    { serviceAccount: 'aws-node', roleArn: 'arn:aws:iam:eu-central-1:123456789012:eks-vpc-cni' },
  ]);
  expect(graph.only(ADD_ON, 'eks-aws-ebs-csi-driver').inputs.podIdentityAssociations).toEqual([
    { serviceAccount: 'ebs-csi-controller-sa', roleArn: 'arn:aws:iam:eu-central-1:123456789012:eks-ebs-csi' },
  ]);
  const attached = graph
    .ofType('aws:iam/rolePolicyAttachment:RolePolicyAttachment')
    .map(({ inputs: { role, policyArn } }) => `${String(role)} ${String(policyArn).split('policy/')[1]}`);
  expect(attached.sort()).toEqual([
    'eks-control-plane AmazonEKSClusterPolicy',
    'eks-ebs-csi service-role/AmazonEBSCSIDriverPolicy',
    'eks-system-nodes AmazonEC2ContainerRegistryPullOnly',
    'eks-system-nodes AmazonEKSWorkerNodePolicy',
    'eks-vpc-cni AmazonEKS_CNI_Policy',
  ]);
});

test('system nodes over all zones, with encrypted volumes and metadata that no pod reads', () => {
  expect(graph.only(NODE_GROUP).inputs).toMatchObject({
    clusterName: 'hospital',
    version: '1.34',
    subnetIds: ARGS.subnetIds,
    amiType: 'AL2023_x86_64_STANDARD',
    capacityType: 'ON_DEMAND',
    instanceTypes: ['m6i.xlarge', 'm6a.xlarge', 'm7i.xlarge'],
    scalingConfig: { minSize: 3, desiredSize: 3, maxSize: 6 },
    updateConfig: { maxUnavailable: 1 },
    launchTemplate: { id: 'eks-system-id', version: '1' },
  });
  expect(graph.only(NODE_GROUP).ignoreChanges).toEqual(['scalingConfig.desiredSize']);
  expect(graph.only(TEMPLATE).inputs).toMatchObject({
    metadataOptions: { httpTokens: 'required', httpPutResponseHopLimit: 1 },
    blockDeviceMappings: [{ deviceName: '/dev/xvda', ebs: { volumeType: 'gp3', volumeSize: 50, encrypted: 'true' } }],
  });
  const launched = graph.only(TEMPLATE).inputs.tagSpecifications as { resourceType: string; tags: object }[];
  expect(launched.map(({ resourceType }) => resourceType)).toEqual(['instance', 'volume', 'network-interface']);
  for (const { tags } of launched) {
    expect(tags).toMatchObject({ service: 'cluster', environment: 'test', 'cost-centre': 'radiology' });
  }
});

test('the kubeconfig asks the AWS command line for a token and holds no secret', () => {
  const config = JSON.parse(outputs.kubeconfig) as { users: unknown[]; clusters: unknown[] };
  expect(config.users).toEqual([
    {
      name: 'hospital',
      user: {
        exec: {
          apiVersion: 'client.authentication.k8s.io/v1beta1',
          command: 'aws',
          args: ['eks', 'get-token', '--cluster-name', 'hospital', '--region', 'eu-central-1', '--output', 'json'],
          interactiveMode: 'IfAvailable',
        },
      },
    },
  ]);
  expect(config.clusters).toEqual([
    {
      name: 'hospital',
      cluster: { server: 'https://eks.eks.amazonaws.com', 'certificate-authority-data': 'Y2VydGlmaWNhdGU=' },
    },
  ]);
  expect(outputs).toMatchObject({ clusterName: 'hospital', nodeSecurityGroupId: 'eks-nodes' });
});

test('no policy is too broad, everything is tagged, nothing waits for itself', () => {
  expect(policiesOf(graph)).toHaveLength(6);
  expect(excesses(graph)).toEqual([]);
  expect(untagged(graph, { service: 'cluster', environment: 'test', 'cost-centre': 'radiology' })).toEqual([]);
  expect(findCycle(graph)).toBeUndefined();
});

test('others are let in by name: over the internet, over the VPN, and by access entries', async () => {
  const { graph: open } = await create({
    publicAccessCidrs: ['203.0.113.0/24'],
    privateAccessCidrs: ['192.168.0.0/16'],
    access: {
      operators: { principalArn: 'arn:aws:iam::123456789012:role/operators', level: 'cluster-admin' },
      radiology: { principalArn: 'arn:aws:iam::123456789012:role/radiology', level: 'edit', namespaces: ['imaging'] },
    },
  });
  expect(open.only(CLUSTER).inputs.vpcConfig).toMatchObject({
    endpointPrivateAccess: true,
    endpointPublicAccess: true,
    publicAccessCidrs: ['203.0.113.0/24'],
  });
  expect(open.only('aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule').inputs).toMatchObject({
    securityGroupId: 'eks-nodes',
    cidrIpv4: '192.168.0.0/16',
    fromPort: 443,
    toPort: 443,
  });
  const policy = 'arn:aws:eks::aws:cluster-access-policy/';
  expect(
    open
      .ofType('aws:eks/accessPolicyAssociation:AccessPolicyAssociation')
      .map(({ inputs: { principalArn, policyArn, accessScope } }) => ({ principalArn, policyArn, accessScope })),
  ).toEqual([
    {
      principalArn: 'arn:aws:iam::123456789012:role/operators',
      policyArn: `${policy}AmazonEKSClusterAdminPolicy`,
      accessScope: { type: 'cluster' },
    },
    {
      principalArn: 'arn:aws:iam::123456789012:role/radiology',
      policyArn: `${policy}AmazonEKSEditPolicy`,
      accessScope: { type: 'namespace', namespaces: ['imaging'] },
    },
  ]);
  expect(open.ofType('aws:eks/accessEntry:AccessEntry').map(({ inputs }) => inputs.type)).toEqual([
    'STANDARD',
    'STANDARD',
  ]);
});

test('all that is wrong is told at once, and nothing is made', async () => {
  let problems: readonly string[] = [];
  const empty = await recordGraph(() => {
    problems = problemsOf(
      () =>
        new Cluster('eks', {
          tags: { environment: 'test', costCentre: '' },
          clusterName: '-',
          subnetIds: ['subnet-a'],
          version: '1.29',
          logDays: 2,
          publicAccessCidrs: ['0.0.0.0/0'],
          privateAccessCidrs: ['vpn'],
          vpcCidr: '172.16.0.0/12',
          creatorIsAdmin: false,
          systemNodes: { minNodes: 1, maxNodes: 0, instanceTypes: ['large'], rootVolumeGiB: 10, releaseVersion: 'new' },
          access: { me: { principalArn: 'me', level: 'god' as 'view', namespaces: [] } },
        }),
    );
  });
  expect(problems.map((problem) => /'(\S+)'/.exec(problem)?.[1])).toEqual([
    'tags.costCentre',
    'clusterName',
    'version',
    'addOnVersions',
    'logDays',
    'systemNodes.instanceTypes',
    'systemNodes.minNodes',
    'systemNodes.maxNodes',
    'systemNodes.rootVolumeGiB',
    'systemNodes.releaseVersion',
    'subnetIds',
    'serviceCidr',
    'publicAccessCidrs',
    'privateAccessCidrs',
    'access.me.principalArn',
    'access.me.level',
    'access.me.namespaces',
    'access',
  ]);
  expect(empty.resources).toEqual([]);
});

test('another version of Kubernetes needs versions of its add-ons', async () => {
  expect(problemsOf(() => new Cluster('eks', { ...ARGS, version: '1.35' }))).toEqual([
    "'addOnVersions' ({}) must give versions of vpc-cni, kube-proxy, eks-pod-identity-agent, coredns, aws-ebs-csi-driver " +
      'because those that this library knows go with Kubernetes 1.34, not 1.35',
  ]);
  const addOnVersions = {
    'vpc-cni': 'v1.22.0-eksbuild.1',
    'kube-proxy': 'v1.35.0-eksbuild.1',
    'eks-pod-identity-agent': 'v1.3.10-eksbuild.1',
    coredns: 'v1.13.0-eksbuild.1',
    'aws-ebs-csi-driver': 'v1.60.0-eksbuild.1',
  };
  const { graph: newer } = await create({ version: '1.35', addOnVersions });
  expect(newer.only(CLUSTER).inputs.version).toBe('1.35');
  expect(newer.only(ADD_ON, 'eks-kube-proxy').inputs.addonVersion).toBe('v1.35.0-eksbuild.1');
  expect(problemsOf(() => new Cluster('eks', { ...ARGS, addOnVersions: { coredns: 'latest' } }))).toEqual([
    expect.stringContaining("'addOnVersions.coredns' (latest) must"),
  ]);
});
