/** Advice on caches, from what a real Prometheus has recorded of their counters. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Decimal, Ledger } from 'mediform/cost';
import { CacheMetric } from '../../constructs/plan/cache/metrics';
import { daysBetween } from '../../constructs/plan/cost/days';
import { run } from '../../runtime/cost/cli/program';
import { ledgerDay, row } from '../runtime/cost/support';
import { RecordedPrometheus, type Recorded } from './support/cost/recorded';
import { whyNoPrometheus } from './support/scaling/prometheus';
import { describeUnless } from './support/suite';

const [FROM, TO] = ['2026-03-02', '2026-03-08'];
const SERVICE = 'knowledge_retrieval';
/** Minutes from the beginning of the records to a restart of the second pod. */
const RESTART = 5000;

/** A counter of both pods, which rises by so much a minute in each. */
function counter(name: string, labels: string, aMinute: number): Recorded[] {
  const span = { from: '2026-03-01T20:00:00Z', to: '2026-03-09T04:00:00Z' };
  const series = (pod: string): string => `${name}{service="${SERVICE}",model="minilm",pod="${pod}",${labels}}`;
  return [
    { ...span, series: series('a'), value: (minute) => minute * aMinute },
    { ...span, series: series('b'), value: (minute) => (minute < RESTART ? minute : minute - RESTART + 1) * aMinute },
  ];
}

/** Of ten questions one is answered by the hot tier and one by Redis, where three have expired. */
const lookups = (tier: string, outcome: string, aMinute: number): Recorded[] =>
  counter(CacheMetric.LOOKUPS, `kind="knowledge",tier="${tier}",outcome="${outcome}"`, aMinute);
const RECORDED = [
  ...lookups('hot', 'hit', 1),
  ...lookups('hot', 'miss', 9),
  ...lookups('redis', 'hit', 1),
  ...lookups('redis', 'stale', 3),
  ...lookups('redis', 'miss', 5),
  ...counter(CacheMetric.EVICTIONS, 'kind="knowledge"', 0),
  ...counter(CacheMetric.COMPUTATIONS, 'kind="knowledge",outcome="stored"', 8),
];

describeUnless(whyNoPrometheus(), 'mediform cost advise --prometheus', () => {
  let prometheus: RecordedPrometheus;
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'mediform-advise-'));
    prometheus = await RecordedPrometheus.start(RECORDED);
    const ledger = await Ledger.open(folder, { threads: 1 });
    for (const day of daysBetween(FROM, TO)) {
      const calls = { x_Calls: 28_800, x_CacheHits: 5760, x_Service: SERVICE, x_Model: 'minilm' };
      await ledger.writeDay(ledgerDay(day, [row('10', { ...calls, x_Category: 'api' }, day)]));
    }
    await ledger.close();
  }, 120_000);

  afterAll(async () => {
    await prometheus?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function advise(url: string): Promise<{ code: number; out: string; err: string }> {
    const [out, err]: [string[], string[]] = [[], []];
    const args = ['--ledger', folder, '--from', FROM, '--to', TO, '--format', 'json', '--prometheus', url];
    const code = await run(['cost', 'advise', ...args], {
      out: (text) => void out.push(text),
      err: (text) => void err.push(text),
      terminal: false,
      now: () => new Date('2026-03-09T06:00:00Z'),
    });
    return { code, out: out.join(''), err: err.join('') };
  }

  test('counts what all pods counted, over a restart, and points at the time to live', async () => {
    const { code, out, err } = await advise(prometheus.url);
    expect([code, err]).toEqual([0, '']);
    // 7 days of 20 questions a minute, and 10 a day for 23,040 computed calls
    const saving = new Decimal(70)
      .times(730)
      .dividedBy(168)
      .times(0.5 - 0.2)
      .times(201_600)
      .dividedBy(161_280);
    expect((JSON.parse(out) as { advice: unknown }).advice).toEqual([
      {
        kind: 'cache-ttl',
        subject: SERVICE,
        property: 'gateway.routes[].cache.ttl',
        proposed: 'longer',
        reason: '20% of 201,600 knowledge lookups hit: 33% of the lookups found what had expired',
        monthlyCost: '304.166666667',
        monthlySaving: saving.toFixed(4),
        confidence: 'medium',
        confidenceReason: 'each call is paid for; how many more will hit is an estimate',
      },
    ]);
  });

  test('says so where Prometheus is not there', async () => {
    const { code, err } = await advise('http://127.0.0.1:9');
    expect(code).toBe(1);
    expect(err).toMatch(/^mediform: Prometheus at http:\/\/127\.0\.0\.1:9 cannot be asked: fetch failed \(.+\)\n$/);
  });
});
