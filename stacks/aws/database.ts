import { LogGroup } from '@pulumi/aws/cloudwatch';
import { Instance, ParameterGroup, SubnetGroup } from '@pulumi/aws/rds';
import { all, ComponentResource, type ComponentResourceOptions, type Output } from '@pulumi/pulumi';
import type { Problems } from '../../constructs/plan/errors';
import { assertValid, type AwsComponentArgs } from './component';
import { encryptionKey, logGroupsUse } from './encryption-key';
import { awsLocation } from './location';
import {
  checkCount,
  checkDataName,
  checkLogDays,
  checkMaintenanceWindow,
  checkPrivateData,
  onlyFrom,
  type PrivateDataArgs,
} from './private-data';
import { checkTags, serviceTags, type Tags } from './tags';

/** Arguments of `Database`. */
export interface DatabaseArgs extends AwsComponentArgs, PrivateDataArgs {
  /**
   * RDS instance class, with `db.` before it.
   *
   * @default 'db.m7g.large'
   */
  readonly instanceClass?: string;
  /**
   * Major version of PostgreSQL; minor ones come by themselves.
   *
   * @default '17'
   */
  readonly engineVersion?: string;
  /**
   * Name of the first database.
   *
   * @default 'mediform'
   */
  readonly databaseName?: string;
  /**
   * GiB of storage at first, 20 to 65,536.
   *
   * @default 100
   */
  readonly storageGiB?: number;
  /**
   * GiB up to which the storage grows by itself.
   *
   * @default - ten times `storageGiB`
   */
  readonly maxStorageGiB?: number;
  /**
   * Days for which backups are kept, and to any second of which the database can be put back; 1 to 35.
   *
   * @default 14
   */
  readonly backupDays?: number;
  /**
   * When AWS may patch it, in UTC. Backups are made the two hours before three o'clock.
   *
   * @default 'sun:03:00-sun:04:00'
   */
  readonly maintenanceWindow?: string;
  /**
   * Days for which its logs are kept, one of those that CloudWatch Logs knows.
   *
   * @default 30
   */
  readonly logDays?: number;
  /**
   * Refuse to delete it. Without, `pulumi destroy` deletes it and all of its backups, and takes no last snapshot: for
   * test environments.
   *
   * @default true
   */
  readonly deletionProtection?: boolean;
}

const PORT = 5432;
const ADMIN = 'mediform_admin';

/**
 * The database tier of the cache: PostgreSQL on RDS with a standby in another zone, in private subnets that only the
 * cluster's nodes reach. TLS alone; disks, backups, insights and the administrator's password encrypted with a key of its
 * own; neither statements nor their values in its logs.
 *
 * The administrator's password is made by RDS, changed by it every week, and is in Secrets Manager (`adminSecretArn`); it is in
 * no state and no configuration. `SecretSync` brings it to the pods, for `TieredCache`'s `database.user` or `database.owner`.
 * Programs of your own can log in with IAM: `GRANT rds_iam TO ...`, and `rds-db:connect` on `<connectArn>/<user>`.
 *
 * Its certificate leads to Amazon's authority for RDS, which is on no common list: put
 * `https://truststore.pki.rds.amazonaws.com/<region>/<region>-bundle.pem` into a ConfigMap, and name that as
 * `database.authority`.
 *
 * Cost: with defaults about 270 USD a month in us-east-1 (db.m7g.large in two zones, 100 GiB), see docs/aws-costs.md.
 *
 * @throws ConfigurationError that lists all wrong arguments with the component's name
 */
export class Database extends ComponentResource {
  /** Host name. */
  public readonly endpoint: Output<string>;
  /** TCP port, with TLS. */
  public readonly port: number = PORT;
  /** Name of the first database. */
  public readonly databaseName: string;
  /** The administrator, as `TieredCache` takes it. */
  public readonly adminUser: string = ADMIN;
  /** ARN of the administrator's secret: JSON with `username` and `password`. */
  public readonly adminSecretArn: Output<string>;
  /** ARN of the KMS key that encrypts the secret and the data. */
  public readonly keyArn: Output<string>;
  /** ID of its security group. */
  public readonly securityGroupId: Output<string>;
  /** ARN with which IAM lets somebody log in, without the user: `<connectArn>/<user>`, for `rds-db:connect`. */
  public readonly connectArn: Output<string>;

  constructor(name: string, args: DatabaseArgs, options?: ComponentResourceOptions) {
    assertValid(name, (problems) => {
      checkDataName(problems, name);
      checkDatabase(problems, args);
    });
    super('mediform:aws:Database', name, {}, options);
    const tags = serviceTags(args.tags, 'database');
    this.databaseName = args.databaseName ?? 'mediform';
    this.keyArn = encryptionKey(
      `${name}-key`,
      {
        description: `Database ${name}: data, secret and logs`,
        tags,
        services: (location) => [logGroupsUse(location, `/aws/rds/instance/${name}/`)],
      },
      this,
    );
    this.securityGroupId = onlyFrom(
      `${name}-access`,
      args,
      { port: PORT, description: `Database ${name}`, tags },
      this,
    );
    const instance = this.instance(name, args, tags);
    this.endpoint = instance.address;
    this.adminSecretArn = instance.masterUserSecrets.apply(([managed]) => managed?.secretArn ?? '');
    this.connectArn = all([awsLocation({ parent: this }), instance.resourceId]).apply(
      ([{ partition, region, accountId }, id]) => `arn:${partition}:rds-db:${region}:${accountId}:dbuser:${id}`,
    );
    this.registerOutputs({ endpoint: this.endpoint, adminSecretArn: this.adminSecretArn });
  }

  private instance(name: string, args: DatabaseArgs, tags: Tags): Instance {
    const { engineVersion = '17', storageGiB = 100, deletionProtection = true } = args;
    const subnets = new SubnetGroup(`${name}-subnets`, { subnetIds: [...args.subnetIds], tags }, { parent: this });
    const parameters = new ParameterGroup(
      `${name}-parameters`,
      {
        family: `postgres${engineVersion}`,
        description: `Database ${name}`,
        parameters: Object.entries(PARAMETERS).map(([parameter, value]) => ({ name: parameter, value })),
        tags,
      },
      { parent: this },
    );
    // RDS would make them itself, for ever and without the key
    const logs = LOGS.map(
      (log) =>
        new LogGroup(
          `${name}-${log}-logs`,
          {
            name: `/aws/rds/instance/${name}/${log}`,
            kmsKeyId: this.keyArn,
            retentionInDays: args.logDays ?? 30,
            tags,
          },
          { parent: this },
        ),
    );
    return new Instance(
      name,
      {
        // its log groups are called after it
        identifier: name,
        engine: 'postgres',
        engineVersion,
        instanceClass: args.instanceClass ?? 'db.m7g.large',
        multiAz: true,
        storageType: 'gp3',
        allocatedStorage: storageGiB,
        maxAllocatedStorage: args.maxStorageGiB ?? 10 * storageGiB,
        storageEncrypted: true,
        kmsKeyId: this.keyArn,
        dbName: this.databaseName,
        port: PORT,
        username: ADMIN,
        manageMasterUserPassword: true,
        masterUserSecretKmsKeyId: this.keyArn,
        iamDatabaseAuthenticationEnabled: true,
        publiclyAccessible: false,
        dbSubnetGroupName: subnets.name,
        vpcSecurityGroupIds: [this.securityGroupId],
        parameterGroupName: parameters.name,
        autoMinorVersionUpgrade: true,
        applyImmediately: false,
        maintenanceWindow: args.maintenanceWindow ?? 'sun:03:00-sun:04:00',
        backupWindow: '01:00-03:00',
        backupRetentionPeriod: args.backupDays ?? 14,
        copyTagsToSnapshot: true,
        deletionProtection,
        deleteAutomatedBackups: !deletionProtection,
        skipFinalSnapshot: !deletionProtection,
        ...(deletionProtection ? { finalSnapshotIdentifier: `${name}-final` } : {}),
        enabledCloudwatchLogsExports: [...LOGS],
        performanceInsightsEnabled: true,
        performanceInsightsKmsKeyId: this.keyArn,
        // the days that are free of charge
        performanceInsightsRetentionPeriod: 7,
        caCertIdentifier: 'rds-ca-rsa2048-g1',
        tags,
      },
      { parent: this, dependsOn: logs },
    );
  }
}

const LOGS = ['postgresql', 'upgrade'] as const;

/** What PostgreSQL does differently here. */
const PARAMETERS = {
  'rds.force_ssl': '1',
  // keys are hashes and values are ciphertext, but whatever somebody asks by hand is not
  log_statement: 'ddl',
  log_min_duration_statement: '-1',
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
  log_parameter_max_length: '0',
  log_parameter_max_length_on_error: '0',
} as const;

/** Records all that is wrong with the arguments of a `Database`. */
export function checkDatabase(problems: Problems, args: DatabaseArgs): void {
  const { instanceClass, engineVersion, databaseName, storageGiB, maxStorageGiB } = args;
  checkTags(problems, args.tags);
  checkPrivateData(problems, args);
  checkMaintenanceWindow(problems, args.maintenanceWindow);
  checkLogDays(problems, args.logDays);
  checkCount(problems, 'backupDays', args.backupDays, [1, 35], 'a database without backups is one mistake from empty');
  checkCount(problems, 'storageGiB', storageGiB, [20, 65_536], 'RDS has no other volumes for PostgreSQL');
  const first = storageGiB ?? 100;
  // RDS User Guide, "Managing capacity automatically with storage autoscaling": 10 % is its own minimum
  problems.check(
    maxStorageGiB === undefined ||
      (Number.isInteger(maxStorageGiB) && 10 * maxStorageGiB >= 11 * first && maxStorageGiB <= 65_536),
    'maxStorageGiB',
    maxStorageGiB,
    `be a whole number of at least a tenth more than 'storageGiB' (${first}), and at most 65536`,
    'the storage could not grow otherwise',
  );
  problems.check(
    instanceClass === undefined || /^db\.[a-z0-9-]+\.[a-z0-9]+$/.test(instanceClass),
    'instanceClass',
    instanceClass,
    'be an RDS instance class such as db.m7g.large',
    'there is no machine of another kind',
  );
  problems.check(
    engineVersion === undefined || /^1[5-9]$/.test(engineVersion),
    'engineVersion',
    engineVersion,
    'be the major version 15 or newer, without a minor one',
    'older ones do not force TLS by themselves, and minor versions come by themselves',
  );
  problems.check(
    databaseName === undefined || /^[a-z][a-z0-9_]{0,62}$/.test(databaseName),
    'databaseName',
    databaseName,
    'be at most 63 lower-case letters, digits and _ that start with a letter',
    'PostgreSQL folds or refuses others',
  );
}
