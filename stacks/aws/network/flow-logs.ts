import { LogGroup } from '@pulumi/aws/cloudwatch';
import { FlowLog } from '@pulumi/aws/ec2';
import { Role, RolePolicy } from '@pulumi/aws/iam';
import type { Output, Resource } from '@pulumi/pulumi';
import { encryptionKey, logGroupsUse } from '../encryption-key';
import { awsLocation } from '../location';
import { policy, serviceTrust, type PolicyDocument } from '../policy';
import type { Tags } from '../tags';

/** What is logged, and for how long. */
export interface FlowLogsArgs {
  readonly vpcId: Output<string>;
  readonly logDays: number;
  readonly tags: Tags;
}

/** Logs of who talked to whom in a VPC, encrypted with a key of their own: who, when and how much, never what. */
export function flowLogs(name: string, { vpcId, logDays, tags }: FlowLogsArgs, parent: Resource): void {
  const prefix = `/mediform/vpc/${name}`;
  const key = encryptionKey(
    `${name}-flow-logs`,
    {
      description: `Flow logs of the network ${name}`,
      tags,
      services: (location) => [logGroupsUse(location, prefix)],
    },
    parent,
  );
  const logs = new LogGroup(
    `${name}-flow-logs`,
    { namePrefix: `${prefix}-`, kmsKeyId: key, retentionInDays: logDays, tags },
    { parent },
  );
  const location = awsLocation({ parent });
  const role = new Role(
    `${name}-flow-logs`,
    {
      description: `Writes the flow logs of ${name}`,
      assumeRolePolicy: location.apply((where) => JSON.stringify(serviceTrust('vpc-flow-logs.amazonaws.com', where))),
      tags,
    },
    { parent },
  );
  const write = new RolePolicy(
    `${name}-flow-logs`,
    { role: role.id, policy: logs.arn.apply((arn) => JSON.stringify(flowLogsPolicy(arn))) },
    { parent },
  );
  new FlowLog(
    `${name}-flow-logs`,
    {
      vpcId,
      trafficType: 'ALL',
      logDestinationType: 'cloud-watch-logs',
      logDestination: logs.arn,
      iamRoleArn: role.arn,
      maxAggregationInterval: 600,
      tags: { ...tags, Name: name },
    },
    // EC2 tries the role out when the log is made
    { parent, dependsOn: [write] },
  );
}

/** Write to one log group. The group is made beforehand, so nothing has to be created. */
export function flowLogsPolicy(logGroupArn: string): PolicyDocument {
  return policy({
    Effect: 'Allow',
    Action: ['logs:CreateLogStream', 'logs:DescribeLogGroups', 'logs:DescribeLogStreams', 'logs:PutLogEvents'],
    Resource: [logGroupArn, `${logGroupArn}:*`],
  });
}
