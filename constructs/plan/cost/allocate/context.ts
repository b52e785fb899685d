import { dayBounds, isoSecond, monthBounds, type DayBounds } from '../days';
import type { LedgerRow } from '../row';

/** What all rows of a ledger have in common. */
export interface LedgerContext {
  /** IANA zone on whose clock a day starts and ends. */
  readonly timeZone: string;
  /** ISO 4217 */
  readonly currency: string;
  /** Who pays. */
  readonly billingAccount: { readonly id: string; readonly name: string };
  /** Name of the cluster. */
  readonly cluster: string;
}

/** How the cost of what serves all comes to services. */
export type SharedCostRule = 'keep' | 'by-cost' | 'equally';

/** Columns that every row of a day has alike. */
export type DayColumns = Pick<
  LedgerRow,
  | 'BillingCurrency'
  | 'BillingAccountId'
  | 'BillingAccountName'
  | 'BillingAccountType'
  | 'BillingPeriodStart'
  | 'BillingPeriodEnd'
  | 'SubAccountId'
  | 'SubAccountName'
  | 'SubAccountType'
  | 'ChargePeriodStart'
  | 'ChargePeriodEnd'
>;

/** A day on which costs are allocated. */
export interface AllocationDay {
  readonly day: string;
  readonly bounds: DayBounds;
  /** Hours of the calendar month, which a price for a month is spread over. */
  readonly monthHours: number;
  readonly columns: DayColumns;
  readonly context: LedgerContext;
}

export function allocationDay(day: string, context: LedgerContext): AllocationDay {
  const bounds = dayBounds(day, context.timeZone);
  const month = monthBounds(day);
  const { billingAccount, cluster, currency } = context;
  return {
    day,
    bounds,
    monthHours: month.hours,
    context,
    columns: {
      BillingCurrency: currency,
      BillingAccountId: billingAccount.id,
      BillingAccountName: billingAccount.name,
      BillingAccountType: 'Account',
      BillingPeriodStart: month.start,
      BillingPeriodEnd: month.end,
      SubAccountId: cluster,
      SubAccountName: cluster,
      SubAccountType: 'Cluster',
      ChargePeriodStart: isoSecond(bounds.start),
      ChargePeriodEnd: isoSecond(bounds.end),
    },
  };
}
