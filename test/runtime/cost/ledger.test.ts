import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Decimal, DamagedLedgerError, LEDGER_COLUMNS, Ledger, type LedgerRow } from 'mediform/cost';
import { ConfigurationError } from '../../../constructs/plan/errors';
import { inFolder, ledgerDay, row } from './support';

const SUM = 'SELECT SUM(EffectiveCost) AS cost, COUNT(*) AS n FROM ledger';

async function withLedger(test: (ledger: Ledger, folder: string) => Promise<void>): Promise<void> {
  await inFolder(async (folder) => {
    const ledger = await Ledger.open(folder, { threads: 1 });
    try {
      await test(ledger, folder);
    } finally {
      await ledger.close();
    }
  });
}

function fileOf(folder: string, day: string): string {
  return join(folder, `day=${day}`, 'part-0.parquet');
}

function digest(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

describe('a ledger', () => {
  it('gives back every column of a row as it was written', async () => {
    await withLedger(async (ledger) => {
      const full: LedgerRow = row('0.123456789', {
        x_Service: "St. John's",
        x_Model: 'vit',
        x_Calls: 9_007_199_254_740_991,
        x_UsageHours: new Decimal('23.999999'),
        x_Utilisation: new Decimal('0.333333'),
        ListUnitPrice: new Decimal('0.000000000001'),
        PricingQuantity: new Decimal('999999999.999999999'),
        Tags: '{"team":"radiology"}',
      });
      await ledger.writeDay(ledgerDay('2026-03-02', [full]));
      const [back] = await ledger.query('SELECT * FROM ledger');
      const { day, ...columns } = back ?? {};
      expect(day).toBe('2026-03-02');
      expect(Object.keys(columns)).toEqual(LEDGER_COLUMNS.map(({ name }) => name));
      for (const { name } of LEDGER_COLUMNS) {
        expect([name, columns[name]]).toEqual([name, full[name as keyof LedgerRow] ?? null]);
      }
    });
  });

  it('adds up exactly what binary floats do not', async () => {
    await withLedger(async (ledger) => {
      const rows = Array.from({ length: 1000 }, (_, index) => row('0.1', { ResourceId: `node-${index}` }));
      await ledger.writeDay(ledgerDay('2026-03-02', [...rows, row('0.000000001', { ResourceId: 'rest' })]));
      expect(await ledger.query(SUM)).toEqual([{ cost: new Decimal('100.000000001'), n: 1001 }]);
    });
  });

  it('has the same bytes for the same rows, in whatever order they come', async () => {
    await withLedger(async (ledger, folder) => {
      const rows = Array.from({ length: 50 }, (_, index) => row(`${index}.5`, { ResourceId: `node-${index}` }));
      await ledger.writeDay(ledgerDay('2026-03-02', rows));
      const first = digest(fileOf(folder, '2026-03-02'));
      await ledger.writeDay(ledgerDay('2026-03-02', [...rows].reverse()));
      expect(digest(fileOf(folder, '2026-03-02'))).toBe(first);
      await ledger.writeDay(ledgerDay('2026-03-02', rows.slice(1)));
      expect(digest(fileOf(folder, '2026-03-02'))).not.toBe(first);
    });
  });

  it('replaces a day, and leaves nothing else in its folder', async () => {
    await withLedger(async (ledger, folder) => {
      await ledger.writeDay(ledgerDay('2026-03-02', [row('1')]));
      await ledger.writeDay(ledgerDay('2026-03-03', [row('10', {}, '2026-03-03')]));
      await ledger.writeDay(ledgerDay('2026-03-02', [row('2')]));
      expect(await ledger.query(SUM)).toEqual([{ cost: new Decimal(12), n: 2 }]);
      expect(readdirSync(join(folder, 'day=2026-03-02'))).toEqual(['part-0.parquet']);
    });
  });

  it('keeps the day it has where the new one is refused', async () => {
    await withLedger(async (ledger, folder) => {
      await ledger.writeDay(ledgerDay('2026-03-02', [row('1')]));
      const tooFine = ledgerDay('2026-03-02', [row('1'), row('0.0000000001', { ResourceId: 'node-2' })]);
      await expect(ledger.writeDay(tooFine)).rejects.toThrow(
        "'BilledCost' (0.0000000001) must fit decimal(18,9) because the ledger never rounds",
      );
      expect(await ledger.query(SUM)).toEqual([{ cost: new Decimal(1), n: 1 }]);
      expect(readdirSync(join(folder, 'day=2026-03-02'))).toEqual(['part-0.parquet']);
    });
  });

  it('refuses rows that do not add up, twins, other currencies and missing values, all at once', async () => {
    await withLedger(async (ledger, folder) => {
      const nameless = row('3', { ResourceId: 'node-3', ResourceName: undefined });
      const rows = [row('1'), row('1'), row('2', { ResourceId: 'node-2', BillingCurrency: 'USD' }), nameless];
      const error = await ledger.writeDay({ ...ledgerDay('2026-02-30', rows), total: new Decimal(8) }).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      expect(error).toBeInstanceOf(ConfigurationError);
      expect((error as ConfigurationError).problems).toEqual([
        "'day' (2026-02-30) must be a day YYYY-MM-DD because it names the partition",
        "'total' (8) must be 7 because the rows of a day add up to what the day cost",
        "'currency' (EUR) must be that of all rows (EUR, USD) because amounts of two currencies have no sum",
        expect.stringMatching(/^'rows' \(gpu \| {2}\| .*node-1.*\) must be there once/),
        "'ResourceName' (undefined) must be given because every row of the ledger has it",
      ]);
      expect(existsSync(join(folder, 'day=2026-02-30'))).toBe(false);
    });
  });

  it('refuses a day of another time zone or currency than the others', async () => {
    await withLedger(async (ledger) => {
      await ledger.writeDay(ledgerDay('2026-03-02', [row('1')]));
      await expect(ledger.writeDay(ledgerDay('2026-03-03', [row('1')], 'Europe/Berlin'))).rejects.toThrow(
        "'timeZone' (Europe/Berlin) must be UTC because 2026-03-02 has it, and days of one ledger neither overlap nor mix",
      );
      // the only day may change
      await ledger.writeDay(ledgerDay('2026-03-02', [row('1')], 'Europe/Berlin'));
    });
  });

  it('tells days without rows from days that are not there', async () => {
    await withLedger(async (ledger) => {
      expect(await ledger.query(SUM)).toEqual([{ cost: null, n: 0 }]);
      await ledger.writeDay(ledgerDay('2026-03-01', [row('1', {}, '2026-03-01')]));
      await ledger.writeDay(ledgerDay('2026-03-03', []));
      expect(await ledger.days()).toEqual(['2026-03-01', '2026-03-03']);
      expect(await ledger.gaps('2026-02-27', '2026-03-04')).toEqual([
        '2026-02-27',
        '2026-02-28',
        '2026-03-02',
        '2026-03-04',
      ]);
      expect(await ledger.query('SELECT day, COUNT(*) AS n FROM ledger GROUP BY day')).toEqual([
        { day: '2026-03-01', n: 1 },
      ]);
    });
  });

  it('reads only the days that are asked for', async () => {
    await withLedger(async (ledger, folder) => {
      for (const day of ['2026-03-01', '2026-03-02', '2026-03-03']) {
        await ledger.writeDay(ledgerDay(day, [row('1', {}, day)]));
      }
      truncateSync(fileOf(folder, '2026-03-03'), 100);
      const options = { from: '2026-03-01', to: '2026-03-02' };
      expect(await ledger.query(SUM, [], options)).toEqual([{ cost: new Decimal(2), n: 2 }]);
    });
  });

  it('runs queries that come at the same time one after the other', async () => {
    await withLedger(async (ledger) => {
      await ledger.writeDay(ledgerDay('2026-03-01', [row('1', {}, '2026-03-01')]));
      await ledger.writeDay(ledgerDay('2026-03-02', [row('2')]));
      const asked = ['2026-03-01', '2026-03-02'].map((day) => ledger.query(SUM, [], { from: day, to: day }));
      expect((await Promise.all(asked)).flat().map(({ cost }) => String(cost))).toEqual(['1', '2']);
    });
  });

  it('says what is wrong with SQL', async () => {
    await withLedger(async (ledger) => {
      await ledger.writeDay(ledgerDay('2026-03-01', []));
      await expect(ledger.query('SELECT Price FROM ledger')).rejects.toThrow(/^the query failed: .*"Price" not found/);
    });
  });
});

describe('a damaged file', () => {
  const BOTH = 'SELECT SUM(EffectiveCost) AS cost, MAX(BilledCost) AS most FROM ledger';
  const days = ['2026-03-01', '2026-03-02', '2026-03-03'];
  const many = (day: string): LedgerRow[] =>
    Array.from({ length: 200 }, (_, index) => row(`${index}.25`, { ResourceId: `node-${index}` }, day));

  async function withDamage(damage: (path: string) => void, test: (ledger: Ledger) => Promise<void>): Promise<void> {
    await withLedger(async (ledger, folder) => {
      for (const day of days) {
        await ledger.writeDay(ledgerDay(day, many(day)));
      }
      damage(fileOf(folder, '2026-03-02'));
      await test(ledger);
    });
  }

  it.each<[string, (path: string) => void]>([
    ['cut off', (path) => truncateSync(path, readFileSync(path).length / 2)],
    ['empty', (path) => truncateSync(path, 0)],
    ['something else', (path) => writeFileSync(path, 'not parquet, but long enough to be read as if it were')],
    ['broken inside', (path) => writeFileSync(path, readFileSync(path).fill(0x5a, 20, 400))],
  ])('that is %s is named, and no other day is lost', async (_, damage) => {
    await withDamage(damage, async (ledger) => {
      const query = ledger.query(BOTH);
      await expect(query).rejects.toThrow(DamagedLedgerError);
      await expect(query).rejects.toThrow(
        /^[^\n]*day=2026-03-02.part-0\.parquet is damaged: [^\n]*\n[^\n]*skipDamaged$/,
      );
      expect(await ledger.query(BOTH, [], { skipDamaged: true })).toEqual([
        { cost: new Decimal(2 * 19_950), most: new Decimal(199.25) },
      ]);
      expect((await ledger.verify()).map(({ day }) => day)).toEqual(['2026-03-02']);
      await ledger.writeDay(ledgerDay('2026-03-02', many('2026-03-02')));
      expect(await ledger.verify()).toEqual([]);
    });
  });

  it('that belongs to another day is found by verify', async () => {
    await withLedger(async (ledger, folder) => {
      for (const day of days) {
        await ledger.writeDay(ledgerDay(day, many(day)));
      }
      writeFileSync(fileOf(folder, '2026-03-02'), readFileSync(fileOf(folder, '2026-03-01')));
      expect(await ledger.verify()).toEqual([
        { day: '2026-03-02', file: fileOf(folder, '2026-03-02'), reason: 'it is the file of 2026-03-01' },
      ]);
    });
  });
});

it('refuses places that are neither a folder nor S3', async () => {
  await expect(Ledger.open('gs://bucket/ledger')).rejects.toThrow(
    "'location' (gs://bucket/ledger) must be a folder or s3://bucket/prefix because nothing else holds a ledger",
  );
});
