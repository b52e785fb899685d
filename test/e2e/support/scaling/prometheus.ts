import { execFile, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Cluster } from '../cluster';
import { freePorts } from '../ports';
import { type RuleGroup } from '../promtool';

/** One element of what a query gives. */
export interface Sample {
  readonly labels: { readonly [label: string]: string };
  readonly value: number;
}

/** A series from before Prometheus was started. */
export interface History {
  /** Name with labels. */
  readonly series: string;
  readonly samples: readonly (readonly [unixSeconds: number, value: number])[];
}

export interface PrometheusSettings {
  /** `host:port` that is scraped for everything. */
  readonly target: string;
  readonly groups: readonly RuleGroup[];
  readonly history: readonly History[];
}

const NAME = 'prometheus';

/** Why Prometheus cannot run on this machine; undefined where it can. */
export function whyNoPrometheus(): string | undefined {
  const missing = ['prometheus', 'promtool'].filter((name) => spawnSync(name, ['--version']).status !== 0);
  return missing.length === 0
    ? undefined
    : `${missing.join(' and ')} not on the PATH; Debian has both in the package prometheus`;
}

/** A Prometheus that scrapes and records every second. */
export class Prometheus {
  private readonly folder: string;

  private constructor(
    private readonly cluster: Cluster,
    private readonly address: string,
  ) {
    this.folder = join(cluster.processes.folder, NAME);
    mkdirSync(this.folder);
  }

  /** One that is not running yet. */
  static async on(cluster: Cluster): Promise<Prometheus> {
    const [port] = await freePorts(1);
    return new Prometheus(cluster, `127.0.0.1:${port}`);
  }

  /** Starts it for the first time. */
  async start({ target, groups, history }: PrometheusSettings): Promise<void> {
    const historyFile = this.write('history.om', openMetrics(history));
    const create = ['tsdb', 'create-blocks-from', 'openmetrics', '--quiet', historyFile, join(this.folder, 'data')];
    await promisify(execFile)('promtool', create);
    // JSON is YAML too
    const rules = JSON.stringify({ groups: groups.map((group) => ({ ...group, interval: '1s' })) });
    const config = {
      global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
      rule_files: [this.write('rules.yaml', rules)],
      scrape_configs: [{ job_name: 'all', honor_labels: true, static_configs: [{ targets: [target] }] }],
    };
    this.write('prometheus.yaml', JSON.stringify(config));
    await this.run();
  }

  get url(): string {
    return `http://${this.address}`;
  }

  /** Starts it, again after `kill` with all it had stored. */
  async run(): Promise<void> {
    this.cluster.processes.run({
      name: NAME,
      command: 'prometheus',
      args: [
        `--config.file=${join(this.folder, 'prometheus.yaml')}`,
        `--storage.tsdb.path=${join(this.folder, 'data')}`,
        `--web.listen-address=${this.address}`,
        '--log.level=warn',
      ],
    });
    await this.cluster.waitFor(NAME, async () => (await fetch(`${this.url}/-/ready`)).ok);
  }

  /** Ends it at once. */
  async kill(): Promise<void> {
    await this.cluster.processes.kill(NAME);
  }

  /** What an expression gives now. */
  async query(expr: string): Promise<readonly Sample[]> {
    const response = await fetch(`${this.url}/api/v1/query?query=${encodeURIComponent(expr)}`);
    const answer = (await response.json()) as {
      readonly error?: string;
      readonly data?: { readonly result: readonly { metric: Sample['labels']; value: [number, string] }[] };
    };
    if (answer.data === undefined) {
      throw new Error(`${expr}: ${answer.error}`);
    }
    return answer.data.result.map(({ metric, value: [, value] }) => ({ labels: metric, value: Number(value) }));
  }

  /** The value of an expression's only element; undefined where it gives none. */
  async value(expr: string): Promise<number | undefined> {
    const samples = await this.query(expr);
    if (samples.length > 1) {
      throw new Error(`${expr} gives ${samples.length} elements`);
    }
    return samples[0]?.value;
  }

  private write(name: string, content: string): string {
    const path = join(this.folder, name);
    writeFileSync(path, content);
    return path;
  }
}

function openMetrics(history: readonly History[]): string {
  const lines = history.flatMap(({ series, samples }) => [
    `# TYPE ${series.split('{')[0]} gauge`,
    ...samples.map(([time, value]) => `${series} ${value} ${time}`),
  ]);
  return [...lines, '# EOF', ''].join('\n');
}
