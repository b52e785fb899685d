import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dayBounds, isoSecond, monthBounds } from '../../../constructs/plan/cost/days';
import { Decimal, sum } from '../../../constructs/plan/cost/money';
import type { LedgerDay, LedgerRow } from '../../../constructs/plan/cost/row';

/** A row with a cost; whatever else matters is given. */
export function row(
  cost: string,
  given: { readonly [C in keyof LedgerRow]?: LedgerRow[C] | undefined } = {},
  day = '2026-03-02',
  timeZone = 'UTC',
): LedgerRow {
  const { start, end } = dayBounds(day, timeZone);
  const month = monthBounds(day);
  const amount = new Decimal(cost);
  return {
    BilledCost: amount,
    EffectiveCost: amount,
    ContractedCost: amount,
    ListCost: amount,
    PricingCurrency: 'EUR',
    PricingCurrencyEffectiveCost: amount,
    BillingCurrency: 'EUR',
    BillingAccountId: '111122223333',
    BillingAccountName: 'Hospital',
    BillingAccountType: 'Account',
    BillingPeriodStart: month.start,
    BillingPeriodEnd: month.end,
    InvoiceIssuerName: 'AWS',
    ProviderName: 'AWS',
    PublisherName: 'AWS',
    ChargePeriodStart: isoSecond(start),
    ChargePeriodEnd: isoSecond(end),
    ChargeCategory: 'Usage',
    ChargeDescription: 'g5.xlarge for an hour',
    ChargeFrequency: 'Usage-Based',
    ServiceCategory: 'Compute',
    ServiceSubcategory: 'Virtual Machines',
    ServiceName: 'Amazon Elastic Compute Cloud',
    ResourceId: 'node-1',
    ResourceName: 'node-1',
    ResourceType: 'Node',
    Tags: '{}',
    x_Category: 'gpu',
    x_PriceSource: 'test',
    x_PriceDate: '2026-03-01',
    x_Confidence: 'metered',
    x_AllocationRule: 'direct',
    ...(given as Partial<LedgerRow>),
  };
}

/** A day whose total is what its rows add up to. */
export function ledgerDay(day: string, rows: readonly LedgerRow[], timeZone = 'UTC'): LedgerDay {
  return { day, timeZone, currency: 'EUR', total: sum(rows.map(({ EffectiveCost }) => EffectiveCost)), rows };
}

/** Runs a test with a folder that is gone after it. */
export async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'mediform-cost-'));
  try {
    await test(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
