import { Counter, Histogram, type Registry } from 'prom-client';

/** Name, help and labels of a metric. */
interface MetricWords<L extends string> {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly L[];
}

type Labels<L extends string> = { readonly [name in L]: string };

/** One series, counted by itself: finding a series by its labels costs more than what is counted. */
export interface Tally {
  count: number;
}

/** A counter whose series are plain numbers, taken in when the metrics are read. */
export class TallyCounter<L extends string> {
  private readonly series: { readonly labels: Labels<L>; readonly tally: Tally; taken: number }[] = [];

  constructor(registry: Registry, { help, labelNames, name }: MetricWords<L>) {
    const { series } = this;
    new Counter({
      name,
      help,
      labelNames: [...labelNames],
      registers: [registry],
      collect() {
        for (const each of series) {
          this.inc({ ...each.labels }, each.tally.count - each.taken);
          each.taken = each.tally.count;
        }
      },
    });
  }

  /** Begins a series; it is there from now on, at zero. */
  begin<T extends Tally>(labels: Labels<L>, tally: T): T {
    this.series.push({ labels, tally, taken: tally.count });
    return tally;
  }
}

/** One series of a histogram. */
export class Distribution {
  /** How many were at most as large as each bound and larger than the one before. */
  readonly counts: number[];
  sum = 0;
  total = 0;

  constructor(private readonly bounds: readonly number[]) {
    this.counts = bounds.map(() => 0);
  }

  observe(value: number): void {
    this.sum += value;
    this.total++;
    const { bounds, counts } = this;
    for (let index = 0; index < bounds.length; index++) {
      if (value <= (bounds[index] as number)) {
        counts[index] = (counts[index] as number) + 1;
        return;
      }
    }
  }
}

type Snapshot<L extends string> = Awaited<ReturnType<Histogram<L>['get']>>;

/** A histogram whose series are kept by those who observe. */
export class DistributionHistogram<L extends string> extends Histogram<L> {
  private readonly distributions: { readonly labels: Labels<L>; readonly distribution: Distribution }[] = [];
  private readonly prefix: string;
  private readonly bounds: readonly number[];

  constructor(registry: Registry, { help, labelNames, name }: MetricWords<L>, bounds: readonly number[]) {
    super({ name, help, labelNames: [...labelNames], buckets: [...bounds], registers: [registry] });
    this.prefix = name;
    this.bounds = bounds;
  }

  begin(labels: Labels<L>): Distribution {
    const distribution = new Distribution(this.bounds);
    this.distributions.push({ labels, distribution });
    return distribution;
  }

  override async get(): Promise<Snapshot<L>> {
    return { ...(await super.get()), values: this.distributions.flatMap((each) => this.values(each)) };
  }

  private values({
    distribution: { counts, sum, total },
    labels,
  }: {
    readonly labels: Labels<L>;
    readonly distribution: Distribution;
  }): Snapshot<L>['values'] {
    const value = (suffix: string, count: number, more: object = {}): Snapshot<L>['values'][number] => ({
      metricName: `${this.prefix}_${suffix}`,
      labels: { ...more, ...labels },
      value: count,
    });
    let below = 0;
    const buckets = this.bounds.map((le, index) => value('bucket', (below += counts[index] ?? 0), { le }));
    return [...buckets, value('bucket', total, { le: '+Inf' }), value('sum', sum), value('count', total)];
  }
}
