/** `mediform cost ...`: what it writes, where to, and how it ends. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addDays } from '../../../constructs/plan/cost/days';
import { Decimal, LEDGER_COLUMNS, Ledger } from 'mediform/cost';
import { run } from '../../../runtime/cost/cli/program';
import { csvText } from '../../../runtime/cost/cli/sheet';
import { ledgerDay, row } from './support';

const ROOT = join(__dirname, '../../..');

interface Result {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

let folder: string;
let ledger: string;

/** Runs it in this process. */
async function cost(...args: string[]): Promise<Result> {
  const [out, err]: [string[], string[]] = [[], []];
  const io = { out: (text: string) => void out.push(text), err: (text: string) => void err.push(text) };
  const code = await run(['cost', ...args], { ...io, terminal: false, now: () => new Date('2026-03-12T06:00:00Z') });
  return { code, out: out.join(''), err: err.join('') };
}

/** Runs it as a shell does. */
async function mediform(...args: string[]): Promise<Result> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'runtime/cli.ts', ...args], { cwd: ROOT });
  let [out, err] = ['', ''];
  child.stdout.on('data', (data: Buffer) => (out += data.toString()));
  child.stderr.on('data', (data: Buffer) => (err += data.toString()));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, out, err };
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mediform-cli-'));
  ledger = join(folder, 'ledger');
  const opened = await Ledger.open(ledger, { threads: 1 });
  for (let index = 0; index < 70; index++) {
    const day = addDays('2026-01-01', index);
    const rows = [
      row(
        '90.5',
        {
          x_Service: 'ct',
          x_Model: 'unet',
          ResourceId: 'a',
          x_UsageHours: new Decimal(96),
          x_Utilisation: new Decimal('0.1'),
        },
        day,
      ),
      row('0', { x_Service: 'ct', x_Model: 'unet', ResourceId: 'b', x_Category: 'api', x_Calls: 50 }, day),
      row('9.5', { ResourceId: 'c', x_Category: 'idle', ChargeDescription: '=1+1, "quoted"' }, day),
    ];
    await opened.writeDay(ledgerDay(day, rows));
  }
  await opened.close();
}, 60_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('report', () => {
  it('is a table for people', async () => {
    const { code, out, err } = await cost('report', '--ledger', ledger, '--diagnosis-service', 'ct');
    expect([code, err]).toEqual([0, '']);
    expect(out).toContain('By service, 2026-02-10 to 2026-03-11');
    expect(out).toMatch(/│ ct +│ +€2,715 │ 1,500 │ +€1\.81 │/);
    expect(out).toMatch(/│ unet +│ +€2,715 │ 2,880 │ +€0\.9427 │/);
    expect(out).toContain('2026-03 against 2026-02, the same 11 days');
    expect(out).toContain('A diagnosis costs €2.00 (1,500 diagnoses)');
  });

  it('is exact in JSON and CSV', async () => {
    const json = JSON.parse((await cost('report', '--ledger', ledger, '--format', 'json')).out) as {
      total: string;
      services: { service?: string; cost: string; costPerCall: string }[];
    };
    expect(json.total).toBe('3000');
    expect(json.services[0]).toMatchObject({ service: 'ct', cost: '2715', costPerCall: '1.81' });
    const { out } = await cost('report', '--ledger', ledger, '--by', 'model', '--format', 'csv');
    expect(out).toBe(
      'model,cost,usage_hours,cost_per_hour,calls,cost_per_call\r\nunet,2715,2880,0.942708333,1500,1.81\r\n',
    );
  });

  it('is about the days that are asked for', async () => {
    const days = ['--from', '2026-03-01', '--to', '2026-03-02'];
    const { out } = await cost('report', '--ledger', ledger, ...days, '--by', 'day', '--format', 'csv');
    expect(out).toBe('day,cost,week_mean\r\n2026-03-01,100,\r\n2026-03-02,100,\r\n');
  });

  it('is a gate for CI', async () => {
    const gate = async (budget: string): Promise<Result> =>
      cost('report', '--ledger', ledger, '--monthly-budget', budget, '--fail-over-budget');
    expect(await gate('1100')).toMatchObject({ code: 0, err: '' });
    expect(await gate('1099.99')).toMatchObject({ code: 3, err: 'mediform: the budget of the month is passed\n' });
    expect(await cost('report', '--ledger', ledger, '--fail-over-budget')).toMatchObject({
      code: 1,
      err: 'mediform: --fail-over-budget needs --monthly-budget\n',
    });
  });
});

describe('forecast', () => {
  it('says what the year will have cost, and how sure that is', async () => {
    const { code, out } = await cost('forecast', '--ledger', ledger, '--level', '0.95');
    expect(code).toBe(0);
    expect(out).toContain('2026 will have cost €36,500; with a probability of 95%, €36,500 to €36,500');
    expect(out).toContain('seasonal-naive is used');
  });

  it('is a gate, too, of twelve months', async () => {
    const args = ['forecast', '--ledger', ledger, '--fail-over-budget', '--monthly-budget'];
    expect((await cost(...args, '3042')).code).toBe(0);
    expect((await cost(...args, '3041')).code).toBe(3);
  });
});

describe('advise', () => {
  const manifests = (minReplicas: number): string => {
    const path = join(folder, `manifests-${minReplicas}`);
    const labels = '{ mediform.io/priority: normal, mediform.io/model: unet }';
    const meta = `metadata: { name: ct, namespace: imaging, labels: ${labels} }`;
    mkdirSync(path, { recursive: true });
    writeFileSync(
      join(path, 'app.k8s.yaml'),
      `kind: Deployment\n${meta}\n---\nkind: HorizontalPodAutoscaler\n${meta}\nspec:\n  scaleTargetRef: { kind: Deployment, name: ct }\n  minReplicas: ${minReplicas}\n  maxReplicas: 9\n`,
    );
    return path;
  };

  it('reads what services need from manifests', async () => {
    const { out } = await cost('advise', '--ledger', ledger, '--manifests', manifests(4), '--format', 'csv');
    expect(out.split('\r\n')[1]).toMatch(/^imaging\/ct,scaling\.minReplicas,4,2,1376\.354166667,high,/);
    expect((await cost('advise', '--ledger', ledger, '--manifests', manifests(2))).out).toContain('scaling.rules');
  });

  it('advises nothing where it does not know what a service needs, and says so', async () => {
    const { out } = await cost('advise', '--ledger', ledger);
    expect(out).toContain('Not advised: ct: its GPUs are 10% used, but what its priority needs is not known');
  });

  it('names what is wrong with a list of models', async () => {
    const models = join(folder, 'models.yaml');
    writeFileSync(models, '- model: unet\n  accuracy: high\n');
    expect(await cost('advise', '--ledger', ledger, '--models', models)).toMatchObject({
      code: 1,
      err: expect.stringMatching(
        /^mediform: 'models\[0\]\.task' \(undefined\) must be a name.*\nmediform: 'models\[0\]\.accuracy' \(high\) must be a number/,
      ) as string,
    });
  });
});

describe('export', () => {
  it('writes all columns of all rows, as CSV that spreadsheets do not run', async () => {
    const file = join(folder, 'out', 'rows.csv');
    const args = ['--from', '2026-03-10', '--output', file];
    expect(await cost('export', '--ledger', ledger, ...args)).toMatchObject({ code: 0, out: '' });
    const lines = readFileSync(file, 'utf8').split('\r\n');
    expect(lines).toHaveLength(1 + 2 * 3 + 1);
    expect(lines[0]).toBe(['day', ...LEDGER_COLUMNS.map(({ name }) => name)].join(','));
    expect(lines.find((line) => line.includes('idle'))).toContain(`"'=1+1, ""quoted"""`);
  });

  it('writes JSON by lines', async () => {
    const { out } = await cost('export', '--ledger', ledger, '--from', '2026-03-11', '--format', 'json');
    const rows = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { day: string; EffectiveCost: string });
    expect(rows.map(({ day, EffectiveCost }) => [day, EffectiveCost])).toContainEqual(['2026-03-11', '90.5']);
  });
});

test('dashboard writes a page, and tells where', async () => {
  const file = join(folder, 'pages', 'costs.html');
  const result = await cost('dashboard', '--ledger', ledger, '--output', file, '--title', 'Ours');
  expect(result).toEqual({ code: 0, out: '', err: `${file}\n` });
  expect(readFileSync(file, 'utf8')).toContain('<h1>Ours</h1>');
});

describe('what goes wrong', () => {
  it('is told in one line, without a trace', async () => {
    expect(await cost('report', '--ledger', join(folder, 'none'))).toEqual({
      code: 1,
      out: '',
      err: `mediform: there is no ledger at ${join(folder, 'none')}; \`mediform cost collect\` makes one\n`,
    });
    expect(existsSync(join(folder, 'none'))).toBe(false);
    expect(await cost('report', '--ledger', ledger, '--from', '2027-01-01', '--to', '2027-01-02')).toMatchObject({
      code: 1,
      err: 'mediform: the ledger has no day from 2027-01-01 to 2027-01-02; collect them first\n',
    });
  });

  it('on the command line ends with 2', async () => {
    expect(await cost('report', '--ledger', ledger, '--from', '2026-02-30')).toMatchObject({ code: 2 });
    expect(await cost('report', '--ledger', ledger, '--by', 'mood')).toMatchObject({ code: 2 });
    expect(await cost('nonsense')).toMatchObject({ code: 2 });
    expect(await cost('estimate')).toMatchObject({ code: 2 });
  });
});

describe('as a program', () => {
  it('writes results to stdout and the rest to stderr, and ends with its code', async () => {
    const budget = ['--monthly-budget', '1', '--fail-over-budget'];
    const [passed, over, wrong, help] = await Promise.all([
      mediform('cost', 'report', '--ledger', ledger, '--by', 'service', '--format', 'csv'),
      mediform('cost', 'report', '--ledger', ledger, '--format', 'json', ...budget),
      mediform('cost', 'report'),
      mediform('cost', '--help'),
    ]);
    expect(passed).toEqual({
      code: 0,
      out: 'service,cost,calls,cost_per_call\r\nct,2715,1500,1.81\r\nof no service,285,0,0\r\n',
      err: '',
    });
    expect(over.code).toBe(3);
    expect(() => JSON.parse(over.out) as unknown).not.toThrow();
    expect(wrong).toMatchObject({ code: 2, out: '' });
    expect(wrong.err).toContain("required option '--ledger <location>' not specified");
    for (const command of ['collect', 'report', 'forecast', 'advise', 'export', 'dashboard', 'estimate']) {
      expect(help.out).toContain(`  ${command} `);
    }
  }, 60_000);
});

test('CSV keeps commas, quotes and lines within their cell', () => {
  const sheet = {
    title: '',
    columns: [
      { key: 'a', title: '' },
      { key: 'b', title: '' },
    ],
    rows: [
      { a: 'x,"y"\nz', b: -1 },
      { a: '-x', b: undefined },
    ],
  };
  expect(csvText(sheet)).toBe('a,b\r\n"x,""y""\nz",-1\r\n\'-x,\r\n');
});
