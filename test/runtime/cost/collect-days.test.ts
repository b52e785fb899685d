/** Days that fail, are tried again, or are collected anew: against a server that answers as Prometheus does. */
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { collectDays, Ledger, LedgerError, type CollectDaysOptions } from 'mediform/cost';
import { ConfigurationError } from '../../../constructs/plan/errors';
import { run } from '../../../runtime/cost/cli/program';
import { COST_EXPORT } from '../../support/cost-export';

const DAY = '2026-03-02';

let server: Server;
let folder: string;
/** How many of the first requests are refused. */
let refusals = 0;
/** How often a day was begun: its coverage is asked first, and once. */
let begun = 0;

beforeAll(async () => {
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (data: Buffer) => (body += data.toString()));
    request.on('end', () => {
      const query = new URLSearchParams(body).get('query') ?? '';
      const coverage = query.includes('clamp_max(count(kube_node_info), 1)');
      begun += coverage ? 1 : 0;
      response.setHeader('content-type', 'application/json');
      if (refusals > 0) {
        refusals -= 1;
        response.end(JSON.stringify({ status: 'error', errorType: 'execution', error: 'too many samples' }));
        return;
      }
      // nodes were known all day, and there was none of anything
      const result = coverage ? [{ metric: {}, value: [0, '1440'] }] : [];
      response.end(JSON.stringify({ status: 'success', data: { resultType: 'vector', result } }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterAll(() => new Promise((resolve) => server.close(resolve)));

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mediform-collect-'));
  [refusals, begun] = [0, 0];
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const file = (day = DAY): string => join(folder, 'ledger', `day=${day}`, 'part-0.parquet');
const digest = (day?: string): string =>
  createHash('sha256')
    .update(readFileSync(file(day)))
    .digest('hex');

function config(hoursPerDay = '6'): CollectDaysOptions['config'] {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    ...COST_EXPORT.cost,
    traffic: 'none',
    prometheus: { url },
    people: [{ activity: 'operations', hoursPerDay }],
  };
}

const PRICES: CollectDaysOptions['prices'] = [
  {
    source: 'staff',
    provider: 'Hospital',
    published: '2026-01-01',
    currency: 'EUR',
    validFrom: '2026-01-01',
    validTo: '2026-12-31',
    prices: [{ kind: 'people', unit: 'Hours', activity: 'operations', price: '78.5' }],
  },
];

async function collect(given: Partial<CollectDaysOptions> = {}): ReturnType<typeof collectDays> {
  const ledger = await Ledger.open(join(folder, 'ledger'), { threads: 1 });
  try {
    return await collectDays({ ledger, config: config(), prices: PRICES, days: [DAY], pauseSeconds: 0, ...given });
  } finally {
    await ledger.close();
  }
}

describe('a day that fails', () => {
  it('is tried again, and is then written', async () => {
    refusals = 2;
    expect(await collect()).toEqual([{ day: DAY, ok: true, unmatched: [] }]);
    expect(begun).toBe(3);
    expect(existsSync(file())).toBe(true);
  });

  it('three times is given up, keeps what the ledger had of it, and keeps no other from being collected', async () => {
    await collect();
    const before = digest();
    refusals = 3;
    begun = 0;
    const results = await collect({ days: [DAY, '2026-03-03'], config: config('7') });
    expect(results).toEqual([
      { day: DAY, ok: false, error: expect.any(LedgerError) as LedgerError },
      { day: '2026-03-03', ok: true, unmatched: [] },
    ]);
    expect(begun).toBe(4);
    expect(digest()).toBe(before);
    expect(existsSync(file('2026-03-03'))).toBe(true);
  });

  it('for want of a price is not tried again: it would want it still', async () => {
    const [result] = await collect({ prices: [] });
    expect(result).toMatchObject({ ok: false, error: expect.any(ConfigurationError) as ConfigurationError });
    expect(begun).toBe(1);
    expect(existsSync(file())).toBe(false);
  });

  it('because the ledger could not be written is tried again, too', async () => {
    const ledger = await Ledger.open(join(folder, 'ledger'), { threads: 1 });
    let writes = 0;
    const full: CollectDaysOptions['ledger'] = {
      writeDay: async (day) => {
        writes += 1;
        if (writes === 1) {
          throw new Error('ENOSPC: no space left on device');
        }
        await ledger.writeDay(day);
      },
    };
    expect(await collect({ ledger: full })).toEqual([{ day: DAY, ok: true, unmatched: [] }]);
    expect([writes, await ledger.days()]).toEqual([2, [DAY]]);
    await ledger.close();
  });
});

describe('mediform cost collect', () => {
  interface Result {
    readonly code: number;
    readonly out: string;
    readonly err: string;
  }

  /** At six in the morning of the 5th. */
  async function command(flags: readonly string[] = [], terminal = false): Promise<Result> {
    writeFileSync(join(folder, 'prices.json'), JSON.stringify(PRICES[0]));
    writeFileSync(join(folder, 'cost.json'), JSON.stringify(config()));
    const [out, err]: [string[], string[]] = [[], []];
    const files = ['--config', join(folder, 'cost.json'), '--prices', join(folder, 'prices.json')];
    const code = await run(['cost', 'collect', '--ledger', join(folder, 'ledger'), ...files, ...flags], {
      out: (text) => void out.push(text),
      err: (text) => void err.push(text),
      terminal,
      now: () => new Date('2026-03-05T06:00:00Z'),
    });
    return { code, out: out.join(''), err: err.join('') };
  }

  it('collects yesterday into a new ledger, and then what is missing', async () => {
    expect(await command()).toEqual({ code: 0, out: '1 of 1 days collected\n', err: '2026-03-04 collected\n' });
    expect(await command()).toEqual({
      code: 0,
      out: '0 of 0 days collected\n',
      err: 'the ledger has every day up to 2026-03-04\n',
    });
    await collect();
    // the 2nd and the 4th are there
    expect(await command()).toEqual({ code: 0, out: '1 of 1 days collected\n', err: '2026-03-03 collected\n' });
  });

  it('collects anew what it is asked for, with the same bytes', async () => {
    const days = ['--from', '2026-03-02', '--to', '2026-03-03'];
    await command(days);
    const before = [digest('2026-03-02'), digest('2026-03-03')];
    expect(await command(days)).toMatchObject({ code: 0, out: '2 of 2 days collected\n' });
    expect([digest('2026-03-02'), digest('2026-03-03')]).toEqual(before);
  });

  it('ends with 1 where a day failed, and says which and why', async () => {
    // the price list ends before
    const { code, out, err } = await command(['--from', '2025-12-31', '--to', '2026-01-01']);
    expect([code, out]).toEqual([1, '1 of 2 days collected\n']);
    expect(err).toMatch(
      /^2025-12-31 failed\n2026-01-01 collected\n2025-12-31: 'prices' \(people operations\) must have a price for 2025-12-31 because .*\n$/,
    );
  });

  it('shows a bar on a terminal, which is gone at the end', async () => {
    const { err } = await command(['--from', '2026-03-01', '--to', '2026-03-03'], true);
    expect(err.split('\r').slice(1)).toEqual([
      '\u001B[K██████████░░░░░░░░░░░░░░░░░░░░ 1/3 2026-03-01 collected',
      '\u001B[K████████████████████░░░░░░░░░░ 2/3 2026-03-02 collected',
      '\u001B[K',
    ]);
  });
});
