import { Provider } from '@pulumi/aws/provider';
import { LEDGER_COLUMNS } from '../../../../constructs/plan/cost/columns';
import { CostExport } from '../../../../stacks/aws/cost-export/cost-export';
import { recordGraph } from '../../../support/aws-graph';
import { COSTS, COSTS_KEY, costExport } from '../../../support/aws-cost-export';

describe('the exports', () => {
  const EXPORT = 'aws:bcmdata/export:Export';

  test('are CUR 2.0 with split costs and FOCUS 1.2, in Parquet, into the bucket', async () => {
    const { graph } = await costExport();
    const exported = graph.ofType(EXPORT).map(({ inputs }) => inputs.export as ExportInputs);
    expect(exported.map(({ name }) => name).sort()).toEqual(['costs-cost-and-usage', 'costs-focus-1-2']);
    const [cur, focus] = [...exported].sort((a, b) => (a.name < b.name ? -1 : 1));
    expect(cur?.dataQueries[0]?.tableConfigurations).toEqual({
      COST_AND_USAGE_REPORT: {
        BILLING_VIEW_ARN: 'arn:aws:billing::123456789012:billingview/primary',
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

  test('are not replaced when AWS adds an option', async () => {
    const { graph } = await costExport();
    for (const { ignoreChanges } of graph.ofType(EXPORT)) {
      expect(ignoreChanges).toEqual(['export.dataQueries[0].tableConfigurations']);
    }
  });

  test('can be left out, and made through a provider of us-east-1', async () => {
    expect((await costExport({ exports: false })).graph.ofType(EXPORT)).toEqual([]);
    const graph = await recordGraph(() => {
      const billingProvider = new Provider('billing', { region: 'us-east-1' });
      new CostExport('costs', { ...COSTS, billingProvider });
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
    const graph = await recordGraph(() => new CostExport('hospital-costs', COSTS));
    expect(graph.only('aws:glue/catalogDatabase:CatalogDatabase').inputs.name).toBe('hospital_costs');
  });
});

test('every question of the analyses is a prepared statement', async () => {
  const { graph } = await costExport();
  const statements = graph.ofType('aws:athena/preparedStatement:PreparedStatement').map(({ inputs }) => inputs);
  expect(statements.map(({ name }) => name)).toEqual([
    'by_service',
    'by_model',
    'by_day',
    'by_day_and_category',
    'by_day_and_service',
    'sources',
    'advice',
  ]);
  for (const { workgroup, queryStatement } of statements) {
    expect(workgroup).toBe('costs-queries');
    expect(queryStatement).toMatch(
      /\sFROM "costs"\."ledger"\s+WHERE day BETWEEN CAST\(\? AS DATE\) AND CAST\(\? AS DATE\)/,
    );
  }
});

test('queries are stopped at a limit, and their results encrypted', async () => {
  const { graph } = await costExport({ scanLimitGiB: 2 });
  expect(graph.only('aws:athena/workgroup:Workgroup').inputs.configuration).toMatchObject({
    enforceWorkgroupConfiguration: true,
    bytesScannedCutoffPerQuery: 2_147_483_648,
    resultConfiguration: {
      outputLocation: 's3://costs-1a2b/query-results/',
      encryptionConfiguration: { encryptionOption: 'SSE_KMS', kmsKeyArn: COSTS_KEY },
    },
  });
});
