import { planNodePool } from '../../constructs/plan/node-pools/plan';
import { cpu, cpuProblems, gpuProblems } from '../support/node-pools';

describe('what all pools share', () => {
  test('labels, tags, image and role', () => {
    const spec = planNodePool({
      ...cpu,
      cluster: { name: 'hospital', nodeRole: 'nodes' },
      labels: { team: 'radiology', 'node-restriction.kubernetes.io/zone': 'a' },
      tags: { 'cost-center': '42' },
      amiAlias: 'bottlerocket@1.53.0',
    });
    expect(spec.labels).toEqual({
      team: 'radiology',
      'node-restriction.kubernetes.io/zone': 'a',
      'node-type': 'compute-optimized',
    });
    expect(spec.nodeClass).toMatchObject({
      nodeRole: 'nodes',
      amiAlias: 'bottlerocket@1.53.0',
      tags: { 'cost-center': '42', 'mediform.io/node-pool': 'cpu' },
    });
  });

  const nameRule =
    'must be at most 63 lower-case letters, digits and inner hyphens because it names Kubernetes objects and is the value of a node label';
  const clusterRule =
    'must be the name of an EKS cluster because subnets, security groups and the node role are found by it';
  const roleRule =
    'must be the name of an IAM role, at most 64 characters because Karpenter makes the instance profile from it';
  const zoneRule =
    'must list at least one availability zone such as eu-central-1a because no node could be launched anywhere else';
  const amiRule =
    'must be al2023 or bottlerocket, then @ and a version or latest because only of these is the layout of the volumes known';
  const weightRule = 'must be a whole number from 1 to 100 because Karpenter takes no other';
  const labelRule =
    'must be a Kubernetes label: at most 63 letters, digits and inner - _ . in key and value because Kubernetes refuses the node otherwise';
  const tagRule = 'must have a key of 1 to 128 and a value of at most 256 characters because EC2 takes no others';
  test.each<[object, string]>([
    ...['', 'GPU', '-a', 'a.b', 'a'.repeat(64), 7].map((name): [object, string] => [
      { name },
      `'name' (${name}) ${nameRule}`,
    ]),
    [{ cluster: { name: '' } }, `'cluster.name' () ${clusterRule}`],
    [{ cluster: undefined }, `'cluster.name' (undefined) ${clusterRule}`],
    [{ cluster: { name: 'a'.repeat(60) } }, `'cluster.nodeRole' (KarpenterNodeRole-${'a'.repeat(60)}) ${roleRule}`],
    [
      { cluster: { name: 'a', nodeRole: 'arn:aws:iam::1:role/nodes' } },
      `'cluster.nodeRole' (arn:aws:iam::1:role/nodes) ${roleRule}`,
    ],
    [{ zones: [] }, `'zones' ([]) ${zoneRule}`],
    [{ zones: ['eu-central-1'] }, `'zones' (["eu-central-1"]) ${zoneRule}`],
    [{ amiAlias: 'al2@latest' }, `'amiAlias' (al2@latest) ${amiRule}`],
    [{ amiAlias: 'al2023' }, `'amiAlias' (al2023) ${amiRule}`],
    ...[0, 101, 1.5, NaN].map((weight): [object, string] => [{ weight }, `'weight' (${weight}) ${weightRule}`]),
    [{ labels: { 'a b': 'x' } }, `'labels.a b' (x) ${labelRule}`],
    [{ labels: { a: 'x y' } }, `'labels.a' (x y) ${labelRule}`],
    [{ labels: { a: 1 } }, `'labels.a' (1) ${labelRule}`],
    [
      { labels: { accelerator: 'none' } },
      `'labels.accelerator' (none) must not be given because its value follows from the other options of the pool`,
    ],
    [
      { labels: { 'app.kubernetes.io/name': 'x' } },
      `'labels.app.kubernetes.io/name' (x) must not be given because Karpenter reserves labels of app.kubernetes.io`,
    ],
    [{ tags: { a: 1 } }, `'tags.a' (1) ${tagRule}`],
    [{ tags: { '': 'x' } }, `'tags.' (x) ${tagRule}`],
    ...[
      'aws:x',
      'kubernetes.io/cluster/hospital',
      'karpenter.sh/nodepool',
      'eks:eks-cluster-name',
      'mediform.io/node-pool',
    ].map((key): [object, string] => [
      { tags: { [key]: 'x' } },
      `'tags.${key}' (x) must not be given because AWS, Karpenter or this library sets it`,
    ]),
  ])('refuses %j', (change, message) => {
    expect(cpuProblems(change)).toEqual([message]);
  });

  test('tells all that is wrong at once', () => {
    expect(
      gpuProblems({ name: '', maxGpus: 0, weight: 0, reservedFor: 'x', consolidateAfterSeconds: -1 }),
    ).toHaveLength(5);
  });
});
