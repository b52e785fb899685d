import { Workgroup } from '@pulumi/aws/athena';
import { CostAllocationTag } from '@pulumi/aws/costexplorer';
import {
  ComponentResource,
  interpolate,
  type ComponentResourceOptions,
  type Output,
  type ProviderResource,
} from '@pulumi/pulumi';
import type { Problems } from '../../../constructs/plan/errors';
import { assertValid, type AwsComponentArgs } from '../component';
import { encryptionKey } from '../encryption-key';
import { checkDataName } from '../private-data';
import { checkTags, serviceTags, TagKey, type Tags } from '../tags';
import { costBucket, type CostBucket } from './bucket';
import { budgetWithAlarms, checkBudget, type BudgetOptions } from './budget';
import { exportNames, Folder } from './columns';
import { costDatabase } from './database';
import { dataExports } from './exports';
import { costJobRole, type CostJobAccount } from './job-role';
import { keyStatements } from './policies';
import { costStatements } from './statements';

/** Arguments of `CostExport`. */
export interface CostExportArgs extends AwsComponentArgs {
  /** What the account may cost in a month, and who is told. */
  readonly budget: BudgetOptions;
  /**
   * Who runs the cost job.
   *
   * @default - the role is there, and nobody has it yet
   */
  readonly job?: CostJobAccount;
  /**
   * Whether AWS exports the bill. An account of an organisation sees its own costs only.
   *
   * @default true
   */
  readonly exports?: boolean;
  /**
   * GiB that one Athena query may read; it is stopped beyond. Athena takes about 5 USD for a TiB.
   *
   * @default 10
   */
  readonly scanLimitGiB?: number;
  /**
   * Make the platform's tags cost allocation tags. Turn it on a day after everything else is there: AWS knows only tags that
   * were billed before, and refuses others. In an organisation only the management account may.
   *
   * @default false
   */
  readonly activateTags?: boolean;
  /**
   * AWS provider for exports and cost allocation tags. AWS has them in us-east-1 alone: give one of that region where the
   * component's own is of another.
   *
   * @default - the component's
   */
  readonly billingProvider?: ProviderResource;
}

const GIB = 2 ** 30;

/**
 * What things cost, as data: AWS's own bill twice (Cost and Usage Report 2.0 with what each pod held of its node, and FOCUS
 * 1.2), the place of mediform's ledger, tables over all three, an Athena workgroup that stops runaway queries and has the
 * questions of `CostAnalyzer` as prepared statements, and a budget that sends alarms.
 *
 * Before the first export, switch on "Split cost allocation data" for Amazon EKS in the billing console's cost management
 * preferences: AWS has no API object for it. The first files come within a day.
 *
 * Cost: about 2 USD a month: the key, the bucket (a hospital's exports are a few GiB), queries. Exports and budgets without
 * actions are free.
 *
 * @throws ConfigurationError that lists all wrong arguments with the component's name
 */
export class CostExport extends ComponentResource {
  /** Name of the bucket. */
  public readonly bucketName: Output<string>;
  /** Where the ledger is: `s3://.../ledger/`. */
  public readonly ledgerUrl: Output<string>;
  /** Where AWS puts the Cost and Usage Report: `s3://.../data/`, a folder `BILLING_PERIOD=YYYY-MM` for each month. */
  public readonly costAndUsageUrl: Output<string>;
  /** Where AWS puts the bill in FOCUS, in the same way. */
  public readonly focusUrl: Output<string>;
  /** Name of the Glue database with the tables `cost_and_usage`, `focus_1_2` and `ledger`. */
  public readonly databaseName: Output<string>;
  /** Name of the Athena workgroup. */
  public readonly workgroupName: Output<string>;
  /** ARN of the role of the cost job. */
  public readonly jobRoleArn: Output<string>;
  /** ARN of the topic that alarms are published to. */
  public readonly alarmTopicArn: Output<string>;
  /** ARN of the KMS key that encrypts all of it. */
  public readonly keyArn: Output<string>;

  constructor(name: string, args: CostExportArgs, options?: ComponentResourceOptions) {
    assertValid(name, (problems) => {
      checkDataName(problems, name);
      checkCostExport(problems, args);
    });
    super('mediform:aws:CostExport', name, {}, options);
    const tags = serviceTags(args.tags, 'cost-export');
    this.keyArn = encryptionKey(
      `${name}-key`,
      { description: `Cost export ${name}: exports, ledger and alarms`, tags, services: keyStatements },
      this,
    );
    const bucket = costBucket(name, this.keyArn, tags, this);
    this.bucketName = bucket.name;
    const { cur, focus } = exportNames(name);
    this.ledgerUrl = interpolate`s3://${bucket.name}/${Folder.LEDGER}/`;
    this.costAndUsageUrl = interpolate`s3://${bucket.name}/${Folder.CUR}/${cur}/data/`;
    this.focusUrl = interpolate`s3://${bucket.name}/${Folder.FOCUS}/${focus}/data/`;
    const billing = {
      parent: this,
      ...(args.billingProvider === undefined ? {} : { provider: args.billingProvider }),
    };
    if (args.exports ?? true) {
      dataExports(name, bucket, tags, billing);
    }
    this.databaseName = costDatabase(name, bucket.name, tags, this);
    const workgroup = this.workgroup(name, args, bucket, tags);
    this.workgroupName = workgroup.name;
    costStatements(name, workgroup.name, this.databaseName, this);
    this.jobRoleArn = costJobRole(
      name,
      { bucketArn: bucket.arn, keyArn: this.keyArn, workgroupArn: workgroup.arn, database: this.databaseName },
      args.job,
      tags,
      this,
    );
    this.alarmTopicArn = budgetWithAlarms(name, args.budget, { keyArn: this.keyArn, tags }, this);
    if (args.activateTags === true) {
      for (const tagKey of [TagKey.SERVICE, TagKey.ENVIRONMENT, TagKey.COST_CENTRE]) {
        new CostAllocationTag(`${name}-tag-${tagKey}`, { tagKey, status: 'Active' }, billing);
      }
    }
    this.registerOutputs({ bucketName: this.bucketName, ledgerUrl: this.ledgerUrl, databaseName: this.databaseName });
  }

  private workgroup(name: string, { scanLimitGiB = 10 }: CostExportArgs, bucket: CostBucket, tags: Tags): Workgroup {
    return new Workgroup(
      `${name}-queries`,
      {
        description: `Queries over the costs of ${name}`,
        configuration: {
          enforceWorkgroupConfiguration: true,
          publishCloudwatchMetricsEnabled: true,
          bytesScannedCutoffPerQuery: Math.round(scanLimitGiB * GIB),
          resultConfiguration: {
            outputLocation: interpolate`s3://${bucket.name}/${Folder.RESULTS}/`,
            encryptionConfiguration: { encryptionOption: 'SSE_KMS', kmsKeyArn: this.keyArn },
          },
        },
        tags,
      },
      { parent: this },
    );
  }
}

/** Records all that is wrong with the arguments of a `CostExport`. */
export function checkCostExport(problems: Problems, args: CostExportArgs): void {
  checkTags(problems, args.tags);
  checkBudget(problems, args.budget);
  const { scanLimitGiB = 10, job } = args;
  // Athena API reference, "WorkGroupConfiguration": at least 10,000,000 bytes
  problems.check(
    Number.isFinite(scanLimitGiB) && scanLimitGiB >= 0.01 && scanLimitGiB <= 7 * 1024,
    'scanLimitGiB',
    scanLimitGiB,
    'be a number from 0.01 to 7168',
    'Athena takes no other limit',
  );
  for (const property of ['namespace', 'serviceAccount'] as const) {
    const value = job?.[property];
    problems.check(
      value === undefined || /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(value),
      `job.${property}`,
      value,
      'be a DNS label',
      'it names an object of Kubernetes',
    );
  }
}
