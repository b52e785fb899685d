/** Pulumi's Outputs in the properties of constructs and in the fields of objects. */
import * as pulumi from '@pulumi/pulumi';
import { ApiObject, App, Chart, Duration, JsonPatch, Yaml, type ApiObjectProps } from 'cdk8s';
import * as kplus from 'cdk8s-plus-27';
import fc from 'fast-check';
import {
  GpuNodePool,
  Accelerator,
  MedicalInferenceService,
  NodePool,
  type MedicalInferenceServiceProps,
} from 'mediform';
import { ChartResources, asString } from 'mediform/pulumi';
import { GPU_SERVICE } from '../support/app';
import { find, register, secretOf, type Registration } from './mock-engine';

/** An Output where the types want something else, as plain JavaScript could pass it. */
function untyped<T>(value: unknown): T {
  return pulumi.output(value) as unknown as T;
}

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
    } as ApiObjectProps);
  });
  return find(all, 'kubernetes:core/v1:ConfigMap', 'h/imaging/c').inputs.data;
}

async function refusal(define: (chart: Chart) => void): Promise<string> {
  let message = '';
  const registered = await register(() => {
    try {
      const app = new App();
      define(new Chart(app, 'imaging', { namespace: 'imaging' }));
      new ChartResources('h', { charts: app });
    } catch (error) {
      ({ message } = error as Error);
    }
  });
  expect(registered).toEqual([]);
  return message;
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
      } as ApiObjectProps);
    }, true);
    expect(find(all, 'kubernetes:core/v1:ConfigMap', 'h/imaging/c').inputs.data).toEqual({
      a: '04da6b54-80e4-46f7-96ec-b56ff0331ba9',
    });
  });
});

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

describe('refused, in one message before anything is registered:', () => {
  const LATE = '<known only when deployed>';

  it.each<[string, Partial<MedicalInferenceServiceProps>, string]>([
    ['a number', { port: untyped(80) }, 'port'],
    ['a number within', { scaling: { maxReplicas: untyped(8) } }, 'scaling.maxReplicas'],
    ['a number in a list', { network: { egress: [{ ports: [untyped(5432)] }] } }, 'network.egress.0.ports.0'],
    ['a duration', { modelLoadTime: untyped(60) }, 'modelLoadTime'],
    ['text', { image: untyped('ct:1') }, 'image'],
  ])('an Output itself as %s', async (_, props, property) => {
    expect(await refusal((chart) => void new MedicalInferenceService(chart, 'ct', { ...GPU_SERVICE, ...props }))).toBe(
      `[imaging/ct] '${property}' (${LATE}) must be a plain value because all is planned before anything is deployed; where text is taken, asString(output) stands for it`,
    );
  });

  it('several of them, in node pools too', async () => {
    const message = await refusal((chart) => {
      const cluster = { name: untyped<string>('prod') };
      new NodePool(chart, 'compute', { cluster, type: 'compute-optimized', maxCpu: untyped(8), maxMemory: untyped(1) });
    });
    expect(message.split('\n').map((line) => /'(.*?)'/.exec(line)?.[1])).toEqual([
      'cluster.name',
      'maxCpu',
      'maxMemory',
    ]);
  });

  it.each<[string, () => Partial<MedicalInferenceServiceProps>, string]>([
    ['the number of an Output', () => ({ cpu: Number(asString(pulumi.output(2))) }), "'cpu' (NaN) must"],
    ['a name', () => ({ name: asString(pulumi.output('ct')) }), `'name' (${LATE}) must be a DNS label`],
    [
      'a namespace',
      () => ({ namespace: `a-${asString(pulumi.output('b'))}` }),
      `'namespace' (a-${LATE}) must be given, here or on the chart, and be a DNS label`,
    ],
    [
      'a source without its scheme',
      () => ({ model: { name: 'm', version: '1', source: asString(pulumi.output('s3://m')) } }),
      `'model.source' (${LATE}) must begin with its scheme, such as s3://, or network.egress be given`,
    ],
  ])('text for %s', async (_, props, message) => {
    expect(
      await refusal((chart) => void new MedicalInferenceService(chart, 'ct', { ...GPU_SERVICE, ...props() })),
    ).toContain(`[imaging/ct] ${message}`);
  });

  it('an identity of an object that is not known', async () => {
    const message = await refusal((chart) => {
      const metadata = { name: asString(pulumi.output('c')), namespace: asString(pulumi.output('n')) };
      new ApiObject(chart, 'c', { apiVersion: 'v1', kind: 'ConfigMap', metadata });
    });
    expect(
      message
        .split('\n')
        .slice(1)
        .map((line) => line.trim()),
    ).toEqual([
      `[imaging/c] 'metadata.name' (${LATE}) must be known because its resource is named after it`,
      `[imaging/c] 'metadata.namespace' (${LATE}) must be known because its resource is named after it`,
    ]);
  });

  it('an Output that became text by itself', async () => {
    const output = pulumi.output('x');
    const message = await refusal((chart) => {
      // eslint-disable-next-line @typescript-eslint/restrict-template-expressions, @typescript-eslint/no-base-to-string
      const service = new MedicalInferenceService(chart, 'ct', { ...GPU_SERVICE, env: { A: `a-${output}` } });
      service.service.metadata.addAnnotation('a', 'b');
      service.deployment.addJsonPatch(JsonPatch.add('/spec/paused', output));
    });
    expect(message).toContain(
      "[imaging/ct/Deployment] 'spec.template.spec.containers[0].env[3].value' (an Output used as text) must be made with asString(output)",
    );
    expect(message).toContain("[imaging/ct/Deployment] 'spec.paused' (an Output used as text)");
  });

  it('an Output as a key, and a placeholder of nobody', async () => {
    const message = await refusal((chart) => {
      const data = { [asString(pulumi.output('key'))]: 'a', b: 'late_value_987654_unresolved' };
      new ApiObject(chart, 'c', {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'c' },
        data,
      } as ApiObjectProps);
    });
    expect(message).toContain(`[imaging/c] 'data' (the key ${LATE}) must have keys that are known`);
    expect(message).toContain(
      "[imaging/c] 'data.b' (late_value_987654_unresolved) must hold placeholders of this process only",
    );
  });

  it('nothing that only looks like one', () => {
    const chart = new Chart(new App(), 'imaging', { namespace: 'imaging' });
    const props = { ...GPU_SERVICE, modelLoadTime: Duration.minutes(3), env: { __pulumiOutput: 'true' } };
    expect(new MedicalInferenceService(chart, 'ct', props).plan.modelLoadSeconds).toBe(180);
  });
});
