import type { Input } from '@pulumi/pulumi';
import type { Problems } from '../../../constructs/plan/errors';
import { checkClusterName, type AwsComponentArgs } from '../component';
import { isPrivateRange, overlap, parseCidr } from '../network/cidr';
import { checkLogDays } from '../private-data';
import { checkTags } from '../tags';
import { checkVersions, type AddOnVersions } from './versions';
import { checkSystemNodes, type SystemNodesOptions } from './system-nodes';

/** What somebody may do in the cluster: `cluster-admin` everything, the others by Kubernetes' own roles of that name. */
export type AccessLevel = 'cluster-admin' | 'admin' | 'edit' | 'view';

/** An IAM role or user that may use the Kubernetes API. */
export interface ClusterAccess {
  /** ARN of the role or user. */
  readonly principalArn: Input<string>;
  readonly level: AccessLevel;
  /**
   * Namespaces that it is for.
   *
   * @default - all
   */
  readonly namespaces?: readonly string[];
}

/** Arguments of `Cluster`. */
export interface ClusterArgs extends AwsComponentArgs {
  /** Name of the EKS cluster. Cannot be changed later. */
  readonly clusterName: string;
  /** Private subnets in at least two zones. */
  readonly subnetIds: readonly Input<string>[];
  /**
   * Addresses of the VPC, which those of Services must not overlap.
   *
   * @default - not checked
   */
  readonly vpcCidr?: string;
  /**
   * Kubernetes version.
   *
   * @default '1.34'
   */
  readonly version?: string;
  /**
   * Versions of the core add-ons. All are needed where `version` is not the default, since they go with it.
   *
   * @default - those that go with the default version
   */
  readonly addOnVersions?: AddOnVersions;
  /**
   * Who may reach the Kubernetes API over the internet, as blocks of addresses.
   *
   * @default - nobody: it is reached from the VPC, and from what is connected with it
   */
  readonly publicAccessCidrs?: readonly string[];
  /**
   * Who may reach the Kubernetes API over what is connected with the VPC, such as a VPN of the hospital, as blocks of
   * addresses.
   *
   * @default - nodes of the cluster alone
   */
  readonly privateAccessCidrs?: readonly string[];
  /**
   * Addresses of Services. Cannot be changed later.
   *
   * @default '172.20.0.0/16'
   */
  readonly serviceCidr?: string;
  /**
   * Who may use the Kubernetes API, by a name for each.
   *
   * @default - nobody but the creator
   */
  readonly access?: { readonly [name: string]: ClusterAccess };
  /**
   * Whether the IAM identity that creates the cluster is an administrator of it, as whoever installs charts in the same
   * run must be. Cannot be changed later without a new cluster.
   *
   * @default true
   */
  readonly creatorIsAdmin?: boolean;
  /**
   * Refuse to delete the cluster.
   *
   * @default true
   */
  readonly deletionProtection?: boolean;
  /**
   * Days for which logs of the control plane are kept, audit log included; one of those that CloudWatch Logs knows.
   *
   * @default 365
   */
  readonly logDays?: number;
  /** @default - as on `SystemNodesOptions` */
  readonly systemNodes?: SystemNodesOptions;
}

export const SERVICE_CIDR = '172.20.0.0/16';
const LEVELS: readonly AccessLevel[] = ['cluster-admin', 'admin', 'edit', 'view'];

/** Records all that is wrong with the arguments of a `Cluster`. */
export function checkCluster(problems: Problems, args: ClusterArgs): void {
  const { access = {}, creatorIsAdmin = true, publicAccessCidrs, privateAccessCidrs } = args;
  checkTags(problems, args.tags);
  checkClusterName(problems, 'clusterName', args.clusterName);
  checkVersions(problems, args.version, args.addOnVersions);
  checkLogDays(problems, args.logDays);
  checkSystemNodes(problems, args.systemNodes ?? {});
  problems.check(
    args.subnetIds?.length >= 2,
    'subnetIds',
    args.subnetIds?.length,
    'list subnets of at least two zones',
    'EKS needs them for the control plane',
  );
  checkServiceCidr(problems, args);
  checkCidrs(problems, 'publicAccessCidrs', publicAccessCidrs);
  problems.check(
    !(publicAccessCidrs?.some((cidr) => cidr.endsWith('/0')) ?? false),
    'publicAccessCidrs',
    publicAccessCidrs,
    'name who may reach it',
    'an API server that all of the internet reaches is attacked by all of it',
  );
  checkCidrs(problems, 'privateAccessCidrs', privateAccessCidrs);
  for (const [name, entry] of Object.entries(access)) {
    checkAccess(problems, `access.${name}`, entry);
  }
  problems.check(
    creatorIsAdmin || Object.values(access).some(({ level }) => level === 'cluster-admin'),
    'access',
    Object.keys(access),
    "give somebody the level cluster-admin where 'creatorIsAdmin' is false",
    'nobody could administer the cluster',
  );
}

function checkServiceCidr(problems: Problems, { serviceCidr = SERVICE_CIDR, vpcCidr }: ClusterArgs): void {
  const { length = 0 } = parseCidr(serviceCidr) ?? {};
  problems.check(
    isPrivateRange(serviceCidr) && length >= 12 && length <= 24 && !serviceCidr.startsWith('100.'),
    'serviceCidr',
    serviceCidr,
    'be a block of /12 to /24 in 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16',
    'EKS takes no other',
  );
  problems.check(
    vpcCidr === undefined || !overlap(vpcCidr, serviceCidr),
    'serviceCidr',
    serviceCidr,
    `not overlap ${String(vpcCidr)}`,
    'pods could not tell Services from hosts of the VPC',
  );
}

function checkCidrs(problems: Problems, property: string, cidrs: readonly string[] | undefined): void {
  problems.check(
    cidrs === undefined ||
      (Array.isArray(cidrs) && cidrs.length > 0 && cidrs.every((cidr) => parseCidr(cidr) !== undefined)),
    property,
    cidrs,
    'list blocks of addresses such as 203.0.113.0/24',
    'AWS takes no others; leave it out for nobody',
  );
}

function checkAccess(problems: Problems, property: string, { principalArn, level, namespaces }: ClusterAccess): void {
  problems.check(
    typeof principalArn !== 'string' || /^arn:[\w-]+:iam::\d{12}:(role|user)\/.+$/.test(principalArn),
    `${property}.principalArn`,
    principalArn,
    'be the ARN of an IAM role or user',
    'EKS knows people and programs by it; of a session, take the role',
  );
  problems.check(
    LEVELS.includes(level),
    `${property}.level`,
    level,
    `be one of ${LEVELS.join(', ')}`,
    'access is never guessed',
  );
  problems.check(
    namespaces === undefined || (namespaces.length > 0 && level !== 'cluster-admin'),
    `${property}.namespaces`,
    namespaces,
    'list at least one, and not go with cluster-admin',
    'an administrator of the cluster is one in all namespaces',
  );
}
