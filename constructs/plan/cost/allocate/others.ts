import { Decimal } from '../money';
import type { PriceBook, PriceQuery } from '../price-book';
import type { BilledResource, DataStoreUsage, DayUsage, Owner, VolumeUsage } from '../usage';
import type { Charge, Part } from './charge';
import type { AllocationDay } from './context';

type Direct = Omit<Charge, 'price' | 'parts' | 'pricingCategory'> & {
  readonly query: PriceQuery;
  readonly owner: Owner;
  readonly part: Pick<Part, 'category' | 'meter' | 'consumed' | 'consumedUnit'>;
};

/** Charges that have one owner each: volumes, traffic, data stores, people, and what serves all. */
export function directCharges(
  usage: DayUsage,
  day: AllocationDay,
  book: PriceBook,
  billOf: (resourceId: string | undefined) => BilledResource | undefined,
  problem: (line: string) => void,
): Charge[] {
  const direct = [
    ...usage.volumes.map((volume) => volumeCharge(volume, day, billOf(volume.providerId))),
    ...usage.traffic.map(({ traffic, region, gigabytes, ...owner }): Direct => ({
      kind: 'network',
      resourceId: `traffic-${traffic}`,
      resourceName: `traffic-${traffic}`,
      region,
      description: `traffic to another ${traffic}`.replace('another internet', 'the internet'),
      quantity: gigabytes,
      confidence: 'metered',
      query: { kind: 'network', traffic, region },
      owner,
      part: { category: 'network', meter: 'Traffic', consumed: gigabytes, consumedUnit: 'GB' },
    })),
    ...usage.dataStores.map((store) => dataStoreCharge(store, day, billOf(store.name))),
    ...usage.people.map(({ activity, hours, ...owner }): Direct => ({
      kind: 'people',
      resourceId: activity,
      resourceName: activity,
      description: `${activity} for ${owner.service ?? 'all services'}`,
      quantity: hours,
      confidence: 'declared',
      query: { kind: 'people', activity },
      owner,
      part: { category: 'people', meter: 'Time', consumed: hours, consumedUnit: 'Hours' },
    })),
    ...usage.shared.map(({ name, region, hours }): Direct => ({
      kind: 'shared',
      resourceId: name,
      resourceName: name,
      region,
      description: name,
      quantity: hours,
      confidence: 'declared',
      bill: billOf(name),
      query: { kind: 'shared', name, region },
      owner: {},
      part: { category: 'shared', meter: 'Time', consumed: hours, consumedUnit: 'Hours' },
    })),
  ];
  return direct.flatMap(({ query, owner, part, ...charge }): Charge[] => {
    const price = book.find(query, day.day, problem);
    const parts = [{ ...part, owner, weight: new Decimal(1), rule: 'direct' }];
    return price === undefined ? [] : [{ ...charge, pricingCategory: 'Standard', price, parts }];
  });
}

function volumeCharge(
  { name, providerId, volumeType, region, gigabytes, hours, ...owner }: VolumeUsage,
  day: AllocationDay,
  bill: BilledResource | undefined,
): Direct {
  const consumed = gigabytes.times(hours);
  return {
    kind: 'volume',
    resourceId: providerId ?? name,
    resourceName: name,
    region,
    description: `${volumeType} of ${gigabytes.toString()} GB`,
    quantity: consumed.dividedBy(day.monthHours),
    confidence: 'metered',
    bill,
    query: { kind: 'volume', volumeType, region },
    owner,
    part: {
      category: owner.namespace === undefined ? 'idle' : 'storage',
      meter: 'Storage',
      consumed,
      consumedUnit: 'GB-Hours',
    },
  };
}

function dataStoreCharge(
  { name, storageClass, region, gigabytes, hours, ...owner }: DataStoreUsage,
  day: AllocationDay,
  bill: BilledResource | undefined,
): Direct {
  const consumed = gigabytes.times(hours);
  return {
    kind: 'data-storage',
    resourceId: name,
    resourceName: name,
    region,
    description: `${storageClass} of ${gigabytes.toString()} GB`,
    quantity: consumed.dividedBy(day.monthHours),
    confidence: 'metered',
    bill,
    query: { kind: 'data-storage', storageClass, region },
    owner,
    part: { category: 'data_storage', meter: 'Storage', consumed, consumedUnit: 'GB-Hours' },
  };
}
