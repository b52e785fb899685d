import {
  Bucket,
  BucketLifecycleConfiguration,
  BucketOwnershipControls,
  BucketPolicy,
  BucketPublicAccessBlock,
  BucketServerSideEncryptionConfiguration,
  BucketVersioning,
} from '@pulumi/aws/s3';
import { all, type Output, type Resource } from '@pulumi/pulumi';
import { awsLocation } from '../location';
import type { Tags } from '../tags';
import { Folder } from './columns';
import { bucketPolicy } from './policies';

/** Days after which nobody looks at a month's files every day any more. */
const COLD_AFTER_DAYS = 90;
/** Days for which an overwritten or deleted file can be brought back. */
const UNDO_DAYS = 30;
/** Days for which results of queries are kept. */
const RESULT_DAYS = 7;

/** The bucket of all that is known about costs. */
export interface CostBucket {
  readonly name: Output<string>;
  readonly arn: Output<string>;
  /** What must be there before AWS is told to write to it. */
  readonly ready: Resource;
}

/** Makes the bucket: versioned, encrypted with the key, private, TLS alone. */
export function costBucket(name: string, keyArn: Output<string>, tags: Tags, parent: Resource): CostBucket {
  const bucket = new Bucket(name, { tags }, { parent });
  new BucketVersioning(name, { bucket: bucket.id, versioningConfiguration: { status: 'Enabled' } }, { parent });
  new BucketServerSideEncryptionConfiguration(
    name,
    {
      bucket: bucket.id,
      rules: [
        {
          applyServerSideEncryptionByDefault: { sseAlgorithm: 'aws:kms', kmsMasterKeyId: keyArn },
          // a key of the bucket's own, made from the other: one request to KMS in place of one for each object
          bucketKeyEnabled: true,
        },
      ],
    },
    { parent },
  );
  new BucketOwnershipControls(
    name,
    { bucket: bucket.id, rule: { objectOwnership: 'BucketOwnerEnforced' } },
    { parent },
  );
  new BucketLifecycleConfiguration(
    name,
    {
      bucket: bucket.id,
      rules: [
        {
          id: 'leftovers',
          status: 'Enabled',
          filter: {},
          abortIncompleteMultipartUpload: { daysAfterInitiation: 7 },
          noncurrentVersionExpiration: { noncurrentDays: UNDO_DAYS },
        },
        {
          id: 'results',
          status: 'Enabled',
          filter: { prefix: `${Folder.RESULTS}/` },
          expiration: { days: RESULT_DAYS },
        },
        ...[Folder.CUR, Folder.FOCUS, Folder.LEDGER].map((folder) => ({
          id: `${folder}-cold`,
          status: 'Enabled',
          filter: { prefix: `${folder}/` },
          transitions: [{ days: COLD_AFTER_DAYS, storageClass: 'STANDARD_IA' }],
        })),
      ],
    },
    { parent },
  );
  const block = new BucketPublicAccessBlock(
    name,
    {
      bucket: bucket.id,
      blockPublicAcls: true,
      blockPublicPolicy: true,
      ignorePublicAcls: true,
      restrictPublicBuckets: true,
    },
    { parent },
  );
  const ready = new BucketPolicy(
    name,
    {
      bucket: bucket.id,
      policy: all([awsLocation({ parent }), bucket.arn]).apply(([location, arn]) =>
        JSON.stringify(bucketPolicy(location, arn)),
      ),
    },
    { parent, dependsOn: [block] },
  );
  return { name: bucket.bucket, arn: bucket.arn, ready };
}
