/**
 * `pulumi up` of charts, with the real engine and a real API server. Pulumi's own provider is a double
 * ([provider.ts](support/pulumi/provider.ts)): what that says it does not prove, is not proven here.
 */
import * as pulumi from '@pulumi/pulumi';
import { ApiObject, App, Chart } from 'cdk8s';
import { MedicalInferenceService, PriorityClasses, type MedicalInferenceServiceProps } from 'mediform';
import { ChartResources, asString } from 'mediform/pulumi';
import { startCluster, type Cluster } from './support/cluster';
import { whyNoPulumi } from './support/pulumi/cli';
import { TestStack } from './support/pulumi/stack';
import { BUILD_TIMEOUT_MS, describeWithCluster } from './support/suite';

const SERVICE: MedicalInferenceServiceProps = {
  image: 'registry.example/ct:1',
  model: { name: 'resnet50', version: '1.0.0' },
  gpu: {},
};

interface Options {
  /** Name of the chart that the service is in. */
  readonly chart?: string;
  readonly props?: Partial<MedicalInferenceServiceProps>;
  readonly more?: (chart: Chart) => void;
}

function program({ chart: id = 'imaging', props = {}, more }: Options = {}): () => Promise<void> {
  return () => {
    const app = new App();
    const chart = new Chart(app, id, { namespace: 'imaging' });
    new MedicalInferenceService(chart, 'ct', { ...SERVICE, ...props });
    new PriorityClasses(chart, 'priorities');
    new ApiObject(chart, 'namespace', {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'imaging', namespace: undefined },
    });
    more?.(chart);
    new ChartResources('hospital', { charts: app });
    return Promise.resolve();
  };
}

describeWithCluster(
  'pulumi',
  () => {
    let cluster: Cluster;
    let stack: TestStack;

    beforeAll(async () => {
      cluster = await startCluster();
      stack = await TestStack.start(cluster, 'imaging');
    }, BUILD_TIMEOUT_MS);
    afterAll(async () => {
      stack?.stop();
      await cluster?.stop();
    });

    it('up', async () => {
      const run = await stack.up(program());
      console.log(run.output, run.changes, stack.provider.log);
      const run2 = await stack.up(program({ chart: 'radiology' }));
      console.log(run2.output, run2.changes);
      console.log((await stack.destroy()).output);
    }, 300_000);
  },
  [],
);
