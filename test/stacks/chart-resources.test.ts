/** Charts as Pulumi resources: what is registered, under which names, and in which order. */
import * as pulumi from '@pulumi/pulumi';
import { ApiObject, App, Chart, type ApiObjectProps } from 'cdk8s';
import * as kplus from 'cdk8s-plus-27';
import { Accelerator, GpuNodePool, MedicalInferenceService, PriorityClasses } from 'mediform';
import { ChartResources, KubernetesResource } from 'mediform/pulumi';
import { CPU_SERVICE, GPU_SERVICE } from '../support/app';
import { find, register, secretOf, type Registration } from './mock-engine';

const DEPLOYMENT = 'kubernetes:apps/v1:Deployment';

function manifest(kind: string, name: string, rest: object = {}, apiVersion = 'v1'): ApiObjectProps {
  return { apiVersion, kind, metadata: { name }, ...rest };
}

function pod(spec: object): object {
  return { spec: { template: { spec: { containers: [{ name: 'main', image: 'main:1' }], ...spec } } } };
}

async function deploy(define: (chart: Chart, app: App) => void, preview = false): Promise<Registration[]> {
  const app = new App();
  define(new Chart(app, 'imaging', { namespace: 'imaging' }), app);
  return register(() => new ChartResources('hospital', { charts: app, checkDefinitions: false }), preview);
}

/** What is wrong with charts; nothing may have been registered. */
async function refusal(define: (chart: Chart, app: App) => void): Promise<string> {
  let message = '';
  const registered = await register(() => {
    try {
      const app = new App();
      define(new Chart(app, 'imaging', { namespace: 'imaging' }), app);
      new ChartResources('hospital', { charts: app });
    } catch (error) {
      ({ message } = error as Error);
    }
  });
  expect(registered).toEqual([]);
  return message;
}

describe('resources', () => {
  it('are named after their object, under one component', async () => {
    const all = await deploy((chart) => {
      new MedicalInferenceService(chart, 'ct', GPU_SERVICE);
      new PriorityClasses(chart, 'priorities');
    });
    expect(all[0]).toMatchObject({ type: 'mediform:kubernetes:ChartResources', name: 'hospital', inputs: {} });
    expect(all.slice(1).every(({ parent }) => parent === 'hospital')).toBe(true);
    expect(all.map(({ type, name }) => `${type} ${name}`)).toEqual(
      expect.arrayContaining([
        'kubernetes:core/v1:ServiceAccount hospital/imaging/ct',
        'kubernetes:autoscaling/v2:HorizontalPodAutoscaler hospital/imaging/ct',
        'kubernetes:monitoring.coreos.com/v1:PodMonitor hospital/imaging/ct',
        'kubernetes:scheduling.k8s.io/v1:PriorityClass hospital/batch-priority',
      ]),
    );
  });

  it('stay the same when a chart is renamed and an object moves to another one', async () => {
    const service = (chart: Chart): MedicalInferenceService => new MedicalInferenceService(chart, 'ct', GPU_SERVICE);
    const before = await deploy((chart) => {
      service(chart);
      new ApiObject(chart, 'settings', manifest('ConfigMap', 'settings'));
    });
    const after = await deploy((_, app) => {
      service(new Chart(app, 'radiology', { namespace: 'imaging' }));
      new ApiObject(new Chart(app, 'shared', { namespace: 'imaging' }), 'moved', manifest('ConfigMap', 'settings'));
    });
    const key = ({ type, name }: Registration): string => `${type} ${name}`;
    expect([...after].sort((a, b) => key(a).localeCompare(key(b)))).toEqual(
      [...before].sort((a, b) => key(a).localeCompare(key(b))),
    );
  });

  it('wait as long as models load, unless a manifest says how long', async () => {
    const all = await deploy((chart) => {
      new MedicalInferenceService(chart, 'ct', GPU_SERVICE);
      const own = new MedicalInferenceService(chart, 'own', GPU_SERVICE);
      own.deployment.metadata.addAnnotation('pulumi.com/timeoutSeconds', '7200');
      new ApiObject(chart, 'quick', manifest('Deployment', 'quick', pod({}), 'apps/v1'));
    });
    expect(find(all, DEPLOYMENT, 'hospital/imaging/ct').createTimeout).toBe('1260s');
    expect(find(all, DEPLOYMENT, 'hospital/imaging/own').createTimeout).toBe('');
    expect(find(all, DEPLOYMENT, 'hospital/imaging/quick').createTimeout).toBe('');
  });

  it('keep what a Secret holds secret', async () => {
    const all = await deploy((chart) => {
      new ApiObject(chart, 'keys', manifest('Secret', 'keys', { data: { key: 'c2VjcmV0' }, type: 'Opaque' }));
    });
    const found = find(all, 'kubernetes:core/v1:Secret', 'hospital/imaging/keys');
    expect(found.inputs).toMatchObject({ data: secretOf({ key: 'c2VjcmV0' }), type: 'Opaque' });
    expect(found.secretOutputs).toEqual(['data', 'stringData']);
  });

  it('use the provider of the options', async () => {
    class Provider extends pulumi.ProviderResource {}
    const app = new App();
    new ApiObject(new Chart(app, 'c'), 'settings', manifest('ConfigMap', 'settings'));
    const all = await register(() => {
      const provider = new Provider('kubernetes', 'theatre', {});
      new ChartResources('hospital', { charts: app }, { provider });
    });
    expect(find(all, 'kubernetes:core/v1:ConfigMap', 'hospital/settings').provider).toMatch(
      /::theatre::id of theatre$/,
    );
  });

  it('wait for what their component waits for, before anything is read', async () => {
    class Cluster extends pulumi.ComponentResource {}
    class Release extends pulumi.CustomResource {}
    const app = new App();
    new MedicalInferenceService(new Chart(app, 'imaging', { namespace: 'imaging' }), 'ct', GPU_SERVICE);
    const all = await register(() => {
      const cluster = new Cluster('test:index:Cluster', 'cluster');
      new Release('test:index:Release', 'add-ons', {}, { parent: cluster });
      const other = new Release('test:index:Release', 'other', {});
      new ChartResources('hospital', { charts: app }, { dependsOn: [cluster, other] });
    });
    const kubernetes = all.filter(({ type }) => type.startsWith('kubernetes:'));
    expect(kubernetes.length).toBeGreaterThan(10);
    for (const { dependsOn } of kubernetes) {
      expect(dependsOn).toEqual(expect.arrayContaining(['add-ons', 'other']));
    }
  });

  it('can be asked for by their object', async () => {
    const app = new App();
    const chart = new Chart(app, 'imaging', { namespace: 'imaging' });
    const service = new MedicalInferenceService(chart, 'ct', GPU_SERVICE);
    const names: string[] = [];
    await register(() => {
      const resources = new ChartResources('hospital', { charts: app });
      const resource = resources.resourceOf(service.deployment);
      expect(resource).toBeInstanceOf(KubernetesResource);
      resource.metadata.apply(({ name }) => names.push(name));
      const other = new ApiObject(new Chart(new App(), 'other'), 'x', manifest('ConfigMap', 'x'));
      expect(() => resources.resourceOf(other)).toThrow('other/x must be in the charts that were deployed');
    });
    expect(names).toEqual(['ct']);
  });

  it('of one chart are those in it and in the charts within', async () => {
    const app = new App();
    const chart = new Chart(app, 'imaging');
    new ApiObject(chart, 'a', manifest('ConfigMap', 'a'));
    new ApiObject(new Chart(chart, 'inner'), 'b', manifest('ConfigMap', 'b'));
    new ApiObject(new Chart(app, 'records'), 'c', manifest('ConfigMap', 'c'));
    const all = await register(() => new ChartResources('hospital', { charts: chart }));
    expect(all.map(({ name }) => name)).toEqual(['hospital', 'hospital/b', 'hospital/a']);
  });
});

describe('order', () => {
  const needs = (all: readonly Registration[], kind: string, name: string): readonly string[] =>
    (all.find((found) => found.type.endsWith(`:${kind}`) && found.name.endsWith(`/${name}`)) as Registration).dependsOn;

  it('is what constructs depend on, also between charts', async () => {
    const all = await deploy((chart, app) => {
      const a = new ApiObject(chart, 'a', manifest('ConfigMap', 'a'));
      const b = new ApiObject(new Chart(app, 'records'), 'b', manifest('ConfigMap', 'b'));
      a.addDependency(b);
    });
    expect(needs(all, 'ConfigMap', 'a')).toEqual(['hospital/b']);
    expect(all.map(({ name }) => name)).toEqual(['hospital', 'hospital/b', 'hospital/imaging/a']);
  });

  it('puts what pods need before them, whatever makes the pods', async () => {
    const spec = {
      serviceAccountName: 'account',
      priorityClassName: 'urgent',
      imagePullSecrets: [{ name: 'pull' }],
      initContainers: [
        { name: 'init', env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'of-init', key: 'a' } } }] },
      ],
      containers: [{ name: 'main', envFrom: [{ secretRef: { name: 'of-env' } }] }],
      volumes: [
        { name: 'a', configMap: { name: 'of-volume' } },
        { name: 'b', projected: { sources: [{ secret: { name: 'of-projection' } }] } },
      ],
    };
    const cron = { spec: { jobTemplate: pod(spec) } };
    const all = await deploy((chart) => {
      new ApiObject(chart, 'd', manifest('Deployment', 'd', pod(spec), 'apps/v1'));
      new ApiObject(chart, 'cron', manifest('CronJob', 'cron', cron, 'batch/v1'));
      new ApiObject(chart, 'pod', manifest('Pod', 'pod', { spec }));
      for (const name of ['of-init', 'of-volume', 'unrelated']) {
        new ApiObject(chart, name, manifest('ConfigMap', name));
      }
      for (const name of ['pull', 'of-env', 'of-projection']) {
        new ApiObject(chart, name, manifest('Secret', name));
      }
      new ApiObject(chart, 'account', manifest('ServiceAccount', 'account'));
      new ApiObject(chart, 'urgent', manifest('PriorityClass', 'urgent', {}, 'scheduling.k8s.io/v1'));
      new ApiObject(chart, 'of-others', {
        ...manifest('Secret', 'pull'),
        metadata: { name: 'pull', namespace: 'other' },
      });
    });
    const expected = ['account', 'of-env', 'of-init', 'of-projection', 'of-volume', 'pull', 'urgent'];
    for (const [kind, name] of [
      ['Deployment', 'd'],
      ['CronJob', 'cron'],
      ['Pod', 'pod'],
    ] as const) {
      expect([...needs(all, kind, name)].sort()).toEqual(expected.map((need) => `hospital/imaging/${need}`));
    }
  });

  it('puts namespaces, definitions, node pools and roles before what is of them', async () => {
    const all = await deploy((chart, app) => {
      const cluster = { name: 'prod' };
      new MedicalInferenceService(chart, 'ct', { ...GPU_SERVICE, gpu: { accelerator: Accelerator.A10G } });
      new GpuNodePool(chart, 'a10g', { cluster, accelerators: [Accelerator.A10G], maxGpus: 32 });
      new kplus.Namespace(chart, 'namespace', { metadata: { name: 'imaging' } });
      new ApiObject(new Chart(app, 'definitions'), 'definition', {
        ...manifest('CustomResourceDefinition', 'nodepools.karpenter.sh', {}, 'apiextensions.k8s.io/v1'),
        spec: { group: 'karpenter.sh', names: { kind: 'NodePool' } },
      });
      const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'reader' };
      new ApiObject(chart, 'b', manifest('RoleBinding', 'b', { roleRef }, 'rbac.authorization.k8s.io/v1'));
      new ApiObject(chart, 'r', manifest('Role', 'reader', {}, 'rbac.authorization.k8s.io/v1'));
    });
    expect(needs(all, 'Deployment', 'ct')).toEqual(
      expect.arrayContaining(['hospital/imaging/imaging', 'hospital/imaging/ct', 'hospital/a10g']),
    );
    expect(needs(all, 'Service', 'ct')).toEqual(['hospital/imaging/imaging']);
    expect([...needs(all, 'NodePool', 'a10g')].sort()).toEqual(['hospital/a10g', 'hospital/nodepools.karpenter.sh']);
    expect(needs(all, 'RoleBinding', 'b')).toContain('hospital/imaging/reader');
  });

  it('refuses a cycle, and names it', async () => {
    const message = await refusal((chart) => {
      const a = new ApiObject(chart, 'a', manifest('ConfigMap', 'a'));
      const b = new ApiObject(chart, 'b', manifest('ConfigMap', 'b'));
      a.addDependency(b);
      b.addDependency(a);
    });
    expect(message).toBe('Dependency cycle detected: imaging/a => imaging/b => imaging/a');
  });

  it('refuses a cycle that only the objects make', async () => {
    const message = await refusal((chart) => {
      const settings = new ApiObject(chart, 'settings', manifest('ConfigMap', 'settings'));
      const volumes = [{ name: 'a', configMap: { name: 'settings' } }];
      settings.addDependency(new ApiObject(chart, 'd', manifest('Deployment', 'd', pod({ volumes }), 'apps/v1')));
    });
    expect(message).toBe('Dependency cycle detected: imaging/settings => imaging/d => imaging/settings');
  });
});

describe('what is wrong with charts', () => {
  it('is told all at once, as synth would, before anything is registered', async () => {
    const message = await refusal((chart) => {
      new MedicalInferenceService(chart, 'a', { ...CPU_SERVICE, name: 'same' });
      new MedicalInferenceService(chart, 'b', { ...CPU_SERVICE, name: 'same' });
      new PriorityClasses(chart, 'one');
      new PriorityClasses(chart, 'two');
    });
    expect(message).toContain("[imaging/b] 'name' (imaging/same) must be unique in its namespace");
    expect(message).toContain("[imaging/two] 'PriorityClasses' (two) must be defined once in an app");
  });

  it('includes objects that are defined twice', async () => {
    const message = await refusal((chart) => {
      new ApiObject(chart, 'a', manifest('ConfigMap', 'same'));
      new ApiObject(chart, 'b', manifest('ConfigMap', 'same'));
    });
    expect(message).toBe(
      'the charts cannot become resources:\n  [imaging/b] ConfigMap imaging/same must be defined once because imaging/a defines it too',
    );
  });
});

describe('definitions', () => {
  const service = (chart: Chart): MedicalInferenceService => new MedicalInferenceService(chart, 'ct', GPU_SERVICE);

  it('are read before anything is made', async () => {
    const app = new App();
    service(new Chart(app, 'imaging', { namespace: 'imaging' }));
    const all = await register(() => new ChartResources('hospital', { charts: app }));
    const reads = all.filter(({ readId }) => readId !== undefined);
    expect(reads.map(({ readId }) => readId)).toEqual([
      'podmonitors.monitoring.coreos.com',
      'prometheusrules.monitoring.coreos.com',
      'verticalpodautoscalers.autoscaling.k8s.io',
    ]);
    for (const { dependsOn } of all.filter(({ type, readId }) => type.startsWith('kube') && readId === undefined)) {
      expect(dependsOn).toEqual(expect.arrayContaining(reads.map(({ name }) => name)));
    }
  });

  it('are not asked for where the charts bring them', async () => {
    const app = new App();
    const chart = new Chart(app, 'imaging', { namespace: 'imaging' });
    service(chart);
    const names = ['podmonitors.monitoring.coreos.com', 'prometheusrules.monitoring.coreos.com'];
    for (const name of names) {
      const spec = {
        group: 'monitoring.coreos.com',
        names: { kind: name === names[0] ? 'PodMonitor' : 'PrometheusRule' },
      };
      new ApiObject(chart, name, manifest('CustomResourceDefinition', name, { spec }, 'apiextensions.k8s.io/v1'));
    }
    const all = await register(() => new ChartResources('hospital', { charts: app }));
    expect(all.flatMap(({ readId }) => readId ?? [])).toEqual(['verticalpodautoscalers.autoscaling.k8s.io']);
  });
});
