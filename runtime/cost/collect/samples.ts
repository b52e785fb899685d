import { type Decimal, USAGE_SCALE } from '../../../constructs/plan/cost/money';
import type { Sample } from './prometheus';

/** Hours of minutes. */
export function hoursOf(minutes: Decimal): Decimal {
  return usage(minutes.dividedBy(60));
}

/** A measured quantity as the ledger keeps it. */
export function usage(quantity: Decimal): Decimal {
  return quantity.toDecimalPlaces(USAGE_SCALE);
}

/** The value of the first of some labels that is there and not empty. */
export function labelOf(labels: Sample['labels'], names: readonly string[]): string | undefined {
  return names.map((name) => labels[name]).find((value) => value !== undefined && value !== '');
}

/** Of all elements with the same labels, the one that was there for the most minutes; labels change while a thing lives. */
export function mostMinutes(samples: readonly Sample[], ...labels: readonly string[]): Map<string, Sample> {
  const found = new Map<string, Sample>();
  // in an order of their own, so that of equals it is always the same
  const sorted = [...samples].sort((a, b) => (JSON.stringify(a.labels) < JSON.stringify(b.labels) ? -1 : 1));
  for (const sample of sorted) {
    const key = labels.map((name) => sample.labels[name] ?? '').join('/');
    const before = found.get(key);
    if (before === undefined || sample.value.greaterThan(before.value)) {
      found.set(key, sample);
    }
  }
  return found;
}
