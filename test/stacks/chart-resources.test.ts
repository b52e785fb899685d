/** Charts as Pulumi resources: what is registered, under which name, in which order, with which Outputs. */
import * as pulumi from '@pulumi/pulumi';
import { ApiObject, App, Chart, JsonPatch } from 'cdk8s';
import { MedicalInferenceService } from 'mediform';
import { ChartResources, asString } from 'mediform/pulumi';
import { CPU_SERVICE, GPU_SERVICE } from '../support/app';
import { find, register, secretOf } from './mock-engine';

const configMap = (
  name: string,
  data: object = {},
): { apiVersion: string; kind: string; metadata: { name: string }; data: object } => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data,
});

function imaging(): { app: App; chart: Chart } {
  const app = new App();
  return { app, chart: new Chart(app, 'imaging', { namespace: 'imaging' }) };
}

it('x', async () => {
  const { app, chart } = imaging();
  new MedicalInferenceService(chart, 'ct', {
    ...GPU_SERVICE,
    env: { A: asString(pulumi.output('x')), B: `a-${asString(pulumi.secret('x'))}` },
  });
  const r = await register(() => new ChartResources('h', { charts: app }));
  console.log(JSON.stringify(r, null, 1).slice(0, 6000), JSON.stringify(r.find((x) => x.type.endsWith('Deployment'))));
});
