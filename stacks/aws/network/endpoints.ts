import type { AwsLocation, PolicyDocument } from '../policy';
import { policy } from '../policy';

/** Services that private nodes, Karpenter and Pod Identity talk to; with endpoints the traffic stays in the VPC. */
export const NODE_SERVICES: readonly string[] = [
  'ec2',
  'ecr.api',
  'ecr.dkr',
  'eks',
  'eks-auth',
  'logs',
  'sqs',
  'ssm',
  'sts',
];

/** Of those, the ones without which no node starts, whatever the way to the internet. */
export const REQUIRED_SERVICES: readonly string[] = ['ecr.api', 'ecr.dkr', 'sts'];

const READ = ['s3:GetBucketLocation', 's3:GetObject', 's3:GetObjectAttributes', 's3:GetObjectTagging'];
const READ_MORE = ['s3:GetObjectVersion', 's3:ListBucket'];
const WRITE = [
  's3:AbortMultipartUpload',
  's3:DeleteObject',
  's3:ListBucketMultipartUploads',
  's3:ListMultipartUploadParts',
  's3:PutObject',
  's3:PutObjectTagging',
];

/**
 * Policy of the S3 endpoint: read from any bucket (registries keep the layers of images in buckets of their own), write to
 * buckets of this account alone, so that a pod that was taken over cannot copy patient data to somebody else's bucket.
 */
export function s3EndpointPolicy({ accountId, partition }: AwsLocation): PolicyDocument {
  const buckets = `arn:${partition}:s3:::*`;
  return policy(
    { Sid: 'Read', Effect: 'Allow', Principal: '*', Action: [...READ, ...READ_MORE], Resource: buckets },
    {
      Sid: 'WriteOwnBuckets',
      Effect: 'Allow',
      Principal: '*',
      Action: WRITE,
      Resource: buckets,
      Condition: { StringEquals: { 'aws:ResourceAccount': accountId } },
    },
  );
}
