import { ConfigMap } from '@pulumi/kubernetes/core/v1';
import { StorageClass } from '@pulumi/kubernetes/storage/v1';
import { ComponentResource, type ComponentResourceOptions, type Input, type Resource } from '@pulumi/pulumi';
import type { Problems } from '../../../constructs/plan/errors';
import { checkSharing, type GpuSharing } from '../../../constructs/plan/gpu-sharing';
import { assertValid } from '../component';
import { CHARTS, MONITORING_NAMESPACE, type AddOn } from './charts';
import { dcgmExporterValues, devicePluginValues, gpuOperatorValues, needsGpuOperator } from './gpus';
import { karpenterValues, type KarpenterOptions } from './karpenter';
import { mergeValues, type ChartValues } from './merge-values';
import { helmRelease } from './release';
import {
  kedaValues,
  metricsServerValues,
  prometheusAdapterValues,
  prometheusStackValues,
  STORAGE_CLASS,
  type MonitoringOptions,
} from './monitoring';
import {
  checkOpenCost,
  openCostPrices,
  openCostValues,
  PRICES_CONFIG_MAP,
  PRICES_FILE,
  type OpenCostOptions,
} from './open-cost';

/** Arguments of `AddOns`. */
export interface AddOnsArgs {
  /**
   * What Karpenter is told of the cluster.
   *
   * @default - no Karpenter: all pools are node groups
   */
  readonly karpenter?: { readonly [K in keyof KarpenterOptions]: Input<KarpenterOptions[K]> };
  /**
   * Whether there are GPU nodes.
   *
   * @default true
   */
  readonly gpus?: boolean;
  /**
   * How the pools divide GPUs. With MIG the GPU operator is installed in place of the device plugin.
   *
   * @default - whole GPUs
   */
  readonly sharing?: readonly GpuSharing[];
  /**
   * What the services scale by: `hpa` installs prometheus-adapter, `keda` KEDA. Only one of them can serve the cluster's
   * external metrics.
   *
   * @default 'hpa'
   */
  readonly scalingEngine?: 'hpa' | 'keda';
  /**
   * Name of the ConfigMap of `PrometheusAdapterRules`.
   *
   * @default 'prometheus-adapter-rules'
   */
  readonly adapterRules?: string;
  /** @default - as on `MonitoringOptions` */
  readonly monitoring?: MonitoringOptions;
  /**
   * Prices for OpenCost; it never uses its own.
   *
   * @default - no OpenCost
   */
  readonly openCost?: OpenCostOptions;
  /**
   * Whether to install metrics-server, which EKS can also bring as an add-on of its own.
   *
   * @default true
   */
  readonly metricsServer?: boolean;
  /**
   * More values of the charts, merged over those that are set here; lists replace lists.
   *
   * @default - none
   */
  readonly values?: { readonly [A in AddOn]?: ChartValues };
}

/**
 * What the library's constructs need in a cluster, as pinned Helm releases: Karpenter, Prometheus, GPU metrics and device
 * plugin (or the GPU operator), prometheus-adapter or KEDA, the VPA, metrics-server, OpenCost; and a storage class
 * whose volumes are encrypted.
 *
 * Install it before the charts of the app, whose objects need these CRDs. prometheus-adapter starts as soon as the app's
 * ConfigMap `prometheus-adapter-rules` is there; nobody waits for it.
 *
 * Cost: nothing of its own. Its pods want about 3 vCPUs and 6 GiB of the system nodes, and Prometheus a volume of 50 GiB:
 * about 4 USD a month in us-east-1 (gp3).
 *
 * @throws ConfigurationError that lists all wrong arguments with the component's name
 */
export class AddOns extends ComponentResource {
  /** Namespace that Prometheus and prometheus-adapter run in. */
  public readonly monitoringNamespace: string = MONITORING_NAMESPACE;
  /** What was installed: make the app's charts depend on it. */
  public readonly releases: { readonly [A in AddOn]?: Resource };

  constructor(name: string, args: AddOnsArgs = {}, options?: ComponentResourceOptions) {
    assertValid(name, (problems) => checkAddOns(problems, args));
    super('mediform:aws:AddOns', name, {}, options);
    this.releases = this.install(name, args);
    this.registerOutputs({ monitoringNamespace: this.monitoringNamespace });
  }

  private install(name: string, args: AddOnsArgs): { readonly [A in AddOn]?: Resource } {
    const { gpus = true, sharing = [], scalingEngine = 'hpa', metricsServer = true, openCost } = args;
    const releases: { [A in AddOn]?: Resource } = {};
    const install = (
      addOn: AddOn,
      values: ChartValues,
      after: readonly AddOn[] = [],
      dependsOn: Resource[] = [],
    ): void => {
      const dependencies = [...after.flatMap((other) => releases[other] ?? []), ...dependsOn];
      releases[addOn] = helmRelease(name, addOn, mergeValues(values, args.values?.[addOn]), this, dependencies);
    };
    if (args.karpenter !== undefined) {
      install('karpenter-crd', {});
      install('karpenter', karpenterValues(args.karpenter), ['karpenter-crd']);
    }
    const storage = args.monitoring?.storageClass === undefined ? [this.storageClass(name)] : [];
    // its CRDs are what the monitors and rules of all others are
    install('kube-prometheus-stack', prometheusStackValues(args.monitoring), ['karpenter'], storage);
    if (gpus && needsGpuOperator(sharing)) {
      install('gpu-operator', gpuOperatorValues(sharing), ['kube-prometheus-stack']);
    } else if (gpus) {
      install('nvidia-device-plugin', devicePluginValues(sharing), ['karpenter']);
      install('dcgm-exporter', dcgmExporterValues(), ['kube-prometheus-stack']);
    }
    if (scalingEngine === 'hpa') {
      const rules = args.adapterRules ?? 'prometheus-adapter-rules';
      install('prometheus-adapter', prometheusAdapterValues(rules), ['kube-prometheus-stack']);
    } else {
      install('keda', kedaValues(), ['karpenter']);
    }
    if (metricsServer) {
      install('metrics-server', metricsServerValues(), ['karpenter']);
    }
    install('vertical-pod-autoscaler', {}, ['karpenter', 'metrics-server']);
    if (openCost !== undefined) {
      const prices = this.prices(name, openCost, releases['kube-prometheus-stack']);
      install('opencost', openCostValues(openCost), ['kube-prometheus-stack'], [prices]);
    }
    return releases;
  }

  private storageClass(name: string): Resource {
    return new StorageClass(
      `${name}-storage-class`,
      {
        metadata: { name: STORAGE_CLASS, annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
        provisioner: 'ebs.csi.aws.com',
        parameters: { type: 'gp3', encrypted: 'true' },
        // a volume is made where its pod runs: it cannot leave its zone
        volumeBindingMode: 'WaitForFirstConsumer',
        allowVolumeExpansion: true,
      },
      { parent: this },
    );
  }

  private prices(name: string, openCost: OpenCostOptions, namespace: Resource | undefined): Resource {
    return new ConfigMap(
      `${name}-opencost-prices`,
      {
        metadata: { name: PRICES_CONFIG_MAP, namespace: CHARTS.opencost.namespace },
        data: { [PRICES_FILE]: openCostPrices(openCost) },
      },
      { parent: this, dependsOn: namespace === undefined ? [] : [namespace] },
    );
  }
}

/** Records all that is wrong with the arguments of `AddOns`. */
export function checkAddOns(problems: Problems, args: AddOnsArgs): void {
  const { gpus = true, sharing = [], scalingEngine, openCost, values = {} } = args;
  problems.check(
    scalingEngine === undefined || ['hpa', 'keda'].includes(scalingEngine),
    'scalingEngine',
    scalingEngine,
    'be hpa or keda',
    'services scale by no other',
  );
  problems.check(
    gpus || sharing.length === 0,
    'sharing',
    sharing,
    "not be given where 'gpus' is false",
    'there are no GPUs to divide',
  );
  sharing.forEach((division) => checkSharing(problems, division, []));
  checkMonitoring(problems, args.monitoring ?? {});
  if (openCost !== undefined) {
    checkOpenCost(problems, openCost);
  }
  for (const addOn of Object.keys(values)) {
    problems.check(
      Object.hasOwn(CHARTS, addOn),
      `values.${addOn}`,
      '...',
      `be for one of ${Object.keys(CHARTS).join(', ')}`,
      'no other chart is installed',
    );
  }
}

function checkMonitoring(problems: Problems, { retentionDays = 15, storageGiB = 50 }: MonitoringOptions): void {
  problems.check(
    Number.isInteger(retentionDays) && retentionDays >= 8,
    'monitoring.retentionDays',
    retentionDays,
    'be a whole number of at least 8',
    "forecasts read last week's demand",
  );
  problems.check(
    Number.isInteger(storageGiB) && storageGiB >= 10,
    'monitoring.storageGiB',
    storageGiB,
    'be a whole number of at least 10',
    'a full volume stops all scaling',
  );
}
