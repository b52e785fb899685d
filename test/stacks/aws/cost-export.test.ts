import { Provider } from '@pulumi/aws/provider';
import { LEDGER_COLUMNS } from '../../../constructs/plan/cost/columns';
import { CostExport, type CostExportArgs } from '../../../stacks/aws/cost-export/cost-export';
import { findCycle, recordGraph, type Graph } from '../../support/aws-graph';
import { expectTagged, problemsOf, TAGS } from '../../support/aws-stores';

const ARGS: CostExportArgs = {
  tags: TAGS,
  budget: { monthlyUsd: 20_000, alarmEmails: ['finance@hospital.example'] },
};
const KEY = 'arn:aws:kms:eu-central-1:123456789012:costs-key';
const BUCKET_ARN = 'arn:aws:s3:eu-central-1:123456789012:costs';

async function costExport(args: Partial<CostExportArgs> = {}): Promise<{ costs: CostExport; graph: Graph }> {
  let costs: CostExport | undefined;
  const graph = await recordGraph(
    () => {
      costs = new CostExport('costs', { ...ARGS, ...args });
    },
    { outputs: { 'aws:s3/bucket:Bucket': () => ({ bucket: 'costs-1a2b' }) } },
  );
  return { costs: costs as CostExport, graph };
}

interface Statement {
  readonly Sid: string;
  readonly Effect: string;
  readonly Principal?: unknown;
  readonly Action: string | string[];
  readonly Resource: string | string[];
  readonly Condition?: unknown;
}

function statements(policy: unknown): Statement[] {
  return (JSON.parse(String(policy)) as { Statement: Statement[] }).Statement;
}

const OWN_EXPORTS = {
  StringEquals: { 'aws:SourceAccount': '123456789012' },
  ArnLike: { 'aws:SourceArn': 'arn:aws:bcm-data-exports:us-east-1:123456789012:export/*' },
};

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
        applyServerSideEncryptionByDefault: { sseAlgorithm: 'aws:kms', kmsMasterKeyId: KEY },
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
        Resource: [`${BUCKET_ARN}/cur2/*`, `${BUCKET_ARN}/focus/*`],
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

describe('the exports', () => {
  const EXPORT = 'aws:bcmdata/export:Export';

  test('are CUR 2.0 with split costs and FOCUS 1.2, in Parquet, into the bucket', async () => {
    const { graph } = await costExport();
    const exported = graph.ofType(EXPORT).map(({ inputs }) => inputs.export as ExportInputs);
    expect(exported.map(({ name }) => name).sort()).toEqual(['costs-cost-and-usage', 'costs-focus-1-2']);
    const [cur, focus] = [...exported].sort((a, b) => (a.name < b.name ? -1 : 1));
    expect(cur?.dataQueries[0]?.tableConfigurations).toEqual({
      COST_AND_USAGE_REPORT: {
        TIME_GRANULARITY: 'HOURLY',
        INCLUDE_RESOURCES: 'TRUE',
        INCLUDE_SPLIT_COST_ALLOCATION_DATA: 'TRUE',
        INCLUDE_MANUAL_DISCOUNT_COMPATIBILITY: 'FALSE',
      },
    });
    expect(cur?.dataQueries[0]?.queryStatement).toMatch(
      /^SELECT bill_bill_type, .*split_line_item_split_cost, .* FROM COST_AND_USAGE_REPORT$/,
    );
    expect(focus?.dataQueries[0]?.queryStatement).toMatch(
      /^SELECT AvailabilityZone, .*x_ServiceCode FROM FOCUS_1_2_AWS$/,
    );
    for (const [index, prefix] of ['cur2', 'focus'].entries()) {
      expect([cur, focus][index]?.destinationConfigurations).toEqual([
        {
          s3Destinations: [
            {
              s3Bucket: 'costs-1a2b',
              s3Prefix: prefix,
              s3Region: 'eu-central-1',
              s3OutputConfigurations: [
                { outputType: 'CUSTOM', format: 'PARQUET', compression: 'PARQUET', overwrite: 'OVERWRITE_REPORT' },
              ],
            },
          ],
        },
      ]);
    }
  });

  test('wait for the policy that lets them in', async () => {
    const { graph } = await costExport();
    for (const { dependencies } of graph.ofType(EXPORT)) {
      expect(dependencies).toContain(graph.only('aws:s3/bucketPolicy:BucketPolicy').urn);
    }
  });

  test('can be left out, and made through a provider of us-east-1', async () => {
    expect((await costExport({ exports: false })).graph.ofType(EXPORT)).toEqual([]);
    const graph = await recordGraph(() => {
      const billingProvider = new Provider('billing', { region: 'us-east-1' });
      new CostExport('costs', { ...ARGS, billingProvider });
    });
    const { urn } = graph.only('pulumi:providers:aws');
    expect(graph.ofType(EXPORT).map(({ provider }) => provider)).toEqual([`${urn}::billing-id`, `${urn}::billing-id`]);
    expect(graph.only('aws:athena/workgroup:Workgroup').provider).not.toContain(urn);
  });

  interface ExportInputs {
    readonly name: string;
    readonly dataQueries: readonly { readonly queryStatement: string; readonly tableConfigurations: object }[];
    readonly destinationConfigurations: unknown;
  }
});

describe('the tables', () => {
  const TABLE = 'aws:glue/catalogTable:CatalogTable';
  interface Descriptor {
    readonly location: string;
    readonly columns: { readonly name: string; readonly type: string }[];
  }

  test('the ledger has the columns of its files, and a partition a day', async () => {
    const { graph } = await costExport();
    const { inputs } = graph.only(TABLE, 'costs-ledger');
    const { location, columns } = inputs.storageDescriptor as Descriptor;
    expect(location).toBe('s3://costs-1a2b/ledger/');
    expect(columns.map(({ name }) => name)).toEqual(LEDGER_COLUMNS.map(({ name }) => name.toLowerCase()));
    expect(columns).toContainEqual({ name: 'effectivecost', type: 'decimal(18,9)' });
    expect(columns).toContainEqual({ name: 'x_service', type: 'string' });
    expect(columns).toContainEqual({ name: 'x_pricedate', type: 'date' });
    expect(columns).toContainEqual({ name: 'x_calls', type: 'bigint' });
    expect(inputs.partitionKeys).toEqual([{ name: 'day', type: 'date' }]);
    expect(inputs.parameters).toMatchObject({
      'projection.enabled': 'true',
      'projection.day.type': 'date',
      'projection.day.format': 'yyyy-MM-dd',
      'projection.day.range': '2025-01-01,NOW',
      'projection.day.interval.unit': 'DAYS',
      'storage.location.template': 's3://costs-1a2b/ledger/day=${day}/',
    });
  });

  test('the exports are read where Data Exports puts them', async () => {
    const { graph } = await costExport();
    for (const [table, folder] of [
      ['cost_and_usage', 's3://costs-1a2b/cur2/costs-cost-and-usage/data/'],
      ['focus_1_2', 's3://costs-1a2b/focus/costs-focus-1-2/data/'],
    ] as const) {
      const { inputs } = graph.only(TABLE, `costs-${table}`);
      expect((inputs.storageDescriptor as Descriptor).location).toBe(folder);
      expect(inputs.parameters).toMatchObject({
        'projection.billing_period.interval.unit': 'MONTHS',
        'storage.location.template': `${folder}BILLING_PERIOD=\${billing_period}/`,
      });
    }
  });

  test('a table has the columns of its export, and no name twice', async () => {
    const { graph } = await costExport();
    const queries = new Map(
      graph.ofType('aws:bcmdata/export:Export').map(({ name, inputs }) => {
        const { dataQueries } = inputs.export as { dataQueries: { queryStatement: string }[] };
        const [, columns = ''] = /^SELECT (.*) FROM/.exec(dataQueries[0]?.queryStatement ?? '') ?? [];
        return [name, columns.toLowerCase().split(', ')];
      }),
    );
    for (const [table, exported] of [
      ['cost_and_usage', 'costs-cost-and-usage'],
      ['focus_1_2', 'costs-focus-1-2'],
    ] as const) {
      const { columns } = graph.only(TABLE, `costs-${table}`).inputs.storageDescriptor as Descriptor;
      const names = columns.map(({ name }) => name);
      expect(names).toEqual(queries.get(exported));
      expect(new Set(names).size).toBe(names.length);
    }
  });

  test('are in a database that Athena can name', async () => {
    const graph = await recordGraph(() => new CostExport('hospital-costs', ARGS));
    expect(graph.only('aws:glue/catalogDatabase:CatalogDatabase').inputs.name).toBe('hospital_costs');
  });
});

test('queries are stopped at a limit, and their results encrypted', async () => {
  const { graph } = await costExport({ scanLimitGiB: 2 });
  expect(graph.only('aws:athena/workgroup:Workgroup').inputs.configuration).toMatchObject({
    enforceWorkgroupConfiguration: true,
    bytesScannedCutoffPerQuery: 2_147_483_648,
    resultConfiguration: {
      outputLocation: 's3://costs-1a2b/query-results/',
      encryptionConfiguration: { encryptionOption: 'SSE_KMS', kmsKeyArn: KEY },
    },
  });
});

describe('the budget', () => {
  test('tells of what was spent and of what will be', async () => {
    const { graph } = await costExport({ budget: { ...ARGS.budget, alarmPercent: [50, 90] } });
    const { inputs } = graph.only('aws:budgets/budget:Budget');
    expect(inputs).toMatchObject({ budgetType: 'COST', timeUnit: 'MONTHLY', limitAmount: '20000', limitUnit: 'USD' });
    const alarm = (notificationType: string, threshold: number) => ({
      notificationType,
      threshold,
      thresholdType: 'PERCENTAGE',
      comparisonOperator: 'GREATER_THAN',
      subscriberSnsTopicArns: ['arn:aws:sns:eu-central-1:123456789012:costs-alarms'],
    });
    expect(inputs.notifications).toEqual([alarm('ACTUAL', 50), alarm('ACTUAL', 90), alarm('FORECASTED', 100)]);
  });

  test('reaches people through an encrypted topic that only budgets publish to', async () => {
    const { graph } = await costExport();
    expect(graph.only('aws:sns/topic:Topic').inputs.kmsMasterKeyId).toBe(KEY);
    expect(graph.only('aws:sns/topicSubscription:TopicSubscription').inputs).toMatchObject({
      protocol: 'email',
      endpoint: 'finance@hospital.example',
    });
    const policy = graph.only('aws:sns/topicPolicy:TopicPolicy');
    expect(statements(policy.inputs.policy)).toEqual([
      expect.objectContaining({
        Effect: 'Allow',
        Principal: { Service: 'budgets.amazonaws.com' },
        Action: 'sns:Publish',
        Condition: {
          StringEquals: { 'aws:SourceAccount': '123456789012' },
          ArnLike: { 'aws:SourceArn': 'arn:aws:budgets::123456789012:*' },
        },
      }),
      expect.objectContaining({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
    ]);
    expect(graph.only('aws:budgets/budget:Budget').dependencies).toContain(policy.urn);
  });
});

describe('the job', () => {
  test('may write the ledger and read the exports, and nothing else', async () => {
    const { graph } = await costExport();
    const all = statements(graph.only('aws:iam/rolePolicy:RolePolicy').inputs.policy);
    const of = (action: string) =>
      all.filter(({ Action }) => [Action].flat().includes(action)).flatMap(({ Resource }) => Resource);
    expect(of('s3:PutObject')).toEqual([`${BUCKET_ARN}/ledger/*`, `${BUCKET_ARN}/query-results/*`]);
    expect(of('s3:GetObject')).toContain(`${BUCKET_ARN}/cur2/*`);
    expect(of('athena:StartQueryExecution')).toEqual(['arn:aws:athena:eu-central-1:123456789012:costs-queries']);
    expect(of('glue:GetTable')).toEqual([
      'arn:aws:glue:eu-central-1:123456789012:catalog',
      'arn:aws:glue:eu-central-1:123456789012:database/costs',
      'arn:aws:glue:eu-central-1:123456789012:table/costs/*',
    ]);
    expect(of('s3:DeleteObject')).toEqual([]);
    for (const { Action, Resource, Effect } of all) {
      expect(Effect).toBe('Allow');
      expect([Action].flat().filter((action) => action.includes('*'))).toEqual([]);
      expect([Resource].flat()).not.toContain('*');
    }
  });

  test('runs as a service account of the cluster', async () => {
    const { graph } = await costExport({ job: { clusterName: 'hospital' } });
    expect(graph.only('aws:eks/podIdentityAssociation:PodIdentityAssociation').inputs).toMatchObject({
      clusterName: 'hospital',
      namespace: 'cost',
      serviceAccount: 'cost-export',
      roleArn: 'arn:aws:iam:eu-central-1:123456789012:costs-job',
    });
    const { assumeRolePolicy } = graph.only('aws:iam/role:Role').inputs;
    expect(statements(assumeRolePolicy)[0]?.Principal).toEqual({ Service: 'pods.eks.amazonaws.com' });
    const without = (await costExport()).graph;
    expect(without.ofType('aws:eks/podIdentityAssociation:PodIdentityAssociation')).toEqual([]);
  });
});

test('tags become cost allocation tags when they were billed once', async () => {
  const TAG = 'aws:costexplorer/costAllocationTag:CostAllocationTag';
  expect((await costExport()).graph.ofType(TAG)).toEqual([]);
  const { graph } = await costExport({ activateTags: true });
  expect(graph.ofType(TAG).map(({ inputs }) => [inputs.tagKey, inputs.status])).toEqual([
    ['service', 'Active'],
    ['environment', 'Active'],
    ['cost-centre', 'Active'],
  ]);
});

test('says where everything is', async () => {
  const { costs, graph } = await costExport();
  const read = (output: CostExport['ledgerUrl']) => new Promise((resolve) => output.apply(resolve));
  expect(await read(costs.bucketName)).toBe('costs-1a2b');
  expect(await read(costs.ledgerUrl)).toBe('s3://costs-1a2b/ledger/');
  expect(await read(costs.costAndUsageUrl)).toBe('s3://costs-1a2b/cur2/costs-cost-and-usage/data/');
  expect(await read(costs.focusUrl)).toBe('s3://costs-1a2b/focus/costs-focus-1-2/data/');
  expect(await read(costs.databaseName)).toBe('costs');
  expect(findCycle(graph)).toBeUndefined();
});

test('everything that takes tags has them', async () => {
  const { graph } = await costExport({ job: { clusterName: 'hospital' } });
  expectTagged(graph, 'cost-export');
});

test('all that is wrong is told at once', () => {
  const change = {
    budget: { monthlyUsd: 0, alarmEmails: ['nobody'], alarmPercent: [] },
    scanLimitGiB: 0,
    job: { clusterName: 'hospital', namespace: 'Cost', serviceAccount: 'cost_export' },
  };
  expect(problemsOf(() => new CostExport('costs_', { ...ARGS, ...change }))).toEqual([
    expect.stringContaining("'name' (costs_) must be at most 30 lower-case letters"),
    "'budget.monthlyUsd' (0) must be a number over 0 because no budget is guessed",
    `'budget.alarmEmails' (["nobody"]) must list at least one mail address because an alarm that reaches nobody is none`,
    "'budget.alarmPercent' ([]) must list one to four percentages over 0 because AWS takes five alarms for a budget, and one is for the forecast",
    "'scanLimitGiB' (0) must be a number from 0.01 to 7168 because Athena takes no other limit",
    "'job.namespace' (Cost) must be a DNS label because it names an object of Kubernetes",
    "'job.serviceAccount' (cost_export) must be a DNS label because it names an object of Kubernetes",
  ]);
  expect(problemsOf(() => new CostExport('costs', { tags: TAGS } as unknown as CostExportArgs))).toHaveLength(2);
});
