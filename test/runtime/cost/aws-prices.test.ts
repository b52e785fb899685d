import { PriceBook, pricesFromAws, spotPricesFromAws, type AwsOfferFile, type AwsProductList } from 'mediform/cost';
import { parsePriceFile } from '../../../constructs/plan/cost/check-price-file';

/** The shape of `AmazonEC2/current/eu-central-1/index.json`, as far as it is read, with made-up prices. */
const LINUX = { operatingSystem: 'Linux', tenancy: 'Shared', preInstalledSw: 'NA', capacitystatus: 'Used' };
const g5 = { instanceType: 'g5.xlarge', regionCode: 'eu-central-1', ...LINUX };

function terms(sku: string, unit: string, price: string): { readonly [term: string]: object } {
  const id = `${sku}.JRTCKXETXF`;
  return {
    [id]: {
      offerTermCode: 'JRTCKXETXF',
      sku,
      effectiveDate: '2026-02-01T00:00:00Z',
      priceDimensions: {
        [`${id}.6YS6EN2CT7`]: { unit, beginRange: '0', endRange: 'Inf', pricePerUnit: { USD: price } },
      },
    },
  };
}

const OFFER = {
  formatVersion: 'v1.0',
  offerCode: 'AmazonEC2',
  publicationDate: '2026-02-20T18:11:27Z',
  products: {
    AAA: { sku: 'AAA', productFamily: 'Compute Instance', attributes: g5 },
    BBB: { sku: 'BBB', productFamily: 'Compute Instance', attributes: { ...g5, operatingSystem: 'Windows' } },
    CCC: { sku: 'CCC', productFamily: 'Compute Instance', attributes: { ...g5, tenancy: 'Dedicated' } },
    DDD: {
      sku: 'DDD',
      productFamily: 'Compute Instance',
      attributes: { ...g5, capacitystatus: 'UnusedCapacityReservation' },
    },
    EEE: { sku: 'EEE', productFamily: 'Storage', attributes: { volumeApiName: 'gp3', regionCode: 'eu-central-1' } },
    FFF: { sku: 'FFF', productFamily: 'Compute Instance', attributes: { ...g5, instanceType: 'm7i.large' } },
    GGG: { sku: 'GGG', productFamily: 'Compute Instance', attributes: { ...g5, instanceType: 'free' } },
  },
  terms: {
    OnDemand: {
      AAA: terms('AAA', 'Hrs', '1.2580000000'),
      BBB: terms('BBB', 'Hrs', '9'),
      CCC: terms('CCC', 'Hrs', '9'),
      DDD: terms('DDD', 'Hrs', '9'),
      EEE: terms('EEE', 'GB-Mo', '0.0952000000'),
      FFF: terms('FFF', 'Hrs', '0.1207500000'),
    },
  },
} as unknown as AwsOfferFile;

describe('an AWS price list', () => {
  it('gives on-demand Linux instances and volumes, to the last digit', () => {
    const file = pricesFromAws(OFFER, { validTo: '2026-06-30' });
    expect(parsePriceFile(file, 'aws')).toEqual({
      source: 'AWS Price List AmazonEC2',
      provider: 'AWS',
      published: '2026-02-20',
      currency: 'USD',
      validFrom: '2026-02-20',
      validTo: '2026-06-30',
      prices: [
        {
          kind: 'instance',
          unit: 'Hours',
          capacityType: 'on-demand',
          instanceType: 'g5.xlarge',
          region: 'eu-central-1',
          price: '1.258',
          sku: 'AAA',
        },
        { kind: 'volume', unit: 'GB-Months', volumeType: 'gp3', region: 'eu-central-1', price: '0.0952', sku: 'EEE' },
        {
          kind: 'instance',
          unit: 'Hours',
          capacityType: 'on-demand',
          instanceType: 'm7i.large',
          region: 'eu-central-1',
          price: '0.12075',
          sku: 'FFF',
        },
      ],
    });
  });

  it('may be what `aws pricing get-products` prints', () => {
    const { products, terms: all } = OFFER;
    const list: AwsProductList = {
      PriceList: ['AAA', 'EEE'].map((sku) =>
        JSON.stringify({
          product: products[sku],
          publicationDate: OFFER.publicationDate,
          terms: { OnDemand: all.OnDemand?.[sku] },
        }),
      ),
    };
    const { prices } = pricesFromAws(list, { validTo: '2026-06-30', instanceTypes: ['g5.xlarge'] });
    expect(prices.map(({ sku, price }) => [sku, price])).toEqual([
      ['AAA', '1.258'],
      ['EEE', '0.0952'],
    ]);
  });

  it('without a price that could be used is an error', () => {
    expect(() => pricesFromAws(OFFER, { validTo: '2026-06-30', currency: 'CNY' })).toThrow(
      'the AWS price list has no on-demand price of Linux instances or volumes in CNY',
    );
  });
});

describe('a Spot price history', () => {
  const line = (Timestamp: string, SpotPrice: string, AvailabilityZone = 'eu-central-1a') => ({
    AvailabilityZone,
    InstanceType: 'g5.xlarge',
    ProductDescription: 'Linux/UNIX',
    SpotPrice,
    Timestamp,
  });
  const history = {
    SpotPriceHistory: [
      // newest first, as AWS prints it
      line('2026-03-02T18:00:00+00:00', '0.600000'),
      line('2026-03-02T06:00:00+00:00', '0.400000'),
      line('2026-02-27T12:00:00+00:00', '0.200000'),
      { ...line('2026-02-27T12:00:00+00:00', '9'), ProductDescription: 'Windows' },
      line('2026-02-27T12:00:00+00:00', '0.310000', 'eu-central-1b'),
    ],
  };

  it('gives the mean of each day and zone, by how long each price held', () => {
    const file = spotPricesFromAws(history, '2026-03-01', '2026-03-03');
    parsePriceFile(file, 'spot');
    const prices = new PriceBook([file], 'USD');
    const at = (day: string, zone: string): string | undefined =>
      prices
        .find(
          { kind: 'instance', instanceType: 'g5.xlarge', capacityType: 'spot', region: 'eu-central-1', zone },
          day,
          () => undefined,
        )
        ?.price.toFixed();
    // six hours of 0.2, twelve of 0.4, six of 0.6
    expect(['2026-03-01', '2026-03-02', '2026-03-03', '2026-03-04'].map((day) => at(day, 'eu-central-1a'))).toEqual([
      '0.2',
      '0.4',
      '0.6',
      undefined,
    ]);
    expect(at('2026-03-02', 'eu-central-1b')).toBe('0.31');
    // no zone stands for another
    expect(at('2026-03-02', 'eu-central-1c')).toBeUndefined();
  });

  it('that does not reach back to the start is an error', () => {
    expect(() => spotPricesFromAws(history, '2026-02-27', '2026-02-28')).toThrow(
      'the Spot price history of g5.xlarge eu-central-1a must reach back to before 2026-02-27',
    );
  });
});
