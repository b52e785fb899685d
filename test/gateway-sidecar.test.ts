import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { App, Chart, Duration, Size, Testing } from 'cdk8s';
import { MedicalInferenceService, type GatewayConfig, type MedicalInferenceServiceProps } from '../constructs';
import type { ConfigMap } from '../constructs/imports/config-map';
import type { Deployment } from '../constructs/imports/deployment';
import type { HorizontalPodAutoscaler } from '../constructs/imports/horizontal-pod-autoscaler';
import type { Container, PodSpec } from '../constructs/imports/k8s';
import type { NetworkPolicy } from '../constructs/imports/network-policy';
import type { PodMonitor } from '../constructs/imports/pod-monitor';
import type { Service } from '../constructs/imports/service';
import type { VerticalPodAutoscaler } from '../constructs/imports/vertical-pod-autoscaler';
import { GPU_SERVICE, testChart, testService } from './support/app';
import { schemaErrors } from './support/schema';

type Props = Partial<MedicalInferenceServiceProps>;

function render(props: Props = {}): unknown[] {
  const chart = testChart();
  testService(props, chart);
  return Testing.synth(chart) as unknown[];
}

function rendered<T>(kind: string, props?: Props): T {
  return render(props).find((object) => (object as { kind: string }).kind === kind) as T;
}

function podSpec(props?: Props): PodSpec {
  return rendered<Deployment>('Deployment', props).spec?.template.spec as PodSpec;
}

function gatewayOf(props?: Props): Container {
  return podSpec(props).containers.find(({ name }) => name === 'gateway') as Container;
}

function configMaps(props?: Props): ConfigMap[] {
  return render(props).filter((object) => (object as ConfigMap).kind === 'ConfigMap') as ConfigMap[];
}

function configMap(props?: Props): ConfigMap {
  return configMaps(props).find(({ data }) => data?.['config.json'] !== undefined) as ConfigMap;
}

function configOf(props?: Props): GatewayConfig {
  return JSON.parse(configMap(props).data?.['config.json'] ?? '') as GatewayConfig;
}

describe('the gateway', () => {
  it('stands before every model unless it is off', () => {
    expect(podSpec().containers.map(({ name }) => name)).toEqual(['model', 'gateway']);
    expect(podSpec({ gateway: 'off' }).containers.map(({ name }) => name)).toEqual(['model']);
    expect(configMaps({ gateway: 'off' })).toEqual([]);
  });

  it('takes what callers send, and nobody reaches the model past it', () => {
    expect(rendered<Service>('Service').spec?.ports).toEqual([{ name: 'http', port: 80, targetPort: 9080 }]);
    const [callers, prometheus] = rendered<NetworkPolicy>('NetworkPolicy').spec?.ingress ?? [];
    expect(callers?.ports).toEqual([{ protocol: 'TCP', port: 9080 }]);
    expect(prometheus?.ports).toEqual([{ protocol: 'TCP', port: 9081 }]);
    expect(configOf().upstream).toEqual({ port: 8080 });
    expect(rendered<Service>('Service', { gateway: 'off' }).spec?.ports).toMatchObject([{ targetPort: 8080 }]);
  });

  it('is asked by the kubelet on its own port, and its readiness includes the model', () => {
    const { ports, readinessProbe, livenessProbe } = gatewayOf({ gateway: { adminPort: 9900 } });
    expect(ports?.map(({ name, containerPort }) => [name, containerPort])).toEqual([
      ['gateway', 9080],
      ['admin', 9900],
    ]);
    expect(readinessProbe?.httpGet).toEqual({ path: '/readyz', port: 'admin' });
    expect(livenessProbe?.httpGet).toEqual({ path: '/healthz', port: 'admin' });
    expect(configOf({ probes: { readiness: '/v2/health/ready' } }).upstream.readinessPath).toBe('/v2/health/ready');
  });

  it('stops first: the model waits until it has drained', () => {
    const props = { slowestRequest: Duration.seconds(120) };
    const [model, gateway] = podSpec(props).containers;
    expect(gateway?.lifecycle?.preStop).toEqual({ sleep: { seconds: 10 } });
    expect(model?.lifecycle?.preStop).toEqual({ httpGet: { path: '/drained', port: 9081 } });
    expect(configOf(props).drain).toEqual({ timeout: 120 });
    expect(configOf(props).timeouts).toEqual({ upstream: 120 });
    expect(podSpec(props).terminationGracePeriodSeconds).toBe(10 + 120 + 5);
  });

  it('gives requests the priority of the service where nobody says another', () => {
    expect(configOf({ priority: 'emergency' }).defaultPriority).toBe('emergency');
    expect(configOf({}).defaultPriority).toBe('normal');
    expect(configOf({ priority: 'emergency', gateway: { defaultPriority: 'normal' } }).defaultPriority).toBe('normal');
  });

  it('rolls out when its configuration changes, and only then', () => {
    const name = (props: Props): string => configMap(props).metadata.name;
    expect(name({})).toMatch(/^ct-gateway-[0-9a-f]{10}$/);
    expect(name({ gateway: { admission: { concurrency: 4 } } })).not.toBe(name({}));
    expect(name({ memory: Size.gibibytes(16) })).toBe(name({}));
    const volume = podSpec().volumes?.find((candidate) => candidate.name === 'gateway');
    expect(volume?.projected?.sources?.[0]?.configMap?.name).toBe(name({}));
  });

  it('has its secrets mounted, and the model has none of them', () => {
    const props: Props = {
      gateway: {
        tls: { secret: 'ct-tls', askForCertificates: true },
        trustedCallers: [{ secret: { secret: 'callers', key: 'router' }, priorities: ['emergency'] }],
      },
    };
    const { containers, volumes } = podSpec(props);
    const sources = volumes?.find(({ name }) => name === 'gateway')?.projected?.sources;
    expect(sources?.slice(1)).toEqual([
      { secret: { name: 'callers', items: [{ key: 'router', path: 'callers/0' }] } },
      {
        secret: { name: 'ct-tls', items: ['tls.crt', 'tls.key', 'ca.crt'].map((key) => ({ key, path: `tls/${key}` })) },
      },
    ]);
    expect(containers[0]?.volumeMounts?.map(({ name }) => name)).toEqual(['shm', 'cache', 'tmp']);
    const config = configOf(props);
    expect(config.trustedCallers).toEqual([{ secretFile: '/etc/mediform/callers/0', priorities: ['emergency'] }]);
    expect(config.listen?.tls).toEqual({
      certificateFile: '/etc/mediform/tls/tls.crt',
      keyFile: '/etc/mediform/tls/tls.key',
      clientAuthorityFile: '/etc/mediform/tls/ca.crt',
    });
    expect(render(props).flatMap(schemaErrors)).toEqual([]);
  });

  it('meets the Pod Security standard "restricted"', () => {
    expect(gatewayOf().securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(gatewayOf().volumeMounts?.every(({ readOnly }) => readOnly === true)).toBe(true);
  });

  it('has memory for what it may hold', () => {
    const memory = (props?: Props): unknown => gatewayOf(props).resources?.limits?.memory;
    const cached = { path: '/v1/read', cache: { kind: 'diagnosis' } } as const;
    const model = { ...GPU_SERVICE.model, preprocessingVersion: '1' };
    expect(memory()).toBe('384Mi');
    expect(memory({ model, gateway: { routes: [cached] } })).toBe('480Mi');
    expect(memory({ gateway: { body: { totalBufferBytes: 2 ** 30 } } })).toBe('1728Mi');
    expect(gatewayOf({ gateway: { cpu: 2, memory: Size.gibibytes(2) } }).resources?.requests).toEqual({
      cpu: '2',
      memory: '2Gi',
      'ephemeral-storage': '64Mi',
    });
  });

  it('has no say in how the model is scaled', () => {
    const vpa = rendered<VerticalPodAutoscaler>('VerticalPodAutoscaler');
    const policies = vpa.spec.resourcePolicy?.containerPolicies?.map(({ containerName, mode }) => [
      containerName,
      mode,
    ]);
    expect(policies).toEqual([
      ['model', undefined],
      ['*', 'Off'],
    ]);
    const hpa = rendered<HorizontalPodAutoscaler>('HorizontalPodAutoscaler', {
      scaling: { targets: { resources: { cpu: 60 } } },
    });
    expect(hpa.spec?.metrics?.[0]).toMatchObject({ containerResource: { container: 'model' } });
  });
});

describe('what Prometheus reads', () => {
  const endpoints = (props?: Props): unknown => rendered<PodMonitor>('PodMonitor', props).spec.podMetricsEndpoints;

  it('is the gateway, which sends all that the rules need', () => {
    expect(endpoints()).toEqual([{ port: 'admin', path: '/metrics', interval: '15s' }]);
  });

  it('is the model too where it is said what it sends, but requests are counted once', () => {
    expect(endpoints({ monitoring: { names: { queueLength: 'vllm:num_requests_waiting' } } })).toEqual([
      { port: 'admin', path: '/metrics', interval: '15s' },
      {
        port: 'http',
        path: '/metrics',
        interval: '15s',
        metricRelabelings: [
          {
            action: 'drop',
            sourceLabels: ['__name__'],
            regex: 'request_queue_length|requests_total|request_duration_seconds_(bucket|count|sum)',
          },
        ],
      },
    ]);
    const policy = rendered<NetworkPolicy>('NetworkPolicy', { monitoring: { port: 9100 } });
    expect(policy.spec?.ingress?.[1]?.ports?.map(({ port }) => port)).toEqual([9081, 9100]);
  });
});

describe('the program', () => {
  const program = (props?: Props): ConfigMap =>
    configMaps(props).find(({ binaryData }) => binaryData !== undefined) as ConfigMap;

  it('is what was bundled, immutable, and fits into an object', () => {
    const { binaryData = {}, data, immutable, metadata } = program();
    const stored = binaryData['program.br'] ?? '';
    expect(immutable).toBe(true);
    expect(stored.length).toBeLessThanOrEqual(250 * 1024);
    expect(data?.['start.js']).toBe(readFileSync(join(__dirname, '../runtime/start.js'), 'utf8'));
    expect(brotliDecompressSync(Buffer.from(stored, 'base64')).toString()).toContain('MEDIFORM_CONFIG');
    expect(podSpec().volumes).toContainEqual({
      name: 'program',
      configMap: { name: metadata.name, defaultMode: 0o444 },
    });
  });

  it('runs on the official image, or on another one', () => {
    expect(gatewayOf()).toMatchObject({
      image: expect.stringMatching(/^docker\.io\/library\/node:24\.\d+\.\d+-\S+-slim$/) as string,
      command: ['node', '/opt/mediform/start.js'],
      env: [{ name: 'MEDIFORM_CONFIG', value: '/etc/mediform/config.json' }],
    });
    const runtimeImage = 'registry.hospital.example/node:24';
    expect(gatewayOf({ gateway: { runtimeImage } }).image).toBe(runtimeImage);
  });

  it('is there once in each namespace, whatever chart its services are in', () => {
    const app = new App();
    const first = new Chart(app, 'first', { namespace: 'imaging' });
    const second = new Chart(app, 'second', { namespace: 'imaging' });
    const elsewhere = new Chart(app, 'elsewhere', { namespace: 'records' });
    for (const chart of [first, second, elsewhere]) {
      new MedicalInferenceService(chart, `of-${chart.node.id}`, GPU_SERVICE);
    }
    const programs = [first, second, elsewhere].map((chart) =>
      (Testing.synth(chart) as ConfigMap[]).filter(({ binaryData }) => binaryData !== undefined),
    );
    expect(programs.map(({ length }) => length)).toEqual([1, 0, 1]);
    expect(programs[2]?.[0]?.metadata.namespace).toBe('records');
  });
});

describe('dead configurations', () => {
  const model = { ...GPU_SERVICE.model, preprocessingVersion: '1' };

  it.each<[string, Props, string]>([
    [
      'a cached route of unknown preprocessing',
      { gateway: { routes: [{ path: '/v1/read', cache: { kind: 'diagnosis' } }] } },
      "'model.preprocessingVersion' (undefined) must be given with 'gateway.routes[0].cache' because it is a part of every cache key",
    ],
    [
      'a model on the port of its gateway',
      { port: 9080 },
      "'gateway.port' (9080) must differ from 'gateway.adminPort' (9081) and 'port' (9080), and they from each other",
    ],
    [
      'metrics of the model on the port of the gateway',
      { monitoring: { port: 9081 } },
      "'monitoring.port' (9081) must differ from 'gateway.port' (9080) and 'gateway.adminPort' (9081)",
    ],
    [
      'an unknown priority',
      { gateway: { defaultPriority: 'urgent' as 'normal' } },
      "'gateway.defaultPriority' (urgent) must be one of emergency, normal, batch",
    ],
    [
      'too little memory for the bodies that it may hold',
      { gateway: { memory: Size.mebibytes(256) } },
      "'gateway.memory' (256 MiB) must be at least 320 MiB (192 MiB, and 128 MiB of bodies and entries)",
    ],
    [
      'trust in everybody',
      { gateway: { trustedCallers: [{ priorities: ['emergency'] }] } },
      "'gateway.trustedCallers[0]' (",
    ],
    [
      'a secret without a name',
      { gateway: { trustedCallers: [{ secret: { secret: '', key: 'k' } }] } },
      "'gateway.trustedCallers[0].secret.secret' () must be the name of a Secret",
    ],
    ['a second container of that name', { containerName: 'gateway' }, "'containerName' (gateway) must not be gateway"],
    ['no image', { gateway: { runtimeImage: '' } }, "'gateway.runtimeImage' () must name an image"],
    ['no time for a request', { model, slowestRequest: Duration.seconds(0) }, "'slowestRequest' (0"],
  ])('refuses %s', (_, props, message) => {
    expect(() => testService(props)).toThrow(message);
  });
});
