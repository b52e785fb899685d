import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readCostConfig, readPriceFiles } from 'mediform/cost';
import { parseCostConfig } from '../../../constructs/plan/cost/check-config';
import { ConfigurationError } from '../../../constructs/plan/errors';
import { inFolder } from './support';

const PRICES = `
source: Staff, 2026
provider: St. Example
published: 2026-01-01
currency: EUR
validFrom: 2026-01-01
validTo: 2026-12-31
prices:
  - { kind: people, unit: Hours, activity: review, price: '110.00' }
`;

const CONFIG = `
cluster: hospital-prod
region: eu-central-1
timeZone: Europe/Berlin
currency: EUR
billingAccount: { id: '111122223333', name: St. Example }
prometheus: { url: 'http://prometheus.monitoring.svc:9090' }
people:
  - { activity: review, hoursPerDay: '1.5', days: [Mon, Thu], from: 2026-01-01 }
dataStores:
  - { name: images, storageClass: s3-standard, bytes: sum(bucket_size_bytes) }
bill: { location: s3://bills/focus, format: focus }
sharedCosts: by-cost
`;

describe('price files', () => {
  it('are YAML and JSON of a folder, days as they are written', async () => {
    await inFolder(async (folder) => {
      writeFileSync(join(folder, 'staff.yaml'), PRICES);
      writeFileSync(
        join(folder, 'rates.json'),
        JSON.stringify({
          source: 'ECB',
          provider: 'ECB',
          published: '2026-01-01',
          currency: 'EUR',
          validFrom: '2026-01-01',
          validTo: '2026-01-31',
          prices: [],
        }),
      );
      writeFileSync(join(folder, 'notes.txt'), 'not read');
      // what a ConfigMap is mounted as
      mkdirSync(join(folder, '..data'));
      const files = await readPriceFiles(folder);
      expect(files.map(({ source, published }) => [source, published])).toEqual([
        ['ECB', '2026-01-01'],
        ['Staff, 2026', '2026-01-01'],
      ]);
      expect(files[1]?.prices).toEqual([{ kind: 'people', unit: 'Hours', activity: 'review', price: '110.00' }]);
    });
  });

  it('say what is wrong with each of them, by name', async () => {
    await inFolder(async (folder) => {
      writeFileSync(join(folder, 'a.yaml'), PRICES.replace("'110.00'", '110.00'));
      writeFileSync(join(folder, 'b.yaml'), 'source: [');
      const error = await readPriceFiles(folder).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      expect(error).toBeInstanceOf(ConfigurationError);
      expect((error as ConfigurationError).problems).toEqual([
        `'${join(folder, 'a.yaml')}.prices[0].price' (110) must be a decimal number in quotes because a number without quotes is read as a binary float`,
        expect.stringMatching(/b\.yaml' must be YAML or JSON because it is read/),
      ]);
    });
  });

  it('must be there', async () => {
    await inFolder(async (folder) => {
      await expect(readPriceFiles(folder)).rejects.toThrow('must hold price files because a price is never guessed');
      await expect(readPriceFiles(join(folder, 'none.yaml'))).rejects.toThrow(/none\.yaml' must be a file/);
    });
  });
});

describe('a configuration', () => {
  it('is read as it stands', async () => {
    await inFolder(async (folder) => {
      writeFileSync(join(folder, 'cost.yaml'), CONFIG);
      const config = await readCostConfig(join(folder, 'cost.yaml'));
      expect(config.people).toEqual([
        { activity: 'review', hoursPerDay: '1.5', days: ['Mon', 'Thu'], from: '2026-01-01' },
      ]);
      expect(config.timeZone).toBe('Europe/Berlin');
    });
  });

  it('says all that is wrong with it at once', () => {
    const wrong = {
      cluster: '',
      region: 1,
      currency: 'euro',
      timezone: 'Europe/Berlin',
      timeZone: 'Europe/berlin',
      billingAccount: { id: '1' },
      prometheus: { url: 'prometheus:9090', minimumCoverage: 98 },
      sharedCosts: 'fairly',
      selfHostedModels: 'resnet50',
      volumeTypes: { fast: 1 },
      people: [{ activity: 'review', hoursPerDay: 1.5, days: ['Monday'], from: 'today' }, { hours: '1' }],
      shared: {},
      dataStores: [{ name: 'x' }],
      bill: { location: 's3://bills', format: 'csv' },
    };
    const error = ((): unknown => {
      try {
        return parseCostConfig(wrong);
      } catch (thrown) {
        return thrown;
      }
    })();
    expect((error as ConfigurationError).problems.map((line) => /^'(.*?)'/.exec(line)?.[1])).toEqual([
      'timezone',
      'cluster',
      'region',
      'currency',
      'timeZone',
      'billingAccount.name',
      'prometheus.url',
      'prometheus.minimumCoverage',
      'sharedCosts',
      'selfHostedModels',
      'volumeTypes',
      'people[0].hoursPerDay',
      'people[0].days',
      'people[0].from',
      'people[1].hours',
      'people[1].activity',
      'people[1].hoursPerDay',
      'shared',
      'dataStores[0].storageClass',
      'dataStores[0].bytes',
      'bill.format',
    ]);
  });

  it.each([[null], [[]], ['text']])('that is %j is refused', (config) => {
    expect(() => parseCostConfig(config)).toThrow(ConfigurationError);
  });
});
