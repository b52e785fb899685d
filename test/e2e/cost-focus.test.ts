import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ledger } from 'mediform/cost';
import { demoDays } from '../../runtime/cost/demo';
import { Engine } from '../../runtime/cost/ledger/engine';
import { validateFocus, whyNoFocusValidator } from './support/cost/focus-validator';
import { describeUnless } from './support/suite';

const DAY = '2026-03-02';

/**
 * Rules that a ledger is known to break, and why that is right.
 *
 * - an invoice is either named or not: the validator asks for both and is content with one (`InvoiceId-C-003-C` passes)
 * - the others look at `CommitmentDiscountStatus`, a column for those who sell commitments
 */
const KNOWN = [
  'ConsumedQuantity-C-000-C',
  'ConsumedQuantity-C-003-C',
  'ConsumedQuantity-C-004-C',
  'ConsumedQuantity-C-005-C',
  'ConsumedQuantity-C-006-C',
  'InvoiceId-C-005-C',
];

describeUnless(whyNoFocusValidator(), 'FOCUS 1.2, by the FinOps Foundation’s own validator', () => {
  let folder: string;
  let file: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'mediform-focus-'));
    const ledger = await Ledger.open(folder);
    for (const day of demoDays({ from: DAY, days: 1 })) {
      await ledger.writeDay(day);
    }
    await ledger.close();
    file = join(folder, `day=${DAY}`, 'part-0.parquet');
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('finds a ledger in order, but for what it may not be', async () => {
    const report = await validateFocus(file);
    expect(report.failed).toEqual(KNOWN);
    expect(report.passed).toBeGreaterThan(250);
  }, 240_000);

  // its own rules for this look only at rows with a ChargeClass that is no correction, and FOCUS has no such class
  it('has costs that are products of a unit price and the quantity', async () => {
    const engine = await Engine.start('256MB', 1);
    const off = ['List', 'Contracted'].map(
      (of) => `COUNT(*) FILTER (ABS(CAST(${of}UnitPrice AS DOUBLE) * PricingQuantity - ${of}Cost) > 1.001e-9) AS ${of}`,
    );
    const sql = `SELECT COUNT(*) > 50 AS many, ${off.join(', ')} FROM '${file}'`;
    expect(await engine.query(sql)).toEqual([{ many: true, List: 0, Contracted: 0 }]);
    engine.close();
  });

  it.each([
    ['-ListUnitPrice AS ListUnitPrice', 'ListUnitPrice-C-008-M'],
    ["'Computing' AS ServiceCategory", 'ServiceCategory-C-003-M'],
    ["'Euro' AS BillingCurrency", 'BillingCurrency-C-003-M'],
    ["'{]' AS Tags", 'Tags-C-001-M'],
  ])(
    'finds that %s is wrong',
    async (column, rule) => {
      const broken = join(folder, 'broken.parquet');
      const engine = await Engine.start('256MB', 1);
      await engine.run(`COPY (SELECT * REPLACE (${column}) FROM '${file}') TO '${broken}' (FORMAT parquet)`);
      engine.close();
      expect((await validateFocus(broken)).failed).toContain(rule);
    },
    240_000,
  );
});
