/** One statement of an IAM policy. */
export interface PolicyStatement {
  readonly Sid?: string;
  readonly Effect: 'Allow' | 'Deny';
  /** Service or account principals; only in resource and trust policies. */
  readonly Principal?: '*' | { readonly [kind in 'AWS' | 'Service']?: string | readonly string[] };
  readonly Action: string | readonly string[];
  /** ARNs; absent in trust policies. */
  readonly Resource?: string | readonly string[];
  readonly Condition?: { readonly [operator: string]: { readonly [key: string]: string | readonly string[] } };
}

/** An IAM policy, as plain data. */
export interface PolicyDocument {
  readonly Version: '2012-10-17';
  readonly Statement: readonly PolicyStatement[];
}

/** The AWS account and region that a component is created in. */
export interface AwsLocation {
  /** 12 digits. */
  readonly accountId: string;
  /** Such as `eu-central-1`. */
  readonly region: string;
  /** `aws`, `aws-cn`, `aws-us-gov`. */
  readonly partition: string;
}

/** A policy of these statements. */
export function policy(...statements: readonly PolicyStatement[]): PolicyDocument {
  return { Version: '2012-10-17', Statement: statements };
}

/** Trust policy of a role that a service of AWS takes on for this account's resources alone. */
export function serviceTrust(service: string, { accountId }: Pick<AwsLocation, 'accountId'>): PolicyDocument {
  return policy({
    Effect: 'Allow',
    Principal: { Service: service },
    Action: 'sts:AssumeRole',
    // the "confused deputy" guard of the IAM user guide
    Condition: { StringEquals: { 'aws:SourceAccount': accountId } },
  });
}

/** Trust policy of a role that pods take on by EKS Pod Identity. */
export function podIdentityTrust(): PolicyDocument {
  // EKS user guide, "Create IAM role with trust policy required by EKS Pod Identity"
  return policy({
    Effect: 'Allow',
    Principal: { Service: 'pods.eks.amazonaws.com' },
    Action: ['sts:AssumeRole', 'sts:TagSession'],
  });
}
