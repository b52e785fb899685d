import { GatewayMetric } from '../../../constructs/plan/gateway/names';
import { NodeLabel, ServiceLabel } from '../../../constructs/plan/labels';

/** PromQL of what is collected. Two exporters that say the same are one: every query takes the largest of equal labels. */

/** What pods of a node hold is in bytes, cores and units of GPUs. */
const HELD = 'resource=~"cpu|memory|nvidia_com_.+",node!=""';
/** A pod on a node holds what it asked for while its image is pulled, too. */
const THERE = 'max by (namespace, pod) (kube_pod_status_phase{phase=~"Pending|Running"}) == 1';
const NO_PAUSE = 'container!="",container!="POD"';

/** Labels of nodes, as kube-state-metrics names them. */
export const NODE_LABELS = {
  instanceType: [label('node.kubernetes.io/instance-type')],
  region: [label('topology.kubernetes.io/region')],
  zone: [label('topology.kubernetes.io/zone')],
  capacityType: [
    label('karpenter.sh/capacity-type'),
    // in the spellings of newer and older versions
    label('eks.amazonaws.com/capacity_type'),
    label('eks.amazonaws.com/capacityType'),
  ],
  gpuSharing: [label(NodeLabel.GPU_SHARING)],
  gpuName: [label(NodeLabel.GPU_NAME)],
  gpuMemory: [label(NodeLabel.GPU_MEMORY)],
} as const;

/** Labels of pods, as kube-state-metrics names them. */
export const POD_LABELS = {
  service: [label(ServiceLabel.NAME)],
  model: [label(ServiceLabel.MODEL)],
  priority: [label(ServiceLabel.PRIORITY)],
} as const;

function label(name: string): string {
  return `label_${name.replaceAll(/[^A-Za-z0-9_]/g, '_')}`;
}

function listed(labels: { readonly [name: string]: readonly string[] }): string {
  return Object.values(labels).flat().join(', ');
}

/** Expressions that are looked at every minute. */
export const Query = {
  /** 1 while anything is known of nodes. */
  COVERAGE: 'clamp_max(count(kube_node_info), 1)',
  NODES: 'max by (node, provider_id) (kube_node_info)',
  NODE_LABELS: `max by (node, ${listed(NODE_LABELS)}) (kube_node_labels)`,
  NODE_CAPACITY: 'max by (node, resource) (kube_node_status_capacity)',
  /** OpenCost's; 1 on Spot. */
  NODE_IS_SPOT: 'max by (node) (kubecost_node_is_spot)',

  PODS: `max by (namespace, pod, node) (kube_pod_info{node!=""}) * on (namespace, pod) group_left () (${THERE})`,
  POD_RUNS: 'max by (namespace, pod) (kube_pod_status_phase{phase="Running"}) == 1',
  POD_LABELS: `max by (namespace, pod, ${listed(POD_LABELS)}) (kube_pod_labels)`,
  POD_REQUESTS:
    `sum by (namespace, pod, node, resource) (max by (namespace, pod, node, container, resource) ` +
    `(kube_pod_container_resource_requests{${HELD}})) * on (namespace, pod) group_left () (${THERE})`,
  POD_CPU:
    `sum by (namespace, pod) (max by (namespace, pod, container) ` +
    `(rate(container_cpu_usage_seconds_total{${NO_PAUSE}}[5m])))`,
  POD_MEMORY: `sum by (namespace, pod) (max by (namespace, pod, container) (container_memory_working_set_bytes{${NO_PAUSE}}))`,
  /** From 0 to 1. */
  POD_GPU: `(avg by (namespace, pod) (${ofPods('DCGM_FI_DEV_GPU_UTIL')}) / 100) or avg by (namespace, pod) (${ofPods('DCGM_FI_PROF_GR_ENGINE_ACTIVE')})`,

  VOLUMES: 'max by (persistentvolume, storageclass, csi_volume_handle) (kube_persistentvolume_info)',
  VOLUME_BYTES: 'max by (persistentvolume) (kube_persistentvolume_capacity_bytes)',
  VOLUME_CLAIMS: 'max by (persistentvolume, claim_namespace, name) (kube_persistentvolume_claim_ref)',
  POD_CLAIMS: 'max by (namespace, pod, persistentvolumeclaim) (kube_pod_spec_volumes_persistentvolumeclaims_info)',
} as const;

/** Counters, one element for each process. */
export const Counters = {
  /** Requests that were answered: neither failed nor left by the caller. */
  CALLS: perPod(`${GatewayMetric.REQUESTS}{code!~"5..|499"}`, ['priority', 'code']),
  INPUT_TOKENS: perPod(`${GatewayMetric.TOKENS}{direction="input"}`, []),
  OUTPUT_TOKENS: perPod(`${GatewayMetric.TOKENS}{direction="output"}`, []),
  INFERENCE_SECONDS: perPod(GatewayMetric.INFERENCE_SECONDS, ['priority']),
  CACHE_HITS: perPod(`${GatewayMetric.CACHE_ANSWERS}{result="hit"}`, []),
  CACHE_MISSES: perPod(`${GatewayMetric.CACHE_ANSWERS}{result="miss"}`, []),
  /** OpenCost's, of its network DaemonSet. */
  TRAFFIC: 'max by (namespace, pod_name, internet, same_region, same_zone) (kubecost_pod_network_egress_bytes_total)',
} as const;

/** All counters of a pod begin anew together, so that they may be added up before. */
function perPod(selector: string, labels: readonly string[]): string {
  const owner = 'namespace, pod, service, model';
  const all = [owner, ...labels].join(', ');
  return `sum by (${owner}) (max by (${all}) (${selector}))`;
}

/** dcgm-exporter's own scrape config renames the labels of the pod that has the GPU; with honorLabels it does not. */
function ofPods(metric: string): string {
  const renamed = `label_replace(${metric}{exported_pod!=""}, "pod", "$1", "exported_pod", "(.+)")`;
  return `label_replace(${renamed}, "namespace", "$1", "exported_namespace", "(.+)") or ${metric}{exported_pod="",pod!=""}`;
}
