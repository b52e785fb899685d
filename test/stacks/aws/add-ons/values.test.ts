import { Testing } from 'cdk8s';
import { parse as parseYaml } from 'yaml';
import { PrometheusAdapterRules } from '../../../../constructs';
import type { PriceFile } from '../../../../constructs/plan/cost/price-file';
import type { GpuSharing } from '../../../../constructs/plan/gpu-sharing';
import { planGpuNodePool, planSpotBatchPool } from '../../../../constructs/plan/node-pools/plan';
import { CHARTS } from '../../../../stacks/aws/add-ons/charts';
import {
  dcgmExporterValues,
  devicePluginConfigs,
  devicePluginValues,
  gpuOperatorValues,
  needsGpuOperator,
} from '../../../../stacks/aws/add-ons/gpus';
import { karpenterValues } from '../../../../stacks/aws/add-ons/karpenter';
import { mergeValues } from '../../../../stacks/aws/add-ons/merge-values';
import {
  prometheusAdapterValues,
  PROMETHEUS_SERVICE,
  prometheusStackValues,
} from '../../../../stacks/aws/add-ons/monitoring';
import { openCostPrices, openCostValues } from '../../../../stacks/aws/add-ons/open-cost';
import { testChart, testService } from '../../../support/app';
import { batch, gpu } from '../../../support/node-pools';

const SLICED: GpuSharing = { mode: 'time-slicing', replicas: 4 };
const MPS: GpuSharing = { mode: 'mps', replicas: 2 };
const MIG: GpuSharing = { mode: 'mig', profile: '1g.10gb' };

interface Kind {
  readonly kind: string;
}

function objectOf<T extends Kind>(chart: ReturnType<typeof testChart>, kind: T['kind']): T {
  return (Testing.synth(chart) as Kind[]).find((object) => object.kind === kind) as T;
}

describe('Prometheus', () => {
  test('is where services let it in, and where KEDA asks it', () => {
    const chart = testChart();
    const service = testService({ scaling: { engine: 'keda' } }, chart);
    const { spec } = objectOf<Kind & { spec: { ingress: { from: unknown[] }[] } }>(chart, 'NetworkPolicy');
    expect(JSON.stringify(spec.ingress[1]?.from)).toContain(CHARTS['kube-prometheus-stack'].namespace);
    const { name, namespace, port } = PROMETHEUS_SERVICE;
    expect(service.plan.scaling.prometheusAddress).toBe(`http://${name}.${namespace}.svc:${port}`);
  });

  test('reads the PodMonitors and rules of the whole cluster', () => {
    expect(prometheusStackValues()).toMatchObject({
      prometheus: {
        prometheusSpec: {
          podMonitorSelectorNilUsesHelmValues: false,
          serviceMonitorSelectorNilUsesHelmValues: false,
          ruleSelectorNilUsesHelmValues: false,
          podMonitorSelector: {},
          ruleSelector: {},
          retention: '15d',
          retentionSize: '42GiB',
        },
      },
      grafana: { enabled: false },
    });
    expect(prometheusStackValues()).not.toHaveProperty('commonLabels');
  });

  test('or only what carries the labels of the services, its own rules among it', () => {
    const labels = { team: 'imaging' };
    const chart = testChart();
    testService({ monitoring: { labels } }, chart);
    const values = prometheusStackValues({ labels, storageClass: 'gp3', storageGiB: 100, retentionDays: 30 });
    expect(values).toMatchObject({
      commonLabels: labels,
      prometheus: {
        prometheusSpec: {
          podMonitorSelector: { matchLabels: labels },
          ruleSelector: { matchLabels: labels },
          retention: '30d',
          storageSpec: {
            volumeClaimTemplate: {
              spec: { storageClassName: 'gp3', resources: { requests: { storage: '100Gi' } } },
            },
          },
        },
      },
    });
    for (const kind of ['PodMonitor', 'PrometheusRule']) {
      const { metadata } = objectOf<Kind & { metadata: { labels: object } }>(chart, kind);
      expect(metadata.labels).toMatchObject(labels);
    }
  });

  test('reads Karpenter where Karpenter is', () => {
    const { prometheus } = prometheusStackValues() as {
      prometheus: { additionalPodMonitors: { namespaceSelector: { matchNames: string[] } }[] };
    };
    expect(prometheus.additionalPodMonitors[0]?.namespaceSelector.matchNames).toEqual([CHARTS.karpenter.namespace]);
  });
});

test('prometheus-adapter reads the ConfigMap that PrometheusAdapterRules makes, and serves external metrics', () => {
  const chart = testChart();
  new PrometheusAdapterRules(chart, 'rules');
  const { metadata } = objectOf<Kind & { metadata: { name: string; namespace: string } }>(chart, 'ConfigMap');
  expect(metadata.namespace).toBe(CHARTS['prometheus-adapter'].namespace);
  const values = prometheusAdapterValues(metadata.name);
  expect(values).toMatchObject({
    prometheus: { url: 'http://prometheus-operated.monitoring.svc', port: 9090 },
    rules: { default: false, existing: 'prometheus-adapter-rules' },
  });
  expect((values.rules as { external: unknown[] }).external).toHaveLength(1);
});

describe('GPUs', () => {
  test('nodes of a pool find the configuration of their division', () => {
    for (const sharing of [SLICED, MPS]) {
      const { labels } = planGpuNodePool({ ...gpu, sharing });
      const config = devicePluginConfigs([SLICED, MPS])[labels['nvidia.com/device-plugin.config'] ?? ''];
      expect(config).toBeDefined();
    }
    const { labels } = planGpuNodePool(gpu);
    expect(labels).not.toHaveProperty('nvidia.com/device-plugin.config');
    expect(devicePluginValues([SLICED])).toMatchObject({ config: { default: 'default' } });
    expect(devicePluginConfigs([])).toEqual({ default: 'version: v1\nflags:\n  migStrategy: none\n' });
  });

  test('shared GPUs keep their name, in as many parts as the pool says', () => {
    const configs = devicePluginConfigs([SLICED, MPS]);
    const resources = (replicas: number) => [{ name: 'nvidia.com/gpu', replicas }];
    expect(parse(configs['time-slicing-4'])).toEqual({
      version: 'v1',
      flags: { migStrategy: 'none' },
      sharing: { timeSlicing: { renameByDefault: false, failRequestsGreaterThanOne: true, resources: resources(4) } },
    });
    expect(parse(configs['mps-2'])).toEqual({
      version: 'v1',
      flags: { migStrategy: 'none' },
      sharing: { mps: { renameByDefault: false, resources: resources(2) } },
    });
  });

  test('MPS needs the label of feature discovery, time-slicing does not', () => {
    expect(devicePluginValues([MPS])).toMatchObject({ gfd: { enabled: true } });
    expect(devicePluginValues([SLICED])).not.toHaveProperty('gfd');
  });

  test('MIG needs the operator, with the strategy that gives partitions the name of a GPU', () => {
    expect(needsGpuOperator([SLICED])).toBe(false);
    expect(needsGpuOperator([SLICED, MIG])).toBe(true);
    const { labels } = planGpuNodePool({ ...gpu, accelerators: ['a100-80gb'], sharing: MIG });
    expect(labels['nvidia.com/mig.config']).toBe('all-1g.10gb');
    expect(gpuOperatorValues([MIG, SLICED])).toMatchObject({
      driver: { enabled: false },
      toolkit: { enabled: false },
      mig: { strategy: 'single' },
      migManager: { enabled: true },
      devicePlugin: {
        config: { create: true, default: 'default', data: { 'time-slicing-4': expect.any(String) as string } },
      },
    });
    expect(parse(devicePluginConfigs([MIG]).default)).toEqual({ version: 'v1', flags: { migStrategy: 'single' } });
  });

  test('every exporter shows the pods of shared GPUs, under the labels that the scaling rules read', () => {
    const virtual = { name: 'KUBERNETES_VIRTUAL_GPUS', value: 'true' };
    const serviceMonitor = { enabled: true, interval: '15s', honorLabels: false };
    expect(dcgmExporterValues()).toMatchObject({ extraEnv: [virtual], serviceMonitor });
    const { dcgmExporter } = gpuOperatorValues([MIG]) as { dcgmExporter: { env: unknown[] } };
    expect(dcgmExporter).toMatchObject({ serviceMonitor });
    expect(dcgmExporter.env).toContainEqual(virtual);
  });

  test('runs on the GPU nodes of every pool, whatever their taints', () => {
    const pools = [
      planGpuNodePool({ ...gpu, reservedFor: 'emergency' }),
      planGpuNodePool({ ...gpu, sharing: SLICED }),
      planSpotBatchPool({ ...batch, accelerators: ['t4'], maxGpus: 4 }),
    ];
    for (const values of [devicePluginValues([]), dcgmExporterValues()]) {
      const { affinity, tolerations } = values as { affinity: Affinity; tolerations: unknown };
      const [term] = affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms;
      for (const { labels, taints } of pools) {
        expect(taints.length).toBeGreaterThan(0);
        for (const { key, values: offered } of term?.matchExpressions ?? []) {
          expect(offered).toContain(labels[key]);
        }
      }
      expect(tolerations).toEqual([{ operator: 'Exists' }]);
    }
  });
});

interface Affinity {
  readonly nodeAffinity: {
    readonly requiredDuringSchedulingIgnoredDuringExecution: {
      readonly nodeSelectorTerms: readonly {
        readonly matchExpressions: readonly { readonly key: string; readonly values: readonly string[] }[];
      }[];
    };
  };
}

test('Karpenter knows its cluster and its queue', () => {
  expect(karpenterValues({ clusterName: 'hospital', interruptionQueue: 'hospital-queue' })).toMatchObject({
    settings: { clusterName: 'hospital', interruptionQueue: 'hospital-queue' },
    serviceAccount: { name: 'karpenter' },
  });
});

describe('OpenCost', () => {
  const region = 'eu-central-1';
  const prices: PriceFile = {
    source: 'AWS Price List',
    provider: 'AWS',
    published: '2026-11-01',
    currency: 'USD',
    validFrom: '2026-11-01',
    validTo: '2026-12-31',
    prices: [
      { kind: 'instance', unit: 'Hours', price: '1.258', instanceType: 'g5.xlarge', region, capacityType: 'on-demand' },
      { kind: 'instance', unit: 'Hours', price: '0.503', instanceType: 'g5.xlarge', region, capacityType: 'spot' },
      {
        kind: 'instance',
        unit: 'Hours',
        price: '1.006',
        instanceType: 'g5.xlarge',
        region: 'us-east-1',
        capacityType: 'on-demand',
      },
      { kind: 'volume', unit: 'GB-Months', price: '0.0952', volumeType: 'gp3', region },
      { kind: 'people', unit: 'Hours', price: '80', activity: 'operations' },
    ],
  };
  const options = { clusterName: 'hospital', region, prices };

  test('has the on-demand and volume prices of its region, and no others', () => {
    expect(openCostPrices(options)).toBe(
      [
        'EndTimestamp,InstanceID,Region,AssetClass,InstanceIDField,InstanceType,MarketPriceHourly,Version',
        ',g5.xlarge,eu-central-1,node,spec.providerID,g5.xlarge,1.258,',
        ',gp3,,pv,spec.storageClassName,,0.000130410959,',
        '',
      ].join('\n'),
    );
  });

  test('never falls back to a price of its own', () => {
    const { opencost } = openCostValues(options) as {
      opencost: { customPricing: { enabled: boolean; costModel: { [price: string]: string } }; exporter: unknown };
    };
    const { description, ...defaults } = opencost.customPricing.costModel;
    expect(description).toBeDefined();
    expect(opencost.customPricing.enabled).toBe(true);
    expect(Object.keys(defaults)).toContain('GPU');
    expect(new Set(Object.values(defaults))).toEqual(new Set(['0']));
    expect(opencost.exporter).toMatchObject({
      extraEnv: { USE_CUSTOM_PROVIDER: 'true', USE_CSV_PROVIDER: 'true', CSV_PATH: '/var/prices/prices.csv' },
    });
  });
});

test('values of the user are merged over the own ones', () => {
  expect(mergeValues({ a: { b: 1, c: 2 }, list: [1] }, { a: { c: 3 }, list: [2], d: 4 })).toEqual({
    a: { b: 1, c: 3 },
    list: [2],
    d: 4,
  });
});

function parse(yaml: string | undefined): unknown {
  return parseYaml(yaml ?? '');
}
