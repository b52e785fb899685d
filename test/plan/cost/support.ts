import { Decimal } from '../../../constructs/plan/cost/money';
import { PriceBook } from '../../../constructs/plan/cost/price-book';
import type { Price, PriceFile } from '../../../constructs/plan/cost/price-file';
import type { LedgerContext } from '../../../constructs/plan/cost/allocate/context';
import type { DayUsage, HeldByPods, ModelUsage, NodeUsage } from '../../../constructs/plan/cost/usage';

export const REGION = 'eu-central-1';

export const CONTEXT: LedgerContext = {
  timeZone: 'UTC',
  currency: 'EUR',
  billingAccount: { id: '111122223333', name: 'St. Example' },
  cluster: 'hospital-prod',
};

export const NOTHING: DayUsage = {
  nodes: [],
  volumes: [],
  traffic: [],
  models: [],
  dataStores: [],
  people: [],
  shared: [],
};

export function priceFile(prices: readonly Price[], given: Partial<PriceFile> = {}): PriceFile {
  return {
    source: 'test prices',
    provider: 'AWS',
    published: '2026-02-20',
    currency: 'EUR',
    validFrom: '2026-03-01',
    validTo: '2026-03-31',
    prices,
    ...given,
  };
}

export function book(...prices: readonly Price[]): PriceBook {
  return new PriceBook([priceFile(prices)], 'EUR');
}

export function instance(price: string, instanceType = 'g5.xlarge'): Price {
  return { kind: 'instance', unit: 'Hours', price, instanceType, region: REGION, capacityType: 'on-demand' };
}

/** A node that is there all day; numbers are per node, not hours. */
export function node(given: Partial<NodeUsage> = {}): NodeUsage {
  return {
    name: 'node-1',
    instanceType: 'g5.xlarge',
    capacityType: 'on-demand',
    region: REGION,
    hours: new Decimal(24),
    gpus: 1,
    cores: new Decimal(4),
    memoryGiB: new Decimal(16),
    pods: [],
    ...given,
  };
}

/** Pods that hold something for some hours. */
export function pods(
  service: string,
  hours: number,
  each: { readonly gpu?: number | string | Decimal; readonly cpu?: number; readonly memory?: number },
  given: Partial<HeldByPods> = {},
): HeldByPods {
  return {
    service,
    model: `${service}-model`,
    namespace: 'imaging',
    hours: new Decimal(hours),
    gpuHours: new Decimal(each.gpu ?? 0).times(hours),
    cpuHours: new Decimal(each.cpu ?? 0).times(hours),
    memoryHours: new Decimal(each.memory ?? 0).times(hours),
    ...given,
  };
}

export function modelUsage(given: Partial<ModelUsage> = {}): ModelUsage {
  return {
    service: 'record_analysis',
    model: 'gpt-4',
    calls: 0,
    inputTokens: 0,
    outputTokens: 0,
    inferenceSeconds: new Decimal(0),
    cacheHits: 0,
    cacheMisses: 0,
    ...given,
  };
}
