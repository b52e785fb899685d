import { Addon } from '@pulumi/aws/eks';
import { Role } from '@pulumi/aws/iam';
import type { Output, Resource } from '@pulumi/pulumi';
import { attachManaged } from '../node-pools/node-role';
import { podIdentityTrust } from '../policy';
import type { Tags } from '../tags';
import { ADD_ON_VERSIONS, type AddOnVersions, type CoreAddOn } from './versions';

/** Where add-ons are installed. */
export interface CoreAddOnsArgs {
  readonly clusterName: Output<string>;
  readonly versions: AddOnVersions;
  readonly tags: Tags;
}

/** What makes nodes able to join: they are ready only when network plugin and proxy run. */
export function nodeAddOns(name: string, args: CoreAddOnsArgs, parent: Resource): Addon[] {
  const identity = addOn(name, 'eks-pod-identity-agent', args, parent);
  const network = addOn(name, 'vpc-cni', args, parent, {
    configuration: {
      // a node holds blocks of 16 addresses, so that it is the CPU that bounds how many pods it runs
      env: { ENABLE_PREFIX_DELEGATION: 'true', WARM_PREFIX_TARGET: '1' },
      enableNetworkPolicy: 'true',
    },
    account: podAccount(`${name}-vpc-cni`, 'aws-node', 'AmazonEKS_CNI_Policy', args.tags, parent),
    dependsOn: [identity],
  });
  return [identity, network, addOn(name, 'kube-proxy', args, parent)];
}

/** What needs nodes to run on. */
export function clusterAddOns(name: string, args: CoreAddOnsArgs, nodes: Resource, parent: Resource): void {
  addOn(name, 'coredns', args, parent, { dependsOn: [nodes] });
  const volumes = 'service-role/AmazonEBSCSIDriverPolicy';
  addOn(name, 'aws-ebs-csi-driver', args, parent, {
    account: podAccount(`${name}-ebs-csi`, 'ebs-csi-controller-sa', volumes, args.tags, parent),
    dependsOn: [nodes],
  });
}

interface AddOnOptions {
  readonly configuration?: object;
  readonly account?: PodAccount;
  readonly dependsOn?: readonly Resource[];
}

/** A service account with a role by Pod Identity. */
interface PodAccount {
  readonly serviceAccount: string;
  readonly roleArn: Output<string>;
  /** What the role may do. */
  readonly rights: readonly Resource[];
}

function addOn(
  name: string,
  add: CoreAddOn,
  args: CoreAddOnsArgs,
  parent: Resource,
  options: AddOnOptions = {},
): Addon {
  const { configuration, account, dependsOn = [] } = options;
  return new Addon(
    `${name}-${add}`,
    {
      clusterName: args.clusterName,
      addonName: add,
      addonVersion: args.versions[add] ?? ADD_ON_VERSIONS[add],
      ...(configuration === undefined ? {} : { configurationValues: JSON.stringify(configuration) }),
      ...(account === undefined
        ? {}
        : { podIdentityAssociations: [{ roleArn: account.roleArn, serviceAccount: account.serviceAccount }] }),
      resolveConflictsOnCreate: 'OVERWRITE',
      // somebody may have tuned it in the cluster
      resolveConflictsOnUpdate: 'PRESERVE',
      tags: args.tags,
    },
    { parent, dependsOn: [...dependsOn, ...(account?.rights ?? [])] },
  );
}

/** A role with one policy that AWS keeps. */
function podAccount(name: string, serviceAccount: string, managed: string, tags: Tags, parent: Resource): PodAccount {
  const role = new Role(
    name,
    { description: `${name}, by Pod Identity`, assumeRolePolicy: JSON.stringify(podIdentityTrust()), tags },
    { parent },
  );
  return { serviceAccount, roleArn: role.arn, rights: attachManaged(name, role, [managed], parent) };
}
