import type { Confidence, CostCategory } from '../categories';
import { type Decimal, money, QUANTITY_SCALE, splitExactly, USAGE_SCALE } from '../money';
import type { FoundPrice } from '../price-book';
import type { LedgerRow } from '../row';
import type { BilledResource, Owner } from '../usage';
import type { AllocationDay } from './context';

/** What is paid for as one: a node for a day, a volume for a day. Its parts become rows that add up to it. */
export interface Charge {
  readonly kind: ChargeKind;
  readonly resourceId: string;
  readonly resourceName: string;
  readonly region?: string;
  readonly zone?: string;
  readonly description: string;
  readonly pricingCategory: NonNullable<LedgerRow['PricingCategory']>;
  readonly price: FoundPrice;
  /** Priced units. */
  readonly quantity: Decimal;
  readonly confidence: Exclude<Confidence, 'billed'>;
  /** What the provider's bill says, where it says something. */
  readonly bill?: BilledResource;
  /** At least one. */
  readonly parts: readonly Part[];
}

/** A part of a charge. */
export interface Part {
  readonly owner: Owner;
  readonly category: CostCategory;
  /** What is metered. */
  readonly meter: string;
  /** Share of the charge, relative to that of the other parts. */
  readonly weight: Decimal;
  readonly rule: string;
  readonly consumed: Decimal;
  readonly consumedUnit: string;
  readonly measures?: Pick<
    LedgerRow,
    | 'x_UsageHours'
    | 'x_Utilisation'
    | 'x_Calls'
    | 'x_InputTokens'
    | 'x_OutputTokens'
    | 'x_InferenceSeconds'
    | 'x_CacheHits'
    | 'x_CacheMisses'
  >;
}

interface ServiceColumns {
  readonly name: string;
  readonly onAws?: string;
  readonly category: string;
  readonly subcategory: string;
  readonly resourceType: string;
}

/** What FOCUS calls the service of each kind of charge; categories and subcategories are from its list of allowed values. */
const SERVICES = {
  instance: {
    name: 'Virtual machines',
    onAws: 'Amazon Elastic Compute Cloud',
    category: 'Compute',
    subcategory: 'Virtual Machines',
    resourceType: 'Node',
  },
  volume: {
    name: 'Volumes',
    onAws: 'Amazon Elastic Block Store',
    category: 'Storage',
    subcategory: 'Block Storage',
    resourceType: 'Volume',
  },
  network: {
    name: 'Data transfer',
    onAws: 'AWS Data Transfer',
    category: 'Networking',
    subcategory: 'Network Connectivity',
    resourceType: 'Traffic',
  },
  model: {
    name: 'Models',
    category: 'AI and Machine Learning',
    subcategory: 'Machine Learning',
    resourceType: 'Model',
  },
  'data-storage': {
    name: 'Data stores',
    category: 'Storage',
    subcategory: 'Other (Storage)',
    resourceType: 'Data store',
  },
  people: { name: 'Staff', category: 'Other', subcategory: 'Other (Other)', resourceType: 'Role' },
  shared: {
    name: 'Shared services',
    category: 'Management and Governance',
    subcategory: 'Other (Management and Governance)',
    resourceType: 'Shared',
  },
} as const satisfies { readonly [kind: string]: ServiceColumns };

/** Kinds of what is paid for. */
export type ChargeKind = keyof typeof SERVICES;

/** Amounts of a charge, each a multiple of the smallest unit of the ledger. */
interface Amounts {
  readonly BilledCost: Decimal;
  readonly EffectiveCost: Decimal;
  readonly ContractedCost: Decimal;
  readonly ListCost: Decimal;
  readonly PricingCurrencyEffectiveCost: Decimal;
}

/** The rows of a charge: each amount of theirs adds up to exactly that of the charge. */
export function rowsOf(charge: Charge, day: AllocationDay): LedgerRow[] {
  const { price, quantity, bill, parts } = charge;
  const amounts = amountsOf(charge);
  const weights = parts.map(({ weight }) => weight);
  const lists = splitExactly(amounts.ListCost, weights);
  // in proportion to the list costs where there are any, so that one quantity explains all of a row's costs
  const inProportion = amounts.ListCost.isZero() ? weights : lists.map((list) => list.abs());
  const split = (amount: Decimal): Decimal[] => splitExactly(amount, inProportion);
  const [billed, effective, contracted, priced] = [
    split(amounts.BilledCost),
    split(amounts.EffectiveCost),
    split(amounts.ContractedCost),
    split(amounts.PricingCurrencyEffectiveCost),
  ];
  const quantities = splitExactly(quantity.toDecimalPlaces(QUANTITY_SCALE), inProportion, QUANTITY_SCALE);
  return parts.map((part, index) => ({
    BilledCost: billed[index] as Decimal,
    EffectiveCost: effective[index] as Decimal,
    ContractedCost: contracted[index] as Decimal,
    ListCost: lists[index] as Decimal,
    PricingCurrencyEffectiveCost: priced[index] as Decimal,
    PricingQuantity: quantities[index] as Decimal,
    ...day.columns,
    ...unitPrices(charge, amounts),
    ...descriptionOf(charge),
    InvoiceId: bill?.invoiceId,
    SkuMeter: part.meter,
    ConsumedQuantity: part.consumed.toDecimalPlaces(USAGE_SCALE),
    ConsumedUnit: part.consumedUnit,
    Tags: '{}',
    x_Category: part.category,
    x_Service: part.owner.service,
    x_Model: part.owner.model,
    x_Namespace: part.owner.namespace,
    x_Priority: part.owner.priority,
    x_PriceSource: bill?.source ?? price.source,
    x_PriceDate: bill?.published ?? price.published,
    x_Confidence: bill === undefined ? charge.confidence : 'billed',
    x_AllocationRule: part.rule,
    ...part.measures,
  }));
}

function amountsOf({ price, quantity, bill }: Charge): Amounts {
  if (bill !== undefined) {
    return {
      BilledCost: money(bill.billed),
      EffectiveCost: money(bill.effective),
      ContractedCost: money(bill.contracted),
      ListCost: money(bill.list),
      PricingCurrencyEffectiveCost: money(bill.effective.dividedBy(price.exchangeRate)),
    };
  }
  const cost = money(quantity.times(price.price).times(price.exchangeRate));
  return {
    BilledCost: cost,
    EffectiveCost: cost,
    ContractedCost: cost,
    ListCost: money(quantity.times(price.listPrice).times(price.exchangeRate)),
    PricingCurrencyEffectiveCost: money(quantity.times(price.price)),
  };
}

/** Unit prices; those of a bill are what its amounts make of the quantity. */
function unitPrices(
  { price, quantity, bill }: Charge,
  amounts: Amounts,
): Pick<
  LedgerRow,
  | 'ListUnitPrice'
  | 'ContractedUnitPrice'
  | 'PricingCurrency'
  | 'PricingCurrencyListUnitPrice'
  | 'PricingCurrencyContractedUnitPrice'
> {
  const fit = (value: Decimal): Decimal => value.toDecimalPlaces(QUANTITY_SCALE);
  const { exchangeRate } = price;
  const [list, contracted] =
    bill === undefined || quantity.isZero()
      ? [price.listPrice.times(exchangeRate), price.price.times(exchangeRate)]
      : [amounts.ListCost.dividedBy(quantity), amounts.ContractedCost.dividedBy(quantity)];
  return {
    ListUnitPrice: fit(list),
    ContractedUnitPrice: fit(contracted),
    PricingCurrency: price.currency,
    PricingCurrencyListUnitPrice: fit(list.dividedBy(exchangeRate)),
    PricingCurrencyContractedUnitPrice: fit(contracted.dividedBy(exchangeRate)),
  };
}

function descriptionOf({
  kind,
  resourceId,
  resourceName,
  region,
  zone,
  description,
  pricingCategory,
  price,
}: Charge): Pick<
  LedgerRow,
  | 'InvoiceIssuerName'
  | 'ProviderName'
  | 'PublisherName'
  | 'ChargeCategory'
  | 'ChargeDescription'
  | 'ChargeFrequency'
  | 'ServiceCategory'
  | 'ServiceSubcategory'
  | 'ServiceName'
  | 'ResourceId'
  | 'ResourceName'
  | 'ResourceType'
  | 'RegionId'
  | 'RegionName'
  | 'AvailabilityZone'
  | 'SkuId'
  | 'SkuPriceId'
  | 'PricingCategory'
  | 'PricingUnit'
> {
  const service: ServiceColumns = SERVICES[kind];
  return {
    InvoiceIssuerName: price.provider,
    ProviderName: price.provider,
    PublisherName: price.provider,
    ChargeCategory: 'Usage',
    ChargeDescription: description,
    ChargeFrequency: 'Usage-Based',
    ServiceCategory: service.category,
    ServiceSubcategory: service.subcategory,
    ServiceName: (price.provider === 'AWS' ? service.onAws : undefined) ?? service.name,
    ResourceId: resourceId,
    ResourceName: resourceName,
    ResourceType: service.resourceType,
    RegionId: region,
    RegionName: region,
    AvailabilityZone: zone,
    SkuId: price.sku,
    SkuPriceId: `${price.sku} ${price.unit}`,
    PricingCategory: pricingCategory,
    PricingUnit: price.unit,
  };
}
