import { Addon } from '@pulumi/aws/eks';
import { Role } from '@pulumi/aws/iam';
import { all, type Input, type Output, type Resource } from '@pulumi/pulumi';
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
    role: podRole(`${name}-vpc-cni`, 'AmazonEKS_CNI_Policy', args.tags, parent),
    serviceAccount: 'aws-node',
    dependsOn: [identity],
  });
  return [identity, network, addOn(name, 'kube-proxy', args, parent)];
}

/** What needs nodes to run on. */
export function clusterAddOns(
  name: string,
  args: CoreAddOnsArgs,
  nodes: readonly Resource[],
  parent: Resource,
): Addon[] {
  return [
    addOn(name, 'coredns', args, parent, { dependsOn: nodes }),
    addOn(name, 'aws-ebs-csi-driver', args, parent, {
      role: podRole(`${name}-ebs-csi`, 'service-role/AmazonEBSCSIDriverPolicy', args.tags, parent),
      serviceAccount: 'ebs-csi-controller-sa',
      dependsOn: nodes,
    }),
  ];
}

interface AddOnOptions {
  readonly configuration?: object;
  readonly role?: Input<string>;
  readonly serviceAccount?: string;
  readonly dependsOn?: readonly Resource[];
}

function addOn(
  name: string,
  add: CoreAddOn,
  args: CoreAddOnsArgs,
  parent: Resource,
  options: AddOnOptions = {},
): Addon {
  const { configuration, role, serviceAccount, dependsOn = [] } = options;
  return new Addon(
    `${name}-${add}`,
    {
      clusterName: args.clusterName,
      addonName: add,
      addonVersion: args.versions[add] ?? ADD_ON_VERSIONS[add],
      ...(configuration === undefined ? {} : { configurationValues: JSON.stringify(configuration) }),
      ...(role === undefined || serviceAccount === undefined
        ? {}
        : { podIdentityAssociations: [{ roleArn: role, serviceAccount }] }),
      resolveConflictsOnCreate: 'OVERWRITE',
      // somebody may have tuned it in the cluster
      resolveConflictsOnUpdate: 'PRESERVE',
      tags: args.tags,
    },
    { parent, dependsOn: [...dependsOn] },
  );
}

/** A role with one policy that AWS keeps, for pods by Pod Identity. */
function podRole(name: string, managed: string, tags: Tags, parent: Resource): Output<string> {
  const role = new Role(
    name,
    { description: `${name}, by Pod Identity`, assumeRolePolicy: JSON.stringify(podIdentityTrust()), tags },
    { parent },
  );
  // known when it may do its work
  return all([role.arn, all(attachManaged(name, role, [managed], parent).map(({ id }) => id))]).apply(([arn]) => arn);
}
