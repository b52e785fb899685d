import { LogGroup } from '@pulumi/aws/cloudwatch';
import { Cluster as EksCluster } from '@pulumi/aws/eks';
import { Role, RolePolicy } from '@pulumi/aws/iam';
import type { Output, Resource } from '@pulumi/pulumi';
import { encryptionKey, logGroupsUse } from '../encryption-key';
import { awsLocation } from '../location';
import { attachManaged } from '../node-pools/node-role';
import { policy, type AwsLocation, type PolicyDocument } from '../policy';
import type { Tags } from '../tags';
import { SERVICE_CIDR, type ClusterArgs } from './args';
import { KUBERNETES_VERSION } from './versions';

/** All that EKS knows: EKS user guide, "Send control plane logs to CloudWatch Logs". */
const LOG_TYPES = ['api', 'audit', 'authenticator', 'controllerManager', 'scheduler'];

/** The control plane of a cluster. */
export interface ControlPlane {
  readonly cluster: EksCluster;
  readonly keyArn: Output<string>;
}

/** The control plane, its role, its key and its logs. */
export function controlPlane(name: string, args: ClusterArgs, tags: Tags, parent: Resource): ControlPlane {
  const { clusterName, publicAccessCidrs, version = KUBERNETES_VERSION } = args;
  const logGroupName = `/aws/eks/${clusterName}/cluster`;
  const keyArn = encryptionKey(
    `${name}-key`,
    {
      description: `EKS cluster ${clusterName}: secrets and logs`,
      tags,
      services: (location) => [logGroupsUse(location, logGroupName)],
    },
    parent,
  );
  // made before the cluster, which would make it without encryption and for ever
  const logs = new LogGroup(
    `${name}-logs`,
    { name: logGroupName, kmsKeyId: keyArn, retentionInDays: args.logDays ?? 365, tags },
    { parent },
  );
  const { role, policies } = controlPlaneRole(name, clusterName, keyArn, tags, parent);
  const cluster = new EksCluster(
    name,
    {
      name: clusterName,
      version,
      // no surprise on the bill when a version grows old
      upgradePolicy: { supportType: 'STANDARD' },
      roleArn: role.arn,
      vpcConfig: {
        subnetIds: [...args.subnetIds],
        endpointPrivateAccess: true,
        endpointPublicAccess: publicAccessCidrs !== undefined,
        ...(publicAccessCidrs === undefined ? {} : { publicAccessCidrs: [...publicAccessCidrs] }),
      },
      kubernetesNetworkConfig: { ipFamily: 'ipv4', serviceIpv4Cidr: args.serviceCidr ?? SERVICE_CIDR },
      accessConfig: {
        authenticationMode: 'API',
        bootstrapClusterCreatorAdminPermissions: args.creatorIsAdmin ?? true,
      },
      // the add-ons come as EKS add-ons, with versions
      bootstrapSelfManagedAddons: false,
      encryptionConfig: { provider: { keyArn }, resources: ['secrets'] },
      enabledClusterLogTypes: LOG_TYPES,
      deletionProtection: args.deletionProtection ?? true,
      tags,
    },
    { parent, dependsOn: [logs, ...policies] },
  );
  return { cluster, keyArn };
}

function controlPlaneRole(
  name: string,
  clusterName: string,
  keyArn: Output<string>,
  tags: Tags,
  parent: Resource,
): { role: Role; policies: Resource[] } {
  const role = new Role(
    `${name}-control-plane`,
    {
      description: `Control plane of the EKS cluster ${clusterName}`,
      assumeRolePolicy: awsLocation({ parent }).apply((where) => JSON.stringify(controlPlaneTrust(where, clusterName))),
      tags,
    },
    { parent },
  );
  const encrypt = new RolePolicy(
    `${name}-control-plane`,
    { role: role.id, policy: keyArn.apply((arn) => JSON.stringify(secretsEncryptionPolicy(arn))) },
    { parent },
  );
  const attachments = attachManaged(`${name}-control-plane`, role, ['AmazonEKSClusterPolicy'], parent);
  return { role, policies: [encrypt, ...attachments] };
}

/** EKS takes on the role for this cluster alone. Source: EKS user guide, "Cross-service confused deputy prevention". */
export function controlPlaneTrust({ accountId, partition, region }: AwsLocation, clusterName: string): PolicyDocument {
  return policy({
    Effect: 'Allow',
    Principal: { Service: 'eks.amazonaws.com' },
    Action: 'sts:AssumeRole',
    Condition: {
      StringEquals: { 'aws:SourceAccount': accountId },
      ArnLike: { 'aws:SourceArn': `arn:${partition}:eks:${region}:${accountId}:cluster/${clusterName}` },
    },
  });
}

/** Encrypt and decrypt the secrets of a cluster. */
export function secretsEncryptionPolicy(keyArn: string): PolicyDocument {
  return policy({
    Effect: 'Allow',
    Action: ['kms:Decrypt', 'kms:DescribeKey', 'kms:Encrypt', 'kms:ListGrants'],
    Resource: keyArn,
  });
}
