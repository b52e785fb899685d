import type { PriceFile } from 'mediform';

const REGION = 'eu-central-1';

/**
 * Prices of the example. Yours come from your providers: `pricesFromAws` of `mediform/cost` reads AWS's price lists, and
 * `readPriceFiles` reads YAML and JSON. A day without a price that holds is an error, so renew them in time.
 */
export const PRICES: readonly PriceFile[] = [
  {
    source: 'example: nodes and volumes',
    provider: 'AWS',
    published: '2026-11-01',
    currency: 'USD',
    validFrom: '2026-11-01',
    validTo: '2027-01-31',
    prices: [
      ...onDemand({
        'g5.xlarge': '1.258',
        'g5.2xlarge': '1.516',
        'g6.xlarge': '1.006',
        'g6e.2xlarge': '2.804',
        'g6e.12xlarge': '13.118',
        'c7i.xlarge': '0.2037',
        'c7i.2xlarge': '0.4074',
        'r7i.xlarge': '0.3217',
        'r7i.2xlarge': '0.6434',
      }),
      ...spot({ 'g4dn.xlarge': '0.21', 'g5.xlarge': '0.44', 'c7i.xlarge': '0.07', 'm7i.xlarge': '0.08' }),
      { kind: 'volume', unit: 'GB-Months', volumeType: 'gp3', region: REGION, price: '0.0952' },
      { kind: 'network', unit: 'GB', traffic: 'zone', region: REGION, price: '0.01' },
      { kind: 'network', unit: 'GB', traffic: 'region', region: REGION, price: '0.02' },
      { kind: 'network', unit: 'GB', traffic: 'internet', region: REGION, price: '0.09' },
      { kind: 'shared', unit: 'Hours', name: 'eks-control-plane', price: '0.1' },
    ],
  },
  {
    source: 'example: staff',
    provider: 'St. Example Hospital',
    published: '2026-11-01',
    currency: 'EUR',
    validFrom: '2026-11-01',
    validTo: '2027-01-31',
    exchangeRates: [{ from: 'USD', to: 'EUR', rate: '0.92' }],
    prices: [
      { kind: 'people', unit: 'Hours', activity: 'operations', price: '78.50' },
      { kind: 'people', unit: 'Hours', activity: 'review', price: '110' },
    ],
  },
];

function onDemand(prices: { readonly [instanceType: string]: string }): PriceFile['prices'] {
  return instances('on-demand', prices);
}

function spot(prices: { readonly [instanceType: string]: string }): PriceFile['prices'] {
  return instances('spot', prices);
}

function instances(
  capacityType: 'on-demand' | 'spot',
  prices: { readonly [instanceType: string]: string },
): PriceFile['prices'] {
  return Object.entries(prices).map(([instanceType, price]) => ({
    kind: 'instance',
    unit: 'Hours',
    instanceType,
    capacityType,
    region: REGION,
    price,
  }));
}
