import { setTimeout as sleep } from 'node:timers/promises';
import { type Cluster } from '../cluster';
import { type KubeObject } from '../kube-object';
import { type Load } from './exporter';
import { type Prometheus } from './prometheus';

/** A number of replicas that a Deployment was given. */
export interface Change {
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly replicas: number;
}

export interface Autoscaler extends KubeObject {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

/** Both sides of a service: what its pods send, and what the autoscaler makes of it. */
export class ScaledService {
  /** Numbers of replicas from the first on. */
  readonly changes: Change[] = [];
  /** Whether kube-state-metrics tells of the Deployment. */
  hasKubeState = true;

  constructor(
    private readonly cluster: Cluster,
    private readonly prometheus: Prometheus,
    readonly namespace: string,
    readonly name: string,
    /** What the pods send; a test changes it as it likes. */
    public load: Load,
  ) {}

  get replicas(): number {
    return this.changes.at(-1)?.replicas ?? 0;
  }

  /** Notes what the Deployment's replicas are. */
  isGiven(replicas: number): void {
    if (replicas !== this.replicas) {
      this.changes.push({ time: Date.now(), replicas });
    }
  }

  /** Waits until a series of the service has been recorded with a value, give or take a thousandth. */
  async records(series: string, value: number | ((value: number) => boolean), labels: object = {}): Promise<void> {
    const matches = typeof value === 'number' ? closeTo(value) : value;
    await this.cluster.waitFor(`${series} of ${this.name} as ${String(value)}`, async () => {
      const recorded = await this.recorded(series, labels);
      return recorded !== undefined && matches(recorded);
    });
  }

  async recordsSignal(signal: string, value: number): Promise<void> {
    await this.records('mediform:signal', value, { signal });
  }

  /** The last value of a recorded series. */
  async recorded(series: string, labels: object = {}): Promise<number | undefined> {
    const all = { namespace: this.namespace, service: this.name, ...labels };
    const matchers = Object.entries(all).map(([label, value]) => `${label}="${value}"`);
    return this.prometheus.value(`${series}{${matchers.join(',')}}`);
  }

  /** Waits for a number of replicas. */
  async reaches(wanted: number | ((replicas: number) => boolean), timeoutMs = 120_000): Promise<void> {
    const matches = typeof wanted === 'number' ? (replicas: number) => replicas === wanted : wanted;
    try {
      await this.cluster.waitFor(`${String(wanted)} replicas`, () => matches(this.replicas), timeoutMs);
    } catch (error) {
      throw new Error(`${this.name} ${await this.story()}`, { cause: error });
    }
  }

  /** Sees that the number of replicas stays as it is for some time. */
  async stays(seconds: number): Promise<void> {
    const { length } = this.changes;
    await sleep(seconds * 1000);
    this.cluster.processes.assertRunning();
    if (this.changes.length !== length) {
      throw new Error(`${this.name} should have stayed for ${seconds} s; it ${await this.story(length - 1)}`);
    }
  }

  /** Sees that the number of replicas stays as it is until the second before a moment. */
  async staysUntil(moment: Date): Promise<void> {
    const seconds = (moment.getTime() - Date.now()) / 1000 - 1;
    if (seconds < 5) {
      throw new Error(`${seconds.toFixed()} s before the turn are too few: the stage was ready too late`);
    }
    await this.stays(seconds);
  }

  /** The numbers of replicas alone. */
  steps(): number[] {
    return this.changes.map(({ replicas }) => replicas);
  }

  hasShrunk(): boolean {
    return this.changes.some(({ replicas }, index) => replicas < (this.changes[index - 1]?.replicas ?? 0));
  }

  /** Seconds between each change and the one before it. */
  gaps(): number[] {
    // the first entry is no change
    return this.changes.slice(2).map(({ time }, index) => (time - (this.changes[index + 1] as Change).time) / 1000);
  }

  /** For each change: the replicas before a span that ends with it, and after it. */
  growth(spanSeconds: number): { readonly before: number; readonly after: number }[] {
    return this.changes.slice(1).map(({ time, replicas }) => {
      const start = time - spanSeconds * 1000;
      const earlier = this.changes.filter((change) => change.time <= start).at(-1) ?? this.changes[0];
      return { before: earlier?.replicas ?? 0, after: replicas };
    });
  }

  /** State of a condition of the autoscaler. */
  async condition(type: string): Promise<string | undefined> {
    const autoscaler = await this.cluster.get<Autoscaler>('hpa', this.name, this.namespace);
    return autoscaler && conditionOf(autoscaler, type);
  }

  /** What has happened, for people. */
  private async story(from = 0): Promise<string> {
    const steps = this.changes.slice(from);
    const replicas = steps.map(({ time, replicas: n }) => `${n} at ${new Date(time).toISOString().slice(14, 23)}`);
    const selector = `{__name__=~"mediform:signal_pressure|mediform:signal|mediform:replica_floor_reason",`;
    const recorded = await this.prometheus
      .query(`${selector}namespace="${this.namespace}",service="${this.name}"}`)
      .catch(() => []);
    const values = recorded.map(
      ({ labels, value }) => `${labels.__name__} ${labels.signal ?? labels.reason}: ${value}`,
    );
    return [`had replicas ${replicas.join(', ')}; now`, ...values].join('\n  ');
  }
}

export function conditionOf({ status }: Autoscaler, type: string): string | undefined {
  return status?.conditions?.find((condition) => condition.type === type)?.status;
}

function closeTo(wanted: number): (value: number) => boolean {
  return (value) => Math.abs(value - wanted) <= 0.001;
}
