import { Decimal, type CacheUsage } from 'mediform/cost';
import { advise, CT, money, type Given, type Rows } from './advice-support';

describe('models that cost much and give little', () => {
  const model = (name: string, cost: string, calls: number, given: Given = {}): Rows => [
    [cost, { x_Service: 'ct', x_Model: name, x_Category: 'api', x_Calls: calls, ...given }],
  ];
  const rows = [...model('vit', '90', 100), ...model('resnet50', '30', 100), ...model('mobilenet', '5', 100)];
  const facts = [
    { model: 'vit', task: 'ct', accuracy: 0.88 },
    { model: 'resnet50', task: 'ct', accuracy: 0.93 },
    { model: 'mobilenet', task: 'ct', accuracy: 0.89 },
    { model: 'gpt-4', task: 'records', accuracy: 0.99, costPerCall: '0.001' },
  ];

  it('are replaced by the cheapest of their task that reaches 0.90', async () => {
    const { advice, withheld } = await advise(rows, { models: facts, services: [CT] });
    expect(withheld).toEqual([]);
    expect(advice).toEqual([
      {
        kind: 'replace-model',
        subject: 'vit',
        construct: 'imaging/ct',
        property: 'model',
        current: 'vit',
        proposed: 'resnet50',
        reason:
          'its accuracy is 0.88, under the target of 0.9; resnet50 does ct at 33.3% of its cost for each call, with an accuracy of 0.93',
        monthlyCost: money('2737.5'),
        // 0.30 instead of 0.90 a call: two thirds of it
        monthlySaving: money('1825'),
        confidence: 'medium',
        confidenceReason: 'the calls of both are measured; validate it clinically first',
      },
    ]);
  });

  it('may be replaced by one that never ran, where its cost is declared', async () => {
    const tiny = [...facts, { model: 'tiny', task: 'ct', accuracy: 0.9, costPerCall: '0.09' }];
    expect((await advise(rows, { models: tiny })).advice).toMatchObject([
      { proposed: 'tiny', monthlySaving: money('2463.75'), confidence: 'low' },
    ]);
  });

  it('are left alone where the target is lower, where they cost little, or nothing is better', async () => {
    expect((await advise(rows, { models: facts, rules: { targetAccuracy: 0.85 } })).advice).toEqual([]);
    expect((await advise(rows, { models: facts, rules: { highCostShare: 0.8 } })).advice).toEqual([]);
    const none = await advise(rows, { models: facts.filter((fact) => fact.model !== 'resnet50') });
    expect(none.advice).toEqual([]);
    expect(none.withheld[0]?.reason).toBe(
      'its accuracy is 0.88, under the target of 0.9, but no cheaper model of ct reaches an accuracy of 0.9; quantise or distil one',
    );
  });

  it('never lose accuracy where they serve emergencies', async () => {
    const little = { x_Category: 'gpu', x_Utilisation: money('0.1'), x_UsageHours: money('48') } as const;
    const used = [...model('vit', '90', 100, little), ...model('resnet50', '30', 100)];
    const accurate = [{ model: 'vit', task: 'ct', accuracy: 0.97 }, facts[1] as (typeof facts)[number]];
    const replacements = async (priority: string): Promise<unknown[]> => {
      const found = await advise(
        used.map(([cost, given]) => [cost, { ...given, x_Priority: priority }] as const),
        { models: accurate },
      );
      return found.advice.filter(({ kind }) => kind === 'replace-model');
    };
    expect(await replacements('normal')).toHaveLength(1);
    expect(await replacements('emergency')).toEqual([]);
  });
});

describe('caches with a low hit ratio', () => {
  const rows: Rows = [
    // 100 calls a day, of which 20 hit; 80 cost 0.50 each
    ['40', { x_Service: 'kb', x_Category: 'api', x_Model: 'gpt-4', x_Calls: 100, x_CacheHits: 20, x_CacheMisses: 80 }],
  ];
  const cache = (given: Partial<CacheUsage> = {}): CacheUsage => ({
    service: 'kb',
    kind: 'knowledge',
    lookups: [
      { tier: 'hot', outcome: 'hit', count: 560 },
      { tier: 'hot', outcome: 'miss', count: 2240 },
    ],
    evictions: 0,
    stored: 2240,
    ...given,
  });
  const first = async (usage: CacheUsage, days = 2): Promise<unknown> =>
    (await advise(rows, { caches: [usage] }, days)).advice[0];
  const lookups = (outcome: string, tier = 'hot'): CacheUsage['lookups'] => [
    ...cache().lookups,
    { tier, outcome, count: 800 },
  ];

  it('save the calls that would hit at the ratio that is not low', async () => {
    expect(await first(cache(), 28)).toEqual({
      kind: 'cache-key',
      subject: 'kb',
      property: 'gateway.routes[].cache.textFields',
      proposed: 'the fields that hold the question, so that spelling does not matter',
      reason:
        '20% of 2,800 knowledge lookups hit: entries are neither lost nor expired, so equal requests have different keys or are rare',
      monthlyCost: new Decimal(40).times(730).dividedBy(24).toDecimalPlaces(9),
      // (0.5 - 0.2) × 2800 of 2240 computed calls: 0.375 of their cost, 1216.67
      monthlySaving: money('456.25'),
      confidence: 'medium',
      confidenceReason: 'each call is paid for; how many more will hit is an estimate',
    });
  });

  it('change what their own counters point at', async () => {
    expect(await first(cache({ evictions: 1200 }))).toMatchObject({ kind: 'cache-size', property: 'hot.memory' });
    expect(await first(cache({ lookups: lookups('stale') }))).toMatchObject({
      kind: 'cache-ttl',
      property: 'gateway.routes[].cache.ttl',
    });
    expect(await first(cache({ lookups: lookups('invalidated') }))).toMatchObject({ kind: 'cache-invalidation' });
    expect(await first(cache({ lookups: lookups('unreadable') }))).toMatchObject({ kind: 'cache-key-ring' });
    expect(await first(cache({ lookups: lookups('skipped', 'redis') }))).toMatchObject({
      kind: 'cache-reach',
      property: 'redis.deadline',
    });
    // with a tier below, what the hot tier gives up is not lost
    expect(await first(cache({ evictions: 1200, lookups: lookups('miss', 'redis') }))).toMatchObject({
      kind: 'cache-key',
    });
    expect(await first(cache({ kind: 'diagnosis' }))).toMatchObject({ property: 'gateway.routes[].cache.headers' });
  });

  it('are left alone where they hit often enough, or were hardly asked', async () => {
    const half: CacheUsage['lookups'] = [
      { tier: 'hot', outcome: 'hit', count: 500 },
      { tier: 'hot', outcome: 'miss', count: 500 },
    ];
    expect(await first(cache({ lookups: half }))).toBeUndefined();
    const few: CacheUsage['lookups'] = [{ tier: 'hot', outcome: 'miss', count: 999 }];
    expect(await first(cache({ lookups: few }))).toBeUndefined();
  });

  it('count the hits of all tiers', async () => {
    const both: CacheUsage['lookups'] = [
      { tier: 'hot', outcome: 'hit', count: 300 },
      { tier: 'hot', outcome: 'miss', count: 700 },
      { tier: 'redis', outcome: 'hit', count: 200 },
      { tier: 'redis', outcome: 'miss', count: 500 },
    ];
    expect(await first(cache({ lookups: both }))).toBeUndefined();
  });
});

describe('nodes', () => {
  it('that pods hold less than 30 % of are consolidated', async () => {
    const node = { ResourceType: 'Node', SkuId: 'g5.xlarge' };
    const rows: Rows = [
      ['80', { ...node, x_Category: 'idle', SkuMeter: 'GPU' }],
      ['20', { ...node, x_Category: 'gpu', SkuMeter: 'GPU' }],
    ];
    expect((await advise(rows)).advice).toMatchObject([
      {
        kind: 'consolidate',
        subject: 'g5.xlarge',
        property: 'consolidateAfter',
        reason: 'pods hold 20% of what these nodes cost',
        // 100 × 730 / 24 / 2
        monthlySaving: money('1520.833333333'),
        confidence: 'low',
      },
    ]);
    expect(
      (
        await advise([
          ['69', { ...node, x_Category: 'idle' }],
          ['31', { ...node, x_Category: 'cpu' }],
        ])
      ).advice,
    ).toEqual([]);
  });

  it('are not what volumes of the same SKU cost', async () => {
    const rows: Rows = [
      ['80', { ResourceType: 'Volume', SkuId: 'gp3', x_Category: 'idle' }],
      ['20', { ResourceType: 'Node', SkuId: 'g5.xlarge', x_Category: 'gpu' }],
      ['90', { ResourceType: 'Volume', SkuId: 'g5.xlarge', x_Category: 'idle', SkuMeter: 'GiB' }],
    ];
    expect((await advise(rows)).advice).toEqual([]);
  });

  it('at full price are no place for batch work', async () => {
    const batch = { x_Service: 'nightly', x_Priority: 'batch' };
    const rows: Rows = [
      ['10', { ...batch, PricingCategory: 'Standard' }],
      ['10', { ...batch, PricingCategory: 'Dynamic' }],
      ['10', { x_Service: 'ct', x_Priority: 'normal', PricingCategory: 'Standard' }],
    ];
    expect((await advise(rows)).advice).toMatchObject([
      // 10 × 730 / 24 × 0.6
      { kind: 'use-spot', subject: 'nightly', property: 'onDemandFallback', monthlySaving: money('182.5') },
    ]);
  });
});
