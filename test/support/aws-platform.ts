import { planGpuNodePool, planNodePool, planSpotBatchPool } from '../../constructs/plan/node-pools/plan';
import { AwsPlatform } from '../../stacks/aws/platform';
import type { AwsPlatformArgs } from '../../stacks/aws/platform-args';
import { recordGraph, type Graph, type MockOptions } from './aws-graph';
import { TAGS } from './aws-stores';

const cluster = { name: 'hospital', nodeRole: 'hospital-nodes' };
const tags = { service: 'node-pools', environment: 'test', 'cost-centre': 'radiology' };

/** Pools of both kinds, with and without GPUs. */
export const POOLS = {
  gpu: planGpuNodePool({ name: 'gpu', cluster, accelerators: ['l4'], maxGpus: 8, gpusPerNode: [1], tags }),
  compute: planNodePool({ name: 'compute', cluster, type: 'compute-optimized', maxCpu: 64, tags }),
  batch: planSpotBatchPool({ name: 'batch', cluster, maxCpu: 64, tags }),
};

/** The least arguments of a platform with pools of both kinds. */
export const PLATFORM: AwsPlatformArgs = {
  tags: TAGS,
  clusterName: 'hospital',
  pools: [
    { provisioner: 'karpenter', spec: POOLS.gpu },
    { provisioner: 'managed', spec: POOLS.compute, nodeSize: '2xlarge' },
  ],
  costExport: { budget: { monthlyUsd: 20_000, alarmEmails: ['finance@hospital.example'] } },
};

/** What the provider would answer to the parts of a platform. */
export const MOCKS: MockOptions = {
  calls: { 'aws:secretsmanager/getRandomPassword:getRandomPassword': { randomPassword: 'drawn' } },
  outputs: {
    'aws:elasticache/cluster:Cluster': () => ({ cacheNodes: [{ id: '0001', address: 'cache', port: 11211 }] }),
    'aws:rds/instance:Instance': () => ({ masterUserSecrets: [{ secretArn: 'arn:secret' }], resourceId: 'db' }),
    'aws:s3/bucket:Bucket': (name) => ({ bucket: name }),
  },
};

/** Registers a platform on mocks. */
export async function platformGraph(
  args: Partial<AwsPlatformArgs> = {},
  use: (platform: AwsPlatform) => void = () => undefined,
): Promise<Graph> {
  return recordGraph(() => use(new AwsPlatform('mediform', { ...PLATFORM, ...args })), MOCKS);
}
