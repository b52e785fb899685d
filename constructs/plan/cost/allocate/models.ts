import { Decimal } from '../money';
import type { FoundPrice, PriceBook } from '../price-book';
import type { ModelUnit } from '../price-file';
import type { ModelUsage } from '../usage';
import type { Charge, Part } from './charge';
import type { AllocationDay } from './context';

const CALLS: ModelUnit = '1000 Calls';

/** What is metered for each unit that a model may be priced by, in priced units and in units of use. */
const METERS: {
  readonly [U in ModelUnit]: {
    readonly meter: string;
    readonly unit: string;
    readonly used: (usage: ModelUsage) => Decimal;
    readonly per: number;
  };
} = {
  '1000000 Input Tokens': {
    meter: 'Input Tokens',
    unit: 'Tokens',
    used: ({ inputTokens }) => new Decimal(inputTokens),
    per: 1_000_000,
  },
  '1000000 Output Tokens': {
    meter: 'Output Tokens',
    unit: 'Tokens',
    used: ({ outputTokens }) => new Decimal(outputTokens),
    per: 1_000_000,
  },
  // what a cache answers reaches no model
  [CALLS]: { meter: 'Calls', unit: 'Calls', used: forwarded, per: 1000 },
  Hours: {
    meter: 'Inference Time',
    unit: 'Seconds',
    used: ({ inferenceSeconds }) => inferenceSeconds,
    per: 3600,
  },
};

/**
 * What a service's use of a model cost: one charge for each unit that the model is priced by, and one that counts its
 * calls, tokens and seconds. A model on nodes of the cluster has that one alone, at no cost: its nodes are paid already.
 */
export function modelCharges(
  usage: ModelUsage,
  day: AllocationDay,
  book: PriceBook,
  selfHosted: boolean,
  problem: (line: string) => void,
): Charge[] {
  if (selfHosted) {
    return [countingCharge(usage, nodesPay(day, usage.model), false)];
  }
  const units = (Object.keys(METERS) as ModelUnit[]).filter(
    (unit) => book.knows({ kind: 'model', model: usage.model, unit }) || isNeeded(unit, usage, book),
  );
  const charges = units.flatMap((unit): Charge[] => {
    const price = book.find({ kind: 'model', model: usage.model, unit }, day.day, problem);
    if (price === undefined) {
      return [];
    }
    return unit === CALLS ? [countingCharge(usage, price, true)] : [meteredCharge(usage, unit, price)];
  });
  return units.includes(CALLS) ? charges : [...charges, countingCharge(usage, nodesPay(day, usage.model), true)];
}

/** Tokens that were counted need a price, unless calls or hours are what the model is priced by. */
function isNeeded(unit: ModelUnit, { model, inputTokens, outputTokens }: ModelUsage, book: PriceBook): boolean {
  const knows = (other: ModelUnit): boolean => book.knows({ kind: 'model', model, unit: other });
  if (unit === CALLS || unit === 'Hours') {
    return false;
  }
  const other = unit === '1000000 Input Tokens' ? '1000000 Output Tokens' : '1000000 Input Tokens';
  const used = unit === '1000000 Input Tokens' ? inputTokens : outputTokens;
  const otherwisePriced = knows(CALLS) || knows('Hours');
  // a model without any price asks for one of its input tokens, so that its name is in an error
  return otherwisePriced ? used > 0 && knows(other) : used > 0 || unit === '1000000 Input Tokens';
}

function meteredCharge(usage: ModelUsage, unit: ModelUnit, price: FoundPrice): Charge {
  const { meter, unit: consumedUnit, used, per } = METERS[unit];
  const consumed = used(usage);
  return {
    ...chargeOf(usage, price),
    quantity: consumed.dividedBy(per),
    parts: [{ ...partOf(usage), meter, consumed, consumedUnit }],
  };
}

function countingCharge(usage: ModelUsage, price: FoundPrice, onUsageHours: boolean): Charge {
  const { meter, unit, used, per } = METERS[CALLS];
  const consumed = used(usage);
  const seconds = usage.inferenceSeconds.toDecimalPlaces(6);
  return {
    ...chargeOf(usage, price),
    quantity: consumed.dividedBy(per),
    parts: [
      {
        ...partOf(usage),
        meter,
        consumed,
        consumedUnit: unit,
        measures: {
          x_Calls: usage.calls,
          x_InputTokens: usage.inputTokens,
          x_OutputTokens: usage.outputTokens,
          x_InferenceSeconds: seconds,
          x_CacheHits: usage.cacheHits,
          x_CacheMisses: usage.cacheMisses,
          // the hours of a model on nodes are those of its pods
          x_UsageHours: onUsageHours ? seconds.dividedBy(3600).toDecimalPlaces(6) : undefined,
        },
      },
    ],
  };
}

function chargeOf(usage: ModelUsage, price: FoundPrice): Omit<Charge, 'parts' | 'quantity'> {
  return {
    kind: 'model',
    resourceId: usage.model,
    resourceName: usage.model,
    description: `${usage.model} for ${usage.service ?? 'nobody'}`,
    pricingCategory: 'Standard',
    price,
    confidence: 'metered',
  };
}

function partOf({
  service,
  model,
  namespace,
  priority,
}: ModelUsage): Pick<Part, 'owner' | 'category' | 'weight' | 'rule'> {
  return { owner: { service, model, namespace, priority }, category: 'api', weight: new Decimal(1), rule: 'direct' };
}

function forwarded({ calls, cacheHits }: ModelUsage): Decimal {
  return new Decimal(Math.max(0, calls - cacheHits));
}

/** The price of calls that cost nothing of their own. */
function nodesPay({ day, context }: AllocationDay, model: string): FoundPrice {
  return {
    provider: context.billingAccount.name,
    currency: context.currency,
    unit: CALLS,
    price: new Decimal(0),
    listPrice: new Decimal(0),
    exchangeRate: new Decimal(1),
    sku: `calls of ${model}`,
    source: 'counted only: tokens, hours or nodes are what is paid',
    published: day,
  };
}
