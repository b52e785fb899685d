import type { CostConfig, PeopleHours } from '../../../constructs/plan/cost/config';
import { Decimal } from '../../../constructs/plan/cost/money';
import type { DataStoreUsage, PeopleUsage, SharedUsage } from '../../../constructs/plan/cost/usage';
import type { Problems } from '../../../constructs/plan/errors';
import type { Day } from '../../../constructs/plan/weekly-window';
import type { PrometheusDay } from './prometheus';
import { usage } from './samples';

const GIB = new Decimal(2).pow(30);
const WEEKDAYS: readonly Day[] = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const WORKDAYS: readonly Day[] = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri'];

/** Hours that people work on a day; two entries of the same activity and service are one. */
export function peopleOf({ people = [] }: CostConfig, day: string): PeopleUsage[] {
  const weekday = WEEKDAYS[new Date(`${day}T00:00:00Z`).getUTCDay()] as Day;
  const hours = new Map<string, PeopleUsage>();
  for (const each of people.filter((entry) => holdsOn(entry, day) && (entry.days ?? WORKDAYS).includes(weekday))) {
    const key = keyOf(each);
    const before = hours.get(key)?.hours ?? new Decimal(0);
    hours.set(key, { activity: each.activity, service: each.service, hours: before.plus(each.hoursPerDay) });
  }
  return [...hours.values()];
}

/** What serves all on a day, for all of its hours. */
export function sharedOf({ shared = [], region }: CostConfig, day: string, hours: number): SharedUsage[] {
  return shared.filter((each) => holdsOn(each, day)).map(({ name }) => ({ name, region, hours: new Decimal(hours) }));
}

/** How much data is kept outside of the cluster's volumes. */
export async function dataStoresOf(
  { dataStores = [], region }: CostConfig,
  prometheus: PrometheusDay,
  hours: number,
  problems: Problems,
): Promise<DataStoreUsage[]> {
  const stores = await Promise.all(
    dataStores.map(async ({ name, storageClass, bytes, service }): Promise<DataStoreUsage[]> => {
      const found = await prometheus.meanOfMinutes(bytes);
      const [size] = found;
      const ok = problems.check(
        found.length === 1,
        `dataStores.${name}.bytes`,
        bytes,
        `give one element, and gives ${found.length}`,
        'a store without a size would cost nothing',
      );
      return ok && size !== undefined
        ? [
            {
              name,
              storageClass,
              region,
              service,
              gigabytes: usage(size.value.dividedBy(GIB)),
              hours: new Decimal(hours),
            },
          ]
        : [];
    }),
  );
  return stores.flat();
}

function holdsOn({ from = '', to = '9999' }: { readonly from?: string; readonly to?: string }, day: string): boolean {
  return from <= day && day <= to;
}

function keyOf({ activity, service }: PeopleHours): string {
  return JSON.stringify([activity, service]);
}
