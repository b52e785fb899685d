import { CostExport, type CostExportArgs } from '../../../../stacks/aws/cost-export/cost-export';
import { findCycle } from '../../../support/aws-graph';
import { expectTagged, problemsOf, TAGS } from '../../../support/aws-stores';
import { COSTS, COSTS_BUCKET, COSTS_KEY, costExport, statements } from '../../../support/aws-cost-export';

describe('the budget', () => {
  test('tells of what was spent and of what will be', async () => {
    const { graph } = await costExport({ budget: { ...COSTS.budget, alarmPercent: [50, 90] } });
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
    expect(graph.only('aws:sns/topic:Topic').inputs.kmsMasterKeyId).toBe(COSTS_KEY);
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
    expect(of('s3:PutObject')).toEqual([`${COSTS_BUCKET}/ledger/*`, `${COSTS_BUCKET}/query-results/*`]);
    expect(of('s3:GetObject')).toContain(`${COSTS_BUCKET}/cur2/*`);
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
  expect(problemsOf(() => new CostExport('costs_', { ...COSTS, ...change }))).toEqual([
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
