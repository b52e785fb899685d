import { allocateDay, type AllocationRules } from '../../../constructs/plan/cost/allocate/allocate-day';
import { gpuShare } from '../../../constructs/plan/cost/gpu-share';
import { Decimal } from '../../../constructs/plan/cost/money';
import type { PriceBook } from '../../../constructs/plan/cost/price-book';
import type { Price } from '../../../constructs/plan/cost/price-file';
import type { LedgerDay } from '../../../constructs/plan/cost/row';
import type { BilledResource, DayUsage } from '../../../constructs/plan/cost/usage';
import { book, CONTEXT, instance, modelUsage, node, NOTHING, pods, REGION } from './support';

const DAY = '2026-03-02';

function allocate(
  usage: Partial<DayUsage>,
  prices: PriceBook,
  rules: AllocationRules = {},
  bill: readonly BilledResource[] = [],
): LedgerDay {
  return allocateDay({ day: DAY, usage: { ...NOTHING, ...usage }, prices, context: CONTEXT, rules, bill });
}

/** `category service meter: cost` of each row. */
function lines({ rows }: LedgerDay): string[] {
  return rows.map(({ x_Category, x_Service, SkuMeter, EffectiveCost }) =>
    [x_Category, x_Service ?? '-', SkuMeter, EffectiveCost.toFixed()].join(' '),
  );
}

describe('a node', () => {
  it("is split as AWS's own example of a p3.16xlarge for 10 USD an hour", () => {
    // 8 GPUs, 64 vCPUs, 488 GiB: 10 / (9 * 8 + 0.9 * 64 + 0.1 * 488) for each unit of weight
    const unit = 10 / (72 + 57.6 + 48.8);
    const p3 = node({
      instanceType: 'p3.16xlarge',
      hours: new Decimal(1),
      gpus: 8,
      cores: new Decimal(64),
      memoryGiB: new Decimal(488),
      pods: [pods('ct', 1, { gpu: 4, cpu: 16, memory: 100 })],
    });
    const { rows, total } = allocate({ nodes: [p3] }, book(instance('10', 'p3.16xlarge')));
    expect(total.toFixed()).toBe('10');
    const costs = rows.map(({ EffectiveCost }) => EffectiveCost.toNumber());
    expect(costs[0]).toBeCloseTo(unit * 9 * 4, 8);
    expect(costs[1]).toBeCloseTo(unit * (0.9 * 16 + 0.1 * 100), 8);
    expect(costs[2]).toBeCloseTo(unit * 9 * 4, 8);
    expect(costs[3]).toBeCloseTo(unit * (0.9 * 48 + 0.1 * 388), 8);
  });

  it('has a row for each of GPU and CPU that pods held, and for what nobody held', () => {
    // weights of a day: GPU 9, cores 3.6, memory 1.6, in all 14.2 of 14.20 EUR an hour: 1 EUR each an hour
    const busy = node({ pods: [pods('ct', 12, { gpu: 1, cpu: 2, memory: 8 })] });
    expect(lines(allocate({ nodes: [busy] }, book(instance('14.2'))))).toEqual([
      'gpu ct GPU 108',
      'cpu ct CPU 31.2',
      'idle - GPU 108',
      'idle - CPU 93.6',
    ]);
  });

  it('that nobody used is idle, and was paid all the same', () => {
    const day = allocate({ nodes: [node(), node({ name: 'node-2', gpus: 0 })] }, book(instance('1')));
    expect(day.total.toFixed()).toBe('48');
    expect(lines(day)).toEqual(['idle - GPU 15.211267606', 'idle - CPU 8.788732394', 'idle - CPU 24']);
    const dumb = node({ gpus: 0, cores: new Decimal(0), memoryGiB: new Decimal(0) });
    expect(lines(allocate({ nodes: [dumb] }, book(instance('1'))))).toEqual(['idle - CPU 24']);
  });

  it('counts the hours of each pod once, on the row of its GPUs where it has any', () => {
    const used = node({
      pods: [
        pods(
          'ct',
          24,
          { gpu: 0.5, cpu: 1 },
          { gpuUtilisation: new Decimal('0.42'), cpuUtilisation: new Decimal('0.1') },
        ),
        pods('api', 48, { cpu: 0.5 }),
      ],
    });
    const { rows } = allocate({ nodes: [used] }, book(instance('1')));
    expect(
      rows.map(({ x_Service, SkuMeter, x_UsageHours, x_Utilisation, ConsumedQuantity, ConsumedUnit }) =>
        [x_Service, SkuMeter, x_UsageHours, x_Utilisation, ConsumedQuantity, ConsumedUnit].join(' '),
      ),
    ).toEqual([
      'ct GPU 24 0.42 12 GPU-Hours',
      'ct CPU  0.1 24 vCPU-Hours',
      'api CPU 48  24 vCPU-Hours',
      ' GPU   12 GPU-Hours',
      ' CPU   48 vCPU-Hours',
    ]);
  });

  it('on Spot keeps what it would have cost at list price', () => {
    const spot: Price = {
      kind: 'instance',
      unit: 'Hours',
      instanceType: 'g5.xlarge',
      region: REGION,
      capacityType: 'spot',
      price: '0.3',
      listPrice: '1',
    };
    const { rows, total } = allocate({ nodes: [node({ capacityType: 'spot', gpus: 0 })] }, book(spot));
    expect(total.toFixed()).toBe('7.2');
    const [idle] = rows;
    expect([idle?.ListCost.toFixed(), idle?.PricingCategory]).toEqual(['24', 'Dynamic']);
  });

  it('costs what the bill says, split as before', () => {
    const bill: BilledResource = {
      resourceId: 'i-0abc',
      billed: new Decimal('0'),
      effective: new Decimal('7.1'),
      contracted: new Decimal('14.2'),
      list: new Decimal('28.4'),
      invoiceId: 'EUINDE26-1',
      source: 'AWS FOCUS 1.2',
      published: '2026-03-04',
    };
    const busy = node({ providerId: 'i-0abc', hours: new Decimal(1), pods: [pods('ct', 1, { gpu: 1 })] });
    const day = allocate({ nodes: [busy] }, book(instance('14.2')), {}, [bill]);
    expect(lines(day)).toEqual(['gpu ct GPU 4.5', 'idle - CPU 2.6']);
    const [row] = day.rows;
    expect(row).toMatchObject({
      x_Confidence: 'billed',
      x_PriceSource: 'AWS FOCUS 1.2',
      x_PriceDate: '2026-03-04',
      InvoiceId: 'EUINDE26-1',
    });
    expect([row?.BilledCost, row?.ContractedCost, row?.ListCost].map(String)).toEqual(['0', '9', '18']);
    expect(row?.ListUnitPrice?.times(row.PricingQuantity as Decimal).toFixed(15)).toBe('18.000000000000000');
  });
});

describe('GPU fractions', () => {
  const A100 = 'a100-80gb';

  it('are whole, a MIG partition or a turn', () => {
    const share = (...given: Parameters<typeof gpuShare>): string | undefined => gpuShare(...given)?.toFixed(4);
    expect(share('nvidia.com/gpu', {})).toBe('1.0000');
    expect(share('nvidia.com/gpu', { sharing: { mode: 'time-slicing', replicas: 4 } })).toBe('0.2500');
    expect(share('nvidia.com/gpu.shared', { sharing: { mode: 'mps', replicas: 8 } })).toBe('0.1250');
    expect(share('nvidia.com/gpu', { sharing: { mode: 'mig', profile: '1g.10gb' }, accelerator: A100 })).toBe('0.1429');
    expect(share('nvidia.com/mig-3g.40gb', { accelerator: A100 })).toBe('0.5000');
    expect(share('nvidia.com/mig-3g.40gb', {})).toBeUndefined();
    expect(share('nvidia.com/gpu', { sharing: { mode: 'mig', profile: '9g.9gb' }, accelerator: A100 })).toBeUndefined();
    expect(share('cpu', {})).toBeUndefined();
  });

  it('of seven partitions cost a seventh each, and add up to the GPU', () => {
    const seventh = gpuShare('nvidia.com/gpu', { sharing: { mode: 'mig', profile: '1g.10gb' }, accelerator: A100 });
    const services = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name) => pods(name, 24, { gpu: seventh }));
    const day = allocate(
      { nodes: [node({ cores: new Decimal(0), memoryGiB: new Decimal(0), pods: services })] },
      book(instance('1')),
    );
    expect(lines(day)).toEqual(
      ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name, index) => `gpu ${name} GPU 3.42857142${index < 4 ? 9 : 8}`),
    );
  });

  it('that add up to more than there is share what there is', () => {
    const two = [pods('a', 24, { gpu: 1 }), pods('b', 24, { gpu: 0.5 })];
    const day = allocate(
      { nodes: [node({ cores: new Decimal(0), memoryGiB: new Decimal(0), pods: two })] },
      book(instance('1')),
    );
    expect(lines(day)).toEqual(['gpu a GPU 16', 'gpu b GPU 8']);
    expect(day.rows.map(({ ConsumedQuantity }) => String(ConsumedQuantity))).toEqual(['16', '8']);
  });
});

describe('models', () => {
  const input: Price = { kind: 'model', model: 'gpt-4', unit: '1000000 Input Tokens', price: '30' };
  const output: Price = { kind: 'model', model: 'gpt-4', unit: '1000000 Output Tokens', price: '60' };
  const used = modelUsage({
    calls: 1200,
    inputTokens: 1_500_000,
    outputTokens: 250_001,
    inferenceSeconds: new Decimal(5400),
    cacheHits: 200,
    cacheMisses: 1000,
  });

  it('cost tokens times the price of a token, and count their calls once', () => {
    const day = allocate({ models: [used] }, book(input, output));
    expect(lines(day)).toEqual([
      'api record_analysis Input Tokens 45',
      'api record_analysis Output Tokens 15.00006',
      'api record_analysis Calls 0',
    ]);
    expect(day.rows.map(({ x_Calls, x_InputTokens, x_UsageHours }) => [x_Calls, x_InputTokens, x_UsageHours])).toEqual([
      [undefined, undefined, undefined],
      [undefined, undefined, undefined],
      [1200, 1_500_000, new Decimal('1.5')],
    ]);
  });

  it('cost calls that no cache answered, and hours, where these are priced', () => {
    const calls: Price = { kind: 'model', model: 'gpt-4', unit: '1000 Calls', price: '2' };
    const hours: Price = { kind: 'model', model: 'gpt-4', unit: 'Hours', price: '4' };
    const day = allocate({ models: [used] }, book(calls, hours));
    expect(lines(day)).toEqual(['api record_analysis Calls 2', 'api record_analysis Inference Time 6']);
    expect(day.rows[0]?.x_Calls).toBe(1200);
  });

  it('on nodes of the cluster are counted at no cost', () => {
    const day = allocate({ models: [{ ...used, model: 'resnet50' }] }, book(), { selfHostedModels: ['resnet50'] });
    expect(lines(day)).toEqual(['api record_analysis Calls 0']);
    expect(day.rows[0]).toMatchObject({ x_Calls: 1200, x_UsageHours: undefined });
  });

  it('without a price are an error that names them', () => {
    expect(() => allocate({ models: [used] }, book())).toThrow(
      "'prices' (model gpt-4 1000000 Input Tokens) must have a price for 2026-03-02 because none of the price files names it",
    );
    // half of the price is no price
    expect(() => allocate({ models: [used] }, book(input))).toThrow("'prices' (model gpt-4 1000000 Output Tokens)");
  });
});

describe('a day of everything', () => {
  const prices: readonly Price[] = [
    instance('14.2'),
    { kind: 'volume', unit: 'GB-Months', price: '0.0744', volumeType: 'gp3', region: REGION },
    { kind: 'network', unit: 'GB', price: '0.09', traffic: 'internet', region: REGION },
    { kind: 'model', model: 'gpt-4', unit: '1000000 Input Tokens', price: '30' },
    { kind: 'model', model: 'gpt-4', unit: '1000000 Output Tokens', price: '60' },
    { kind: 'data-storage', unit: 'GB-Months', price: '0.0248', storageClass: 's3-standard', region: REGION },
    { kind: 'people', unit: 'Hours', price: '95.5', activity: 'operations' },
    { kind: 'shared', unit: 'Hours', price: '0.1', name: 'eks-control-plane' },
  ];
  const usage: Partial<DayUsage> = {
    nodes: [
      node({
        pods: [
          pods('ct', 24, { gpu: 1, cpu: 2, memory: 8 }),
          pods('none', 24, { cpu: 1 }, { service: undefined, model: undefined, namespace: 'kube-system' }),
        ],
      }),
    ],
    volumes: [
      {
        name: 'pvc-1',
        volumeType: 'gp3',
        region: REGION,
        gigabytes: new Decimal(100),
        hours: new Decimal(24),
        service: 'ct',
        namespace: 'imaging',
      },
      { name: 'pvc-2', volumeType: 'gp3', region: REGION, gigabytes: new Decimal(50), hours: new Decimal(12) },
    ],
    traffic: [{ traffic: 'internet', region: REGION, gigabytes: new Decimal(7), service: 'ct' }],
    models: [modelUsage({ calls: 10, inputTokens: 100_000 })],
    dataStores: [
      {
        name: 'images',
        storageClass: 's3-standard',
        region: REGION,
        gigabytes: new Decimal(3000),
        hours: new Decimal(24),
      },
    ],
    people: [{ activity: 'operations', hours: new Decimal('1.5'), service: 'ct' }],
    shared: [{ name: 'eks-control-plane', region: REGION, hours: new Decimal(24) }],
  };

  it('has a row for each category', () => {
    const day = allocate(usage, book(...prices), { sharedNamespaces: ['kube-system'] });
    expect(lines(day)).toEqual([
      'gpu ct GPU 216',
      'cpu ct CPU 62.4',
      'shared - CPU 21.6',
      'idle - CPU 40.8',
      'api record_analysis Input Tokens 3',
      'api record_analysis Output Tokens 0',
      'api record_analysis Calls 0',
      // 100 GB for 24 of March's 744 hours
      'storage ct Storage 0.24',
      'idle - Storage 0.06',
      'network ct Traffic 0.63',
      'data_storage - Storage 2.4',
      'people ct Time 143.25',
      'shared - Time 2.4',
    ]);
    expect(day.total.toFixed()).toBe('492.78');
  });

  it.each([
    // direct costs without people: ct 279.27, record_analysis 3
    ['by-cost', ['23.744925', '0.255075']],
    ['equally', ['12', '12']],
  ] as const)('spreads what serves all %s', (sharedCosts, expected) => {
    const rules = { sharedNamespaces: ['kube-system'], sharedCosts };
    const day = allocate(usage, book(...prices), rules);
    const shared = ['ct', 'record_analysis'].map((service) =>
      day.rows
        .filter(({ x_Category, x_Service }) => x_Category === 'shared' && x_Service === service)
        .reduce((sum, { EffectiveCost }) => sum.plus(EffectiveCost), new Decimal(0)),
    );
    expect(shared.map((cost) => cost.toDecimalPlaces(6).toFixed())).toEqual(expected);
    expect(day.total.toFixed()).toBe('492.78');
    expect(day.rows.find(({ x_Category }) => x_Category === 'shared')?.x_AllocationRule).toBe(
      `gpu-cpu-memory, ${sharedCosts}`,
    );
  });

  it('names every price that is missing, at once', () => {
    expect(() => allocate(usage, book())).toThrow(
      expect.objectContaining({
        problems: [
          'instance g5.xlarge on-demand eu-central-1',
          'model gpt-4 1000000 Input Tokens',
          'volume gp3 eu-central-1',
          'network internet eu-central-1',
          'data-storage s3-standard eu-central-1',
          'people operations',
          'shared eks-control-plane eu-central-1',
        ].map(
          (what) =>
            `'prices' (${what}) must have a price for 2026-03-02 because none of the price files names it for that day, and a price is never guessed`,
        ),
      }) as Error,
    );
  });
});
