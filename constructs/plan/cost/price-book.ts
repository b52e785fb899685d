import { Decimal } from './money';
import type { Price, PriceFile } from './price-file';

/** What is looked up: the properties that tell one thing with a price from another. */
export type PriceQuery =
  | { kind: 'instance'; instanceType: string; region: string; capacityType: string; zone?: string }
  | { kind: 'volume'; volumeType: string; region: string }
  | { kind: 'network'; traffic: string; region: string }
  | { kind: 'model'; model: string; unit: string }
  | { kind: 'data-storage'; storageClass: string; region: string }
  | { kind: 'people'; activity: string }
  | { kind: 'shared'; name: string; region: string };

/** A price that holds on a day. */
export interface FoundPrice {
  readonly provider: string;
  readonly currency: string;
  readonly unit: string;
  /** What one unit costs, in the price's currency. */
  readonly price: Decimal;
  /** What one unit costs without discounts, in the price's currency. */
  readonly listPrice: Decimal;
  /** What one unit of the price's currency is in the ledger's. */
  readonly exchangeRate: Decimal;
  readonly sku: string;
  /** Where it is from. */
  readonly source: string;
  /** When the source published it. */
  readonly published: string;
}

interface Entry {
  readonly file: PriceFile;
  readonly price: Price;
  readonly from: string;
  readonly to: string;
}

/** What one unit of a price's currency is in the ledger's; no file where they are the same. */
interface Rate {
  readonly rate: Decimal;
  readonly file?: PriceFile;
}

/**
 * Prices of several files, by what they are for and by day. Where two files have a price for the same thing on the same
 * day, the one that was published last holds.
 */
export class PriceBook {
  private readonly entries = new Map<string, Entry[]>();

  /**
   * @param files checked ones
   * @param currency the ledger's, ISO 4217
   */
  constructor(
    private readonly files: readonly PriceFile[],
    readonly currency: string,
  ) {
    for (const file of files) {
      for (const price of file.prices) {
        const key = keyOf(price);
        const entry = { file, price, from: price.validFrom ?? file.validFrom, to: price.validTo ?? file.validTo };
        this.entries.set(key, [...(this.entries.get(key) ?? []), entry]);
      }
    }
  }

  /**
   * The price of something on a day. Never a guess: where there is none, or only stale ones, or two that contradict each
   * other, a problem says so.
   *
   * @param problem is told `'prices' (...) must ... because ...`
   * @returns undefined where there was a problem
   */
  find(query: PriceQuery, day: string, problem: (line: string) => void): FoundPrice | undefined {
    const known = this.candidates(query);
    const report = (must: string, because: string): void =>
      problem(`'prices' (${describe(query)}) must ${must} because ${because}`);
    const held = known.filter(({ from, to }) => from <= day && day <= to);
    const published = held
      .map(({ file }) => file.published)
      .sort()
      .at(-1);
    const newest = held.filter(({ file }) => file.published === published);
    const [found] = newest;
    if (found === undefined) {
      report(`have a price for ${day}`, whyNone(known, day));
      return undefined;
    }
    if (new Set(newest.map(({ price, file }) => `${price.price} ${price.listPrice} ${file.currency}`)).size > 1) {
      const sources = newest.map(({ file, price }) => `${price.price} ${file.currency} in '${file.source}'`);
      report(`have one price for ${day}`, `it has ${sources.join(' and ')}, published on the same day`);
      return undefined;
    }
    const rate = this.rate(found.file.currency, day);
    if (rate === undefined) {
      const { source, currency } = found.file;
      report(
        `be in ${this.currency}`,
        `'${source}' has it in ${currency}, and no price file has a rate to ${this.currency} for ${day}`,
      );
      return undefined;
    }
    return foundPrice(found, rate, query);
  }

  /** Whether any file, for whatever days, has a price of the thing. */
  knows(query: PriceQuery): boolean {
    return this.candidates(query).length > 0;
  }

  private candidates(query: PriceQuery): readonly Entry[] {
    const exact = this.entries.get(keyOf(query));
    if (exact !== undefined) {
      return exact;
    }
    if (query.kind === 'instance' && query.zone !== undefined) {
      return this.candidates({ ...query, zone: undefined });
    }
    return query.kind === 'shared' && query.region !== '' ? this.candidates({ ...query, region: '' }) : [];
  }

  private rate(from: string, day: string): Rate | undefined {
    if (from === this.currency) {
      return { rate: new Decimal(1) };
    }
    return this.files
      .filter(({ validFrom, validTo }) => validFrom <= day && day <= validTo)
      .flatMap((file) =>
        (file.exchangeRates ?? [])
          .filter((rate) => rate.from === from && rate.to === this.currency)
          .map(({ rate }) => ({ file, rate: new Decimal(rate) })),
      )
      .sort((a, b) => (a.file.published < b.file.published ? -1 : 1))
      .at(-1);
  }
}

function whyNone(known: readonly Entry[], day: string): string {
  const stale = known.filter(({ to }) => to < day).sort((a, b) => (a.to < b.to ? 1 : -1))[0];
  if (stale === undefined) {
    return 'none of the price files names it for that day, and a price is never guessed';
  }
  const { source, published } = stale.file;
  return `that of '${source}', published ${published}, is stale: it held until ${stale.to}`;
}

function foundPrice({ file, price }: Entry, rate: Rate, query: PriceQuery): FoundPrice {
  return {
    provider: file.provider,
    currency: file.currency,
    unit: price.unit,
    price: new Decimal(price.price),
    listPrice: new Decimal(price.listPrice ?? price.price),
    exchangeRate: rate.rate,
    sku: price.sku ?? describe(query),
    source: rate.file === undefined ? file.source : `${file.source}; ${rate.file.source}`,
    published: file.published,
  };
}

/** The thing in words, as errors and SKUs name it: `instance g5.xlarge on-demand eu-central-1`. */
export function describe(query: PriceQuery): string {
  return keyParts(query)
    .filter((part) => part !== '')
    .join(' ');
}

function keyOf(query: PriceQuery | Price): string {
  return keyParts(query).join(' | ');
}

function keyParts(query: PriceQuery | Price): string[] {
  switch (query.kind) {
    case 'instance':
      return [query.kind, query.instanceType, query.capacityType, query.region, query.zone ?? ''];
    case 'volume':
      return [query.kind, query.volumeType, query.region];
    case 'network':
      return [query.kind, query.traffic, query.region];
    case 'model':
      return [query.kind, query.model, query.unit];
    case 'data-storage':
      return [query.kind, query.storageClass, query.region];
    case 'people':
      return [query.kind, query.activity];
    case 'shared':
      return [query.kind, query.name, query.region ?? ''];
  }
}
