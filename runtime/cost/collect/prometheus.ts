import { setTimeout as sleep } from 'node:timers/promises';
import type { DayBounds } from '../../../constructs/plan/cost/days';
import { Decimal } from '../../../constructs/plan/cost/money';
import { LedgerError } from '../ledger/errors';

/** Seconds between the moments that are looked at; days start and end on one of them in every zone. */
const STEP = 60;
/** Steps of one answer, so that long days of many series come in pieces. */
const STEPS_AT_ONCE = 240;
/** How far back the value of a counter before the day is looked for. */
const BEFORE = '1d';
const ATTEMPTS = 3;

/** An element of an answer. */
export interface Sample {
  readonly labels: { readonly [label: string]: string };
  readonly value: Decimal;
}

interface Answer {
  readonly status: 'success' | 'error';
  readonly error?: string;
  readonly data?: {
    readonly result: readonly {
      readonly metric: { readonly [label: string]: string };
      readonly value?: readonly [time: number, value: string];
      readonly values?: readonly (readonly [time: number, value: string])[];
    }[];
  };
}

/** What Prometheus knows of a day, looked at every minute. */
export class PrometheusDay {
  constructor(
    private readonly url: string,
    private readonly bounds: DayBounds,
    private readonly timeoutSeconds: number,
  ) {}

  /** Minutes of the day. */
  get minutes(): number {
    return (this.bounds.end - this.bounds.start) / STEP;
  }

  /** The sum of an expression's values at each minute of the day: of a count of things, the minutes that they were there. */
  async sumOfMinutes(expression: string): Promise<readonly Sample[]> {
    return this.instant(`sum_over_time((${expression})${this.everyMinute()})`);
  }

  /** The mean of an expression's values at each minute of the day at which it has one. */
  async meanOfMinutes(expression: string): Promise<readonly Sample[]> {
    return this.instant(`avg_over_time((${expression})${this.everyMinute()})`);
  }

  /**
   * What counters counted within the day, restarts included. Nothing is extrapolated, so that the days add up to what was
   * counted in all.
   *
   * @param expression counters, one element for each process
   */
  async counted(expression: string): Promise<readonly Sample[]> {
    const counters = new Map<string, { labels: Sample['labels']; last: Decimal; counted: Decimal }>();
    const { start, end } = this.bounds;
    for (const { labels, value } of await this.ask('query', {
      query: `last_over_time((${expression})[${BEFORE}:${STEP}s])`,
      time: String(start),
    })) {
      counters.set(keyOf(labels), { labels, last: value, counted: new Decimal(0) });
    }
    for (let from = start; from < end; from += STEP * STEPS_AT_ONCE) {
      const to = Math.min(end, from + STEP * STEPS_AT_ONCE);
      const query = { query: expression, start: String(from), end: String(to), step: String(STEP) };
      for (const { labels, values } of await this.askRange(query)) {
        const counter = counters.get(keyOf(labels)) ?? { labels, last: new Decimal(0), counted: new Decimal(0) };
        counters.set(keyOf(labels), counter);
        for (const value of values) {
          // a counter that is smaller than before began anew
          counter.counted = counter.counted.plus(value.lessThan(counter.last) ? value : value.minus(counter.last));
          counter.last = value;
        }
      }
    }
    return [...counters.values()].map(({ labels, counted }) => ({ labels, value: counted }));
  }

  /** A subquery of all minutes of the day: neither the one before nor the first of the next, however bounds are counted. */
  private everyMinute(): string {
    return `[${this.bounds.end - this.bounds.start + STEP / 2 - 1}s:${STEP}s]`;
  }

  private async instant(query: string): Promise<readonly Sample[]> {
    return this.ask('query', { query, time: String(this.bounds.end - 1) });
  }

  private async ask(path: 'query', parameters: { readonly [name: string]: string }): Promise<readonly Sample[]> {
    const results = await this.request(path, parameters);
    return results.flatMap(({ metric, value }) => {
      const decimal = decimalOf(value?.[1]);
      return decimal === undefined ? [] : [{ labels: metric, value: decimal }];
    });
  }

  private async askRange(parameters: {
    readonly [name: string]: string;
  }): Promise<readonly { readonly labels: Sample['labels']; readonly values: readonly Decimal[] }[]> {
    const results = await this.request('query_range', parameters);
    return results.map(({ metric, values = [] }) => ({
      labels: metric,
      values: values.flatMap(([, value]) => decimalOf(value) ?? []),
    }));
  }

  private async request(
    path: string,
    parameters: { readonly [name: string]: string },
  ): Promise<NonNullable<Answer['data']>['result']> {
    for (let attempt = 1; ; attempt++) {
      try {
        const response = await fetch(new URL(`api/v1/${path}`, withSlash(this.url)), {
          method: 'POST',
          body: new URLSearchParams({ ...parameters, timeout: `${this.timeoutSeconds}s` }),
          signal: AbortSignal.timeout(this.timeoutSeconds * 1000),
        });
        const answer = (await response.json()) as Answer;
        if (answer.data === undefined) {
          // asked again, it would be as wrong
          throw new LedgerError(`Prometheus at ${this.url} refused ${parameters.query}: ${answer.error}`);
        }
        return answer.data.result;
      } catch (cause) {
        if (cause instanceof LedgerError) {
          throw cause;
        }
        if (attempt === ATTEMPTS) {
          throw new LedgerError(`Prometheus at ${this.url} cannot be asked: ${reasonOf(cause)}`, { cause });
        }
        await sleep(attempt * 1000);
      }
    }
  }
}

/** Undefined where it is no number: Prometheus says NaN of a mean of nothing. */
function decimalOf(value: string | undefined): Decimal | undefined {
  const decimal = new Decimal(value === undefined || /inf/i.test(value) ? NaN : value);
  return decimal.isNaN() ? undefined : decimal;
}

function keyOf(labels: Sample['labels']): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function withSlash(url: string): string {
  return url.endsWith('/') ? url : `${url}/`;
}

/** What fetch hides in the cause of its error. */
export function reasonOf(error: unknown): string {
  const { message, cause } = error as Error & { readonly cause?: Partial<Error> };
  return cause?.message === undefined ? message : `${message} (${cause.message})`;
}
