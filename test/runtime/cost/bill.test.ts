import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mkdirSync } from 'node:fs';
import { dayBounds } from '../../../constructs/plan/cost/days';
import type { BillSettings } from '../../../constructs/plan/cost/config';
import { readBill } from '../../../runtime/cost/collect/bill';
import { Engine } from '../../../runtime/cost/ledger/engine';
import { inFolder } from './support';

const DAY = '2026-03-02';

/** Writes a Parquet file of what SQL gives. */
async function parquet(path: string, sql: string): Promise<void> {
  const engine = await Engine.start('256MB', 1);
  await engine.run(`COPY (${sql}) TO '${path}' (FORMAT parquet)`);
  engine.close();
}

/** Hourly lines of a node, a volume and a tax, as AWS exports FOCUS; amounts are doubles there. */
function focus(hours: number, { currency = 'EUR', first = `${DAY} 00:00:00`, step = '1 HOUR' } = {}): string {
  const hour = `TIMESTAMP '${first}' + i * INTERVAL ${step}`;
  return `SELECT resource AS ResourceId, ${hour} AS ChargePeriodStart, ${hour} + INTERVAL ${step} AS ChargePeriodEnd,
    '${currency}' AS BillingCurrency, category AS ChargeCategory, 'sku-' || resource AS SkuId, invoice AS InvoiceId,
    billed AS BilledCost, billed * 0.5 AS EffectiveCost, billed AS ContractedCost, billed * 2 AS ListCost
    FROM range(${hours}) t(i), (VALUES
      ('i-0abc', 'Usage', 'INV-1', 0.1), ('vol-0abc', 'Usage', NULL, 0.01), (NULL, 'Usage', NULL, 7.0), ('i-0abc', 'Tax', NULL, 5.0)
    ) lines(resource, category, invoice, billed)`;
}

async function read(
  folder: string,
  format: BillSettings['format'] = 'focus',
  timeZone = 'UTC',
  day = DAY,
): Promise<readonly string[]> {
  const bill = await readBill({ location: folder, format }, day, dayBounds(day, timeZone), 'EUR');
  return bill.map(({ resourceId, billed, effective, contracted, list, invoiceId }) =>
    [resourceId, billed, effective, contracted, list, invoiceId].join(' '),
  );
}

describe('a bill in FOCUS', () => {
  it('says what each resource cost in a day, exactly, taxes left out', async () => {
    await inFolder(async (folder) => {
      await parquet(join(folder, 'bill.parquet'), focus(48));
      expect(await read(folder)).toEqual(['i-0abc 2.4 1.2 2.4 4.8 INV-1', 'vol-0abc 0.24 0.12 0.24 0.48 ']);
    });
  });

  it('has a day of 23 hours where the clocks go forward', async () => {
    await inFolder(async (folder) => {
      await parquet(join(folder, 'bill.parquet'), focus(72, { first: '2026-03-28 00:00:00' }));
      const [node] = await read(folder, 'focus', 'Europe/Berlin', '2026-03-29');
      expect(node).toBe('i-0abc 2.3 1.15 2.3 4.6 INV-1');
    });
  });

  it('that comes twice, in an old and a new version, counts once', async () => {
    await inFolder(async (folder) => {
      await parquet(join(folder, 'old.parquet'), focus(20));
      await parquet(join(folder, 'new.parquet'), focus(24));
      expect((await read(folder))[0]).toBe('i-0abc 2.4 1.2 2.4 4.8 INV-1');
    });
  });

  it('with two lines that are alike in one file counts both', async () => {
    await inFolder(async (folder) => {
      await parquet(join(folder, 'bill.parquet'), `${focus(24)} UNION ALL ${focus(24)}`);
      expect((await read(folder))[0]).toBe('i-0abc 4.8 2.4 4.8 9.6 INV-1');
    });
  });

  it('that does not reach the end of the day yet says nothing of it', async () => {
    await inFolder(async (folder) => {
      await parquet(join(folder, 'bill.parquet'), focus(23));
      expect(await read(folder)).toEqual([]);
    });
  });

  it('is read from the folders of the months that matter', async () => {
    await inFolder(async (folder) => {
      for (const month of ['2026-02', '2026-03']) {
        mkdirSync(join(folder, `BILLING_PERIOD=${month}`));
        await parquet(join(folder, `BILLING_PERIOD=${month}`, 'a.parquet'), focus(24));
      }
      // damage elsewhere does not matter
      writeFileSync(join(folder, 'BILLING_PERIOD=2026-02', 'a.parquet'), 'damaged');
      expect((await read(folder))[0]).toBe('i-0abc 2.4 1.2 2.4 4.8 INV-1');
      await expect(read(folder, 'focus', 'UTC', '2026-02-28')).rejects.toThrow(
        /^the bill cannot be read as FOCUS: .*BILLING_PERIOD=2026-02/,
      );
    });
  });

  it('in another currency, or with lines of a day in another zone, is refused', async () => {
    await inFolder(async (folder) => {
      await parquet(join(folder, 'bill.parquet'), focus(24, { currency: 'USD' }));
      await expect(read(folder)).rejects.toThrow(
        "'currency' (EUR) must be USD because the FOCUS bill has amounts in it",
      );
      await parquet(join(folder, 'bill.parquet'), focus(3, { first: '2026-03-01 00:00:00', step: '1 DAY' }));
      expect((await read(folder))[0]).toBe('i-0abc 0.1 0.05 0.1 0.2 INV-1');
      await expect(read(folder, 'focus', 'Europe/Berlin')).rejects.toThrow(
        'the FOCUS bill has 4 lines that reach over the start or the end of 2026-03-02; export it with hourly lines',
      );
    });
  });

  it('that is not there is an error, and one without files says nothing', async () => {
    await inFolder(async (folder) => {
      expect(await read(folder)).toEqual([]);
      await expect(read(join(folder, 'none'))).rejects.toThrow("'bill.location'");
    });
  });
});

it('a bill in CUR 2.0 spreads what was bought ahead over what it covered', async () => {
  await inFolder(async (folder) => {
    const hour = `TIMESTAMP '${DAY} 00:00:00' + i * INTERVAL 1 HOUR`;
    await parquet(
      join(folder, 'cur.parquet'),
      `SELECT resource AS line_item_resource_id, type AS line_item_line_item_type, type || i AS identity_line_item_id,
        ${hour} AS line_item_usage_start_date, ${hour} + INTERVAL 1 HOUR AS line_item_usage_end_date,
        'EUR' AS line_item_currency_code, '' AS bill_invoice_id, cost AS line_item_unblended_cost,
        1.0 AS pricing_public_on_demand_cost, 0.3 AS savings_plan_savings_plan_effective_cost, 0.2 AS reservation_effective_cost
        FROM range(24) t(i), (VALUES ('i-1', 'Usage', 0.5), ('i-2', 'SavingsPlanCoveredUsage', 1.0),
          ('i-2', 'SavingsPlanNegation', -1.0), ('i-3', 'DiscountedUsage', 0.0)) lines(resource, type, cost)`,
    );
    expect(await read(folder, 'cur-2.0')).toEqual(['i-1 12 12 12 24 ', 'i-2 24 7.2 24 24 ', 'i-3 0 4.8 0 24 ']);
  });
});
