import { policy, type AwsLocation, type PolicyDocument, type PolicyStatement } from '../policy';
import { Folder } from './columns';

/** Region in which AWS runs its billing services. */
const BILLING_REGION = 'us-east-1';

/** ARN pattern of the account's data exports: only they may write to the bucket. */
function exportsOf({ partition, accountId }: AwsLocation): string {
  return `arn:${partition}:bcm-data-exports:${BILLING_REGION}:${accountId}:export/*`;
}

/** Only for exports of this account, whoever else could name the bucket to the service. */
function fromOwnExports(location: AwsLocation): NonNullable<PolicyStatement['Condition']> {
  return {
    StringEquals: { 'aws:SourceAccount': location.accountId },
    ArnLike: { 'aws:SourceArn': exportsOf(location) },
  };
}

/** Policy of the bucket: TLS 1.2 or newer for everybody, and AWS Data Exports may put objects into its two folders. */
export function bucketPolicy(location: AwsLocation, bucketArn: string): PolicyDocument {
  const everything = { Principal: '*', Action: 's3:*', Resource: [bucketArn, `${bucketArn}/*`] } as const;
  return policy(
    // AWS Data Exports user guide, "Setting up an Amazon S3 bucket for data exports"
    {
      Sid: 'DataExports',
      Effect: 'Allow',
      Principal: { Service: 'bcm-data-exports.amazonaws.com' },
      Action: 's3:PutObject',
      Resource: [`${bucketArn}/${Folder.CUR}/*`, `${bucketArn}/${Folder.FOCUS}/*`],
      Condition: fromOwnExports(location),
    },
    { Sid: 'OnlyTls', Effect: 'Deny', ...everything, Condition: { Bool: { 'aws:SecureTransport': 'false' } } },
    { Sid: 'OnlyNewTls', Effect: 'Deny', ...everything, Condition: { NumericLessThan: { 's3:TlsVersion': '1.2' } } },
  );
}

/** What the key lets AWS's services do: exports are encrypted when they are written, alarms when they are published. */
export function keyStatements(location: AwsLocation): readonly PolicyStatement[] {
  return [
    {
      Sid: 'DataExports',
      Effect: 'Allow',
      Principal: { Service: 'bcm-data-exports.amazonaws.com' },
      Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
      Resource: '*',
      Condition: fromOwnExports(location),
    },
    {
      Sid: 'BudgetAlarms',
      Effect: 'Allow',
      Principal: { Service: 'budgets.amazonaws.com' },
      Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
      Resource: '*',
      Condition: fromOwnBudgets(location),
    },
  ];
}

function fromOwnBudgets({ partition, accountId }: AwsLocation): NonNullable<PolicyStatement['Condition']> {
  return {
    StringEquals: { 'aws:SourceAccount': accountId },
    ArnLike: { 'aws:SourceArn': `arn:${partition}:budgets::${accountId}:*` },
  };
}

/** Policy of the alarms' topic: budgets of this account publish to it, and everybody uses TLS. */
export function topicPolicy(location: AwsLocation, topicArn: string): PolicyDocument {
  return policy(
    {
      Sid: 'BudgetAlarms',
      Effect: 'Allow',
      Principal: { Service: 'budgets.amazonaws.com' },
      Action: 'sns:Publish',
      Resource: topicArn,
      Condition: fromOwnBudgets(location),
    },
    {
      Sid: 'OnlyTls',
      Effect: 'Deny',
      Principal: '*',
      Action: 'sns:Publish',
      Resource: topicArn,
      Condition: { Bool: { 'aws:SecureTransport': 'false' } },
    },
  );
}

/** What the cost job works with. */
export interface CostJobResources {
  readonly bucketArn: string;
  readonly keyArn: string;
  readonly workgroupArn: string;
  /** Name of the Glue database. */
  readonly database: string;
}

/** What the cost job may do: read the exports, read and write the ledger, and query both in its workgroup. */
export function costJobPolicy(location: AwsLocation, resources: CostJobResources): PolicyDocument {
  const { partition, region, accountId } = location;
  const { bucketArn, keyArn, workgroupArn, database } = resources;
  const objects = (folder: string): string => `${bucketArn}/${folder}/*`;
  const glue = (path: string): string => `arn:${partition}:glue:${region}:${accountId}:${path}`;
  return policy(
    {
      Sid: 'ListFolders',
      Effect: 'Allow',
      Action: 's3:ListBucket',
      Resource: bucketArn,
      Condition: { StringLike: { 's3:prefix': Object.values(Folder).map((folder) => `${folder}/*`) } },
    },
    { Sid: 'FindBucket', Effect: 'Allow', Action: 's3:GetBucketLocation', Resource: bucketArn },
    {
      Sid: 'Read',
      Effect: 'Allow',
      Action: 's3:GetObject',
      Resource: Object.values(Folder).map(objects),
    },
    {
      Sid: 'Write',
      Effect: 'Allow',
      Action: ['s3:PutObject', 's3:AbortMultipartUpload'],
      Resource: [objects(Folder.LEDGER), objects(Folder.RESULTS)],
    },
    {
      Sid: 'Encrypt',
      Effect: 'Allow',
      Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
      Resource: keyArn,
      Condition: { StringEquals: { 'kms:ViaService': `s3.${region}.amazonaws.com` } },
    },
    {
      Sid: 'Query',
      Effect: 'Allow',
      Action: [
        'athena:GetPreparedStatement',
        'athena:GetQueryExecution',
        'athena:GetQueryResults',
        'athena:GetWorkGroup',
        'athena:StartQueryExecution',
        'athena:StopQueryExecution',
      ],
      Resource: workgroupArn,
    },
    {
      Sid: 'ReadTables',
      Effect: 'Allow',
      Action: ['glue:GetDatabase', 'glue:GetPartitions', 'glue:GetTable', 'glue:GetTables'],
      Resource: [glue('catalog'), glue(`database/${database}`), glue(`table/${database}/*`)],
    },
  );
}
