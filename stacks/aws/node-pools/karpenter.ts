import { EventRule, EventTarget } from '@pulumi/aws/cloudwatch';
import { Tag } from '@pulumi/aws/ec2';
import { AccessEntry, PodIdentityAssociation } from '@pulumi/aws/eks';
import { Role, RolePolicy } from '@pulumi/aws/iam';
import { Queue, QueuePolicy } from '@pulumi/aws/sqs';
import { all, ComponentResource, interpolate, type ComponentResourceOptions, type Input, Output } from '@pulumi/pulumi';
import type { Problems } from '../../../constructs/plan/errors';
import { KARPENTER_SERVICE_ACCOUNT } from '../add-ons/karpenter';
import { assertValid, checkClusterName, type AwsComponentArgs } from '../component';
import { awsLocation } from '../location';
import { podIdentityTrust } from '../policy';
import { checkTags, serviceTags, type Tags } from '../tags';
import { interruptionQueuePolicy, karpenterPolicy } from './karpenter-policy';
import { nodeRole } from './node-role';

/** Arguments of `Karpenter`. */
export interface KarpenterArgs extends AwsComponentArgs {
  /** Name of the EKS cluster. */
  readonly clusterName: Input<string>;
  /** ID of the security group of the cluster's nodes. Karpenter finds it by the tag that it is given here. */
  readonly nodeSecurityGroupId: Input<string>;
  /**
   * Name of the IAM role of nodes.
   *
   * @default - `KarpenterNodeRole-<clusterName>`, which pools name by default
   */
  readonly nodeRoleName?: string;
}

/** What EC2 and AWS Health tell of nodes. Source: Karpenter's reference, "CloudFormation", v1.8. */
const EVENTS: { readonly [rule: string]: { readonly source: string; readonly type: string } } = {
  'health-event': { source: 'aws.health', type: 'AWS Health Event' },
  'spot-interruption': { source: 'aws.ec2', type: 'EC2 Spot Instance Interruption Warning' },
  rebalance: { source: 'aws.ec2', type: 'EC2 Instance Rebalance Recommendation' },
  'state-change': { source: 'aws.ec2', type: 'EC2 Instance State-change Notification' },
};

/**
 * What Karpenter needs in AWS: the role of its controller, by Pod Identity; the role of its nodes, and their access to the
 * cluster; the queue through which EC2 announces that it takes instances back; and the tag by which it finds the security
 * group of nodes. The controller itself is one of the `AddOns`, its pools are made by `GpuNodePool`, `NodePool` and
 * `SpotBatchPool`.
 *
 * Cost: the queue costs cents a month. What Karpenter starts is bounded by the limits of the pools.
 *
 * @throws ConfigurationError that lists all wrong arguments with the component's name
 */
export class Karpenter extends ComponentResource {
  /** Name of the interruption queue. */
  public readonly queueName: Output<string>;
  /** Name of the role of nodes. */
  public readonly nodeRoleName: Output<string>;
  /** ARN of the role of nodes. */
  public readonly nodeRoleArn: Output<string>;

  constructor(name: string, args: KarpenterArgs, options?: ComponentResourceOptions) {
    assertValid(name, (problems) => checkKarpenter(problems, args));
    super('mediform:aws:Karpenter', name, {}, options);
    const tags = serviceTags(args.tags, 'node-pools');
    const { clusterName } = args;
    const nodes = nodeRole(
      `${name}-nodes`,
      tags,
      this,
      args.nodeRoleName ?? interpolate`KarpenterNodeRole-${clusterName}`,
    );
    this.nodeRoleName = nodes.name;
    this.nodeRoleArn = nodes.arn;
    new AccessEntry(
      `${name}-nodes`,
      { clusterName, principalArn: nodes.arn, type: 'EC2_LINUX', tags },
      { parent: this, dependsOn: [...nodes.attachments] },
    );
    new Tag(
      `${name}-discovery`,
      { resourceId: args.nodeSecurityGroupId, key: 'karpenter.sh/discovery', value: clusterName },
      { parent: this },
    );
    const queue = this.queue(name, tags);
    this.queueName = queue.name;
    this.controller(name, clusterName, queue.arn, tags);
    this.registerOutputs({ queueName: this.queueName, nodeRoleName: this.nodeRoleName });
  }

  private queue(name: string, tags: Tags): Queue {
    const queue = new Queue(
      `${name}-interruptions`,
      // a node that is gone after two minutes needs no older message
      { messageRetentionSeconds: 300, sqsManagedSseEnabled: true, tags },
      { parent: this },
    );
    const rules = Object.entries(EVENTS).map(([event, { source, type }]) => {
      const rule = new EventRule(
        `${name}-${event}`,
        {
          description: `${type} for Karpenter`,
          eventPattern: JSON.stringify({ source: [source], 'detail-type': [type] }),
          tags,
        },
        { parent: this },
      );
      new EventTarget(`${name}-${event}`, { rule: rule.name, arn: queue.arn }, { parent: this });
      return rule;
    });
    new QueuePolicy(
      `${name}-interruptions`,
      {
        queueUrl: queue.id,
        policy: all([queue.arn, all(rules.map(({ arn }) => arn))]).apply(([queueArn, ruleArns]) =>
          JSON.stringify(interruptionQueuePolicy(queueArn, ruleArns)),
        ),
      },
      { parent: this },
    );
    return queue;
  }

  private controller(name: string, clusterName: Input<string>, queueArn: Output<string>, tags: Tags): void {
    const role = new Role(
      `${name}-controller`,
      {
        description: interpolate`Karpenter of the cluster ${clusterName}`,
        assumeRolePolicy: JSON.stringify(podIdentityTrust()),
        tags,
      },
      { parent: this },
    );
    new RolePolicy(
      `${name}-controller`,
      {
        role: role.id,
        policy: all([awsLocation({ parent: this }), clusterName, this.nodeRoleArn, queueArn]).apply(
          ([location, cluster, nodeRoleArn, arn]) =>
            JSON.stringify(karpenterPolicy({ location, clusterName: cluster, nodeRoleArn, queueArn: arn })),
        ),
      },
      { parent: this },
    );
    new PodIdentityAssociation(
      `${name}-controller`,
      {
        clusterName,
        namespace: 'kube-system',
        serviceAccount: KARPENTER_SERVICE_ACCOUNT,
        roleArn: role.arn,
        tags,
      },
      { parent: this },
    );
  }
}

/** Records all that is wrong with the arguments of `Karpenter`. */
export function checkKarpenter(problems: Problems, args: KarpenterArgs): void {
  checkTags(problems, args.tags);
  if (!Output.isInstance(args.clusterName)) {
    checkClusterName(problems, 'clusterName', args.clusterName);
  }
  problems.check(
    args.nodeRoleName === undefined || /^[\w+=,.@-]{1,64}$/.test(args.nodeRoleName),
    'nodeRoleName',
    args.nodeRoleName,
    'be 1 to 64 letters, digits and + = , . @ - _',
    'IAM takes no other names',
  );
}
