import { PodIdentityAssociation } from '@pulumi/aws/eks';
import { Role, RolePolicy } from '@pulumi/aws/iam';
import { CustomResource } from '@pulumi/kubernetes/apiextensions';
import { all, ComponentResource, type ComponentResourceOptions, type Input, type Resource } from '@pulumi/pulumi';
import type { Problems } from '../../constructs/plan/errors';
import { CHARTS } from './add-ons/charts';
import { helmRelease } from './add-ons/release';
import { assertValid, type AwsComponentArgs } from './component';
import { awsLocation } from './location';
import { policy, podIdentityTrust } from './policy';
import { readSecrets } from './private-data';
import { checkTags, serviceTags, type Tags } from './tags';

/** A secret that pods read. */
export interface SyncedSecret {
  /** Name of the Kubernetes Secret. Its keys are those of the JSON in Secrets Manager. */
  readonly name: string;
  /** Namespaces that it is needed in; those that are made later get it then. */
  readonly namespaces: readonly string[];
  /** ARN of the secret in Secrets Manager, such as `ValkeyCache.secretArn` or `Database.adminSecretArn`. */
  readonly secretArn: Input<string>;
  /** ARN of the KMS key that encrypts it. */
  readonly keyArn: Input<string>;
}

/** Arguments of `SecretSync`. */
export interface SecretSyncArgs extends AwsComponentArgs {
  /** Name of the EKS cluster. */
  readonly clusterName: Input<string>;
  /** What is brought into the cluster, and where to. */
  readonly secrets: readonly SyncedSecret[];
  /**
   * Seconds after which a changed secret is in the cluster, 60 or more. RDS changes its administrator's password once a week.
   *
   * @default 300
   */
  readonly refreshSeconds?: number;
}

const STORE = 'mediform-aws';
const SERVICE_ACCOUNT = 'external-secrets';
const API_VERSION = 'external-secrets.io/v1';

/**
 * Brings secrets of AWS Secrets Manager into the cluster as Kubernetes Secrets, and keeps them up to date: by the External
 * Secrets operator, whose role reads these secrets and no others. Values are in no program, configuration or state of Pulumi.
 *
 * Cost: 0.05 USD for 10,000 reads: about 0.05 USD a month for each secret and namespace.
 *
 * @throws ConfigurationError that lists all wrong arguments with the component's name
 */
export class SecretSync extends ComponentResource {
  constructor(name: string, args: SecretSyncArgs, options?: ComponentResourceOptions) {
    assertValid(name, (problems) => checkSecretSync(problems, args));
    super('mediform:aws:SecretSync', name, {}, options);
    const access = this.access(name, args, serviceTags(args.tags, 'add-ons'));
    const operator = helmRelease(name, 'external-secrets', externalSecretsValues(), this, access);
    const store = new CustomResource(
      `${name}-store`,
      {
        apiVersion: API_VERSION,
        kind: 'ClusterSecretStore',
        metadata: { name: STORE },
        spec: awsLocation({ parent: this }).apply(({ region }) => ({
          // without credentials of its own it uses those of the operator's pods
          provider: { aws: { service: 'SecretsManager', region } },
        })),
      },
      { parent: this, dependsOn: [operator] },
    );
    for (const secret of args.secrets) {
      this.sync(name, secret, args.refreshSeconds ?? 300, store);
    }
    this.registerOutputs({});
  }

  /** Makes the role of the operator, and gives it to its pods. */
  private access(name: string, args: SecretSyncArgs, tags: Tags): Resource[] {
    const role = new Role(
      `${name}-reader`,
      {
        description: `Reads the secrets of ${name} for the cluster`,
        assumeRolePolicy: JSON.stringify(podIdentityTrust()),
        tags,
      },
      { parent: this },
    );
    const arns = args.secrets.map(({ secretArn, keyArn }) => all([secretArn, keyArn]));
    const statements = all([awsLocation({ parent: this }), all(arns)]).apply(([{ region }, pairs]) => {
      const keys = [...new Set(pairs.map(([, keyArn]) => keyArn))];
      return readSecrets([...new Set(pairs.map(([secretArn]) => secretArn))], keys, region);
    });
    const rights = new RolePolicy(
      `${name}-reader`,
      { role: role.id, policy: statements.apply((list) => JSON.stringify(policy(...list))) },
      { parent: this },
    );
    const association = new PodIdentityAssociation(
      `${name}-reader`,
      {
        clusterName: args.clusterName,
        namespace: CHARTS['external-secrets'].namespace,
        serviceAccount: SERVICE_ACCOUNT,
        roleArn: role.arn,
        tags,
      },
      { parent: this },
    );
    return [rights, association];
  }

  private sync(name: string, secret: SyncedSecret, refreshSeconds: number, store: Resource): void {
    new CustomResource(
      `${name}-${secret.name}`,
      {
        apiVersion: API_VERSION,
        kind: 'ClusterExternalSecret',
        metadata: { name: secret.name },
        spec: {
          externalSecretName: secret.name,
          namespaceSelectors: secret.namespaces.map((namespace) => ({
            matchLabels: { 'kubernetes.io/metadata.name': namespace },
          })),
          refreshTime: '1m',
          externalSecretSpec: {
            refreshInterval: `${refreshSeconds}s`,
            secretStoreRef: { kind: 'ClusterSecretStore', name: STORE },
            target: { name: secret.name, creationPolicy: 'Owner', deletionPolicy: 'Retain' },
            dataFrom: [{ extract: { key: secret.secretArn } }],
          },
        },
      },
      { parent: this, dependsOn: [store] },
    );
  }
}

/** Values of the chart `external-secrets`. */
export function externalSecretsValues(): { readonly [value: string]: unknown } {
  return {
    replicaCount: 2,
    leaderElect: true,
    podDisruptionBudget: { enabled: true, minAvailable: 1 },
    serviceAccount: { name: SERVICE_ACCOUNT },
  };
}

/** Records all that is wrong with the arguments of a `SecretSync`. */
export function checkSecretSync(problems: Problems, args: SecretSyncArgs): void {
  checkTags(problems, args.tags);
  const { secrets, refreshSeconds } = args;
  problems.check(
    refreshSeconds === undefined || (Number.isInteger(refreshSeconds) && refreshSeconds >= 60),
    'refreshSeconds',
    refreshSeconds,
    'be a whole number of at least 60',
    'every read of every secret is paid for',
  );
  const listed = problems.check(
    Array.isArray(secrets) && secrets.length > 0,
    'secrets',
    secrets,
    'list at least one',
    'there is nothing to bring',
  );
  if (!listed) {
    return;
  }
  secrets.forEach(({ name, namespaces }, index) => {
    problems.check(
      DNS_NAME.test(name) && secrets.findIndex((other) => other.name === name) === index,
      `secrets[${index}].name`,
      name,
      'be a DNS label that no other has',
      'it names a Secret in its namespaces',
    );
    problems.check(
      Array.isArray(namespaces) &&
        namespaces.length > 0 &&
        namespaces.every((namespace: unknown) => DNS_NAME.test(String(namespace))),
      `secrets[${index}].namespaces`,
      namespaces,
      'list at least one namespace',
      'nobody could read it',
    );
  });
}

const DNS_NAME = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
