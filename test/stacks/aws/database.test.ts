import { Database, type DatabaseArgs } from '../../../stacks/aws/database';
import { recordGraph, type Graph } from '../../support/aws-graph';
import { expectOnlyClients, expectTagged, PLACE, problemsOf, TAGS } from '../../support/aws-stores';

const ARGS: DatabaseArgs = { tags: TAGS, ...PLACE };
const INSTANCE = 'aws:rds/instance:Instance';
const KEY = 'arn:aws:kms:eu-central-1:123456789012:results-key';

async function database(args: Partial<DatabaseArgs> = {}): Promise<{ database: Database; graph: Graph }> {
  let made: Database | undefined;
  const graph = await recordGraph(
    () => {
      made = new Database('results', { ...ARGS, ...args });
    },
    {
      outputs: {
        [INSTANCE]: (name) => ({
          address: `${name}.rds.amazonaws.com`,
          resourceId: 'db-ABC',
          masterUserSecrets: [{ secretArn: 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:rds!db-1' }],
        }),
      },
    },
  );
  return { database: made as Database, graph };
}

test('is encrypted and private, stands by in another zone, and keeps what it has', async () => {
  const { graph } = await database();
  expect(graph.only(INSTANCE).inputs).toMatchObject({
    engine: 'postgres',
    storageEncrypted: true,
    kmsKeyId: KEY,
    multiAz: true,
    publiclyAccessible: false,
    dbSubnetGroupName: 'results-subnets',
    vpcSecurityGroupIds: ['results-access-id'],
    deletionProtection: true,
    skipFinalSnapshot: false,
    finalSnapshotIdentifier: 'results-final',
    deleteAutomatedBackups: false,
    backupRetentionPeriod: 14,
    copyTagsToSnapshot: true,
    autoMinorVersionUpgrade: true,
    performanceInsightsEnabled: true,
    performanceInsightsKmsKeyId: KEY,
    allocatedStorage: 100,
    maxAllocatedStorage: 1000,
  });
  expect(graph.only('aws:rds/subnetGroup:SubnetGroup').inputs.subnetIds).toEqual(PLACE.subnetIds);
  expectOnlyClients(graph, 5432);
});

test('RDS keeps the password: none is in the program', async () => {
  const { graph } = await database();
  const { inputs, secrets } = graph.only(INSTANCE);
  expect(inputs).toMatchObject({
    manageMasterUserPassword: true,
    masterUserSecretKmsKeyId: KEY,
    iamDatabaseAuthenticationEnabled: true,
  });
  expect(inputs).not.toHaveProperty('password');
  expect(secrets).toEqual([]);
});

test('forces TLS, and logs neither statements nor values', async () => {
  const { graph } = await database({ engineVersion: '16' });
  const { family, parameters } = graph.only('aws:rds/parameterGroup:ParameterGroup').inputs;
  expect(family).toBe('postgres16');
  const values = Object.fromEntries(
    (parameters as { name: string; value: string }[]).map(({ name, value }) => [name, value]),
  );
  expect(values).toEqual({
    'rds.force_ssl': '1',
    log_statement: 'ddl',
    log_min_duration_statement: '-1',
    log_min_error_statement: 'panic',
    log_error_verbosity: 'terse',
    log_parameter_max_length: '0',
    log_parameter_max_length_on_error: '0',
  });
});

test('its logs end, are encrypted, and are there before RDS would make them', async () => {
  const { graph } = await database({ logDays: 90 });
  const groups = graph.ofType('aws:cloudwatch/logGroup:LogGroup');
  expect(groups.map(({ inputs }) => [inputs.name, inputs.kmsKeyId, inputs.retentionInDays])).toEqual([
    ['/aws/rds/instance/results/postgresql', KEY, 90],
    ['/aws/rds/instance/results/upgrade', KEY, 90],
  ]);
  const instance = graph.only(INSTANCE);
  expect(instance.inputs).toMatchObject({
    identifier: 'results',
    enabledCloudwatchLogsExports: ['postgresql', 'upgrade'],
  });
  expect(instance.dependencies).toEqual(expect.arrayContaining(groups.map(({ urn }) => urn)));
});

test('says where it is, where its password is, and what lets somebody log in', async () => {
  const { database: made } = await database();
  const read = (output: Database['endpoint']) => new Promise((resolve) => output.apply(resolve));
  expect(await read(made.endpoint)).toBe('results.rds.amazonaws.com');
  expect(await read(made.adminSecretArn)).toBe('arn:aws:secretsmanager:eu-central-1:123456789012:secret:rds!db-1');
  expect(await read(made.connectArn)).toBe('arn:aws:rds-db:eu-central-1:123456789012:dbuser:db-ABC');
  expect([made.port, made.databaseName, made.adminUser]).toEqual([5432, 'mediform', 'mediform_admin']);
});

test('a test environment can be thrown away', async () => {
  const { graph } = await database({ deletionProtection: false });
  const { inputs } = graph.only(INSTANCE);
  expect(inputs).toMatchObject({ deletionProtection: false, skipFinalSnapshot: true, deleteAutomatedBackups: true });
  expect(inputs).not.toHaveProperty('finalSnapshotIdentifier');
});

test('everything that takes tags has them', async () => {
  const { graph } = await database();
  expectTagged(graph, 'database');
});

test('all that is wrong is told at once', () => {
  const change = {
    subnetIds: ['subnet-a'],
    instanceClass: 'm7g.large',
    engineVersion: '17.2',
    databaseName: 'Results-DB',
    storageGiB: 10,
    maxStorageGiB: 10,
    backupDays: 0,
    maintenanceWindow: 'sun:25:00-sun:26:00',
    logDays: 2,
  };
  expect(problemsOf(() => new Database('results', { ...ARGS, ...change }))).toEqual([
    "'subnetIds' (1) must list subnets of at least two zones because a data store in one zone is gone when the zone is",
    "'maintenanceWindow' (sun:25:00-sun:26:00) must be a window in UTC such as sun:03:00-sun:04:00 because AWS takes no other form",
    expect.stringContaining("'logDays' (2) must be one of 1, 3, 5"),
    "'backupDays' (0) must be a whole number from 1 to 35 because a database without backups is one mistake from empty",
    "'storageGiB' (10) must be a whole number from 20 to 65536 because RDS has no other volumes for PostgreSQL",
    "'maxStorageGiB' (10) must be a whole number of at least a tenth more than 'storageGiB' (10), and at most 65536 because the storage could not grow otherwise",
    "'instanceClass' (m7g.large) must be an RDS instance class such as db.m7g.large because there is no machine of another kind",
    "'engineVersion' (17.2) must be the major version 15 or newer, without a minor one because older ones do not force TLS by themselves, and minor versions come by themselves",
    "'databaseName' (Results-DB) must be at most 63 lower-case letters, digits and _ that start with a letter because PostgreSQL folds or refuses others",
  ]);
});
