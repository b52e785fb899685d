/** Pulumi's Outputs in the properties of constructs and in the fields of objects. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import * as pulumi from '@pulumi/pulumi';
import { ApiObject, App, Chart, Yaml } from 'cdk8s';
import * as kplus from 'cdk8s-plus-27';
import fc from 'fast-check';
import { Accelerator, GpuNodePool, MedicalInferenceService } from 'mediform';
import { ChartResources, asString } from 'mediform/pulumi';
import { GPU_SERVICE } from '../support/app';
import { find, register, secretOf, type Registration } from './mock-engine';

/** Deploys a chart; the Outputs in it belong to the same run. */
async function deploy(define: (chart: Chart) => void, preview = false): Promise<Registration[]> {
  return register(() => {
    const app = new App();
    define(new Chart(app, 'imaging', { namespace: 'imaging' }));
    new ChartResources('h', { charts: app, checkDefinitions: false });
  }, preview);
}

/** The `data` of a ConfigMap, as it is registered. */
async function registeredData(data: () => unknown): Promise<unknown> {
  const all = await deploy((chart) => {
    new ApiObject(chart, 'c', {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'c' },
      data: data(),
    });
  });
  return find(all, 'kubernetes:core/v1:ConfigMap', 'h/imaging/c').inputs.data;
}

describe('asString', () => {
  it('works in every property of a service that takes text', async () => {
    const all = await deploy((chart) => {
      const bucket = pulumi.output('models-4711');
      new MedicalInferenceService(chart, 'ct', {
        image: `${asString(pulumi.output('123.dkr.ecr.eu-central-1.amazonaws.com'))}/ct:1`,
        model: {
          name: 'resnet50',
          version: asString(pulumi.output('1.2')),
          source: `s3://${asString(bucket)}/resnet50`,
        },
        gpu: {},
        env: { PORT: asString(pulumi.output(6379)), TLS: asString(pulumi.output(true)), PLAIN: asString('plain') },
        args: ['--bucket', asString(bucket)],
        serviceAccountAnnotations: { 'eks.amazonaws.com/role-arn': asString(pulumi.output('arn:aws:iam::1:role/ct')) },
        podAnnotations: { note: `in ${asString(bucket)}, ${asString(bucket)}` },
        podLabels: { shard: asString(pulumi.output('a7')) },
        monitoring: { names: { queueLength: asString(pulumi.output('waiting')) } },
      });
    });
    const { inputs } = find(all, 'kubernetes:apps/v1:Deployment', 'h/imaging/ct');
    const { template } = inputs.spec as { template: { metadata: object; spec: { containers: object[] } } };
    expect(template.metadata).toMatchObject({
      annotations: { note: 'in models-4711, models-4711' },
      labels: { shard: 'a7', 'app.kubernetes.io/version': '1.2' },
    });
    expect(template.spec.containers[0]).toMatchObject({
      image: '123.dkr.ecr.eu-central-1.amazonaws.com/ct:1',
      args: ['--bucket', 'models-4711'],
      env: expect.arrayContaining([
        { name: 'MODEL_SOURCE', value: 's3://models-4711/resnet50' },
        { name: 'PORT', value: '6379' },
        { name: 'TLS', value: 'true' },
        { name: 'PLAIN', value: 'plain' },
      ]) as unknown,
    });
    expect(find(all, 'kubernetes:core/v1:ServiceAccount', 'h/imaging/ct').inputs.metadata).toMatchObject({
      annotations: { 'eks.amazonaws.com/role-arn': 'arn:aws:iam::1:role/ct' },
    });
    // the scheme is there to be seen, so that the way out is open
    expect(find(all, 'kubernetes:networking.k8s.io/v1:NetworkPolicy', 'h/imaging/ct').inputs.spec).toMatchObject({
      egress: [{}, { to: [{ ipBlock: { cidr: '0.0.0.0/0' } }] }],
    });
    expect(JSON.stringify(find(all, 'kubernetes:monitoring.coreos.com/v1:PrometheusRule', 'h/imaging/ct'))).toContain(
      'waiting{',
    );
    expect(JSON.stringify(all)).not.toContain('unresolved');
  });

  it('works for clusters and roles of node pools', async () => {
    const all = await deploy((chart) => {
      const cluster = { name: asString(pulumi.output('prod')), nodeRole: asString(pulumi.output('prod-nodes')) };
      new GpuNodePool(chart, 'gpu', { cluster, accelerators: [Accelerator.A10G], maxGpus: 8 });
    });
    const { inputs } = find(all, 'kubernetes:karpenter.k8s.aws/v1:EC2NodeClass', 'h/gpu');
    expect(inputs.spec).toMatchObject({
      role: 'prod-nodes',
      subnetSelectorTerms: [{ tags: { 'karpenter.sh/discovery': 'prod' } }],
    });
  });

  it('works in the middle of YAML in a ConfigMap, and in those of cdk8s-plus', async () => {
    const all = await deploy((chart) => {
      const host = asString(pulumi.output('cache.example'));
      const text = Yaml.stringify({ caches: [{ url: `rediss://${host}:6379`, tls: true }], list: [host] });
      new kplus.ConfigMap(chart, 'c', { metadata: { name: 'c' }, data: { 'config.yaml': text } });
    });
    expect(find(all, 'kubernetes:core/v1:ConfigMap', 'h/imaging/c').inputs.data).toEqual({
      'config.yaml': 'caches:\n  - url: rediss://cache.example:6379\n    tls: true\nlist:\n  - cache.example\n',
    });
  });

  it('puts any values back where they were, in any text', async () => {
    const part = fc.oneof(
      fc.string().map((plain) => ({ plain })),
      fc.string().map((late) => ({ late })),
    );
    const texts = fc.array(fc.array(part), { minLength: 1, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(texts, async (given) => {
        const write = (parts: readonly ({ plain: string } | { late: string })[]): string =>
          parts.map((p) => ('plain' in p ? p.plain : asString(pulumi.output(p.late)))).join('');
        const data = await registeredData(() => ({ texts: given.map(write) }));
        expect(data).toEqual({
          texts: given.map((parts) => parts.map((p) => ('plain' in p ? p.plain : p.late)).join('')),
        });
      }),
      { numRuns: 25 },
    );
  });

  it('survives a URL, which makes all letters small', async () => {
    const url = (): string => new URL(`HTTPS://${asString(pulumi.output('Cache.example'))}:6379/x`).href;
    expect(await registeredData(() => ({ url: url() }))).toEqual({ url: 'https://Cache.example:6379/x' });
  });

  it('is the same text for the same Output, and another for another', () => {
    const [a, b] = [pulumi.output('same'), pulumi.output('same')];
    expect(asString(a)).toBe(asString(a));
    expect(asString(a)).not.toBe(asString(b));
  });

  it('keeps a secret one, alone and within text; what is beside it stays readable', async () => {
    const data = await registeredData(() => {
      const password = pulumi.secret('hunter2');
      const host = pulumi.output('db');
      return { alone: asString(password), url: `pg://u:${asString(password)}@${asString(host)}`, host: asString(host) };
    });
    expect(data).toEqual({ alone: secretOf('hunter2'), url: secretOf('pg://u:hunter2@db'), host: 'db' });
  });

  it('waits for the resource that the Output is of', async () => {
    class Bucket extends pulumi.CustomResource {
      declare readonly bucket: pulumi.Output<string>;
    }
    const all = await deploy((chart) => {
      const bucket = new Bucket('aws:s3/bucket:Bucket', 'models', { bucket: 'models-1' });
      new MedicalInferenceService(chart, 'ct', { ...GPU_SERVICE, env: { BUCKET: asString(bucket.bucket) } });
    });
    expect(find(all, 'kubernetes:apps/v1:Deployment', 'h/imaging/ct').dependsOn).toContain('models');
    expect(find(all, 'kubernetes:core/v1:Service', 'h/imaging/ct').dependsOn).toEqual([]);
  });

  it('leaves what a preview does not know unknown', async () => {
    const all = await deploy((chart) => {
      // mocks know every output; a property that the resource was not given stays unknown
      class Bucket extends pulumi.CustomResource {
        declare readonly bucket: pulumi.Output<string>;
      }
      const unknown = new Bucket('aws:s3/bucket:Bucket', 'models', { bucket: undefined }).bucket;
      new ApiObject(chart, 'c', {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'c' },
        data: { a: `x-${asString(unknown)}` },
      });
    }, true);
    expect(find(all, 'kubernetes:core/v1:ConfigMap', 'h/imaging/c').inputs.data).toEqual({
      a: '04da6b54-80e4-46f7-96ec-b56ff0331ba9',
    });
  });
});

it('is told by its field, and without its value, where an Output holds no text', () => {
  // in a process of its own: Pulumi tells of it by an unhandled rejection
  const program = `
    const pulumi = require('@pulumi/pulumi');
    const { ApiObject, App, Chart } = require('cdk8s');
    const { ChartResources, asString } = require('./stacks/index.ts');
    pulumi.runtime.setMocks({ newResource: ({ name, inputs }) => ({ id: name, state: inputs }), call: () => ({}) });
    const chart = new Chart(new App(), 'c');
    const data = { subnets: 'of ' + asString(pulumi.secret(['subnet-1'])) };
    new ApiObject(chart, 'c', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' }, data });
    new ChartResources('h', { charts: chart });`;
  const options = { cwd: join(__dirname, '../..'), encoding: 'utf8' } as const;
  const { status, stderr } = spawnSync(process.execPath, ['--import', 'tsx', '-e', program], options);
  expect(status).not.toBe(0);
  expect(stderr).toContain("'data.subnets' (an Output that holds a list) must be text, a number or a boolean");
  expect(stderr).not.toMatch(/subnet-1(?!'\])/);
}, 120_000);

describe('fields of objects', () => {
  it('hold Outputs of any type themselves', async () => {
    const data = await registeredData(() => ({
      number: pulumi.output(3),
      list: [pulumi.output({ a: 1 }), 'plain'],
      secret: pulumi.secret('x'),
    }));
    expect(data).toEqual({ number: 3, list: [{ a: 1 }, 'plain'], secret: secretOf('x') });
  });

  it('leave the app as it was', () => {
    const app = new App();
    const before = [...app.resolvers];
    new Chart(app, 'c');
    return register(() => new ChartResources('h', { charts: app })).then(() => expect(app.resolvers).toEqual(before));
  });
});
