import { COSTS_BUCKET, COSTS_KEY, costExport, OWN_EXPORTS, statements } from '../../../support/aws-cost-export';

describe('the bucket', () => {
  test('is versioned, encrypted with the own key, private, and owned by its owner', async () => {
    const { graph } = await costExport();
    expect(graph.only('aws:s3/bucketVersioning:BucketVersioning').inputs.versioningConfiguration).toEqual({
      status: 'Enabled',
    });
    expect(
      graph.only('aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration').inputs.rules,
    ).toEqual([
      {
        applyServerSideEncryptionByDefault: { sseAlgorithm: 'aws:kms', kmsMasterKeyId: COSTS_KEY },
        bucketKeyEnabled: true,
      },
    ]);
    expect(graph.only('aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock').inputs).toMatchObject({
      blockPublicAcls: true,
      blockPublicPolicy: true,
      ignorePublicAcls: true,
      restrictPublicBuckets: true,
    });
    expect(graph.only('aws:s3/bucketOwnershipControls:BucketOwnershipControls').inputs.rule).toEqual({
      objectOwnership: 'BucketOwnerEnforced',
    });
    for (const { inputs, type } of graph.resources.filter((resource) => resource.type.startsWith('aws:s3/bucket'))) {
      expect({ type, bucket: inputs.bucket ?? 'costs-id' }).toEqual({ type, bucket: 'costs-id' });
    }
  });

  test('takes TLS alone, and objects from exports of this account alone', async () => {
    const { graph } = await costExport();
    const policy = graph.only('aws:s3/bucketPolicy:BucketPolicy');
    expect(statements(policy.inputs.policy)).toEqual([
      {
        Sid: 'DataExports',
        Effect: 'Allow',
        Principal: { Service: 'bcm-data-exports.amazonaws.com' },
        Action: 's3:PutObject',
        Resource: [`${COSTS_BUCKET}/cur2/*`, `${COSTS_BUCKET}/focus/*`],
        Condition: OWN_EXPORTS,
      },
      expect.objectContaining({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
      expect.objectContaining({ Effect: 'Deny', Condition: { NumericLessThan: { 's3:TlsVersion': '1.2' } } }),
    ]);
    expect(policy.dependencies).toContain(graph.only('aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock').urn);
  });

  test('lets go of leftovers and results, and keeps the bill', async () => {
    const { graph } = await costExport();
    const { rules } = graph.only('aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration').inputs as {
      rules: { id: string; filter: { prefix?: string }; expiration?: object; noncurrentVersionExpiration?: object }[];
    };
    expect(rules.filter(({ expiration }) => expiration !== undefined).map(({ filter }) => filter.prefix)).toEqual([
      'query-results/',
    ]);
    expect(rules[0]).toMatchObject({
      abortIncompleteMultipartUpload: { daysAfterInitiation: 7 },
      noncurrentVersionExpiration: { noncurrentDays: 30 },
    });
  });
});

test('only exports and budgets of this account use the key besides the account', async () => {
  const { graph } = await costExport();
  const [account, exports, budgets] = statements(graph.only('aws:kms/key:Key').inputs.policy);
  expect(account?.Principal).toEqual({ AWS: 'arn:aws:iam::123456789012:root' });
  expect(exports).toMatchObject({
    Principal: { Service: 'bcm-data-exports.amazonaws.com' },
    Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
    Condition: OWN_EXPORTS,
  });
  expect(budgets).toMatchObject({
    Principal: { Service: 'budgets.amazonaws.com' },
    Condition: { StringEquals: { 'aws:SourceAccount': '123456789012' } },
  });
});
