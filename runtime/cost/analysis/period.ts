import { daysBetween, isDay } from '../../../constructs/plan/cost/days';
import { Problems } from '../../../constructs/plan/errors';

/** Some days of the ledger, the first and the last included. */
export interface Period {
  /** `YYYY-MM-DD` */
  readonly from: string;
  /** `YYYY-MM-DD` */
  readonly to: string;
}

/** Throws a ConfigurationError where a period is none. */
export function checkPeriod({ from, to }: Period): void {
  const problems = new Problems();
  const days = [
    problems.check(isDay(from), 'from', from, 'be a day YYYY-MM-DD', 'the ledger is kept by days'),
    problems.check(isDay(to), 'to', to, 'be a day YYYY-MM-DD', 'the ledger is kept by days'),
  ];
  if (days.every(Boolean)) {
    problems.check(from <= to, 'to', to, `be ${from} or later`, 'a period ends after it began');
  }
  problems.throwIfAny();
}

/** How many days a period has. */
export function dayCount({ from, to }: Period): number {
  return daysBetween(from, to).length;
}

/** The month before a month; both `YYYY-MM`. */
export function monthBefore(month: string): string {
  const [year = 0, number = 0] = month.split('-').map(Number);
  return new Date(Date.UTC(year, number - 2, 1)).toISOString().slice(0, 7);
}

/** First and last day of a month, `YYYY-MM`. */
export function monthPeriod(month: string): Period {
  const [year = 0, number = 0] = month.split('-').map(Number);
  return { from: `${month}-01`, to: new Date(Date.UTC(year, number, 0)).toISOString().slice(0, 10) };
}
