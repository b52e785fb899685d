import { Decimal } from '../../../constructs/plan/cost/money';

/** Ways to write numbers, the same on every machine. */
export class Format {
  private readonly whole: Intl.NumberFormat;
  private readonly cents: Intl.NumberFormat;
  private readonly fine: Intl.NumberFormat;
  private readonly counts = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

  /** @param currency ISO 4217 */
  constructor(readonly currency: string) {
    const money = (digits: number): Intl.NumberFormat =>
      new Intl.NumberFormat('en', {
        style: 'currency',
        currency,
        minimumFractionDigits: digits,
        maximumFractionDigits: digits,
      });
    this.whole = money(0);
    this.cents = money(2);
    this.fine = money(4);
  }

  /** Money; without cents from a thousand on. */
  money(amount: Decimal): string {
    const format = amount.abs().greaterThanOrEqualTo(1000) ? this.whole : this.cents;
    // a number of sixteen digits is exact to far below what is shown
    return format.format(amount.toNumber());
  }

  /** Money for one of many: to the hundredth of a cent below one unit. */
  unitCost(amount: Decimal): string {
    return amount.isZero() || amount.abs().greaterThanOrEqualTo(1)
      ? this.money(amount)
      : this.fine.format(amount.toNumber());
  }

  /** Money with its sign: `+€12.00`. */
  change(amount: Decimal): string {
    return `${amount.greaterThan(0) ? '+' : ''}${this.money(amount)}`;
  }

  /** A part of a whole: `12.5%`. */
  percent(part: Decimal | number): string {
    return `${new Decimal(part).times(100).toFixed(1)}%`;
  }

  /** A part with its sign. */
  changePercent(part: Decimal): string {
    return `${part.greaterThan(0) ? '+' : ''}${this.percent(part)}`;
  }

  count(number: Decimal | number): string {
    return this.counts.format(new Decimal(number).toNumber());
  }
}

/** `24 Nov 2026` */
export function dayText(day: string): string {
  return new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' }).format(
    new Date(`${day}T00:00:00Z`),
  );
}

/** `November 2026` */
export function monthText(month: string): string {
  return new Intl.DateTimeFormat('en-GB', { month: 'long', year: 'numeric', timeZone: 'UTC' }).format(
    new Date(`${month}-01T00:00:00Z`),
  );
}
