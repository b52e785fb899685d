import { Role, RolePolicyAttachment } from '@pulumi/aws/iam';
import type { Input, Output, Resource } from '@pulumi/pulumi';
import { awsLocation } from '../location';
import { policy, type AwsLocation, type PolicyDocument } from '../policy';
import type { Tags } from '../tags';

/** The role of nodes. */
export interface NodeRole {
  readonly name: Output<string>;
  readonly arn: Output<string>;
  /** What nodes cannot join without. */
  readonly attachments: readonly Resource[];
}

/**
 * What AWS asks for on every node (EKS user guide, "Amazon EKS node IAM role"): join the cluster and pull images. The
 * network plugin has a role of its own by Pod Identity, and nobody logs in to a node.
 */
export const NODE_POLICIES: readonly string[] = ['AmazonEKSWorkerNodePolicy', 'AmazonEC2ContainerRegistryPullOnly'];

/**
 * @param name logical name
 * @param roleName name in IAM; without, Pulumi makes one from the logical name
 */
export function nodeRole(name: string, tags: Tags, parent: Resource, roleName?: Input<string>): NodeRole {
  const location = awsLocation({ parent });
  const role = new Role(
    name,
    {
      ...(roleName === undefined ? {} : { name: roleName }),
      description: 'Nodes of an EKS cluster',
      assumeRolePolicy: location.apply((where) => JSON.stringify(nodeTrust(where))),
      tags,
    },
    { parent },
  );
  const attachments = attachManaged(name, role, NODE_POLICIES, parent);
  return { name: role.name, arn: role.arn, attachments };
}

/** Attaches policies that AWS keeps. */
export function attachManaged(
  name: string,
  role: Role,
  policies: readonly string[],
  parent: Resource,
): RolePolicyAttachment[] {
  const location = awsLocation({ parent });
  return policies.map(
    (managed) =>
      new RolePolicyAttachment(
        `${name}-${managed.split('/').at(-1)}`,
        {
          role: role.name,
          policyArn: location.apply(({ partition }) => `arn:${partition}:iam::aws:policy/${managed}`),
        },
        { parent },
      ),
  );
}

/** Trust policy of a role that instances take on. EC2 names no account or instance when it does, so nothing narrows it. */
export function nodeTrust({ partition }: Pick<AwsLocation, 'partition'>): PolicyDocument {
  return policy({
    Effect: 'Allow',
    Principal: { Service: partition === 'aws-cn' ? 'ec2.amazonaws.com.cn' : 'ec2.amazonaws.com' },
    Action: 'sts:AssumeRole',
  });
}
