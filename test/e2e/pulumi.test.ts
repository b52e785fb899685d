/**
 * Charts through the real Pulumi engine to a real API server. Pulumi's own Kubernetes provider is a double here; what
 * `support/pulumi/provider.ts` says that it does not prove, these tests do not.
 */
import * as pulumi from '@pulumi/pulumi';
import { ApiObject, App, Chart, JsonPatch } from 'cdk8s';
import { MedicalInferenceService, PriorityClasses, type MedicalInferenceServiceProps } from 'mediform';
import { ChartResources, asString } from 'mediform/pulumi';
import { startCluster, type Cluster } from './support/cluster';
import type { KubeObject } from './support/kube-object';
import { TestStack, type Run } from './support/pulumi/stack';
import { describeWithPulumi } from './support/pulumi/suite';
import { BUILD_TIMEOUT_MS } from './support/suite';

interface Edit {
  /** Name of the chart that the service is in. */
  readonly chart?: string;
  readonly component?: string;
  readonly options?: pulumi.ComponentResourceOptions;
  readonly props?: Partial<MedicalInferenceServiceProps>;
  readonly patch?: (made: { service: MedicalInferenceService; chart: Chart }) => void;
}

/** A namespace, the priorities and one service; with what an edit of the program changes. */
function program({
  chart: id = 'imaging',
  component = 'hospital',
  options,
  props,
  patch,
}: Edit = {}): () => Promise<void> {
  return () => {
    const app = new App();
    const chart = new Chart(app, id, { namespace: 'imaging' });
    const service = new MedicalInferenceService(chart, 'ct', {
      image: 'registry.example/ct:1',
      model: { name: 'resnet50', version: '1.0.0' },
      gpu: {},
      gateway: 'off',
      ...props,
    });
    const shared = new Chart(app, 'shared');
    new PriorityClasses(shared, 'priorities');
    new ApiObject(shared, 'namespace', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'imaging' } });
    patch?.({ service, chart });
    new ChartResources(component, { charts: app }, options);
    return Promise.resolve();
  };
}

type Name = readonly [kind: string, name: string, namespace?: string];
const OF_SERVICE = ['serviceaccount', 'service', 'deployment', 'hpa', 'vpa', 'pdb', 'networkpolicy', 'podmonitor'];
const NAMES: readonly Name[] = [
  ...[...OF_SERVICE, 'prometheusrule'].map((kind): Name => [kind, 'ct', 'imaging']),
  ...['batch', 'normal', 'emergency'].map((priority): Name => ['priorityclass', `${priority}-priority`]),
  ['namespace', 'imaging'],
];

/** These objects, the component and the stack. */
const ALL = NAMES.length + 2;

describeWithPulumi('charts through the Pulumi engine', () => {
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

  describe('one after the other', () => {
    it('a preview makes nothing', async () => {
      expect((await stack.preview(program())).changes).toEqual({ create: ALL });
      expect(stack.provider.log).toEqual([]);
      expect(await existing()).toEqual([]);
    }, 180_000);

    it('up makes everything, each after what it needs', async () => {
      expect((await stack.up(program())).changes).toEqual({ create: ALL });
      expect((await existing()).map(({ kind }) => kind)).toHaveLength(NAMES.length);
      const made = stack.provider.log;
      expect(made).toHaveLength(NAMES.length);
      expect(made.indexOf('create Namespace imaging')).toBeLessThan(made.indexOf('create ServiceAccount imaging/ct'));
      expect(made.indexOf('create ServiceAccount imaging/ct')).toBeLessThan(
        made.indexOf('create Deployment imaging/ct'),
      );
      expect(made.indexOf('create PriorityClass normal-priority')).toBeLessThan(
        made.indexOf('create Deployment imaging/ct'),
      );
    }, 180_000);

    it('a second up changes nothing', async () => {
      expect(await changesOf(stack.up(program()))).toEqual({ same: ALL });
    }, 180_000);

    it('nor does a chart of another name', async () => {
      expect(await changesOf(stack.up(program({ chart: 'radiology' })))).toEqual({ same: ALL });
    }, 180_000);

    it('nor does a component of another name that says the one before', async () => {
      const renamed = program({ component: 'clinic', options: { aliases: [{ name: 'hospital' }] } });
      expect(await changesOf(stack.up(renamed))).toEqual({ same: ALL });
      expect(await changesOf(stack.up(program({ options: { aliases: [{ name: 'clinic' }] } })))).toEqual({ same: ALL });
    }, 180_000);

    it('an edit updates in place', async () => {
      changed(stack);
      const [before] = await existing('deployment');
      const edited = program({ props: { image: 'registry.example/ct:2' } });
      expect(await changesOf(stack.up(edited))).toEqual({ same: ALL - 1, update: 1 });
      expect(changed(stack)).toEqual(['update Deployment imaging/ct']);
      const [after] = await existing('deployment');
      expect(JSON.stringify(after)).toContain('registry.example/ct:2');
      expect(after?.metadata.uid).toBe(before?.metadata.uid);
    }, 180_000);

    it('an edit of what cannot change replaces, and nothing else with it', async () => {
      const [before] = await existing('deployment');
      const selector = { 'app.kubernetes.io/name': 'ct', generation: 'two' };
      const edited = program({
        patch: ({ service: { deployment } }) => {
          deployment.addJsonPatch(JsonPatch.replace('/spec/selector/matchLabels', selector));
          deployment.addJsonPatch(JsonPatch.add('/spec/template/metadata/labels/generation', 'two'));
        },
      });
      expect(await changesOf(stack.up(edited))).toEqual({ same: ALL - 1, replace: 1 });
      expect(changed(stack)).toEqual(['delete Deployment imaging/ct', 'create Deployment imaging/ct']);
      const [after] = await existing('deployment');
      expect(after).toMatchObject({ spec: { selector: { matchLabels: selector } } });
      expect(after?.metadata.uid).not.toBe(before?.metadata.uid);
      await stack.up(program());
      changed(stack);
    }, 240_000);

    it('a preview catches an object that the API server would refuse', async () => {
      const generations = async (): Promise<unknown> => (await existing()).map(({ metadata }) => metadata.generation);
      const before = await generations();
      const misspelt = program({
        patch: ({ service }) => service.deployment.addJsonPatch(JsonPatch.add('/spec/minReadySecond', 20)),
      });
      await expect(stack.preview(misspelt)).rejects.toThrow('.spec.minReadySecond: field not declared in schema');
      const wrong = program({
        patch: ({ service }) => service.deployment.addJsonPatch(JsonPatch.add('/spec/minReadySeconds', -1)),
      });
      await expect(stack.preview(wrong)).rejects.toThrow('spec.minReadySeconds: Invalid value: -1');
      expect(changed(stack)).toEqual([]);
      expect(await generations()).toEqual(before);
    }, 180_000);

    it('a refresh sees what others changed, and the next up takes it back', async () => {
      const patch = JSON.stringify({ spec: { maxUnavailable: 3 } });
      await cluster.kubectl(['patch', 'pdb', 'ct', '-n', 'imaging', '--type=merge', '-p', patch]);
      await cluster.kubectl(['delete', 'networkpolicy', 'ct', '-n', 'imaging']);
      expect(await changesOf(stack.refresh())).toMatchObject({ delete: 1 });
      expect(await changesOf(stack.up(program()))).toEqual({ same: ALL - 2, update: 1, create: 1 });
      expect(changed(stack).sort()).toEqual([
        'create NetworkPolicy imaging/ct',
        'update PodDisruptionBudget imaging/ct',
      ]);
      expect(await existing('pdb')).toMatchObject([{ spec: { maxUnavailable: 1 } }]);
      expect(await existing('networkpolicy')).toHaveLength(1);
      expect(await changesOf(stack.up(program()))).toEqual({ same: ALL });
    }, 240_000);

    it('destroy leaves nothing, and takes pods away before what they need', async () => {
      changed(stack);
      expect(await changesOf(stack.destroy())).toMatchObject({ delete: ALL });
      expect(await existing()).toEqual([]);
      const gone = changed(stack);
      expect(gone[0]).toBe('delete Deployment imaging/ct');
      expect(gone.slice(1)).toContain('delete ServiceAccount imaging/ct');
    }, 240_000);
  });

  describe('Outputs', () => {
    const configMap = (scope: Chart, name: string, data: object): ApiObject =>
      new ApiObject(scope, name, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data });

    afterEach(() => stack.destroy(), 180_000);

    it('of a resource are unknown in a preview, and put in when it is there', async () => {
      const chained = (): Promise<void> => {
        const [first, second] = ['first', 'second'].map((id) => new Chart(new App(), id, { namespace: 'default' }));
        const object = configMap(first as Chart, 'first', { a: '1' });
        const uid = new ChartResources('one', { charts: first as Chart })
          .resourceOf(object)
          .metadata.apply((m) => m.uid);
        configMap(second as Chart, 'second', { text: `first is ${asString(uid as pulumi.Output<string>)}!` });
        new ChartResources('two', { charts: second as Chart });
        return Promise.resolve();
      };
      await stack.preview(chained);
      await stack.up(chained);
      const first = await cluster.get('configmap', 'first', 'default');
      expect(await cluster.get('configmap', 'second', 'default')).toMatchObject({
        data: { text: `first is ${first?.metadata.uid}!` },
      });
      expect(await changesOf(stack.up(chained))).toEqual({ same: 5 });
    }, 180_000);

    it('that are secret reach the cluster, and lie encrypted in the state', async () => {
      await stack.up(() => {
        const chart = new Chart(new App(), 'secrets', { namespace: 'default' });
        const password = asString(pulumi.secret('hunter2'));
        const stringData = { url: `postgres://records:${password}@db/records` };
        new ApiObject(chart, 's', {
          apiVersion: 'v1',
          kind: 'Secret',
          metadata: { name: 's' },
          stringData,
        });
        configMap(chart, 'c', { user: 'records', password });
        new ChartResources('secrets', { charts: chart });
        return Promise.resolve();
      });
      const text = Buffer.from('postgres://records:hunter2@db/records').toString('base64');
      expect(await cluster.get('secret', 's', 'default')).toMatchObject({ data: { url: text } });
      expect(await cluster.get('configmap', 'c', 'default')).toMatchObject({ data: { password: 'hunter2' } });
      expect(stack.state()).toContain('"user":"records"');
      expect(stack.state()).not.toMatch(new RegExp(`hunter2|${text}`));
    }, 180_000);
  });

  describe('on a cluster without KEDA', () => {
    it('nothing is made of what needs it', async () => {
      await cluster.kubectl(['delete', 'crd', 'scaledobjects.keda.sh']);
      changed(stack);
      const keda = program({ props: { scaling: { engine: 'keda' } } });
      for (const run of [stack.preview(keda), stack.up(keda)]) {
        const message = await messageOf(run);
        expect(message).toContain("resource 'scaledobjects.keda.sh' does not exist");
      }
      expect(changed(stack)).toEqual([]);
      expect(await existing()).toEqual([]);
    }, 240_000);
  });

  /** Those of `NAMES`, or of one kind of them, that the cluster has. */
  async function existing(only?: string): Promise<KubeObject[]> {
    const wanted = NAMES.filter(([kind]) => only === undefined || kind === only);
    const found = await Promise.all(wanted.map(([kind, name, namespace]) => cluster.get(kind, name, namespace)));
    return found.flatMap((object) => object ?? []);
  }
});

async function changesOf(run: Promise<Run>): Promise<Run['changes']> {
  return (await run).changes;
}

/** What was done to the cluster since the last call. */
function changed({ provider: { log } }: TestStack): string[] {
  return log.splice(0);
}

async function messageOf(run: Promise<unknown>): Promise<string> {
  return run.then(
    () => 'no error',
    (error: unknown) => (error as Error).message,
  );
}
