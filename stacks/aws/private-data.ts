import { SecurityGroup } from '@pulumi/aws/ec2';
import { SecurityGroupIngressRule } from '@pulumi/aws/vpc';
import type { Input, Output, Resource } from '@pulumi/pulumi';
import type { Problems } from '../../constructs/plan/errors';
import type { PolicyStatement } from './policy';
import type { Tags } from './tags';

/** Where a data store is, and who reaches it. */
export interface PrivateDataArgs {
  /** ID of the VPC. */
  readonly vpcId: Input<string>;
  /** IDs of private subnets in at least two zones. */
  readonly subnetIds: readonly Input<string>[];
  /** ID of the one security group that may connect: that of the cluster's nodes. */
  readonly clientSecurityGroupId: Input<string>;
}

/** Records what is wrong with the place of a data store. IDs that are known only later are not looked at. */
export function checkPrivateData(problems: Problems, args: PrivateDataArgs): void {
  problems.check(
    Array.isArray(args.subnetIds) && args.subnetIds.length >= 2,
    'subnetIds',
    args.subnetIds?.length,
    'list subnets of at least two zones',
    'a data store in one zone is gone when the zone is',
  );
}

/** Checks the name of a component from which AWS's names of a data store are made. */
export function checkDataName(problems: Problems, name: string): void {
  problems.check(
    /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name) && name.length <= MAX_NAME_LENGTH,
    'name',
    name,
    `be at most ${MAX_NAME_LENGTH} lower-case letters, digits and single inner hyphens, and start with a letter`,
    'users, clusters and snapshots are named after it',
  );
}

/** ElastiCache names users with at most 40 characters; some are for a suffix. */
const MAX_NAME_LENGTH = 30;

/** A window of the week as AWS writes it, in UTC. */
const WEEKLY_WINDOW =
  /^(mon|tue|wed|thu|fri|sat|sun):([01]\d|2[0-3]):[0-5]\d-(mon|tue|wed|thu|fri|sat|sun):([01]\d|2[0-3]):[0-5]\d$/;

/** Checks a maintenance window. */
export function checkMaintenanceWindow(problems: Problems, window: string | undefined): void {
  problems.check(
    window === undefined || WEEKLY_WINDOW.test(window),
    'maintenanceWindow',
    window,
    'be a window in UTC such as sun:03:00-sun:04:00',
    'AWS takes no other form',
  );
}

/** Days that CloudWatch Logs keeps logs for; it takes no other number. */
const LOG_DAYS = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

/** Checks for how long logs are kept. */
export function checkLogDays(problems: Problems, days: number | undefined): void {
  problems.check(
    days === undefined || LOG_DAYS.includes(days),
    'logDays',
    days,
    `be one of ${LOG_DAYS.join(', ')}`,
    'CloudWatch Logs takes no other',
  );
}

/** Checks a whole number within bounds. */
export function checkCount(
  problems: Problems,
  property: string,
  value: number | undefined,
  [least, most]: readonly [number, number],
  because: string,
): void {
  problems.check(
    value === undefined || (Number.isInteger(value) && value >= least && value <= most),
    property,
    value,
    `be a whole number from ${least} to ${most}`,
    because,
  );
}

/**
 * A security group that lets one other group in on one TCP port, and nothing out.
 *
 * @returns its ID
 */
export function onlyFrom(
  name: string,
  { vpcId, clientSecurityGroupId }: Pick<PrivateDataArgs, 'vpcId' | 'clientSecurityGroupId'>,
  { port, description, tags }: { readonly port: number; readonly description: string; readonly tags: Tags },
  parent: Resource,
): Output<string> {
  const group = new SecurityGroup(name, { vpcId, description, tags }, { parent });
  new SecurityGroupIngressRule(
    name,
    {
      securityGroupId: group.id,
      referencedSecurityGroupId: clientSecurityGroupId,
      ipProtocol: 'tcp',
      fromPort: port,
      toPort: port,
      description: 'nodes of the cluster',
      tags,
    },
    { parent },
  );
  return group.id;
}

/** Lets a role read some secrets of Secrets Manager, and decrypt them with their keys. */
export function readSecrets(
  secretArns: readonly string[],
  keyArns: readonly string[],
  region: string,
): readonly PolicyStatement[] {
  return [
    {
      Sid: 'ReadSecrets',
      Effect: 'Allow',
      Action: ['secretsmanager:DescribeSecret', 'secretsmanager:GetSecretValue'],
      Resource: secretArns,
    },
    {
      Sid: 'DecryptSecrets',
      Effect: 'Allow',
      Action: 'kms:Decrypt',
      Resource: keyArns,
      Condition: { StringEquals: { 'kms:ViaService': `secretsmanager.${region}.amazonaws.com` } },
    },
  ];
}
