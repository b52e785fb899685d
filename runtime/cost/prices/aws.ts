import { Decimal } from '../../../constructs/plan/cost/money';
import type { Price, PriceFile } from '../../../constructs/plan/cost/price-file';
import { addDays, dayBounds, daysBetween } from '../../../constructs/plan/cost/days';
import { LedgerError } from '../ledger/errors';

interface AwsProduct {
  readonly sku: string;
  readonly productFamily?: string;
  readonly attributes: { readonly [name: string]: string | undefined };
}

interface AwsTerm {
  readonly priceDimensions: {
    readonly [id: string]: {
      readonly unit: string;
      readonly beginRange?: string;
      readonly pricePerUnit: { readonly [currency: string]: string };
    };
  };
}

/** An offer file of the AWS Price List, such as `AmazonEC2/current/eu-central-1/index.json`. */
export interface AwsOfferFile {
  readonly offerCode: string;
  readonly publicationDate: string;
  readonly products: { readonly [sku: string]: AwsProduct };
  readonly terms: { readonly OnDemand?: { readonly [sku: string]: { readonly [term: string]: AwsTerm } } };
}

/** What `aws pricing get-products --output json` prints: products and their terms, each as JSON in a text. */
export interface AwsProductList {
  readonly PriceList: readonly string[];
}

/** What `aws ec2 describe-spot-price-history --output json` prints. */
export interface AwsSpotHistory {
  readonly SpotPriceHistory: readonly {
    readonly AvailabilityZone: string;
    readonly InstanceType: string;
    readonly ProductDescription: string;
    readonly SpotPrice: string;
    readonly Timestamp: string;
  }[];
}

/** What is made of an AWS price list. */
export interface AwsPriceOptions {
  /** Last day on which its prices are taken for right, `YYYY-MM-DD`. AWS does not say; somebody must. */
  readonly validTo: string;
  /** @default - the day of its publication */
  readonly validFrom?: string;
  /** @default 'USD' */
  readonly currency?: string;
  /** @default - all */
  readonly instanceTypes?: readonly string[];
}

/**
 * On-demand prices of Linux instances with shared tenancy, and of EBS volumes, from an AWS price list of AmazonEC2.
 *
 * @throws LedgerError where there is none
 */
export function pricesFromAws(list: AwsOfferFile | AwsProductList, options: AwsPriceOptions): PriceFile {
  const { validTo, currency = 'USD', instanceTypes } = options;
  const { offers, published } = offersOf(list);
  const prices = offers.flatMap(({ product, terms }) => {
    const price = firstPrice(terms, currency);
    return price === undefined ? [] : (priceOf(product, price) ?? []);
  });
  const wanted = prices.filter(
    (price) => price.kind !== 'instance' || (instanceTypes?.includes(price.instanceType) ?? true),
  );
  if (wanted.length === 0) {
    throw new LedgerError(`the AWS price list has no on-demand price of Linux instances or volumes in ${currency}`);
  }
  const validFrom = options.validFrom ?? published;
  return {
    source: 'AWS Price List AmazonEC2',
    provider: 'AWS',
    published,
    currency,
    validFrom,
    validTo,
    prices: wanted.sort((a, b) => ((a.sku ?? '') < (b.sku ?? '') ? -1 : 1)),
  };
}

/**
 * Spot prices of Linux instances: for each day and zone the mean, weighted by how long each price held.
 *
 * @param from first day, `YYYY-MM-DD` in UTC; the history must reach back to the last change before it
 * @param to last day
 * @throws LedgerError where the history does not reach back so far
 */
export function spotPricesFromAws(history: AwsSpotHistory, from: string, to: string): PriceFile {
  const lines = new Map<string, { readonly at: number; readonly price: Decimal }[]>();
  for (const line of history.SpotPriceHistory.filter(({ ProductDescription }) =>
    ProductDescription.startsWith('Linux'),
  )) {
    const key = `${line.InstanceType} ${line.AvailabilityZone}`;
    const changes = lines.get(key) ?? [];
    lines.set(key, changes);
    changes.push({ at: Date.parse(line.Timestamp) / 1000, price: new Decimal(line.SpotPrice) });
  }
  const prices = [...lines]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([key, changes]) => {
      const [instanceType = '', zone = ''] = key.split(' ');
      changes.sort((a, b) => a.at - b.at);
      return daysBetween(from, to).map((day): Price => {
        const price = meanOf(changes, day, key).toDecimalPlaces(9).toFixed();
        const region = zone.replace(/[a-z]$/, '');
        return {
          kind: 'instance',
          unit: 'Hours',
          capacityType: 'spot',
          instanceType,
          region,
          zone,
          price,
          validFrom: day,
          validTo: day,
        };
      });
    });
  return {
    source: 'AWS EC2 Spot price history',
    provider: 'AWS',
    published: addDays(to, 1),
    currency: 'USD',
    validFrom: from,
    validTo: to,
    prices,
  };
}

interface Offer {
  readonly product: AwsProduct;
  readonly terms: { readonly [term: string]: AwsTerm };
}

function offersOf(list: AwsOfferFile | AwsProductList): {
  readonly offers: readonly Offer[];
  readonly published: string;
} {
  if ('PriceList' in list) {
    const entries = list.PriceList.map(
      (text) =>
        JSON.parse(text) as { product: AwsProduct; publicationDate: string; terms: { OnDemand?: Offer['terms'] } },
    );
    const published = entries.map(({ publicationDate }) => publicationDate.slice(0, 10)).sort()[0] ?? '';
    return { published, offers: entries.map(({ product, terms }) => ({ product, terms: terms.OnDemand ?? {} })) };
  }
  const terms = list.terms.OnDemand ?? {};
  return {
    published: list.publicationDate.slice(0, 10),
    offers: Object.values(list.products).map((product) => ({ product, terms: terms[product.sku] ?? {} })),
  };
}

/** The price of the first unit; prices by tiers are not for instances and volumes. */
function firstPrice(terms: Offer['terms'], currency: string): { unit: string; price: string } | undefined {
  const dimensions = Object.values(terms).flatMap(({ priceDimensions }) => Object.values(priceDimensions));
  const first = dimensions.find(({ beginRange = '0' }) => beginRange === '0');
  const price = first?.pricePerUnit[currency];
  return first === undefined || price === undefined
    ? undefined
    : { unit: first.unit, price: new Decimal(price).toFixed() };
}

function priceOf(
  { sku, productFamily, attributes }: AwsProduct,
  { unit, price }: { unit: string; price: string },
): Price | undefined {
  const { instanceType, regionCode: region, volumeApiName: volumeType } = attributes;
  if (region === undefined) {
    return undefined;
  }
  const isLinux =
    attributes.operatingSystem === 'Linux' &&
    attributes.tenancy === 'Shared' &&
    attributes.preInstalledSw === 'NA' &&
    attributes.capacitystatus === 'Used';
  if (instanceType !== undefined && isLinux && unit === 'Hrs') {
    return { kind: 'instance', unit: 'Hours', capacityType: 'on-demand', instanceType, region, price, sku };
  }
  return productFamily === 'Storage' && volumeType !== undefined && unit === 'GB-Mo'
    ? { kind: 'volume', unit: 'GB-Months', volumeType, region, price, sku }
    : undefined;
}

function meanOf(
  changes: readonly { readonly at: number; readonly price: Decimal }[],
  day: string,
  key: string,
): Decimal {
  const { start, end } = dayBounds(day, 'UTC');
  if (!changes.some(({ at }) => at <= start)) {
    throw new LedgerError(
      `the Spot price history of ${key} must reach back to before ${day}, to say what held at its start`,
    );
  }
  const weighted = changes.map(({ at, price }, index) => {
    const until = Math.min(changes[index + 1]?.at ?? Infinity, end);
    return price.times(Math.max(0, until - Math.max(at, start)));
  });
  return weighted.reduce((sum, each) => sum.plus(each), new Decimal(0)).dividedBy(end - start);
}
