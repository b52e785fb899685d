import { ApiObject, Duration, JsonPatch, Size, Testing } from 'cdk8s';
import * as kplus from 'cdk8s-plus-27';
import { Accelerator, PrometheusAdapterRules, type MedicalInferenceServiceProps } from '../constructs';
import type { Deployment } from '../constructs/imports/deployment';
import type { NetworkPolicy } from '../constructs/imports/network-policy';
import type { PodDisruptionBudget } from '../constructs/imports/pod-disruption-budget';
import type { PodMonitor } from '../constructs/imports/pod-monitor';
import type { VerticalPodAutoscaler } from '../constructs/imports/vertical-pod-autoscaler';
import { CPU_SERVICE, testChart, testService } from './support/app';
import { schemaErrors } from './support/schema';

interface Rendered {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

function render(props: Partial<MedicalInferenceServiceProps> = {}): Rendered[] {
  const chart = testChart();
  testService(props, chart);
  return Testing.synth(chart) as Rendered[];
}

function rendered<T>(kind: string, props: Partial<MedicalInferenceServiceProps> = {}): T {
  return render(props).find((object) => object.kind === kind) as T;
}

function pod(props: Partial<MedicalInferenceServiceProps> = {}): NonNullable<Deployment['spec']>['template'] {
  return (rendered<Deployment>('Deployment', props).spec as NonNullable<Deployment['spec']>).template;
}

const podSpec = (props?: Partial<MedicalInferenceServiceProps>): NonNullable<ReturnType<typeof pod>['spec']> =>
  pod(props).spec as NonNullable<ReturnType<typeof pod>['spec']>;

describe('objects', () => {
  it('are these, all of the same name and namespace', () => {
    const objects = render({ gateway: 'off' });
    expect(objects.map(({ kind }) => kind).sort()).toEqual([
      'Deployment',
      'HorizontalPodAutoscaler',
      'NetworkPolicy',
      'PodDisruptionBudget',
      'PodMonitor',
      'PrometheusRule',
      'Service',
      'ServiceAccount',
      'VerticalPodAutoscaler',
    ]);
    expect(new Set(objects.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`))).toEqual(
      new Set(['imaging/ct']),
    );
  });

  it.each<[string, Partial<MedicalInferenceServiceProps>]>([
    ['the smallest with a GPU', {}],
    ['the smallest without one', { ...CPU_SERVICE, gpu: undefined }],
    ['KEDA', { scaling: { engine: 'keda', forecast: {} } }],
    ['targets', { scaling: { targets: { gpuUtilization: 70, queueLength: 4, resources: { cpu: 60 } } } }],
    ['MIG', { gpu: { accelerator: Accelerator.H100, sharing: { mode: 'mig', profile: '1g.10gb' } } }],
    ['batch', { priority: 'batch', verticalScaling: 'off' }],
    ['no gateway', { gateway: 'off' }],
    ['separate metrics port', { monitoring: { port: 9100, labels: { release: 'x' } } }],
    ['model from S3', { model: { name: 'm', version: '1', source: 's3://models/m' } }],
  ])('pass the strict schemas: %s', (_, props) => {
    expect(render(props).flatMap(schemaErrors)).toEqual([]);
  });

  it('can each be patched', () => {
    const chart = testChart();
    const service = testService({}, chart);
    const children = [
      ApiObject.of(service.serviceAccount),
      service.gatewayConfig,
      service.deployment,
      ApiObject.of(service.service),
      service.autoscaler,
      service.verticalPodAutoscaler,
      service.podDisruptionBudget,
      service.networkPolicy,
      service.podMonitor,
      service.prometheusRule,
    ];
    children.forEach((child) => child?.addJsonPatch(JsonPatch.add('/metadata/annotations', { patched: 'yes' })));
    const all = Testing.synth(chart) as { binaryData?: object; metadata: { annotations?: { patched?: string } } }[];
    // the gateway's program is of no service alone
    const objects = all.filter(({ binaryData }) => binaryData === undefined);
    expect(objects).toHaveLength(children.length);
    expect(objects.every(({ metadata }) => metadata.annotations?.patched === 'yes')).toBe(true);
  });

  it('work with cdk8s-plus', () => {
    const chart = testChart();
    const { service } = testService({}, chart);
    new kplus.Ingress(chart, 'Ingress').addRule('/ct', kplus.IngressBackend.fromService(service));
    const ingress = (Testing.synth(chart) as Rendered[]).find(({ kind }) => kind === 'Ingress');
    expect(JSON.stringify(ingress)).toContain('"service":{"name":"ct","port":{"number":80}}');
  });

  it('are named after the id where no name is given', () => {
    const chart = testChart();
    expect(testService({ name: undefined }, chart).plan.name).toBe('ct');
  });
});

describe('pods', () => {
  it('meet the Pod Security standard "restricted"', () => {
    const spec = podSpec();
    expect(spec.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
    expect(spec.hostNetwork ?? spec.hostPID ?? spec.hostIPC).toBeUndefined();
    const kinds = spec.volumes?.flatMap((volume) => Object.keys(volume).filter((key) => key !== 'name'));
    expect(new Set(kinds)).toEqual(new Set(['emptyDir', 'configMap', 'projected']));
    for (const container of spec.containers) {
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        runAsNonRoot: true,
        capabilities: { drop: ['ALL'] },
      });
    }
    expect(spec.automountServiceAccountToken).toBe(false);
  });

  it('have twice the load time to start, and Karpenter leaves them alone meanwhile', () => {
    const { metadata, spec } = pod({ modelLoadTime: Duration.minutes(7) });
    const startup = spec?.containers[0]?.startupProbe;
    expect((startup?.periodSeconds ?? 0) * (startup?.failureThreshold ?? 0)).toBe(2 * 7 * 60);
    expect(metadata?.annotations).toMatchObject({ 'karpenter.sh/do-not-disrupt': '840s' });
  });

  it('serve until every endpoint has forgotten them, then finish the slowest request', () => {
    const spec = podSpec({ slowestRequest: Duration.seconds(120), gateway: 'off' });
    expect(spec.containers[0]?.lifecycle?.preStop?.sleep?.seconds).toBe(10);
    expect(spec.terminationGracePeriodSeconds).toBe(10 + 120 + 5);
  });

  it('have a sized /dev/shm and cache', () => {
    const { volumes, containers } = podSpec({ sharedMemory: Size.gibibytes(2), cacheVolume: Size.gibibytes(50) });
    expect(volumes).toContainEqual({ name: 'shm', emptyDir: { medium: 'Memory', sizeLimit: '2Gi' } });
    expect(volumes).toContainEqual({ name: 'cache', emptyDir: { sizeLimit: '50Gi' } });
    expect(containers[0]?.resources?.requests).toMatchObject({ 'ephemeral-storage': '51Gi' });
    expect(containers[0]?.env).toContainEqual({ name: 'MODEL_CACHE_DIR', value: '/var/cache/model' });
  });

  it('spread over zones and nodes', () => {
    expect(podSpec().topologySpreadConstraints?.map(({ topologyKey }) => topologyKey)).toEqual([
      'topology.kubernetes.io/zone',
      'kubernetes.io/hostname',
    ]);
  });

  it('take secrets by reference', () => {
    expect(podSpec({ secretEnv: { KEY: { secret: 's', key: 'k' } } }).containers[0]?.env).toContainEqual({
      name: 'KEY',
      valueFrom: { secretKeyRef: { name: 's', key: 'k' } },
    });
  });

  it('leave the number of replicas to the autoscaler', () => {
    expect(rendered<Deployment>('Deployment').spec?.replicas).toBeUndefined();
  });

  it('roll out without losing a replica, unless they are batch', () => {
    expect(rendered<Deployment>('Deployment').spec?.strategy?.rollingUpdate).toEqual({
      maxSurge: 1,
      maxUnavailable: 0,
    });
    expect(rendered<Deployment>('Deployment', { priority: 'batch' }).spec?.strategy?.rollingUpdate).toEqual({
      maxSurge: 0,
      maxUnavailable: 1,
    });
  });
});

describe('disruption budget', () => {
  it('lets one pod go at a time, and never holds on to a broken one', () => {
    expect(rendered<PodDisruptionBudget>('PodDisruptionBudget').spec).toMatchObject({
      maxUnavailable: 1,
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
    });
    expect(
      rendered<PodDisruptionBudget>('PodDisruptionBudget', { disruption: { minAvailable: 1 } }).spec,
    ).toMatchObject({ minAvailable: 1 });
  });
});

describe('network policy', () => {
  const policy = (props?: Partial<MedicalInferenceServiceProps>): NonNullable<NetworkPolicy['spec']> =>
    rendered<NetworkPolicy>('NetworkPolicy', props).spec as NonNullable<NetworkPolicy['spec']>;

  it('lets in the namespace and Prometheus, and out to DNS only', () => {
    const { ingress, egress, policyTypes } = policy();
    expect(policyTypes).toEqual(['Ingress', 'Egress']);
    expect(ingress?.map(({ from }) => from)).toEqual([
      [{ podSelector: {} }],
      [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } }, podSelector: {} }],
    ]);
    expect(egress).toHaveLength(1);
    expect(egress?.[0]?.ports?.map(({ port }) => port)).toEqual([53, 53]);
  });

  it('lets a model be fetched, but not the credentials of the node', () => {
    const { egress } = policy({ model: { name: 'm', version: '1', source: 's3://models/m' } });
    expect(egress?.[1]).toEqual({
      to: [{ ipBlock: { cidr: '0.0.0.0/0', except: ['169.254.169.254/32'] } }],
      ports: [{ protocol: 'TCP', port: 443 }],
    });
  });

  it('names callers and destinations', () => {
    const { ingress, egress } = policy({
      network: {
        callers: [{ namespace: 'pacs', podLabels: { app: 'router' } }],
        egress: [{ cidr: '10.1.0.0/16', ports: [5432] }],
      },
    });
    expect(ingress?.[0]?.from).toEqual([
      {
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'pacs' } },
        podSelector: { matchLabels: { app: 'router' } },
      },
    ]);
    expect(egress?.[1]).toEqual({
      to: [{ ipBlock: { cidr: '10.1.0.0/16' } }],
      ports: [{ protocol: 'TCP', port: 5432 }],
    });
  });
});

describe('vertical scaling', () => {
  const vpa = (props?: Partial<MedicalInferenceServiceProps>): VerticalPodAutoscaler['spec'] =>
    rendered<VerticalPodAutoscaler>('VerticalPodAutoscaler', props).spec;

  it('keeps CPU and memory within the bounds of the requirement, and never touches GPUs', () => {
    expect(vpa().resourcePolicy?.containerPolicies?.[0]).toEqual({
      containerName: 'model',
      controlledResources: ['cpu', 'memory'],
      controlledValues: 'RequestsAndLimits',
      minAllowed: { cpu: '2', memory: '8Gi' },
      maxAllowed: { cpu: '16', memory: '64Gi' },
    });
    expect(vpa().updatePolicy?.updateMode).toBe('InPlaceOrRecreate');
  });

  it('leaves CPU to the HPA where that scales on it', () => {
    expect(vpa({ gpu: undefined }).resourcePolicy?.containerPolicies?.[0]).toMatchObject({
      controlledResources: ['memory'],
      minAllowed: { memory: '8Gi' },
    });
  });

  it('can be off', () => {
    expect(render({ verticalScaling: 'off' }).map(({ kind }) => kind)).not.toContain('VerticalPodAutoscaler');
  });
});

describe('monitoring', () => {
  it('scrapes the service port, or one of its own, where there is no gateway', () => {
    const endpoint = (props?: Partial<MedicalInferenceServiceProps>): unknown =>
      rendered<PodMonitor>('PodMonitor', { ...props, gateway: 'off' }).spec.podMetricsEndpoints?.[0];
    expect(endpoint()).toEqual({ port: 'http', path: '/metrics', interval: '15s' });
    expect(endpoint({ monitoring: { port: 9100 } })).toEqual({ port: 'metrics', path: '/metrics', interval: '15s' });
  });

  it('reads the metrics that were named', () => {
    const rule = JSON.stringify(
      rendered('PrometheusRule', { monitoring: { names: { queueLength: 'vllm:num_requests_waiting' } } }),
    );
    expect(rule).toContain('vllm:num_requests_waiting{');
    expect(rule).not.toContain('request_queue_length{');
  });
});

describe('adapter rules', () => {
  const config = (props: Partial<MedicalInferenceServiceProps>): string | undefined => {
    const chart = testChart();
    new PrometheusAdapterRules(chart, 'rules');
    testService(props, chart);
    const [map] = Testing.synth(chart) as { data: { 'config.yaml': string } }[];
    return map?.data['config.yaml'];
  };

  it('serve every service of the app, also those defined later', () => {
    for (const series of ['pod_gpu_utilization', 'pod_queue_length', 'scaling_pressure', 'replica_floor']) {
      expect(config({})).toContain(`seriesQuery: mediform:${series}{`);
    }
  });

  it('are none where KEDA serves them all', () => {
    expect(config({ scaling: { engine: 'keda' } })).toBe('rules: []\nexternalRules: []\n');
  });
});
