/** Outputs where the library must know the value. */
import * as pulumi from '@pulumi/pulumi';
import { ApiObject, App, Chart, Duration, JsonPatch } from 'cdk8s';
import { MedicalInferenceService, NodePool, type MedicalInferenceServiceProps } from 'mediform';
import { ChartResources, asString } from 'mediform/pulumi';
import { GPU_SERVICE } from '../support/app';
import { register } from './mock-engine';

/** An Output where the types want something else, as plain JavaScript could pass it. */
function untyped<T>(value: unknown): T {
  return pulumi.output(value);
}

async function refusal(define: (chart: Chart) => unknown): Promise<string> {
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

describe('refused, in one message before anything is registered:', () => {
  const LATE = '<known only when deployed>';

  it.each<[string, Partial<MedicalInferenceServiceProps>, string]>([
    ['a number', { port: untyped(80) }, 'port'],
    ['a number within', { scaling: { maxReplicas: untyped(8) } }, 'scaling.maxReplicas'],
    ['a number in a list', { network: { egress: [{ ports: [untyped(5432)] }] } }, 'network.egress.0.ports.0'],
    ['a duration', { modelLoadTime: untyped(60) }, 'modelLoadTime'],
    ['text', { image: untyped('ct:1') }, 'image'],
  ])('an Output itself as %s', async (_, props, property) => {
    expect(await refusal((chart) => new MedicalInferenceService(chart, 'ct', { ...GPU_SERVICE, ...props }))).toBe(
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
      await refusal((chart) => new MedicalInferenceService(chart, 'ct', { ...GPU_SERVICE, ...props() })),
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
      const data = { [asString(pulumi.output('key'))]: 'a', b: 'LateValue987654Unresolved' };
      new ApiObject(chart, 'c', {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'c' },
        data,
      });
    });
    expect(message).toContain(`[imaging/c] 'data' (the key ${LATE}) must have keys that are known`);
    expect(message).toContain(
      "[imaging/c] 'data.b' (LateValue987654Unresolved) must hold placeholders of this process only",
    );
  });

  it('nothing that only looks like one', () => {
    const chart = new Chart(new App(), 'imaging', { namespace: 'imaging' });
    const props = { ...GPU_SERVICE, modelLoadTime: Duration.minutes(3), env: { __pulumiOutput: 'true' } };
    expect(new MedicalInferenceService(chart, 'ct', props).plan.modelLoadSeconds).toBe(180);
  });
});
