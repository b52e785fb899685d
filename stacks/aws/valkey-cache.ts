import { LogGroup } from '@pulumi/aws/cloudwatch';
import { ParameterGroup, ReplicationGroup, SubnetGroup, User, UserGroup } from '@pulumi/aws/elasticache';
import { getRandomPasswordOutput, Secret, SecretVersion } from '@pulumi/aws/secretsmanager';
import { ComponentResource, jsonStringify, secret, type ComponentResourceOptions, type Output } from '@pulumi/pulumi';
import type { Problems } from '../../constructs/plan/errors';
import { assertValid, type AwsComponentArgs } from './component';
import { encryptionKey, logGroupsUse } from './encryption-key';
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

/**
 * Which entries go when the memory is full. Of those that expire alone: the log of invalidations never does, and a cache
 * without it could answer with what is no longer true.
 */
const EVICTION_POLICIES = ['volatile-lfu', 'volatile-lru', 'volatile-ttl', 'volatile-random'] as const;

/** Arguments of `ValkeyCache`. */
export interface ValkeyCacheArgs extends AwsComponentArgs, PrivateDataArgs {
  /**
   * ElastiCache node type, with `cache.` before it.
   *
   * @default 'cache.r7g.large'
   */
  readonly nodeType?: string;
  /**
   * Nodes in all, 2 to 6: one primary, and replicas in other zones.
   *
   * @default 2
   */
  readonly nodes?: number;
  /**
   * Version of Valkey; patches come by themselves.
   *
   * @default '8.1'
   */
  readonly engineVersion?: string;
  /**
   * Which entries go when the memory is full.
   *
   * @default 'volatile-lfu'
   */
  readonly evictionPolicy?: (typeof EVICTION_POLICIES)[number];
  /**
   * Days for which a daily snapshot is kept, 0 to 35. A cache can be filled again: a day spares a cold start.
   *
   * @default 1
   */
  readonly snapshotDays?: number;
  /**
   * When AWS may patch it, in UTC.
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
   * Raise it by one for a new password. Clients must be able to read the secret again: connections stay, new ones need
   * the new password.
   *
   * @default 1
   */
  readonly passwordVersion?: number;
}

const PORT = 6379;
const USER = 'mediform';
/** All commands but those that administer the server. INFO is one of the dangerous ones: by it the cache sees a restart. */
export const ACCESS = 'on ~* &* +@all -@admin -@dangerous +info';
/** Also longer than what ElastiCache asks for, 16. */
const PASSWORD_LENGTH = 64;
const LOG_PREFIX = '/aws/vendedlogs/elasticache/';

/**
 * The Redis tier of the cache: an ElastiCache replication group of Valkey in private subnets that only the cluster's nodes
 * reach. TLS alone; one user with a generated password and without administration commands; snapshots, logs and disks
 * encrypted with a key of its own; a replica in another zone takes over when the primary is lost.
 *
 * The password is in Secrets Manager (`secretName`, JSON with `username` and `password`), and as a secret in Pulumi's state;
 * in no configuration; `SecretSync` brings it to the pods. Slow logs hold keys and values of slow commands: the library's own client writes keyed hashes and
 * ciphertext, so nothing of a patient is in them.
 *
 * Cost: with defaults about 260 USD a month in us-east-1 (two cache.r7g.large), see docs/aws-costs.md.
 *
 * @throws ConfigurationError that lists all wrong arguments with the component's name
 */
export class ValkeyCache extends ComponentResource {
  /** Host name of the primary: reads and writes. */
  public readonly endpoint: Output<string>;
  /** Host name that spreads reads over the replicas. */
  public readonly readerEndpoint: Output<string>;
  /** TCP port, with TLS. */
  public readonly port: number = PORT;
  /** Its only user, as `TieredCache` takes it. */
  public readonly username: string = USER;
  /** Name of the secret in Secrets Manager: JSON with `username` and `password`. */
  public readonly secretName: Output<string>;
  /** ARN of the secret, for policies. */
  public readonly secretArn: Output<string>;
  /** ARN of the KMS key that encrypts the secret and the data. */
  public readonly keyArn: Output<string>;
  /** ID of its security group. */
  public readonly securityGroupId: Output<string>;

  constructor(name: string, args: ValkeyCacheArgs, options?: ComponentResourceOptions) {
    assertValid(name, (problems) => {
      checkDataName(problems, name);
      checkValkeyCache(problems, args);
    });
    super('mediform:aws:ValkeyCache', name, {}, options);
    const tags = serviceTags(args.tags, 'cache');
    this.keyArn = encryptionKey(
      `${name}-key`,
      {
        description: `Valkey cache ${name}: data, secret and logs`,
        tags,
        services: (location) => [logGroupsUse(location, `${LOG_PREFIX}${name}`)],
      },
      this,
    );
    this.securityGroupId = onlyFrom(`${name}-access`, args, { port: PORT, description: `Valkey ${name}`, tags }, this);
    const { secretName, secretArn, password } = this.credentials(name, args, tags);
    this.secretName = secretName;
    this.secretArn = secretArn;
    const group = this.replicationGroup(name, args, tags, password);
    this.endpoint = group.primaryEndpointAddress;
    this.readerEndpoint = group.readerEndpointAddress;
    this.registerOutputs({ endpoint: this.endpoint, secretName: this.secretName });
  }

  private credentials(
    name: string,
    { passwordVersion = 1 }: ValkeyCacheArgs,
    tags: Tags,
  ): { secretName: Output<string>; secretArn: Output<string>; password: Output<string> } {
    const vault = new Secret(
      `${name}-credentials`,
      { description: `User and password of the Valkey cache ${name}`, kmsKeyId: this.keyArn, tags },
      { parent: this },
    );
    const random = getRandomPasswordOutput(
      { passwordLength: PASSWORD_LENGTH, excludePunctuation: true },
      { parent: this },
    ).randomPassword;
    const version = new SecretVersion(
      `${name}-credentials-${passwordVersion}`,
      { secretId: vault.id, secretString: jsonStringify({ username: USER, password: random }) },
      // a password is drawn in every run, and only the first one counts
      { parent: this, ignoreChanges: ['secretString'] },
    );
    // read back, so that the user always gets what the secret says, even where a run broke off between the two
    const password = secret(
      version.secretString.apply((json) => (JSON.parse(json ?? '{}') as { password?: string }).password ?? ''),
    );
    return { secretName: vault.name, secretArn: vault.arn, password };
  }

  private replicationGroup(
    name: string,
    args: ValkeyCacheArgs,
    tags: Tags,
    password: Output<string>,
  ): ReplicationGroup {
    const { engineVersion = '8.1', maintenanceWindow = 'sun:03:00-sun:04:00', logDays = 30 } = args;
    const user = new User(
      `${name}-user`,
      {
        userId: `${name}-${USER}`.slice(0, 40),
        userName: USER,
        engine: 'valkey',
        accessString: ACCESS,
        authenticationMode: { type: 'password', passwords: [password] },
        tags,
      },
      { parent: this },
    );
    // the group has no user `default`, so nobody connects without a password
    const users = new UserGroup(
      `${name}-users`,
      { userGroupId: `${name}-users`, engine: 'valkey', userIds: [user.userId], tags },
      { parent: this },
    );
    const subnets = new SubnetGroup(`${name}-subnets`, { subnetIds: [...args.subnetIds], tags }, { parent: this });
    const parameters = new ParameterGroup(
      `${name}-parameters`,
      {
        family: `valkey${engineVersion.split('.')[0]}`,
        description: `Valkey cache ${name}`,
        parameters: [{ name: 'maxmemory-policy', value: args.evictionPolicy ?? 'volatile-lfu' }],
        tags,
      },
      { parent: this },
    );
    const logs = new LogGroup(
      `${name}-logs`,
      { namePrefix: `${LOG_PREFIX}${name}-`, kmsKeyId: this.keyArn, retentionInDays: logDays, tags },
      { parent: this },
    );
    return new ReplicationGroup(
      name,
      {
        description: `Redis tier of the cache ${name}`,
        engine: 'valkey',
        engineVersion,
        nodeType: args.nodeType ?? 'cache.r7g.large',
        numCacheClusters: args.nodes ?? 2,
        automaticFailoverEnabled: true,
        multiAzEnabled: true,
        port: PORT,
        subnetGroupName: subnets.name,
        securityGroupIds: [this.securityGroupId],
        parameterGroupName: parameters.name,
        userGroupIds: [users.userGroupId],
        transitEncryptionEnabled: true,
        transitEncryptionMode: 'required',
        atRestEncryptionEnabled: true,
        kmsKeyId: this.keyArn,
        autoMinorVersionUpgrade: true,
        applyImmediately: false,
        maintenanceWindow,
        snapshotRetentionLimit: args.snapshotDays ?? 1,
        logDeliveryConfigurations: ['slow-log', 'engine-log'].map((logType) => ({
          logType,
          logFormat: 'json',
          destinationType: 'cloudwatch-logs',
          destination: logs.name,
        })),
        tags,
      },
      { parent: this },
    );
  }
}

/** Records all that is wrong with the arguments of a `ValkeyCache`. */
export function checkValkeyCache(problems: Problems, args: ValkeyCacheArgs): void {
  checkTags(problems, args.tags);
  checkPrivateData(problems, args);
  checkNodeType(problems, args.nodeType);
  checkCount(problems, 'nodes', args.nodes, [2, 6], 'a primary needs a replica to fail over to, and may have five');
  checkCount(problems, 'snapshotDays', args.snapshotDays, [0, 35], 'ElastiCache keeps snapshots for no longer');
  checkCount(problems, 'passwordVersion', args.passwordVersion, [1, 9999], 'it counts the passwords there have been');
  checkMaintenanceWindow(problems, args.maintenanceWindow);
  checkLogDays(problems, args.logDays);
  const { engineVersion, evictionPolicy } = args;
  problems.check(
    engineVersion === undefined || /^(7\.2|[89]\.\d+)$/.test(engineVersion),
    'engineVersion',
    engineVersion,
    'be 7.2 or newer, as major.minor',
    'older engines are not Valkey, and patches come by themselves',
  );
  problems.check(
    evictionPolicy === undefined || EVICTION_POLICIES.includes(evictionPolicy),
    'evictionPolicy',
    evictionPolicy,
    `be one of ${EVICTION_POLICIES.join(', ')}`,
    'the log of invalidations, which alone has no expiry, must never be evicted',
  );
}

/** Checks an ElastiCache node type. */
export function checkNodeType(problems: Problems, nodeType: string | undefined): void {
  problems.check(
    nodeType === undefined || /^cache\.[a-z0-9-]+\.[a-z0-9]+$/.test(nodeType),
    'nodeType',
    nodeType,
    'be an ElastiCache node type such as cache.r7g.large',
    'there is no machine of another kind',
  );
}
