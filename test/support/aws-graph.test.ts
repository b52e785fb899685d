import { Key } from '@pulumi/aws/kms';
import { LogGroup } from '@pulumi/aws/cloudwatch';
import { ComponentResource, secret } from '@pulumi/pulumi';
import { findCycle, isTaggable, MOCK_REGION, recordGraph, type Graph } from './aws-graph';

test('records inputs, secrets, parents and dependencies', async () => {
  const graph = await recordGraph(() => {
    const parent = new ComponentResource('mediform:test:Parent', 'parent');
    const key = new Key('key', { description: secret('hidden') }, { parent, protect: true });
    new LogGroup('logs', { kmsKeyId: key.arn }, { parent });
  });
  const key = graph.only('aws:kms/key:Key');
  expect(key).toMatchObject({
    custom: true,
    secrets: ['description'],
    inputs: { description: 'hidden' },
    protect: true,
  });
  expect(graph.only('aws:cloudwatch/logGroup:LogGroup', 'logs')).toMatchObject({
    inputs: { kmsKeyId: `arn:aws:kms:${MOCK_REGION}:123456789012:key` },
    dependencies: [key.urn],
    parent: graph.only('mediform:test:Parent').urn,
    secrets: [],
  });
  expect(findCycle(graph)).toBeUndefined();
  expect(() => graph.only('aws:s3/bucket:Bucket')).toThrow('0 of aws:s3/bucket:Bucket');
});

test('what fails to register fails the run', async () => {
  await expect(
    recordGraph(() => {
      throw new Error('bad program');
    }),
  ).rejects.toThrow('bad program');
});

test('finds a cycle', () => {
  const resource = (urn: string, ...dependencies: string[]) => ({ urn, dependencies, parent: '' });
  const graph = { resources: [resource('a', 'b'), resource('b', 'c'), resource('c', 'b')] } as unknown as Graph;
  expect(findCycle(graph)).toEqual(['b', 'c', 'b']);
});

test('knows which types take tags', () => {
  expect(isTaggable('aws:ec2/vpc:Vpc')).toBe(true);
  expect(isTaggable('aws:ec2/route:Route')).toBe(false);
  expect(isTaggable('kubernetes:core/v1:Namespace')).toBe(false);
  expect(() => isTaggable('aws:ec2/nothing:Nothing')).toThrow(
    '@pulumi/aws declares nothing for aws:ec2/nothing:Nothing',
  );
});
