import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePorts } from '../ports';
import { Processes } from '../processes';
import { waitFor } from '../wait';

/** A series, scraped every minute. */
export interface Recorded {
  /** Name with labels. */
  readonly series: string;
  /** First and last moment, ISO 8601. */
  readonly from: string;
  readonly to: string;
  /** Its value, or that at so many minutes after the first moment; undefined where a scrape failed. */
  readonly value: number | ((minute: number) => number | undefined);
}

/** Scrapes are never on the minute. */
const SECOND_OF_SCRAPE = 13;

/** A Prometheus that has recorded what it is told to have, and scrapes nothing. */
export class RecordedPrometheus {
  private constructor(
    private readonly processes: Processes,
    readonly url: string,
  ) {}

  static async start(recorded: readonly Recorded[]): Promise<RecordedPrometheus> {
    const processes = await Processes.start();
    const folder = join(processes.folder, 'prometheus');
    mkdirSync(folder);
    const [history, config, data] = ['history.om', 'prometheus.yaml', 'data'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    writeFileSync(history, openMetrics(recorded));
    writeFileSync(config, '{}');
    await promisify(execFile)('promtool', ['tsdb', 'create-blocks-from', 'openmetrics', '--quiet', history, data]);
    const [port] = await freePorts(1);
    processes.run({
      name: 'prometheus',
      command: 'prometheus',
      args: [
        `--config.file=${config}`,
        `--storage.tsdb.path=${data}`,
        '--storage.tsdb.retention.time=20y',
        `--web.listen-address=127.0.0.1:${port}`,
        '--log.level=warn',
      ],
    });
    const prometheus = new RecordedPrometheus(processes, `http://127.0.0.1:${port}`);
    await waitFor('Prometheus', async () => {
      processes.assertRunning();
      return (await fetch(`${prometheus.url}/-/ready`)).ok;
    });
    return prometheus;
  }

  /** Ends it at once. */
  async kill(): Promise<void> {
    await this.processes.kill('prometheus');
  }

  async stop(): Promise<void> {
    await this.processes.stop();
  }
}

function openMetrics(recorded: readonly Recorded[]): string {
  const byName = new Map<string, string[]>();
  for (const { series, from, to, value } of recorded) {
    const name = series.split('{')[0] ?? '';
    const lines = byName.get(name) ?? [];
    byName.set(name, lines);
    const [start, end] = [Date.parse(from) / 1000, Date.parse(to) / 1000];
    for (let second = start + SECOND_OF_SCRAPE, minute = 0; second <= end; second += 60, minute++) {
      const scraped = typeof value === 'number' ? value : value(minute);
      if (scraped !== undefined) {
        lines.push(`${series} ${scraped} ${second}`);
      }
    }
  }
  return [...[...byName].flatMap(([name, lines]) => [`# TYPE ${name} gauge`, ...lines]), '# EOF', ''].join('\n');
}
