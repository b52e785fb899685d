import { parsePriceFile } from '../../../constructs/plan/cost/check-price-file';
import { PriceBook, type PriceQuery } from '../../../constructs/plan/cost/price-book';
import type { Price, PriceFile } from '../../../constructs/plan/cost/price-file';
import { ConfigurationError } from '../../../constructs/plan/errors';
import { instance, priceFile, REGION } from './support';

const NODE: PriceQuery = { kind: 'instance', instanceType: 'g5.xlarge', region: REGION, capacityType: 'on-demand' };

/** The price on a day, or why there is none. */
function ask(files: readonly PriceFile[], day: string, query: PriceQuery = NODE): string | undefined {
  let problem: string | undefined;
  const found = new PriceBook(files, 'EUR').find(query, day, (line) => (problem = line));
  return found === undefined ? problem : `${found.price.toFixed()} ${found.currency} from ${found.source}`;
}

describe('a price', () => {
  const march = priceFile([instance('1')], { source: 'March' });

  it('holds from its first to its last day', () => {
    expect(ask([march], '2026-03-01')).toBe('1 EUR from March');
    expect(ask([march], '2026-03-31')).toBe('1 EUR from March');
  });

  it('that is stale, missing or too new is an error that names what, where and when', () => {
    expect(ask([march], '2026-04-01')).toBe(
      "'prices' (instance g5.xlarge on-demand eu-central-1) must have a price for 2026-04-01 because that of 'March', published 2026-02-20, is stale: it held until 2026-03-31",
    );
    expect(ask([march], '2026-02-28')).toBe(
      "'prices' (instance g5.xlarge on-demand eu-central-1) must have a price for 2026-02-28 because none of the price files names it for that day, and a price is never guessed",
    );
    expect(ask([march], '2026-03-01', { ...NODE, region: 'eu-west-1' })).toContain(
      '(instance g5.xlarge on-demand eu-west-1)',
    );
    expect(ask([march], '2026-03-01', { ...NODE, capacityType: 'spot' })).toContain('must have a price');
  });

  it('of its own days holds in place of those of its file', () => {
    const daily: Price[] = [
      { ...instance('0.31'), validFrom: '2026-03-01', validTo: '2026-03-01' },
      { ...instance('0.35'), validFrom: '2026-03-02', validTo: '2026-03-02' },
    ];
    expect(['01', '02', '03'].map((day) => ask([priceFile(daily)], `2026-03-${day}`)?.slice(0, 4))).toEqual([
      '0.31',
      '0.35',
      "'pri",
    ]);
  });

  it('published later holds in place of an earlier one', () => {
    const newer = priceFile([instance('2')], { source: 'newer', published: '2026-03-01' });
    expect(ask([newer, march], '2026-03-05')).toBe('2 EUR from newer');
    expect(ask([march, newer], '2026-03-05')).toBe('2 EUR from newer');
  });

  it('that two files tell differently on the same day is an error', () => {
    const other = priceFile([instance('1.5')], { source: 'other' });
    expect(ask([march, other], '2026-03-05')).toMatch(
      /must have one price for 2026-03-05 because it has 1 EUR in 'March' and 1\.5 EUR in 'other'/,
    );
    expect(ask([march, priceFile([instance('1')], { source: 'same' })], '2026-03-05')).toBe('1 EUR from March');
  });

  it('of a zone holds there, and that of the region elsewhere', () => {
    const spot = { ...instance('1'), capacityType: 'spot' } as Price;
    const files = [priceFile([{ ...spot, price: '0.3' }, { ...spot, price: '0.4', zone: 'eu-central-1b' } as Price])];
    const at = (zone: string): string | undefined => ask(files, '2026-03-05', { ...NODE, capacityType: 'spot', zone });
    expect([at('eu-central-1a'), at('eu-central-1b')].map((found) => found?.slice(0, 3))).toEqual(['0.3', '0.4']);
  });

  it('in another currency needs a rate for the day', () => {
    const dollars = priceFile([instance('1')], { currency: 'USD', source: 'AWS' });
    expect(ask([dollars], '2026-03-05')).toMatch(
      /must be in EUR because 'AWS' has it in USD, and no price file has a rate to EUR for 2026-03-05$/,
    );
    const rates = priceFile([], { source: 'ECB', exchangeRates: [{ from: 'USD', to: 'EUR', rate: '0.92' }] });
    const found = new PriceBook([dollars, rates], 'EUR').find(NODE, '2026-03-05', () => undefined);
    expect([found?.exchangeRate.toFixed(), found?.source]).toEqual(['0.92', 'AWS; ECB']);
    expect(ask([dollars, { ...rates, validTo: '2026-03-04' }], '2026-03-05')).toContain('no price file has a rate');
  });
});

describe('a price file', () => {
  it('is read as it stands', () => {
    const file = priceFile([instance('0.526')]);
    expect(parsePriceFile(JSON.parse(JSON.stringify(file)), 'aws.json')).toEqual(file);
  });

  it('says all that is wrong with it at once', () => {
    const wrong = {
      source: '',
      provider: 'AWS',
      published: '2026-02-30',
      currency: 'Euro',
      validFrom: '2026-03-31',
      validTo: '2026-03-01',
      valdTo: '2026-04-01',
      prices: [
        { ...instance('1'), price: 0.526 },
        { ...instance('1'), price: '1e3', capacityType: 'Spot' },
        { kind: 'gpu' },
        { kind: 'model', model: 'gpt-4', unit: 'Tokens', price: '0.0000000000000000001' },
        { kind: 'people', unit: 'Hours', activity: 'review', price: '-1', validFrom: 'today' },
      ],
      exchangeRates: [{ from: 'USD', to: 'EUR', rate: 0.92 }],
    };
    const error = ((): unknown => {
      try {
        return parsePriceFile(wrong, 'p');
      } catch (thrown) {
        return thrown;
      }
    })();
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(
      (error as ConfigurationError).problems.map((line) => /^'(.*?)' \((.*?)\) must /.exec(line)?.slice(1, 3)),
    ).toEqual([
      ['p.valdTo', '2026-04-01'],
      ['p.source', ''],
      ['p.published', '2026-02-30'],
      ['p.currency', 'Euro'],
      ['p.validTo', '2026-03-01'],
      ['p.prices[0].price', '0.526'],
      ['p.prices[1].price', '1e3'],
      ['p.prices[1].capacityType', 'Spot'],
      ['p.prices[2].kind', 'gpu'],
      ['p.prices[3].unit', 'Tokens'],
      ['p.prices[3].price', '0.0000000000000000001'],
      ['p.prices[4].price', '-1'],
      ['p.prices[4].validFrom', 'today'],
      ['p.exchangeRates[0].rate', '0.92'],
    ]);
  });

  it.each([[null], ['prices'], [[]], [{}], [{ prices: {} }], [{ prices: [null, 1] }]])(
    'that is %j is refused',
    (file) => {
      expect(() => parsePriceFile(file, 'p')).toThrow(ConfigurationError);
    },
  );
});
