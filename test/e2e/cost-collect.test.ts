import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { collectDay, collectDays, CostMonitor, Ledger, type CollectOptions, type LedgerRow } from 'mediform/cost';
import { PrometheusDay } from '../../runtime/cost/collect/prometheus';
import { Counters } from '../../runtime/cost/collect/queries';
import { Engine } from '../../runtime/cost/ledger/engine';
import { CONFIG, PRICES, RECORDED } from './support/cost/hospital-day';
import { RecordedPrometheus } from './support/cost/recorded';
import { whyNoPrometheus } from './support/scaling/prometheus';
import { describeUnless } from './support/suite';

const DAY = '2026-03-29';

describeUnless(whyNoPrometheus(), 'a day that Prometheus has recorded', () => {
  let prometheus: RecordedPrometheus;
  let folder: string;
  let options: Omit<CollectOptions, 'day'>;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'mediform-collect-'));
    prometheus = await RecordedPrometheus.start(RECORDED);
    options = { config: { ...CONFIG, prometheus: { url: prometheus.url } }, prices: [PRICES] };
  }, 240_000);

  afterAll(async () => {
    await prometheus?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const line = ({
    x_Category,
    x_Service,
    ResourceName,
    SkuMeter,
    ConsumedQuantity,
    EffectiveCost,
  }: LedgerRow): string =>
    [x_Category, x_Service ?? '-', ResourceName, SkuMeter, ConsumedQuantity?.toFixed(), EffectiveCost.toFixed()].join(
      ' ',
    );

  it('is 23 hours of nodes, volumes, traffic, models, people and shared services', async () => {
    const { ledgerDay, unmatched } = await collectDay({ ...options, day: DAY });
    expect(unmatched).toEqual([]);
    expect(ledgerDay.rows.map(line).sort()).toEqual(
      [
        'gpu ct gpu GPU 23 20.7',
        'cpu ct gpu CPU 46 5.98',
        'idle - gpu CPU 46 5.98',
        // eleven hours of a quarter of a GPU
        'gpu records spot GPU 2.75 1.2375',
        'cpu records spot CPU 11 0.715',
        'idle - spot GPU 8.25 3.7125',
        'idle - spot CPU 33 2.145',
        // a fifth of a core and a GiB
        'shared - small CPU 4.6 0.644',
        // what it uses, since that is more than it asks for
        'cpu etl small CPU 23 2.53',
        'idle - small CPU 18.4 2.806',
        'storage ct pv-1 Storage 2300 0.23',
        'idle - pv-2 Storage 1150 0.115',
        'network ct traffic-internet Traffic 13.8 1.242',
        // 1,380 minutes of 10, but for the one with the restart, without 4,140 that the cache answered
        'api ct resnet50 Calls 9654 0',
        'api records gpt-4 Input Tokens 661000 19.83',
        'api records gpt-4 Output Tokens 66100 3.966',
        'api records gpt-4 Calls 1322 0',
        'data_storage ct images Storage 69000 2.3',
        'people ct operations Time 2 160',
        'shared - eks-control-plane Time 23 2.3',
      ].sort(),
    );
    expect(ledgerDay.total.toFixed()).toBe('236.433');
    const [ct, records] = ['ct', 'records'].map((service) =>
      ledgerDay.rows.find(({ x_Service, x_Calls }) => x_Service === service && x_Calls !== undefined),
    );
    expect(ct).toMatchObject({ x_Calls: 13_794, x_CacheHits: 4140, x_CacheMisses: 9660, x_Priority: 'emergency' });
    expect(records).toMatchObject({ x_InputTokens: 661_000, x_OutputTokens: 66_100, x_Namespace: 'records' });
    expect([ct?.x_InferenceSeconds, records?.x_InferenceSeconds].map(String)).toEqual(['2760', '330.5']);
    const [gpu] = ledgerDay.rows.filter(({ x_Category }) => x_Category === 'gpu');
    expect([gpu?.x_Utilisation, gpu?.x_UsageHours].map(String)).toEqual(['0.4', '23']);
    expect(gpu).toMatchObject({
      ResourceId: 'i-gpu',
      ChargePeriodStart: '2026-03-28T23:00:00Z',
      ChargePeriodEnd: '2026-03-29T22:00:00Z',
    });
  });

  it('gives the same bytes when it is collected again, and its sums to the monitor', async () => {
    const ledger = await Ledger.open(join(folder, 'ledger'));
    const digest = (): string =>
      createHash('sha256')
        .update(readFileSync(join(folder, 'ledger', `day=${DAY}`, 'part-0.parquet')))
        .digest('hex');
    const collect = async (): Promise<string> => {
      const results = await collectDays({ ...options, ledger, days: [DAY] });
      expect(results).toEqual([{ day: DAY, ok: true, unmatched: [] }]);
      return digest();
    };
    const first = await collect();
    expect(await collect()).toBe(first);
    const cost = await new CostMonitor(ledger).day(DAY);
    expect(
      [cost.infrastructure, cost.inference, cost.storage, cost.people, cost.total].map((amount) => amount.toFixed()),
    ).toEqual(['50.337', '23.796', '2.3', '160', '236.433']);
    await ledger.close();
  });

  it('is refused where Prometheus missed a part of it, and keeps no other day from being collected', async () => {
    const ledger = await Ledger.open(join(folder, 'gaps'));
    const seen: string[] = [];
    const results = await collectDays({
      ...options,
      ledger,
      days: ['2026-03-28', DAY],
      attempts: 1,
      onDay: ({ day, ok }) => seen.push(`${day} ${ok}`),
    });
    expect(seen).toEqual(['2026-03-28 false', '2026-03-29 true']);
    expect(results[0]).toMatchObject({
      error: {
        message:
          'Prometheus knows of nodes in 179 of the 1440 minutes of 2026-03-28 (kube_node_info); ' +
          'a day with less than 98% is not written, since it would be too cheap',
      },
    });
    expect(await ledger.gaps('2026-03-28', DAY)).toEqual(['2026-03-28']);
    await ledger.close();
  });

  it('names every price that is missing, and what kube-state-metrics does not say', async () => {
    const few = { ...PRICES, prices: PRICES.prices.filter(({ kind }) => kind !== 'instance' && kind !== 'model') };
    await expect(collectDay({ ...options, prices: [few], day: DAY })).rejects.toMatchObject({
      problems: [
        expect.stringContaining('(instance g5.xlarge on-demand eu-central-1) must have a price for 2026-03-29'),
        expect.stringContaining('(instance m7i.large on-demand eu-central-1)'),
        expect.stringContaining('(instance g5.xlarge spot eu-central-1)'),
        expect.stringContaining('(model gpt-4 1000000 Input Tokens)'),
        expect.stringContaining('(model gpt-4 1000000 Output Tokens)'),
      ],
    });
    const nowhere = { ...options.config, dataStores: [{ name: 'x', storageClass: 'y', bytes: 'absent_metric' }] };
    await expect(collectDay({ ...options, config: nowhere, day: DAY })).rejects.toThrow(
      "'dataStores.x.bytes' (absent_metric) must give one element, and gives 0 because a store without a size would cost nothing",
    );
  });

  it('costs what the bill says where the bill knows a resource, and tells of those that nobody knows', async () => {
    const bill = join(folder, 'bill');
    mkdirSync(bill);
    const engine = await Engine.start('256MB', 1);
    // hourly lines from midnight in UTC, which is an hour into the day, and before it
    await engine.run(`COPY (SELECT resource AS ResourceId, 'EUR' AS BillingCurrency, 'Usage' AS ChargeCategory,
      TIMESTAMP '2026-03-28 00:00:00' + i * INTERVAL 1 HOUR AS ChargePeriodStart,
      TIMESTAMP '2026-03-28 01:00:00' + i * INTERVAL 1 HOUR AS ChargePeriodEnd,
      'INV-7' AS InvoiceId, cost AS BilledCost, cost AS EffectiveCost, cost AS ContractedCost, 2 * cost AS ListCost
      FROM range(60) t(i), (VALUES ('i-gpu', 0.71), ('vol-1', 0.02), ('eks-control-plane', 0.12), ('i-other', 9.0)) l(resource, cost)
      ) TO '${join(bill, 'bill.parquet')}' (FORMAT parquet)`);
    engine.close();
    const config = { ...options.config, bill: { location: bill, format: 'focus' as const } };
    const { ledgerDay, unmatched } = await collectDay({ ...options, config, day: DAY });
    const billed = ledgerDay.rows.filter(({ x_Confidence }) => x_Confidence === 'billed');
    expect(billed.map(line).sort()).toEqual(
      [
        'gpu ct gpu GPU 23 10.35',
        'cpu ct gpu CPU 46 2.99',
        'idle - gpu CPU 46 2.99',
        'storage ct pv-1 Storage 2300 0.46',
        'shared - eks-control-plane Time 23 2.76',
      ].sort(),
    );
    expect(unmatched.map(({ resourceId, effective }) => [resourceId, effective.toFixed()])).toEqual([
      ['i-other', '207'],
    ]);
    // half of the node's 32.66, twice the volume's 0.23, and 0.46 more for the control plane
    expect(ledgerDay.total.toFixed()).toBe('220.793');
  });

  it.each(['2026-03-29T04:00:00Z', '2026-03-29T06:01:00Z', '2026-03-29T09:30:00Z'])(
    'has counted as much as its parts, wherever it is cut: at %s',
    async (cut) => {
      // the restart is at 06:00, the time without scrapes from 09:20 to 09:40
      const [start, middle, end] = ['2026-03-28T23:00:00Z', cut, '2026-03-29T22:00:00Z'].map(
        (moment) => Date.parse(moment) / 1000,
      ) as [number, number, number];
      const counted = async (from: number, to: number): Promise<number> => {
        const bounds = { start: from, end: to, hours: (to - from) / 3600 };
        const counters = await new PrometheusDay(prometheus.url, bounds, 30).counted(Counters.CALLS);
        return counters.find(({ labels }) => labels.pod === 'ct-0')?.value.toNumber() ?? NaN;
      };
      const parts = [await counted(start, middle), await counted(middle, end)];
      expect((parts[0] ?? 0) + (parts[1] ?? 0)).toBe(13_794);
      expect(await counted(start, end)).toBe(13_794);
    },
  );

  it('is not collected before it is over', async () => {
    await expect(collectDay({ ...options, day: '2999-01-01' })).rejects.toThrow(
      '2999-01-01 is not over yet in Europe/Berlin; a part of a day would be too cheap',
    );
  });

  it('fails plainly where Prometheus refuses a query, or is not there', async () => {
    const wrong = { ...options.config, dataStores: [{ name: 'x', storageClass: 'y', bytes: 'sum(' }] };
    await expect(collectDay({ ...options, config: wrong, day: DAY })).rejects.toThrow(
      /^Prometheus at .* refused .*parse error/,
    );
    await prometheus.kill();
    await expect(collectDay({ ...options, day: DAY })).rejects.toThrow(
      /^Prometheus at .* cannot be asked: .*ECONNREFUSED/,
    );
  }, 180_000);
});
