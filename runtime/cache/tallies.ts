import { Counter, type Metric, type Registry } from 'prom-client';

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

  reset(): void {
    this.counts.fill(0);
    this.sum = 0;
    this.total = 0;
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

interface Sample<L extends string> {
  readonly metricName: string;
  readonly labels: Labels<L>;
  readonly value: number;
}

/** A histogram whose series are kept by those who observe; read by a registry of prom-client as one of its own. */
export class DistributionHistogram<L extends string> {
  readonly name: string;
  readonly help: string;
  readonly type = 'histogram';
  readonly aggregator = 'sum';
  private readonly distributions: { readonly labels: Labels<L>; readonly distribution: Distribution }[] = [];

  constructor(
    registry: Registry,
    { help, name }: MetricWords<L>,
    private readonly bounds: readonly number[],
  ) {
    this.name = name;
    this.help = help;
    // of a metric a registry needs no more than is here
    registry.registerMetric(this as unknown as Metric<L>);
  }

  begin(labels: Labels<L>): Distribution {
    const distribution = new Distribution(this.bounds);
    this.distributions.push({ labels, distribution });
    return distribution;
  }

  get(): Promise<object> {
    const { aggregator, help, name, type } = this;
    return Promise.resolve({ aggregator, help, name, type, values: this.samples() });
  }

  reset(): void {
    this.distributions.forEach(({ distribution }) => distribution.reset());
  }

  private samples(): Sample<L>[] {
    return this.distributions.flatMap(({ distribution: { counts, sum, total }, labels }) => {
      const sample = (suffix: string, value: number, more: object = {}): Sample<L> => ({
        metricName: `${this.name}_${suffix}`,
        labels: { ...more, ...labels },
        value,
      });
      let below = 0;
      const buckets = this.bounds.map((le, index) => sample('bucket', (below += counts[index] ?? 0), { le }));
      return [...buckets, sample('bucket', total, { le: '+Inf' }), sample('sum', sum), sample('count', total)];
    });
  }
}
