import { PodIdentityAssociation } from '@pulumi/aws/eks';
import { Role, RolePolicy } from '@pulumi/aws/iam';
import { all, output, type Input, type Output, type Resource } from '@pulumi/pulumi';
import { awsLocation } from '../location';
import { podIdentityTrust } from '../policy';
import type { Tags } from '../tags';
import { costJobPolicy, type CostJobResources } from './policies';

/** The service account that the cost job runs as. */
export interface CostJobAccount {
  /** Name of the EKS cluster. */
  readonly clusterName: Input<string>;
  /** @default 'cost' */
  readonly namespace?: string;
  /** @default 'cost-export' */
  readonly serviceAccount?: string;
}

/**
 * Makes the role of the cost job.
 *
 * @returns its ARN
 */
export function costJobRole(
  name: string,
  resources: { readonly [R in keyof CostJobResources]: Output<CostJobResources[R]> },
  account: CostJobAccount | undefined,
  tags: Tags,
  parent: Resource,
): Output<string> {
  const role = new Role(
    `${name}-job`,
    {
      description: `Cost job of ${name}: reads exports, writes the ledger`,
      assumeRolePolicy: JSON.stringify(podIdentityTrust()),
      tags,
    },
    { parent },
  );
  new RolePolicy(
    `${name}-job`,
    {
      role: role.id,
      policy: all([awsLocation({ parent }), output(resources)]).apply(([location, known]) =>
        JSON.stringify(costJobPolicy(location, known)),
      ),
    },
    { parent },
  );
  if (account !== undefined) {
    new PodIdentityAssociation(
      `${name}-job`,
      {
        clusterName: account.clusterName,
        namespace: account.namespace ?? 'cost',
        serviceAccount: account.serviceAccount ?? 'cost-export',
        roleArn: role.arn,
        tags,
      },
      { parent },
    );
  }
  return role.arn;
}
