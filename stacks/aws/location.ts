import { getCallerIdentityOutput } from '@pulumi/aws/getCallerIdentity';
import { getPartitionOutput } from '@pulumi/aws/getPartition';
import { getRegionOutput } from '@pulumi/aws/getRegion';
import { all, type InvokeOutputOptions, type Output } from '@pulumi/pulumi';
import type { AwsLocation } from './policy';

/** Where the provider of a component creates resources: `awsLocation({ parent: this })`. */
export function awsLocation(options: InvokeOutputOptions): Output<AwsLocation> {
  const identity = getCallerIdentityOutput({}, options);
  const region = getRegionOutput({}, options);
  const partition = getPartitionOutput({}, options);
  return all([identity.accountId, region.region, partition.partition]).apply(([accountId, regionName, name]) => ({
    accountId,
    region: regionName,
    partition: name,
  }));
}
