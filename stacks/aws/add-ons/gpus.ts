import { Yaml } from 'cdk8s';
import { sharingKey, type GpuSharing } from '../../../constructs/plan/gpu-sharing';
import { GPU_RESOURCE, NodeLabel, NVIDIA_GPU } from '../../../constructs/plan/labels';
import type { ChartValues } from './merge-values';

/** Name of the configuration for nodes whose GPUs are whole, or divided by MIG. */
const WHOLE = 'default';
/** GPU nodes carry taints for GPUs, divisions, priorities and batch work: what serves the nodes runs on all of them. */
const ON_ALL_NODES = [{ operator: 'Exists' }];
/** Nodes of the library's GPU pools. The charts would wait for labels that node-feature-discovery sets. */
const ON_GPU_NODES = {
  nodeAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: {
      nodeSelectorTerms: [{ matchExpressions: [{ key: NodeLabel.ACCELERATOR, operator: 'In', values: [NVIDIA_GPU] }] }],
    },
  },
};
/** As often as the library's scaling rules are evaluated. */
const SCRAPE_INTERVAL = '15s';
/** Without it every pod of a shared GPU but one has no GPU metrics. */
const VIRTUAL_GPUS = { name: 'KUBERNETES_VIRTUAL_GPUS', value: 'true' };

/** Whether the divisions need the GPU operator: only its MIG manager partitions GPUs. */
export function needsGpuOperator(sharing: readonly GpuSharing[]): boolean {
  return sharing.some(({ mode }) => mode === 'mig');
}

/**
 * Configurations of the device plugin by name. A pool's nodes choose theirs by the label `nvidia.com/device-plugin.config`,
 * whose value is the name of the division.
 */
export function devicePluginConfigs(sharing: readonly GpuSharing[]): { readonly [name: string]: string } {
  // for GPUs without MIG this is the same as `none`
  const flags = { migStrategy: needsGpuOperator(sharing) ? 'single' : 'none' };
  const configs: { [name: string]: string } = { [WHOLE]: Yaml.stringify({ version: 'v1', flags }) };
  for (const division of sharing) {
    if (division.mode === 'mig') {
      continue;
    }
    // pods ask for nvidia.com/gpu, whatever the division: Karpenter starts nodes for no other resource
    const shares = { renameByDefault: false, resources: [{ name: GPU_RESOURCE, replicas: division.replicas }] };
    configs[sharingKey(division)] = Yaml.stringify({
      version: 'v1',
      flags,
      sharing:
        division.mode === 'mps' ? { mps: shares } : { timeSlicing: { ...shares, failRequestsGreaterThanOne: true } },
    });
  }
  return configs;
}

/** Values of the chart `nvidia-device-plugin`, for clusters without MIG. */
export function devicePluginValues(sharing: readonly GpuSharing[]): ChartValues {
  const mps = sharing.some(({ mode }) => mode === 'mps');
  return {
    config: { map: devicePluginConfigs(sharing), default: WHOLE },
    affinity: ON_GPU_NODES,
    tolerations: ON_ALL_NODES,
    // its MPS daemon runs where feature discovery has set nvidia.com/mps.capable
    ...(mps ? { gfd: { enabled: true }, nfd: { worker: { affinity: ON_GPU_NODES, tolerations: ON_ALL_NODES } } } : {}),
  };
}

/** Values of the chart `dcgm-exporter`. Its metrics keep the exporter's own labels: the rules read `exported_pod`. */
export function dcgmExporterValues(): ChartValues {
  return {
    affinity: ON_GPU_NODES,
    tolerations: ON_ALL_NODES,
    extraEnv: [VIRTUAL_GPUS],
    serviceMonitor: { enabled: true, interval: SCRAPE_INTERVAL, honorLabels: false },
  };
}

/**
 * Values of the chart `gpu-operator`, which brings the device plugin, the MIG manager and dcgm-exporter together. Driver and
 * container toolkit are part of the machine image.
 */
export function gpuOperatorValues(sharing: readonly GpuSharing[]): ChartValues {
  return {
    driver: { enabled: false },
    toolkit: { enabled: false },
    mig: { strategy: 'single' },
    migManager: { enabled: true },
    devicePlugin: {
      config: { create: true, name: 'device-plugin-configs', default: WHOLE, data: devicePluginConfigs(sharing) },
    },
    dcgmExporter: {
      enabled: true,
      // a list replaces the chart's own, so that is repeated
      env: [
        { name: 'DCGM_EXPORTER_LISTEN', value: ':9400' },
        { name: 'DCGM_EXPORTER_KUBERNETES', value: 'true' },
        { name: 'DCGM_EXPORTER_COLLECTORS', value: '/etc/dcgm-exporter/dcp-metrics-included.csv' },
        VIRTUAL_GPUS,
      ],
      serviceMonitor: { enabled: true, interval: SCRAPE_INTERVAL, honorLabels: false },
    },
    daemonsets: { tolerations: ON_ALL_NODES },
    'node-feature-discovery': { worker: { tolerations: ON_ALL_NODES } },
  };
}
