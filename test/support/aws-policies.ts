import type { Graph } from './aws-graph';
import type { PolicyDocument, PolicyStatement } from '../../stacks/aws/policy';

/** A policy that a program registered, and where. */
export interface RecordedPolicy {
  readonly urn: string;
  readonly property: string;
  readonly document: PolicyDocument;
}

/** Every policy document of a graph, whatever resource it belongs to. */
export function policiesOf({ resources }: Graph): RecordedPolicy[] {
  return resources.flatMap(({ urn, inputs }) =>
    Object.entries(inputs).flatMap(([property, value]) => {
      const document = parsePolicy(value);
      return document === undefined ? [] : [{ urn, property, document }];
    }),
  );
}

/** What is too broad in the policies of a graph, one line each. */
export function excesses(graph: Graph): string[] {
  return policiesOf(graph).flatMap(({ urn, property, document }) =>
    document.Statement.filter(({ Effect }) => Effect === 'Allow').flatMap((statement) =>
      statementExcesses(statement, urn.includes('aws:kms/key:Key::')).map((excess) => `${urn} ${property}: ${excess}`),
    ),
  );
}

function statementExcesses(statement: PolicyStatement, ofKey: boolean): string[] {
  const actions = list(statement.Action);
  const broad = actions.filter((action) => action.includes('*')).map((action) => `action ${action}`);
  // the resource of a key's policy is that key, and trust policies have none
  const unscoped = !ofKey && list(statement.Resource).includes('*');
  const narrowable = unscoped ? actions.filter((action) => !UNSCOPED_ACTIONS.has(action)) : [];
  const anybody = statement.Principal === '*' && statement.Condition === undefined && !isEndpointRead(actions);
  return [
    ...broad,
    ...narrowable.map((action) => `resource * for ${action}`),
    ...(anybody ? [`principal * for ${actions.join(', ')}`] : []),
  ];
}

/** The policy of an endpoint narrows what its VPC's own roles may do: it gives nobody anything. */
function isEndpointRead(actions: readonly string[]): boolean {
  return actions.every((action) => /^s3:(Get|List)/.test(action));
}

/**
 * Actions for which AWS knows no resource but `*`. Source: Service Authorization Reference, "Actions, resources, and
 * condition keys" of each service, rows without a resource type.
 */
export const UNSCOPED_ACTIONS: ReadonlySet<string> = new Set([
  // Amazon EC2
  'ec2:DescribeCapacityReservations',
  'ec2:DescribeImages',
  'ec2:DescribeInstances',
  'ec2:DescribeInstanceTypeOfferings',
  'ec2:DescribeInstanceTypes',
  'ec2:DescribeLaunchTemplates',
  'ec2:DescribeSecurityGroups',
  'ec2:DescribeSpotPriceHistory',
  'ec2:DescribeSubnets',
  // AWS Identity and Access Management
  'iam:ListInstanceProfiles',
  // AWS Price List
  'pricing:GetProducts',
]);

function parsePolicy(value: unknown): PolicyDocument | undefined {
  if (typeof value !== 'string' || !value.startsWith('{')) {
    return undefined;
  }
  const parsed = JSON.parse(value) as Partial<PolicyDocument>;
  return parsed.Statement === undefined ? undefined : (parsed as PolicyDocument);
}

function list(value: string | readonly string[] | undefined): readonly string[] {
  return value === undefined ? [] : typeof value === 'string' ? [value] : value;
}
