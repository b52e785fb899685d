import { ConfigurationError, type Problems } from '../../../constructs/plan/errors';
import { checkClusterName, type AwsComponentArgs } from '../component';
import { checkLogDays } from '../private-data';
import { checkTags } from '../tags';
import { isPrivateRange, parseCidr } from './cidr';
import { NODE_SERVICES, REQUIRED_SERVICES } from './endpoints';

/** How nodes reach what is outside of the VPC. */
export type Nat = 'per-zone' | 'single' | 'none';

/** Arguments of `Network`. */
export interface NetworkArgs extends AwsComponentArgs {
  /** Name of the EKS cluster, by whose tag `karpenter.sh/discovery` Karpenter finds the subnets of nodes. */
  readonly clusterName: string;
  /**
   * Addresses of the VPC: a private block of /16 to /20. Cannot be changed later.
   *
   * @default '10.0.0.0/16'
   */
  readonly cidr?: string;
  /**
   * Names of 2 to 6 availability zones. Name them in production: the first three may be others one day.
   *
   * @default - the first three of the region
   */
  readonly zones?: readonly string[];
  /**
   * NAT gateways for the private subnets. `per-zone` loses no zone but the one that is lost; `single` costs a third and
   * takes all zones' way out with it; `none` leaves no way to the internet: every image then comes from ECR.
   *
   * @default 'per-zone'
   */
  readonly nat?: Nat;
  /**
   * AWS services with an endpoint in the VPC, as in `com.amazonaws.<region>.<service>`; S3 always has one. `ecr.api`,
   * `ecr.dkr` and `sts` must be among them. What has none goes through NAT.
   *
   * @default ['ec2', 'ecr.api', 'ecr.dkr', 'eks', 'eks-auth', 'logs', 'sqs', 'ssm', 'sts']
   */
  readonly endpoints?: readonly string[];
  /**
   * Days for which flow logs are kept, one of those that CloudWatch Logs knows.
   *
   * @default 90
   */
  readonly logDays?: number;
}

/** Addresses of a VPC that was given none. */
export const CIDR = '10.0.0.0/16';
/** Zones of a VPC that was given none. */
export const ZONES = 3;

const NAT: readonly Nat[] = ['per-zone', 'single', 'none'];

/** Records all that is wrong with the arguments of a `Network`. */
export function checkNetwork(problems: Problems, args: NetworkArgs): void {
  const { clusterName, cidr = CIDR, zones, nat = 'per-zone', endpoints } = args;
  checkTags(problems, args.tags);
  checkLogDays(problems, args.logDays);
  checkClusterName(problems, 'clusterName', clusterName);
  const { length = 0 } = parseCidr(cidr) ?? {};
  problems.check(
    length >= 16 && length <= 20 && isPrivateRange(cidr),
    'cidr',
    cidr,
    'be a block such as 10.0.0.0/16 in 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or 100.64.0.0/10, of /16 to /20',
    'AWS takes no larger VPC, and in a smaller one a few nodes use up the addresses of the pods',
  );
  problems.check(
    zones === undefined ||
      (Array.isArray(zones) &&
        zones.length >= 2 &&
        zones.length <= 6 &&
        new Set(zones).size === zones.length &&
        zones.every((zone: unknown) => typeof zone === 'string' && /^[a-z]{2}(-[a-z]+)+-\d[a-z]$/.test(zone))),
    'zones',
    zones,
    'list 2 to 6 different availability zones such as eu-central-1a',
    'EKS needs two, and no region has more than six',
  );
  problems.check(NAT.includes(nat), 'nat', nat, `be one of ${NAT.join(', ')}`, 'there is no other way out');
  checkEndpoints(problems, endpoints, nat);
}

function checkEndpoints(problems: Problems, endpoints: readonly string[] | undefined, nat: Nat): void {
  if (endpoints === undefined) {
    return;
  }
  const listed = problems.check(
    Array.isArray(endpoints) &&
      new Set(endpoints).size === endpoints.length &&
      endpoints.every((service: unknown) => typeof service === 'string' && /^[a-z0-9-]+(\.[a-z0-9-]+)*$/.test(service)),
    'endpoints',
    endpoints,
    'list different services such as ecr.api',
    'the name of the endpoint is made from each',
  );
  if (!listed) {
    return;
  }
  problems.check(!endpoints.includes('s3'), 'endpoints', endpoints, 'not list s3', 'it always has a gateway endpoint');
  const needed = nat === 'none' ? NODE_SERVICES : REQUIRED_SERVICES;
  const missing = needed.filter((service) => !endpoints.includes(service));
  problems.check(
    missing.length === 0,
    'endpoints',
    endpoints,
    `include ${missing.join(', ')}`,
    nat === 'none' ? 'nodes without NAT reach them in no other way' : 'images and credentials come from there',
  );
}

/**
 * Zones of a network that was given none: the first three by name, so that the order in which AWS lists them is none of
 * our business.
 *
 * @throws ConfigurationError where the region has fewer
 */
export function firstZones(names: readonly string[]): readonly string[] {
  if (names.length < ZONES) {
    throw new ConfigurationError([
      `'zones' (undefined) must be given because the region has fewer than ${ZONES}: ${names.join(', ')}`,
    ]);
  }
  return [...names].sort().slice(0, ZONES);
}
