import { allocateDay } from '../../../constructs/plan/cost/allocate/allocate-day';
import type { CostConfig } from '../../../constructs/plan/cost/config';
import { dayBounds } from '../../../constructs/plan/cost/days';
import { Decimal } from '../../../constructs/plan/cost/money';
import { PriceBook } from '../../../constructs/plan/cost/price-book';
import type { PriceFile } from '../../../constructs/plan/cost/price-file';
import type { LedgerDay } from '../../../constructs/plan/cost/row';
import type { BilledResource, DayUsage } from '../../../constructs/plan/cost/usage';
import { Problems } from '../../../constructs/plan/errors';
import { LedgerError } from '../ledger/errors';
import type { S3Settings } from '../s3';
import { readBill } from './bill';
import { collectNodes } from './cluster';
import { dataStoresOf, peopleOf, sharedOf } from './declared';
import { collectOwners } from './owners';
import { PrometheusDay } from './prometheus';
import { Query } from './queries';
import { collectModels, collectTraffic, collectVolumes } from './usage-of-services';

/** A day to collect. */
export interface CollectOptions {
  /** `YYYY-MM-DD` in the time zone of the configuration. */
  readonly day: string;
  readonly config: CostConfig;
  readonly prices: readonly PriceFile[];
  /**
   * How S3 is reached, for a bill in it.
   *
   * @default - as the AWS SDK finds it
   */
  readonly s3?: S3Settings;
}

/** A day that was collected. */
export interface CollectedDay {
  readonly ledgerDay: LedgerDay;
  /** Resources of the bill that nothing in the cluster or the configuration has; they are not in the ledger. */
  readonly unmatched: readonly BilledResource[];
}

/**
 * Collects what a day cost: usage from Prometheus, prices from the price files, corrections from the bill. The same data
 * gives the same rows again.
 *
 * @throws ConfigurationError that names every price, label and size that is missing
 * @throws LedgerError where the day is not over, or Prometheus cannot be asked or does not know enough of it
 */
export async function collectDay({ day, config, prices, s3 }: CollectOptions): Promise<CollectedDay> {
  const { timeZone = 'UTC', currency } = config;
  const bounds = dayBounds(day, timeZone);
  if (bounds.end * 1000 > Date.now()) {
    throw new LedgerError(`${day} is not over yet in ${timeZone}; a part of a day would be too cheap`);
  }
  const { url, timeoutSeconds = 120, minimumCoverage = 0.98 } = config.prometheus;
  const prometheus = new PrometheusDay(url, bounds, timeoutSeconds);
  await checkCoverage(prometheus, day, minimumCoverage);

  const problems = new Problems();
  const owners = await collectOwners(prometheus);
  const usage: DayUsage = {
    nodes: await collectNodes(prometheus, owners, config.region, problems),
    volumes: await collectVolumes(prometheus, owners, config.region, config.volumeTypes ?? {}),
    traffic: config.traffic === 'none' ? [] : await collectTraffic(prometheus, owners, config.region, problems),
    models: await collectModels(prometheus, owners),
    dataStores: await dataStoresOf(config, prometheus, bounds.hours, problems),
    people: peopleOf(config, day),
    shared: sharedOf(config, day, bounds.hours),
  };
  problems.throwIfAny();
  const bill = config.bill === undefined ? [] : await readBill(config.bill, day, bounds, currency, s3);
  const known = new Set([
    ...usage.nodes.map(({ providerId }) => providerId),
    ...usage.volumes.map(({ providerId }) => providerId),
    ...usage.dataStores.map(({ name }) => name),
    ...usage.shared.map(({ name }) => name),
  ]);
  return {
    ledgerDay: allocateDay({
      day,
      usage,
      prices: new PriceBook(prices, currency),
      context: { ...config, timeZone },
      rules: config,
      bill,
    }),
    unmatched: bill.filter(({ resourceId }) => !known.has(resourceId)),
  };
}

/** A day of which Prometheus missed a part would be too cheap. */
async function checkCoverage(prometheus: PrometheusDay, day: string, minimum: number): Promise<void> {
  const [covered] = await prometheus.sumOfMinutes(Query.COVERAGE);
  const minutes = covered?.value ?? new Decimal(0);
  if (minutes.lessThan(prometheus.minutes * minimum)) {
    throw new LedgerError(
      `Prometheus knows of nodes in ${minutes.toFixed()} of the ${prometheus.minutes} minutes of ${day} (kube_node_info); ` +
        `a day with less than ${minimum * 100}% is not written, since it would be too cheap`,
    );
  }
}
