import type { AllocationRules } from '../../../constructs/plan/cost/allocate/allocate-day';
import type { LedgerContext } from '../../../constructs/plan/cost/allocate/context';
import type { CapacityType, PriceFile } from '../../../constructs/plan/cost/price-file';
import type { DemandShape } from './demand';

/** Region of the demo's cluster. */
export const REGION = 'eu-central-1';

/** Who pays in the demo. */
export const CONTEXT: LedgerContext = {
  timeZone: 'Europe/Berlin',
  currency: 'EUR',
  billingAccount: { id: '111122223333', name: 'St. Example Hospital' },
  cluster: 'hospital-prod',
};

/** How the demo's costs come to services. */
export const RULES: AllocationRules = {
  sharedNamespaces: ['kube-system', 'monitoring'],
  sharedCosts: 'by-cost',
  selfHostedModels: ['resnet50', 'unet', 'vit', 'minilm'],
};

/** A service of the demo: one model on nodes of the cluster, or one that is paid by tokens. */
export interface DemoService {
  readonly service: string;
  readonly model: string;
  readonly namespace: string;
  readonly priority: 'emergency' | 'normal' | 'batch';
  /** Calls on a mean workday at the beginning. */
  readonly calls: number;
  readonly demand: DemandShape;
  /** Part of the calls that the cache answers. */
  readonly hitRatio: number;
  /** Seconds that the model works on a call. */
  readonly secondsPerCall: number;
  /** Tokens read and written for a call that no cache answers. */
  readonly tokens?: { readonly input: number; readonly output: number };
  /** Nodes of its own, each with one pod of it. */
  readonly nodes?: {
    readonly instanceType: string;
    readonly capacityType: CapacityType;
    readonly gpus: number;
    readonly cores: number;
    readonly memoryGiB: number;
    /** Fewest and most of them. */
    readonly min: number;
    readonly max: number;
    /** Seconds of work a day that one node can do at the utilisation it is scaled for. */
    readonly secondsPerNode: number;
    /** Hours a day that they are there. */
    readonly hours: number;
  };
}

const CLINIC: DemandShape = { weekend: 0.35, winter: 0.08, growth: 0.18, noise: 0.05 };
const EMERGENCY: DemandShape = { weekend: 0.9, winter: 0.15, growth: 0.1, noise: 0.08 };
const OFFICE: DemandShape = { weekend: 0.2, winter: 0.05, growth: 0.35, noise: 0.06 };
const NIGHT: DemandShape = { weekend: 1.3, winter: 0, growth: 0.05, noise: 0.12 };

/**
 * The demo's hospital, with five things that advice should find: an A100 node that `vit` hardly uses, `gpt-4` for what a
 * cheaper model might do, a cache of `knowledge_retrieval` that answers hardly anything, replicas of it that nothing asks
 * for, and nodes that are idle on weekends.
 */
export const SERVICES: readonly DemoService[] = [
  {
    service: 'image_diagnosis',
    model: 'resnet50',
    namespace: 'imaging',
    priority: 'emergency',
    calls: 5200,
    demand: EMERGENCY,
    hitRatio: 0.22,
    secondsPerCall: 25,
    nodes: {
      instanceType: 'g5.xlarge',
      capacityType: 'on-demand',
      gpus: 1,
      cores: 4,
      memoryGiB: 16,
      min: 2,
      max: 8,
      secondsPerNode: 52_000,
      hours: 24,
    },
  },
  {
    service: 'image_diagnosis',
    model: 'unet',
    namespace: 'imaging',
    priority: 'normal',
    calls: 2100,
    demand: CLINIC,
    hitRatio: 0.31,
    secondsPerCall: 45,
    nodes: {
      instanceType: 'g5.xlarge',
      capacityType: 'on-demand',
      gpus: 1,
      cores: 4,
      memoryGiB: 16,
      min: 1,
      max: 6,
      secondsPerNode: 52_000,
      hours: 24,
    },
  },
  {
    service: 'image_diagnosis',
    model: 'vit',
    namespace: 'imaging',
    priority: 'normal',
    calls: 640,
    demand: CLINIC,
    hitRatio: 0.28,
    secondsPerCall: 190,
    // one GPU would do; the instance has eight
    nodes: {
      instanceType: 'p4d.24xlarge',
      capacityType: 'on-demand',
      gpus: 8,
      cores: 96,
      memoryGiB: 1152,
      min: 1,
      max: 1,
      secondsPerNode: 500_000,
      hours: 24,
    },
  },
  {
    service: 'image_diagnosis',
    model: 'unet',
    namespace: 'imaging-batch',
    priority: 'batch',
    calls: 3000,
    demand: NIGHT,
    hitRatio: 0.02,
    secondsPerCall: 14,
    nodes: {
      instanceType: 'g4dn.xlarge',
      capacityType: 'spot',
      gpus: 1,
      cores: 4,
      memoryGiB: 16,
      min: 2,
      max: 6,
      secondsPerNode: 16_000,
      hours: 6,
    },
  },
  {
    service: 'record_analysis',
    model: 'gpt-4',
    namespace: 'records',
    priority: 'normal',
    calls: 1900,
    demand: OFFICE,
    hitRatio: 0.18,
    secondsPerCall: 6,
    tokens: { input: 2100, output: 320 },
  },
  {
    service: 'record_analysis',
    model: 'gpt-4o-mini',
    namespace: 'records',
    priority: 'batch',
    calls: 5200,
    demand: OFFICE,
    hitRatio: 0.25,
    secondsPerCall: 3,
    tokens: { input: 1500, output: 180 },
  },
  {
    service: 'knowledge_retrieval',
    model: 'minilm',
    namespace: 'knowledge',
    priority: 'normal',
    calls: 14_000,
    demand: OFFICE,
    hitRatio: 0.07,
    secondsPerCall: 5,
    nodes: {
      instanceType: 'c7i.2xlarge',
      capacityType: 'on-demand',
      gpus: 0,
      cores: 8,
      memoryGiB: 16,
      min: 5,
      max: 8,
      secondsPerNode: 45_000,
      hours: 24,
    },
  },
];

/**
 * Prices of the demo. They are near list prices of 2025, rounded, and for this demo only.
 *
 * @param from first day on which they hold
 * @param to last day
 */
export function demoPrices(from: string, to: string): readonly PriceFile[] {
  const file = (source: string, provider: string, currency: string, prices: PriceFile['prices']): PriceFile => ({
    source: `demo: ${source}`,
    provider,
    published: from,
    currency,
    validFrom: from,
    validTo: to,
    prices,
  });
  const instance = (
    instanceType: string,
    price: string,
    capacityType: CapacityType = 'on-demand',
    listPrice?: string,
  ) =>
    ({
      kind: 'instance',
      unit: 'Hours',
      instanceType,
      capacityType,
      region: REGION,
      price,
      ...(listPrice && { listPrice }),
    }) as const;
  const tokens = (model: string, input: string, output: string) =>
    [
      { kind: 'model', unit: '1000000 Input Tokens', model, price: input },
      { kind: 'model', unit: '1000000 Output Tokens', model, price: output },
    ] as const;
  return [
    file('nodes, volumes and traffic', 'AWS', 'USD', [
      instance('g5.xlarge', '1.258'),
      instance('g4dn.xlarge', '0.21', 'spot', '0.658'),
      instance('p4d.24xlarge', '27.45'),
      instance('c7i.2xlarge', '0.4074'),
      instance('m7i.large', '0.1207'),
      { kind: 'volume', unit: 'GB-Months', volumeType: 'gp3', region: REGION, price: '0.0952' },
      { kind: 'network', unit: 'GB', traffic: 'zone', region: REGION, price: '0.01' },
      { kind: 'network', unit: 'GB', traffic: 'internet', region: REGION, price: '0.09' },
      { kind: 'data-storage', unit: 'GB-Months', storageClass: 's3-standard', region: REGION, price: '0.0245' },
      { kind: 'data-storage', unit: 'GB-Months', storageClass: 'rds-gp3', region: REGION, price: '0.137' },
      { kind: 'shared', unit: 'Hours', name: 'eks-control-plane', price: '0.1' },
      { kind: 'shared', unit: 'Hours', name: 'load-balancer', price: '0.027' },
    ]),
    file('models', 'Model provider', 'USD', [...tokens('gpt-4', '30', '60'), ...tokens('gpt-4o-mini', '0.15', '0.6')]),
    file('staff', CONTEXT.billingAccount.name, 'EUR', [
      { kind: 'people', unit: 'Hours', activity: 'development', price: '92' },
      { kind: 'people', unit: 'Hours', activity: 'operations', price: '78.5' },
      { kind: 'people', unit: 'Hours', activity: 'review', price: '110' },
    ]),
    { ...file('exchange rate', 'Central bank', 'EUR', []), exchangeRates: [{ from: 'USD', to: 'EUR', rate: '0.92' }] },
  ];
}
