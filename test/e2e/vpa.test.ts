/**
 * Vertical scaling as the VPA's own programs do it: its webhook checks our VerticalPodAutoscalers and sets the requests
 * of new pods, its updater changes running ones beside our HPA and PodDisruptionBudget, its recommender respects the
 * bounds. The metrics APIs are the test's own (support/vpa/metrics-api.ts).
 *
 * Not shown here: what a kubelet makes of a resize in place, and so the way back from a refused one to an eviction;
 * recommendations from days of use, which the tests write by hand where the updater needs them.
 */
import { App, Chart, JsonPatch } from 'cdk8s';
import { MedicalInferenceService, PriorityClasses, type MedicalInferenceServiceProps } from 'mediform';
import { synthObjects } from 'mediform/testing';
import { AdapterMetric } from '../../constructs/plan/scaling/series';
import { startCluster, type Cluster } from './support/cluster';
import { exampleNames, namespacesOf, synthExample } from './support/examples';
import { type KubeObject } from './support/kube-object';
import { BUILD_TIMEOUT_MS, describeWithCluster } from './support/suite';
import { MetricsApi } from './support/vpa/metrics-api';
import { startAdmissionController, startRecommender, startUpdater, VPA_BINARIES } from './support/vpa/vpa';

const NAMESPACE = 'imaging';
const REPLICAS = 4;
const NODE = {
  name: 'large',
  labels: { accelerator: 'nvidia-gpu' },
  allocatable: { cpu: '1000', memory: '8Ti', 'ephemeral-storage': '8Ti', 'nvidia.com/gpu': '100' },
};
/** Services whose pods the updater can only replace: it is told to, or their nodes cannot resize them. */
const EVICTED = ['recreate', 'not-in-place'];
const SCALED = ['in-place', ...EVICTED];
/** What the pods of these tests ask for; the bounds are 2 to 16 cores and 8 to 64 GiB. */
const ASKED = { cpu: '3', memory: '12Gi', 'nvidia.com/gpu': '1' };
/** The HPA keeps 4 replicas: the floor of its peak hours is that high, and it reads nothing of CPU or memory. */
const PEAK = { start: '00:00', end: '24:00', timeZone: 'UTC', replicas: REPLICAS };

interface Resources {
  readonly [resource: string]: string;
}

interface Pod extends KubeObject {
  readonly spec: {
    readonly containers: readonly {
      readonly resources: { readonly requests: Resources; readonly limits: Resources };
    }[];
  };
  readonly status: { readonly phase: string };
}

interface Vpa extends KubeObject {
  readonly status?: {
    readonly recommendation?: {
      readonly containerRecommendations?: readonly { readonly containerName: string; readonly target: Resources }[];
    };
  };
}

interface Autoscaler extends KubeObject {
  readonly status: { readonly desiredReplicas: number };
}

describeWithCluster(
  'the VPA and our services',
  () => {
    let cluster: Cluster;
    let metrics: MetricsApi | undefined;

    beforeAll(async () => {
      cluster = await startCluster();
      await startAdmissionController(cluster);
      metrics = await MetricsApi.start(cluster);
      await cluster.addNodes(NODE);
      await apply((chart) => new PriorityClasses(chart, 'priorities'));
      await cluster.waitFor('the webhook', () => cluster.get('mutatingwebhookconfiguration', 'vpa-webhook-config'));
      await cluster.waitFor('the webhook to be asked', () => refusalOf({ minAllowed: { cpu: '17' } }));
    }, BUILD_TIMEOUT_MS);
    afterAll(async () => {
      await metrics?.stop();
      await cluster?.stop();
    });

    describe('its webhook', () => {
      it.each(exampleNames)(
        'accepts all VerticalPodAutoscalers of %s',
        async (example) => {
          const objects = await synthExample(example);
          const vpas = objects.filter(({ kind }) => kind === 'VerticalPodAutoscaler');
          expect(vpas).not.toEqual([]);
          await cluster.apply(namespacesOf(vpas));
          await expect(cluster.apply(vpas, { dryRun: true })).resolves.toMatchObject({ warnings: [] });
        },
        180_000,
      );

      it('accepts every mode that a service may have', async () => {
        for (const mode of ['InPlaceOrRecreate', 'Recreate', 'Initial', 'Off'] as const) {
          const vpas = vpasOf((chart) => service(chart, mode.toLowerCase(), { verticalScaling: { mode } }));
          await expect(cluster.apply(vpas, { dryRun: true })).resolves.toMatchObject({ warnings: [] });
        }
      }, 180_000);

      it('is asked: it refuses bounds that leave nothing between them', async () => {
        expect(await refusalOf({ minAllowed: { cpu: '17' } })).toContain('max resource for cpu is lower than min');
        expect(await refusalOf({})).toBeUndefined();
      }, 180_000);

      it('sets the requests of new pods to the recommendation, within the bounds, and leaves GPUs alone', async () => {
        await apply((chart) => service(chart, 'new', { verticalScaling: { mode: 'Initial' } }));
        const [pod] = await podsOf('new', 2);
        expect(pod && requestsOf(pod)).toMatchObject(ASKED);
        expect(await resourcesAfter({ cpu: '40', memory: '1Gi' })).toEqual({ cpu: '16', memory: '8Gi' });
        expect(await resourcesAfter({ cpu: '100m', memory: '1Ti' })).toEqual({ cpu: '2', memory: '64Gi' });
        expect(await resourcesAfter({ cpu: '5', memory: '20Gi' })).toEqual({ cpu: '5', memory: '20Gi' });
      }, 180_000);

      /** Cores and memory of pods that are made after a recommendation; all else is as before. */
      async function resourcesAfter(target: Resources): Promise<Resources> {
        const newest = async (): Promise<Pod> => (await podsOf('new', 2))[0] as Pod;
        const before = requestsOf(await newest()).cpu;
        await recommend('new', target);
        const pod = await cluster.waitFor('pods with other requests', async () => {
          await cluster.kubectl(['delete', 'pods', '-n', NAMESPACE, '-l', 'app.kubernetes.io/name=new', '--now']);
          const made = await newest();
          return requestsOf(made).cpu !== before && made;
        });
        const { cpu = '', memory = '' } = requestsOf(pod);
        expect(requestsOf(pod)).toEqual({ cpu, memory, 'nvidia.com/gpu': '1', 'ephemeral-storage': '21Gi' });
        const { limits } = pod.spec.containers[0]?.resources ?? {};
        expect(limits).toEqual({ memory, 'nvidia.com/gpu': '1', 'ephemeral-storage': '22Gi' });
        return { cpu, memory };
      }
    });

    describe('its updater', () => {
      const target = { cpu: '6', memory: '24Gi' };
      let before: { readonly [name: string]: readonly Pod[] };
      let generations: readonly (number | undefined)[];

      beforeAll(async () => {
        setFloor(REPLICAS);
        await apply((chart) => {
          service(chart, 'in-place', { scaling: { peakHours: [PEAK] } });
          service(chart, 'not-in-place', { scaling: { peakHours: [PEAK] } });
          service(chart, 'recreate', { scaling: { peakHours: [PEAK] }, verticalScaling: { mode: 'Recreate' } });
          service(chart, 'single', { scaling: { minReplicas: 1 }, verticalScaling: { mode: 'Recreate' } });
        });
        before = {
          'in-place': await podsOf('in-place', REPLICAS),
          'not-in-place': await podsOf('not-in-place', REPLICAS),
          recreate: await podsOf('recreate', REPLICAS),
          single: await podsOf('single', 1),
        };
        await Promise.all(before['in-place']?.map(letResize) ?? []);
        generations = await specGenerations();
        // a pod that is evicted now stays without a node
        await cluster.kubectl(['cordon', NODE.name]);
        await Promise.all(Object.keys(before).map((name) => recommend(name, target)));
        await startUpdater(cluster);
      }, 180_000);

      it('resizes all pods in place, without an eviction, and leaves GPUs alone', async () => {
        await cluster.waitFor('all pods to be resized', async () => {
          const pods = await podsOf('in-place', REPLICAS);
          await Promise.all(pods.map(letResize));
          return pods.every((pod) => requestsOf(pod).cpu === target.cpu);
        });
        const pods = await podsOf('in-place', REPLICAS);
        expect(uidsOf(pods)).toEqual(uidsOf(before['in-place']));
        for (const pod of pods) {
          expect(requestsOf(pod)).toMatchObject({ ...target, 'nvidia.com/gpu': '1' });
          expect(pod.spec.containers[0]?.resources.limits).toMatchObject({ memory: '24Gi', 'nvidia.com/gpu': '1' });
        }
      }, 180_000);

      it.each(EVICTED)(
        'takes no more pods of %s than the PodDisruptionBudget allows',
        async (name) => {
          await cluster.waitFor('an eviction to be refused', () =>
            cluster.processes.logTail('vpa-updater', 2000).split('\n').some(isRefusalOf(name)),
          );
          const oneWaits = async (): Promise<boolean> => {
            const pods = (await cluster.list<Pod>('pods', NAMESPACE)).filter(isOf(name));
            return pods.length === REPLICAS && pods.filter(({ status }) => status.phase === 'Running').length === 3;
          };
          await cluster.waitFor('its replacement', oneWaits);
        },
        180_000,
      );

      it.each(EVICTED)(
        'replaces all pods of %s where there is room',
        async (name) => {
          await cluster.kubectl(['uncordon', NODE.name]);
          await cluster.waitFor('all pods to be replaced', async () =>
            (await podsOf(name, REPLICAS)).every((pod) => requestsOf(pod).memory === target.memory),
          );
          const pods = await podsOf(name, REPLICAS);
          expect(uidsOf(pods).filter((uid) => uidsOf(before[name]).includes(uid))).toEqual([]);
          pods.forEach((pod) => expect(requestsOf(pod)).toMatchObject({ ...target, 'nvidia.com/gpu': '1' }));
        },
        180_000,
      );

      it('never takes the only pod of a service', async () => {
        const pods = await podsOf('single', 1);
        expect(uidsOf(pods)).toEqual(uidsOf(before.single));
        expect(pods.map(requestsOf)).toMatchObject([ASKED]);
      });

      it('leaves the replicas to the HPA, which goes on as before', async () => {
        expect(await specGenerations()).toEqual(generations);
        for (const name of SCALED) {
          const hpa = await cluster.get<Autoscaler>('hpa', name, NAMESPACE);
          expect(hpa?.status.desiredReplicas).toBe(REPLICAS);
        }
        setFloor(REPLICAS + 1);
        for (const name of SCALED) {
          const pods = await podsOf(name, REPLICAS + 1);
          pods.forEach((pod) => expect(requestsOf(pod)).toMatchObject(target));
        }
      }, 180_000);

      /** What the HPA hears: that so many replicas are needed, and that they are busy enough. */
      function setFloor(replicas: number): void {
        for (const name of SCALED) {
          metrics?.external.set(`${name}/${AdapterMetric.FLOOR}`, replicas);
          metrics?.external.set(`${name}/${AdapterMetric.PRESSURE}`, 1);
        }
      }

      /** Numbers that grow with every change of a Deployment's spec, of its replicas above all. */
      async function specGenerations(): Promise<readonly (number | undefined)[]> {
        const deployments = await cluster.list('deployments', NAMESPACE);
        return deployments.map(({ metadata }) => metadata.generation);
      }
    });

    describe('its recommender', () => {
      beforeAll(async () => {
        await cluster.processes.kill('vpa-updater');
        metrics?.usage.set('busy', { cores: 40, gibibytes: 100 }).set('idle', { cores: 0.1, gibibytes: 0.5 });
        await apply((chart) => {
          const verticalScaling = { mode: 'Off' } as const;
          const busy = service(chart, 'busy', { verticalScaling });
          const securityContext = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };
          const proxy = { name: 'proxy', image: 'registry.example/proxy:1', securityContext };
          busy.deployment.addJsonPatch(JsonPatch.add('/spec/template/spec/containers/-', proxy));
          const idle = service(chart, 'idle', { verticalScaling });
          const policy = '/spec/resourcePolicy/containerPolicies/0';
          idle.verticalPodAutoscaler?.addJsonPatch(
            JsonPatch.add(`${policy}/controlledResources/-`, 'nvidia.com/gpu'),
            JsonPatch.add(`${policy}/maxAllowed/nvidia.com~1gpu`, '4'),
          );
        });
        await startRecommender(cluster);
      }, 180_000);

      it('stays within the bounds, and leaves containers alone that are not ours', async () => {
        expect(await recommendationOf('busy')).toEqual([['model', { cpu: '16', memory: '64Gi' }]]);
      }, 180_000);

      it('says nothing of GPUs, even if told to: the webhook lets that pass', async () => {
        expect(await recommendationOf('idle')).toEqual([['model', { cpu: '2', memory: '8Gi' }]]);
      }, 180_000);

      async function recommendationOf(name: string): Promise<readonly (readonly [string, Resources])[]> {
        const containers = await cluster.waitFor(`a recommendation for ${name}`, async () => {
          const vpa = await cluster.get<Vpa>('vpa', name, NAMESPACE);
          const found = vpa?.status?.recommendation?.containerRecommendations ?? [];
          return found.length > 0 && found;
        });
        return containers.map(({ containerName, target }) => [containerName, target]);
      }
    });

    async function apply(define: (chart: Chart) => unknown): Promise<void> {
      const objects = objectsOf(define);
      await cluster.apply([...namespacesOf(objects), ...objects]);
    }

    /** What the webhook says to a VPA of ours with other bounds; undefined where it accepts it. */
    async function refusalOf(bounds: object): Promise<string | undefined> {
      const [vpa] = vpasOf((chart) => service(chart, 'bounds')) as [KubeObject & { spec: VpaSpec }];
      const [model, ...others] = vpa.spec.resourcePolicy.containerPolicies;
      const containerPolicies = [{ ...model, ...bounds }, ...others];
      const changed = { ...vpa, spec: { ...vpa.spec, resourcePolicy: { containerPolicies } } };
      return cluster.apply([changed], { dryRun: true }).then(
        () => undefined,
        (error: unknown) => String(error),
      );
    }

    /** Says of a pod what a kubelet says that has resized it. Where none speaks, the API server refuses to resize. */
    async function letResize({ metadata, spec }: Pod): Promise<void> {
      const resources = spec.containers[0]?.resources;
      const change = [{ op: 'add', path: '/status/containerStatuses/0/resources', value: resources }];
      const args = ['--subresource=status', '--type=json', '-p', JSON.stringify(change)];
      await cluster.kubectl(['patch', 'pod', metadata.name, '-n', NAMESPACE, ...args]);
    }

    async function recommend(name: string, target: Resources): Promise<void> {
      const recommendation = { containerName: 'model', target, lowerBound: target, upperBound: target };
      const status = { recommendation: { containerRecommendations: [recommendation] } };
      const change = ['--subresource=status', '--type=merge', '-p', JSON.stringify({ status })];
      await cluster.kubectl(['patch', 'vpa', name, '-n', NAMESPACE, ...change]);
    }

    /** The pods of a service, once as many run as should, and no more. */
    async function podsOf(name: string, count: number): Promise<readonly Pod[]> {
      return cluster.waitFor(`${count} pods of ${name}`, async () => {
        const pods = (await cluster.list<Pod>('pods', NAMESPACE)).filter(isOf(name));
        return pods.length === count && pods.every(({ status }) => status.phase === 'Running') && pods;
      });
    }
  },
  VPA_BINARIES,
);

interface VpaSpec {
  readonly resourcePolicy: { readonly containerPolicies: readonly object[] };
}

function objectsOf(define: (chart: Chart) => unknown): readonly KubeObject[] {
  const app = new App();
  define(new Chart(app, 'chart', { namespace: NAMESPACE }));
  return synthObjects(app);
}

function vpasOf(define: (chart: Chart) => unknown): readonly KubeObject[] {
  return objectsOf(define).filter(({ kind }) => kind === 'VerticalPodAutoscaler');
}

function service(chart: Chart, id: string, props: Partial<MedicalInferenceServiceProps> = {}): MedicalInferenceService {
  return new MedicalInferenceService(chart, id, {
    image: 'registry.example/model:1',
    model: { name: 'resnet50', version: '1' },
    gpu: {},
    ...props,
  });
}

/** Whether a line of the updater's log says that the API server refused to evict a pod of a service. */
function isRefusalOf(name: string): (line: string) => boolean {
  return (line) => line.includes("would violate the pod's disruption budget") && line.includes(`/${name}-`);
}

function isOf(name: string): (pod: KubeObject) => boolean {
  return ({ metadata }) => metadata.labels?.['app.kubernetes.io/name'] === name;
}

function requestsOf(pod: Pod): Resources {
  return pod.spec.containers[0]?.resources.requests ?? {};
}

function uidsOf(pods: readonly KubeObject[] | undefined): readonly (string | undefined)[] {
  return (pods ?? []).map(({ metadata }) => metadata.uid).sort();
}
