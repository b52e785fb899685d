import type { Confidence, CostCategory } from './categories';
import type { Decimal } from './money';

/** A row of the ledger; the columns are explained in `LEDGER_COLUMNS`. Moments are ISO 8601 in UTC, days `YYYY-MM-DD`. */
export interface LedgerRow {
  readonly BilledCost: Decimal;
  readonly EffectiveCost: Decimal;
  readonly ContractedCost: Decimal;
  readonly ListCost: Decimal;
  readonly BillingCurrency: string;
  readonly BillingAccountId: string;
  readonly BillingAccountName: string;
  readonly BillingAccountType: string;
  readonly BillingPeriodStart: string;
  readonly BillingPeriodEnd: string;
  readonly SubAccountId?: string;
  readonly SubAccountName?: string;
  readonly SubAccountType?: string;
  readonly InvoiceId?: string;
  readonly InvoiceIssuerName: string;
  readonly ProviderName: string;
  readonly PublisherName: string;
  readonly ChargePeriodStart: string;
  readonly ChargePeriodEnd: string;
  readonly ChargeCategory: 'Usage' | 'Purchase' | 'Tax' | 'Credit' | 'Adjustment';
  readonly ChargeClass?: 'Correction';
  readonly ChargeDescription: string;
  readonly ChargeFrequency: 'Usage-Based' | 'Recurring' | 'One-Time';
  readonly ServiceCategory: string;
  readonly ServiceSubcategory: string;
  readonly ServiceName: string;
  readonly ResourceId: string;
  readonly ResourceName: string;
  readonly ResourceType: string;
  readonly RegionId?: string;
  readonly RegionName?: string;
  readonly AvailabilityZone?: string;
  readonly SkuId?: string;
  readonly SkuMeter?: string;
  readonly SkuPriceId?: string;
  readonly SkuPriceDetails?: string;
  readonly PricingCategory?: 'Standard' | 'Dynamic' | 'Committed' | 'Other';
  readonly PricingCurrency: string;
  readonly PricingCurrencyEffectiveCost: Decimal;
  readonly PricingCurrencyListUnitPrice?: Decimal;
  readonly PricingCurrencyContractedUnitPrice?: Decimal;
  readonly ListUnitPrice?: Decimal;
  readonly ContractedUnitPrice?: Decimal;
  readonly PricingQuantity?: Decimal;
  readonly PricingUnit?: string;
  readonly ConsumedQuantity?: Decimal;
  readonly ConsumedUnit?: string;
  readonly Tags: string;
  readonly x_Category: CostCategory;
  readonly x_Service?: string;
  readonly x_Model?: string;
  readonly x_Namespace?: string;
  readonly x_Priority?: string;
  readonly x_PriceSource: string;
  readonly x_PriceDate: string;
  readonly x_Confidence: Confidence;
  readonly x_AllocationRule: string;
  readonly x_UsageHours?: Decimal;
  readonly x_Utilisation?: Decimal;
  readonly x_Calls?: number;
  readonly x_InputTokens?: number;
  readonly x_OutputTokens?: number;
  readonly x_InferenceSeconds?: Decimal;
  readonly x_CacheHits?: number;
  readonly x_CacheMisses?: number;
}

/** A day of the ledger. */
export interface LedgerDay {
  /** `YYYY-MM-DD` in the time zone. */
  readonly day: string;
  /** IANA name of the zone on whose clock the day starts and ends. */
  readonly timeZone: string;
  /** ISO 4217; all rows have it. */
  readonly currency: string;
  /** What the day cost, from the sources and before any split; the rows' `EffectiveCost` add up to exactly this. */
  readonly total: Decimal;
  readonly rows: readonly LedgerRow[];
}
