import { Alias, Key } from '@pulumi/aws/kms';
import type { Output, Resource } from '@pulumi/pulumi';
import { awsLocation } from './location';
import { policy, type AwsLocation, type PolicyDocument, type PolicyStatement } from './policy';
import type { Tags } from './tags';

/** What an encryption key is for. */
export interface EncryptionKeyArgs {
  /** What the AWS console shows. */
  readonly description: string;
  /** Tags of the key. */
  readonly tags: Tags;
  /**
   * Services of AWS that use it in their own name, and for what.
   *
   * @default - none: principals of the account use it, as far as their own policies let them
   */
  readonly services?: (location: AwsLocation) => readonly PolicyStatement[];
}

/** Days in which a deleted key can be brought back, the most that AWS gives. */
const RECOVERY_DAYS = 30;

/**
 * A symmetric KMS key with yearly rotation, and an alias `alias/<name>-...`.
 *
 * Cost: about 1 USD a month, 3 USD after two rotations, and 0.03 USD per 10,000 requests.
 *
 * @returns ARN of the key
 */
export function encryptionKey(name: string, args: EncryptionKeyArgs, parent: Resource): Output<string> {
  const key = new Key(
    name,
    {
      description: args.description,
      enableKeyRotation: true,
      deletionWindowInDays: RECOVERY_DAYS,
      policy: awsLocation({ parent }).apply((location) =>
        JSON.stringify(keyPolicy(location, args.services?.(location))),
      ),
      tags: args.tags,
    },
    { parent },
  );
  new Alias(name, { targetKeyId: key.keyId }, { parent });
  return key.arn;
}

/** Everything that an administrator of a key does, and everything that its data is used by. Imports and replicas are not. */
const ACCOUNT_ACTIONS = [
  'kms:CancelKeyDeletion',
  'kms:CreateAlias',
  'kms:CreateGrant',
  'kms:Decrypt',
  'kms:DeleteAlias',
  'kms:DescribeKey',
  'kms:DisableKey',
  'kms:DisableKeyRotation',
  'kms:EnableKey',
  'kms:EnableKeyRotation',
  'kms:Encrypt',
  'kms:GenerateDataKey',
  'kms:GenerateDataKeyWithoutPlaintext',
  'kms:GetKeyPolicy',
  'kms:GetKeyRotationStatus',
  'kms:ListGrants',
  'kms:ListKeyPolicies',
  'kms:ListKeyRotations',
  'kms:ListResourceTags',
  'kms:PutKeyPolicy',
  'kms:ReEncryptFrom',
  'kms:ReEncryptTo',
  'kms:RetireGrant',
  'kms:RevokeGrant',
  'kms:RotateKeyOnDemand',
  'kms:ScheduleKeyDeletion',
  'kms:TagResource',
  'kms:UntagResource',
  'kms:UpdateAlias',
  'kms:UpdateKeyDescription',
];

/**
 * Policy of a key: the account decides by IAM policies who uses and administers it (without that statement a key can lock
 * out its owner), and some services use it. In a key policy the resource `*` is the key itself.
 */
export function keyPolicy(location: AwsLocation, services: readonly PolicyStatement[] = []): PolicyDocument {
  return policy(
    {
      Sid: 'Account',
      Effect: 'Allow',
      Principal: { AWS: `arn:${location.partition}:iam::${location.accountId}:root` },
      Action: ACCOUNT_ACTIONS,
      Resource: '*',
    },
    ...services,
  );
}

/** Lets CloudWatch Logs use a key for the log groups whose names begin with `prefix`. */
export function logGroupsUse({ partition, region, accountId }: AwsLocation, prefix: string): PolicyStatement {
  // CloudWatch Logs user guide, "Encrypt log data in CloudWatch Logs using AWS KMS"
  return {
    Sid: 'Logs',
    Effect: 'Allow',
    Principal: { Service: `logs.${region}.amazonaws.com` },
    Action: [
      'kms:Decrypt',
      'kms:DescribeKey',
      'kms:Encrypt',
      'kms:GenerateDataKey',
      'kms:GenerateDataKeyWithoutPlaintext',
      'kms:ReEncryptFrom',
      'kms:ReEncryptTo',
    ],
    Resource: '*',
    Condition: {
      ArnLike: {
        'kms:EncryptionContext:aws:logs:arn': `arn:${partition}:logs:${region}:${accountId}:log-group:${prefix}*`,
      },
    },
  };
}
