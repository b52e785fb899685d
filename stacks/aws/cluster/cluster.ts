import { AccessEntry, AccessPolicyAssociation } from '@pulumi/aws/eks';
import { SecurityGroupIngressRule } from '@pulumi/aws/vpc';
import { all, ComponentResource, type ComponentResourceOptions, type Output } from '@pulumi/pulumi';
import { assertValid } from '../component';
import { awsLocation } from '../location';
import { managedNodeGroup } from '../node-pools/node-group';
import { nodeRole } from '../node-pools/node-role';
import { serviceTags, type Tags } from '../tags';
import { checkCluster, type AccessLevel, type ClusterArgs } from './args';
import { controlPlane } from './control-plane';
import { clusterAddOns, nodeAddOns } from './core-add-ons';
import { kubeconfig } from './kubeconfig';
import { planSystemNodes } from './system-nodes';

/** EKS's access policies, which are Kubernetes' own roles. */
const ACCESS_POLICIES: { readonly [L in AccessLevel]: string } = {
  'cluster-admin': 'AmazonEKSClusterAdminPolicy',
  admin: 'AmazonEKSAdminPolicy',
  edit: 'AmazonEKSEditPolicy',
  view: 'AmazonEKSViewPolicy',
};

/**
 * An EKS cluster that works: control plane, system nodes, and network plugin, proxy, DNS, volumes and Pod Identity as EKS
 * add-ons. Its API is reached from the VPC alone unless `publicAccessCidrs` says who else; secrets and logs are encrypted
 * with a key of its own, and all five kinds of logs are kept. IAM identities come in by access entries alone, pods get AWS
 * credentials by Pod Identity alone.
 *
 * Whoever runs Pulumi must reach the API too where charts are installed in the same run: from the VPC, by VPN, or by
 * `publicAccessCidrs`.
 *
 * Cost: with defaults about 73 USD a month for the control plane and 420 USD for three system nodes in us-east-1, see
 * docs/aws-costs.md.
 *
 * @throws ConfigurationError that lists all wrong arguments with the component's name
 */
export class Cluster extends ComponentResource {
  /** Name of the EKS cluster, known when nodes can join: what names it waits for the network plugin. */
  public readonly clusterName: Output<string>;
  /** Kubernetes version. */
  public readonly version: Output<string>;
  /** Address of the Kubernetes API. */
  public readonly endpoint: Output<string>;
  /** Kubeconfig without a secret, for the `aws` command line. Known when DNS runs. */
  public readonly kubeconfig: Output<string>;
  /** ID of the security group of all nodes: data stores let it in. */
  public readonly nodeSecurityGroupId: Output<string>;
  /** ARN of the role of the system nodes. */
  public readonly systemNodeRoleArn: Output<string>;
  /** ARN of the KMS key of secrets and logs. */
  public readonly keyArn: Output<string>;

  constructor(name: string, args: ClusterArgs, options?: ComponentResourceOptions) {
    assertValid(name, (problems) => checkCluster(problems, args));
    super('mediform:aws:Cluster', name, {}, options);
    const tags = serviceTags(args.tags, 'cluster');
    const { cluster, keyArn } = controlPlane(name, args, tags, this);
    this.keyArn = keyArn;
    this.version = cluster.version;
    this.endpoint = cluster.endpoint;
    this.nodeSecurityGroupId = cluster.vpcConfig.clusterSecurityGroupId;
    this.letIn(name, args, tags);
    const addOns = { clusterName: cluster.name, versions: args.addOnVersions ?? {}, tags };
    const ready = nodeAddOns(name, addOns, this);
    this.clusterName = all([cluster.name, all(ready.map(({ id }) => id))]).apply(([clusterName]) => clusterName);
    const role = nodeRole(`${name}-system-nodes`, tags, this);
    this.systemNodeRoleArn = role.arn;
    const nodes = managedNodeGroup(
      `${name}-system`,
      planSystemNodes(args.systemNodes ?? {}),
      {
        clusterName: this.clusterName,
        version: this.version,
        subnetIds: [...args.subnetIds],
        nodeRoleArn: role.arn,
        tags,
        dependsOn: role.attachments,
      },
      this,
    );
    const running = clusterAddOns(name, addOns, [nodes], this);
    this.access(name, args, cluster.name, tags);
    this.kubeconfig = all([
      cluster.name,
      awsLocation({ parent: this }),
      cluster.endpoint,
      cluster.certificateAuthority,
      all(running.map(({ id }) => id)),
    ]).apply(([clusterName, { region }, endpoint, { data }]) =>
      kubeconfig({ clusterName, region, endpoint, certificateAuthority: data }),
    );
    this.registerOutputs({ clusterName: this.clusterName, endpoint: this.endpoint });
  }

  /** Lets networks that are connected with the VPC reach the API. */
  private letIn(name: string, { privateAccessCidrs = [] }: ClusterArgs, tags: Tags): void {
    for (const cidr of privateAccessCidrs) {
      new SecurityGroupIngressRule(
        `${name}-api-${cidr}`,
        {
          securityGroupId: this.nodeSecurityGroupId,
          cidrIpv4: cidr,
          ipProtocol: 'tcp',
          fromPort: 443,
          toPort: 443,
          description: 'Kubernetes API',
          tags,
        },
        { parent: this },
      );
    }
  }

  private access(name: string, { access = {} }: ClusterArgs, clusterName: Output<string>, tags: Tags): void {
    const { partition } = awsLocation({ parent: this });
    for (const [who, { principalArn, level, namespaces }] of Object.entries(access)) {
      const entry = new AccessEntry(
        `${name}-access-${who}`,
        { clusterName, principalArn, type: 'STANDARD', tags },
        { parent: this },
      );
      new AccessPolicyAssociation(
        `${name}-access-${who}`,
        {
          clusterName,
          principalArn: entry.principalArn,
          policyArn: partition.apply((aws) => `arn:${aws}:eks::aws:cluster-access-policy/${ACCESS_POLICIES[level]}`),
          accessScope:
            namespaces === undefined ? { type: 'cluster' } : { type: 'namespace', namespaces: [...namespaces] },
        },
        { parent: this },
      );
    }
  }
}
