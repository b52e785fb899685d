/**
 * What Prometheus has recorded around 2026-03-29, when Berlin's clocks went forward: a day of 23 hours, from 23:00 UTC of
 * the day before. A GPU node was there all day, a Spot node from 11:00 UTC on, and a small node for the rest.
 */
import type { CostConfig } from '../../../../constructs/plan/cost/config';
import type { PriceFile } from '../../../../constructs/plan/cost/price-file';
import type { Recorded } from './recorded';

const GIB = 2 ** 30;
const ALL = { from: '2026-03-28T20:00:00Z', to: '2026-03-29T23:30:00Z' };
/** Its first scrape is before 11:00, so that it is there at 11:00. */
const FROM_ELEVEN = { ...ALL, from: '2026-03-29T10:59:00Z' };
/** Minutes from the beginning of the records to a restart within the day, and to a time without scrapes. */
const RESTART = 600;
const OUTAGE = { from: 800, to: 820 };

/** Everything of kube-state-metrics comes twice, from two replicas. */
function twice(series: string, value: number, span = ALL): Recorded[] {
  return ['ksm-0', 'ksm-1'].map((instance) => ({
    series: series.replace('}', `,instance="${instance}"}`),
    value,
    ...span,
  }));
}

function node(name: string, labels: string, capacity: { readonly [resource: string]: number }, span = ALL): Recorded[] {
  return [
    ...twice(`kube_node_info{node="${name}",provider_id="aws:///eu-central-1a/i-${name}"}`, 1, span),
    ...twice(`kube_node_labels{node="${name}",label_topology_kubernetes_io_region="eu-central-1",${labels}}`, 1, span),
    ...Object.entries(capacity).flatMap(([resource, amount]) =>
      twice(`kube_node_status_capacity{node="${name}",resource="${resource}"}`, amount, span),
    ),
  ];
}

function pod(
  namespace: string,
  name: string,
  onNode: string,
  labels: string,
  requests: { readonly [resource: string]: number },
  span = ALL,
): Recorded[] {
  const it = `namespace="${namespace}",pod="${name}"`;
  return [
    ...twice(`kube_pod_info{${it},node="${onNode}"}`, 1, span),
    ...twice(`kube_pod_labels{${it},${labels}}`, 1, span),
    ...['Pending', 'Running', 'Failed'].flatMap((phase) =>
      twice(`kube_pod_status_phase{${it},phase="${phase}"}`, phase === 'Running' ? 1 : 0, span),
    ),
    ...Object.entries(requests).flatMap(([resource, amount]) =>
      twice(
        `kube_pod_container_resource_requests{${it},node="${onNode}",container="main",resource="${resource}"}`,
        amount,
        span,
      ),
    ),
  ];
}

function counter(series: string, perMinute: number, span = ALL): Recorded {
  return { series, value: (minute) => (minute + 1) * perMinute, ...span };
}

const CT = 'service="ct",model="resnet50",namespace="imaging",pod="ct-0"';
const RECORDS = 'service="records",model="gpt-4",namespace="records",pod="records-0"';

export const RECORDED: readonly Recorded[] = [
  ...node('gpu', 'label_node_kubernetes_io_instance_type="g5.xlarge",label_karpenter_sh_capacity_type="on-demand"', {
    cpu: 4,
    memory: 16 * GIB,
    nvidia_com_gpu: 1,
  }),
  ...node(
    'spot',
    'label_node_kubernetes_io_instance_type="g5.xlarge",label_karpenter_sh_capacity_type="spot",label_mediform_io_gpu_sharing="time-slicing-4"',
    { cpu: 4, memory: 16 * GIB, nvidia_com_gpu: 4 },
    FROM_ELEVEN,
  ),
  ...node(
    'small',
    'label_node_kubernetes_io_instance_type="m7i.large",label_eks_amazonaws_com_capacity_type="ON_DEMAND"',
    { cpu: 2, memory: 8 * GIB },
  ),
  ...pod(
    'imaging',
    'ct-0',
    'gpu',
    'label_app_kubernetes_io_name="ct",label_mediform_io_model="resnet50",label_mediform_io_priority="emergency"',
    { cpu: 2, memory: 8 * GIB, nvidia_com_gpu: 1 },
  ),
  ...pod(
    'records',
    'records-0',
    'spot',
    'label_app_kubernetes_io_name="records",label_mediform_io_model="gpt-4",label_mediform_io_priority="batch"',
    { cpu: 1, memory: 4 * GIB, nvidia_com_gpu: 1 },
    FROM_ELEVEN,
  ),
  ...pod('kube-system', 'coredns-0', 'small', 'label_app_kubernetes_io_name="coredns"', { cpu: 0.2, memory: GIB }),
  // asks for half a core and uses one
  ...pod('data', 'etl-0', 'small', 'label_app_kubernetes_io_name="etl"', { cpu: 0.5 }),
  counter('container_cpu_usage_seconds_total{namespace="data",pod="etl-0",container="main"}', 60),
  counter('container_cpu_usage_seconds_total{namespace="data",pod="etl-0",container="POD"}', 60),
  {
    series: 'container_memory_working_set_bytes{namespace="data",pod="etl-0",container="main"}',
    value: 2 * GIB,
    ...ALL,
  },
  {
    series:
      'DCGM_FI_DEV_GPU_UTIL{namespace="monitoring",pod="dcgm-x",exported_namespace="imaging",exported_pod="ct-0",gpu="0"}',
    value: 40,
    ...ALL,
  },

  ...twice('kube_persistentvolume_info{persistentvolume="pv-1",storageclass="fast",csi_volume_handle="vol-1"}', 1),
  ...twice('kube_persistentvolume_capacity_bytes{persistentvolume="pv-1"}', 100 * GIB),
  ...twice('kube_persistentvolume_claim_ref{persistentvolume="pv-1",claim_namespace="imaging",name="ct-data"}', 1),
  ...twice(
    'kube_pod_spec_volumes_persistentvolumeclaims_info{namespace="imaging",pod="ct-0",persistentvolumeclaim="ct-data"}',
    1,
  ),
  // nobody claims it any more
  ...twice('kube_persistentvolume_info{persistentvolume="pv-2",storageclass="fast",csi_volume_handle="vol-2"}', 1),
  ...twice('kube_persistentvolume_capacity_bytes{persistentvolume="pv-2"}', 50 * GIB),

  counter(
    'kubecost_pod_network_egress_bytes_total{namespace="imaging",pod_name="ct-0",internet="true",same_region="false",same_zone="false"}',
    10_000_000,
  ),
  counter(
    'kubecost_pod_network_egress_bytes_total{namespace="imaging",pod_name="ct-0",internet="false",same_region="true",same_zone="true"}',
    10_000_000,
  ),
  {
    series: `requests_total{${CT},priority="emergency",code="200"}`,
    value: (minute: number): number | undefined => {
      const outage = minute >= OUTAGE.from && minute < OUTAGE.to;
      return outage ? undefined : minute < RESTART ? (minute + 1) * 10 : 4 + (minute - RESTART) * 10;
    },
    ...ALL,
  },
  counter(`requests_total{${CT},priority="emergency",code="500"}`, 1),
  counter(`mediform_cache_answers_total{${CT},result="hit"}`, 3),
  counter(`mediform_cache_answers_total{${CT},result="miss"}`, 7),
  counter(`mediform_inference_seconds_total{${CT},priority="emergency"}`, 2),
  // a server without the gateway: its pod says whose it is
  counter('requests_total{namespace="records",pod="records-0",code="200"}', 2, FROM_ELEVEN),
  counter(`mediform_tokens_total{${RECORDS},direction="input"}`, 1000, FROM_ELEVEN),
  counter(`mediform_tokens_total{${RECORDS},direction="output"}`, 100, FROM_ELEVEN),
  counter(`mediform_inference_seconds_total{${RECORDS},priority="batch"}`, 0.5, FROM_ELEVEN),
  // somebody else's
  counter('requests_total{namespace="ingress",pod="nginx-0",code="200"}', 1000),

  { series: 'bucket_size_bytes{bucket="images"}', value: 3000 * GIB, ...ALL },
];

export const CONFIG: Omit<CostConfig, 'prometheus'> = {
  currency: 'EUR',
  billingAccount: { id: '111122223333', name: 'St. Example' },
  cluster: 'hospital-prod',
  timeZone: 'Europe/Berlin',
  region: 'eu-central-1',
  volumeTypes: { fast: 'gp3' },
  sharedNamespaces: ['kube-system'],
  selfHostedModels: ['resnet50'],
  people: [{ activity: 'operations', hoursPerDay: '2', days: ['Sun'], service: 'ct' }],
  shared: [{ name: 'eks-control-plane' }],
  dataStores: [{ name: 'images', storageClass: 's3-standard', bytes: 'sum(bucket_size_bytes)', service: 'ct' }],
};

const REGION = 'eu-central-1';
/** Of a g5.xlarge (9 for its GPU, 3.6 for its cores, 1.6 for its memory) a unit costs 0.1 an hour; on Spot half of that. */
export const PRICES: PriceFile = {
  source: 'test prices',
  provider: 'AWS',
  published: '2026-03-01',
  currency: 'EUR',
  validFrom: '2026-03-01',
  validTo: '2026-03-31',
  prices: [
    {
      kind: 'instance',
      unit: 'Hours',
      price: '1.42',
      instanceType: 'g5.xlarge',
      capacityType: 'on-demand',
      region: REGION,
    },
    { kind: 'instance', unit: 'Hours', price: '0.71', instanceType: 'g5.xlarge', capacityType: 'spot', region: REGION },
    {
      kind: 'instance',
      unit: 'Hours',
      price: '0.26',
      instanceType: 'm7i.large',
      capacityType: 'on-demand',
      region: REGION,
    },
    { kind: 'volume', unit: 'GB-Months', price: '0.0744', volumeType: 'gp3', region: REGION },
    { kind: 'network', unit: 'GB', price: '0.09', traffic: 'internet', region: REGION },
    { kind: 'model', unit: '1000000 Input Tokens', price: '30', model: 'gpt-4' },
    { kind: 'model', unit: '1000000 Output Tokens', price: '60', model: 'gpt-4' },
    { kind: 'data-storage', unit: 'GB-Months', price: '0.0248', storageClass: 's3-standard', region: REGION },
    { kind: 'people', unit: 'Hours', price: '80', activity: 'operations' },
    { kind: 'shared', unit: 'Hours', price: '0.1', name: 'eks-control-plane' },
  ],
};
