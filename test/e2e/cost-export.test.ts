/** The Job of `CostExport` as it is deployed: its bundle on the image's Node, real Prometheus, Pushgateway and S3. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { App, Size } from 'cdk8s';
import { CostExport, type CostExportProps } from 'mediform';
import { CostMonitor, Decimal, Ledger } from 'mediform/cost';
import { synthObjects, type KubeObject } from 'mediform/testing';
import type { CronJob } from '../../constructs/imports/cron-job';
import type { PodSpec } from '../../constructs/imports/k8s';
import { addDays, dayAt, dayBounds } from '../../constructs/plan/cost/days';
import { dashboard, expressionsOf } from '../../constructs/plan/cost-export/dashboard';
import { testChart } from '../support/app';
import { ensureBinaries, whyNotBuildable } from './support/binaries';
import { layOut } from './support/containers';
import { CONFIG, PRICES, RECORDED } from './support/cost/hospital-day';
import { RecordedPrometheus } from './support/cost/recorded';
import { nodeRuntime } from './support/node-runtime';
import { freePorts } from './support/ports';
import { Processes } from './support/processes';
import { whyNoPrometheus } from './support/scaling/prometheus';
import { BUILD_TIMEOUT_MS, describeUnless } from './support/suite';
import { waitFor } from './support/wait';

const RECORDED_DAY = '2026-03-29';
const BUCKET = 'hospital-costs';
const TIMEOUT_MS = 120_000;

const reason = whyNotBuildable(['pushgateway', 'gofakes3']) ?? whyNoPrometheus() ?? nodeRuntime.missing;
interface Run {
  readonly code: number;
  readonly events: readonly { readonly event: string; readonly day?: string; readonly [field: string]: unknown }[];
}

describeUnless(reason, 'the Job of the cost export', () => {
  const yesterday = addDays(dayAt(Math.floor(Date.now() / 1000), 'Europe/Berlin'), -1);
  let processes: Processes;
  let recorded: RecordedPrometheus;
  let ports: { readonly gateway: number; readonly s3: number; readonly scraper: number };
  let credentials: Server;

  beforeAll(async () => {
    const { pushgateway, gofakes3 } = await ensureBinaries(['pushgateway', 'gofakes3']);
    const shift = Date.parse(yesterday) - Date.parse(RECORDED_DAY);
    const moved = (moment: string): string => new Date(Date.parse(moment) + shift).toISOString();
    recorded = await RecordedPrometheus.start(
      RECORDED.map((series) => ({ ...series, from: moved(series.from), to: moved(series.to) })),
    );
    processes = await Processes.start();
    const [gateway = 0, s3 = 0, scraper = 0] = await freePorts(3);
    ports = { gateway, s3, scraper };
    processes.run({ name: 'pushgateway', command: pushgateway, args: [`--web.listen-address=127.0.0.1:${gateway}`] });
    const bucket = ['-backend', 'memory', '-host', `127.0.0.1:${s3}`, '-initialbucket', BUCKET];
    processes.run({ name: 'gofakes3', command: gofakes3, args: bucket });
    await waitFor('the Pushgateway', async () => (await fetch(`http://127.0.0.1:${gateway}/-/ready`)).ok, {
      guard: () => processes.assertRunning(),
    });
    await waitFor('S3', async () => (await fetch(`http://127.0.0.1:${s3}/${BUCKET}`)).ok);
    // what EKS runs on every node: it gives a pod that shows its token the credentials of its role
    credentials = createServer((request, response) => {
      const known = request.headers.authorization === 'the token of the pod';
      response.writeHead(known ? 200 : 401, { 'content-type': 'application/json' });
      const Expiration = new Date(Date.now() + 3_600_000).toISOString();
      response.end(JSON.stringify({ AccessKeyId: 'AKIA', SecretAccessKey: 'secret', Token: 'session', Expiration }));
    }).listen(0, '127.0.0.1');
  }, BUILD_TIMEOUT_MS);

  afterAll(async () => {
    credentials?.close();
    await processes?.stop();
    await recorded?.stop();
  });

  const props = (given: Partial<CostExportProps> = {}): CostExportProps => ({
    cost: { ...CONFIG, prometheus: { url: 'http://prometheus-operated.monitoring.svc:9090' } },
    prices: [{ ...PRICES, validTo: addDays(yesterday, 1) }],
    ledger: { size: Size.gibibytes(1) },
    backfillDays: 1,
    monthlyBudget: '10',
    ...given,
  });

  /** Lays the Job's container out in a folder and runs it to its end. */
  async function run(
    folder: string,
    given: Partial<CostExportProps> = {},
    env: { readonly [name: string]: string } = {},
  ): Promise<Run> {
    const chart = testChart('cost');
    new CostExport(chart, 'cost-export', props(given));
    const objects = synthObjects(App.of(chart));
    const job = objects.find(({ kind }) => kind === 'CronJob') as KubeObject & CronJob;
    const pod = job.spec?.jobTemplate.spec?.template.spec as PodSpec;
    const hosts = {
      'prometheus-operated.monitoring.svc:9090': Number(new URL(recorded.url).port),
      'prometheus-pushgateway.monitoring.svc:9091': ports.gateway,
    };
    const container = layOut(folder, pod, 'cost', { objects, contents: {}, hosts });
    const options = { env: { ...container.env, ...env }, timeout: TIMEOUT_MS };
    const { code, stdout } = await promisify(execFile)(container.command, [...container.args], options).then(
      ({ stdout: out }) => ({ code: 0, stdout: out }),
      (error: unknown) => error as { code: number; stdout: string },
    );
    return {
      code,
      events: stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Run['events'][number]),
    };
  }

  const fileOf = (folder: string): string =>
    join(folder, 'var/lib/mediform/ledger', `day=${yesterday}`, 'part-0.parquet');
  const digest = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex');

  /** A folder of a test, gone with the servers. */
  function folderOf(name: string): string {
    const folder = join(processes.folder, name);
    mkdirSync(folder, { recursive: true });
    return folder;
  }

  test(
    'collects yesterday into a ledger that DuckDB reads, and that adds up',
    async () => {
      const folder = folderOf('volume');
      const { code, events } = await run(folder);
      expect([code, events]).toEqual([
        0,
        [
          { event: 'collected', day: yesterday, unmatched: [] },
          { event: 'done', collected: [yesterday], failed: [], missing: [] },
        ],
      ]);
      const ledger = await Ledger.open(join(folder, 'var/lib/mediform/ledger'));
      expect(await ledger.days()).toEqual([yesterday]);
      expect(await ledger.verify()).toEqual([]);
      const day = await new CostMonitor(ledger).day(yesterday);
      const { hours } = dayBounds(yesterday, 'Europe/Berlin');
      // a g5.xlarge and an m7i.large for a day
      expect(day.infrastructure.greaterThan(new Decimal('1.42').plus('0.26').times(hours))).toBe(true);
      const rows = await ledger.query("SELECT * FROM ledger WHERE x_Service = 'ct' AND x_Category = 'gpu'");
      expect(rows).toMatchObject([
        { x_Model: 'resnet50', x_UsageHours: new Decimal(hours), x_Utilisation: new Decimal('0.4') },
      ]);
      await ledger.close();
    },
    TIMEOUT_MS,
  );

  test(
    'does nothing where nothing is missing, and writes the same bytes where it collects anew',
    async () => {
      const folder = folderOf('volume');
      const before = digest(fileOf(folder));
      expect((await run(folder)).events).toEqual([{ event: 'done', collected: [], failed: [], missing: [] }]);
      const again = await run(folder, { recollectDays: 1 });
      expect(again.events.at(-1)).toMatchObject({ collected: [yesterday] });
      expect(digest(fileOf(folder))).toBe(before);
    },
    TIMEOUT_MS,
  );

  test('writes through DuckDB and without it what reads the same', async () => {
    const folder = folderOf('volume');
    const [job, laptop] = await Promise.all(
      [join(folder, 'var/lib/mediform/ledger'), folderOf('duckdb')].map(async (location) => Ledger.open(location)),
    );
    const rows = (await job?.query('SELECT * FROM ledger')) ?? [];
    const { total } = await new CostMonitor(job as Ledger).day(yesterday);
    const plain = rows.map((row) => Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null)));
    await laptop?.writeDay({
      day: yesterday,
      timeZone: 'Europe/Berlin',
      currency: 'EUR',
      total,
      rows: plain.map((row) => Object.fromEntries(Object.entries(row).filter(([column]) => column !== 'day'))) as never,
    });
    const types = 'SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM ledger)';
    expect(await job?.query(types)).toEqual(await laptop?.query(types));
    const all = 'SELECT * FROM ledger ORDER BY ALL';
    expect(await job?.query(all)).toEqual(await laptop?.query(all));
    await job?.close();
    await laptop?.close();
  });

  test(
    'pushes metrics that the dashboard and the alarms find',
    async () => {
      const folder = folderOf('scraper');
      const chart = testChart('cost');
      const made = new CostExport(chart, 'cost-export', props());
      const config = {
        global: { scrape_interval: '1s', scrape_timeout: '1s' },
        scrape_configs: [
          {
            job_name: 'pushgateway',
            honor_labels: true,
            static_configs: [{ targets: [`127.0.0.1:${ports.gateway}`] }],
          },
        ],
      };
      const file = join(folder, 'prometheus.json');
      writeFileSync(file, JSON.stringify(config));
      processes.run({
        name: 'scraper',
        command: 'prometheus',
        args: [
          `--config.file=${file}`,
          `--storage.tsdb.path=${join(folder, 'data')}`,
          `--web.listen-address=127.0.0.1:${ports.scraper}`,
        ],
      });
      const ask = async (expr: string): Promise<{ metric: { [label: string]: string }; value: [number, string] }[]> => {
        const body = new URLSearchParams({ query: expr });
        const response = await fetch(`http://127.0.0.1:${ports.scraper}/api/v1/query`, { method: 'POST', body });
        const answer = (await response.json()) as { status: string; data: { result: never[] } };
        if (answer.status !== 'success') {
          throw new Error(`${expr}: ${JSON.stringify(answer)}`);
        }
        return answer.data.result;
      };
      await waitFor('a scrape', async () => (await ask('mediform_cost_month_to_date')).length > 0);

      const ledger = await Ledger.open(join(processes.folder, 'volume/var/lib/mediform/ledger'));
      const { total, byCategory } = await new CostMonitor(ledger).day(yesterday);
      await ledger.close();
      const [month] = await ask('mediform_cost_month_to_date');
      expect(month?.metric).toMatchObject({ job: 'mediform_cost', ledger: 'cost/cost-export', currency: 'EUR' });
      expect(Number(month?.value[1])).toBeCloseTo(total.toNumber(), 6);
      const [gpu] = await ask('mediform_cost_last_day{category="gpu"}');
      expect(Number(gpu?.value[1])).toBeCloseTo(byCategory.gpu.toNumber(), 6);

      const expressions = expressionsOf(dashboard(made.plan));
      expect(expressions.length).toBeGreaterThanOrEqual(9);
      for (const expr of expressions) {
        // the month before is not in the ledger
        const known = expr.includes('previous_month') ? 0 : 1;
        expect([expr, (await ask(expr)).length >= known]).toEqual([expr, true]);
      }
      const rule = synthObjects(App.of(chart)).find(({ kind }) => kind === 'PrometheusRule') as unknown as {
        spec: { groups: { rules: { alert: string; expr: string }[] }[] };
      };
      const alerts = new Map(rule.spec.groups.flatMap(({ rules }) => rules).map(({ alert, expr }) => [alert, expr]));
      expect(await ask(alerts.get('CostBudgetPassed') ?? '')).toHaveLength(1);
      expect(await ask(alerts.get('CostDayMissing') ?? '')).toHaveLength(0);
    },
    TIMEOUT_MS,
  );

  test(
    'keeps the days that it could collect, and ends with 1, where others failed',
    async () => {
      // Prometheus knows nothing of the day before
      const folder = folderOf('two-days');
      const { code, events } = await run(folder, { backfillDays: 2, pushgateway: 'off', monthlyBudget: undefined });
      expect(code).toBe(1);
      expect(events.find(({ event }) => event === 'failed')).toMatchObject({
        day: addDays(yesterday, -1),
        error: expect.stringContaining('Prometheus knows of nodes in') as string,
      });
      expect(events.at(-1)).toMatchObject({ collected: [yesterday], missing: [addDays(yesterday, -1)] });
      expect(existsSync(fileOf(folder))).toBe(true);
    },
    TIMEOUT_MS,
  );

  test(
    'names a price that is missing',
    async () => {
      const folder = folderOf('no-price');
      const prices = [{ ...PRICES, validTo: addDays(yesterday, -1) }];
      const { code, events } = await run(folder, { prices, pushgateway: 'off', monthlyBudget: undefined });
      expect(code).toBe(1);
      expect(events[0]).toMatchObject({ event: 'failed', day: yesterday });
      expect(events[0]?.error).toContain("'prices' (instance g5.xlarge on-demand eu-central-1");
      expect(existsSync(fileOf(folder))).toBe(false);
    },
    TIMEOUT_MS,
  );

  test(
    'writes to S3 with the credentials of Pod Identity',
    async () => {
      const folder = folderOf('s3');
      const token = join(folder, 'token');
      writeFileSync(token, 'the token of the pod');
      const env = {
        AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${ports.s3}`,
        AWS_CONTAINER_CREDENTIALS_FULL_URI: `http://127.0.0.1:${(credentials.address() as AddressInfo).port}/v1/credentials`,
        AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: token,
      };
      const { code, events } = await run(folder, { ledger: { s3: `s3://${BUCKET}/ledger` } }, env);
      expect([code, events.at(-1)]).toEqual([0, { event: 'done', collected: [yesterday], failed: [], missing: [] }]);
      // nothing stays in the pod
      expect(readdirSync(join(folder, 'tmp'))).toEqual([]);
      const listed = await (await fetch(`http://127.0.0.1:${ports.s3}/${BUCKET}?list-type=2`)).text();
      expect(listed).toContain(`<Key>ledger/day=${yesterday}/part-0.parquet</Key>`);
      const bytes = Buffer.from(
        await (
          await fetch(`http://127.0.0.1:${ports.s3}/${BUCKET}/ledger/day=${yesterday}/part-0.parquet`)
        ).arrayBuffer(),
      );
      expect(bytes.equals(readFileSync(fileOf(join(processes.folder, 'volume'))))).toBe(true);
      rmSync(folder, { recursive: true });
    },
    TIMEOUT_MS,
  );
});
