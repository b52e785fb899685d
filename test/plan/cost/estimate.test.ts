import fc from 'fast-check';
import { Decimal } from '../../../constructs/plan/cost/money';
import { estimateStack, type Estimate, type EstimateInput } from '../../../constructs/plan/cost/estimate/estimate';
import { allocatable } from '../../../constructs/plan/cost/estimate/allocatable';
import { instanceLabels, instanceShape } from '../../../constructs/plan/instance-types';
import { pack, type Offers } from '../../../constructs/plan/cost/estimate/pack';
import type { EstimatedPool, EstimatedWorkload } from '../../../constructs/plan/cost/estimate/stack';
import type { Price, PriceFile } from '../../../constructs/plan/cost/price-file';

const REGION = 'eu-central-1';
const DAY = '2026-11-01';
const GPU = { accelerator: 'nvidia-gpu' };

function instance(instanceType: string, price: string, capacityType: 'on-demand' | 'spot' = 'on-demand'): Price {
  return { kind: 'instance', unit: 'Hours', instanceType, region: REGION, capacityType, price };
}

function file(prices: readonly Price[], given: Partial<PriceFile> = {}): PriceFile {
  return {
    source: 'test',
    provider: 'AWS',
    published: '2026-10-01',
    currency: 'EUR',
    validFrom: '2026-10-01',
    validTo: '2026-12-31',
    prices,
    ...given,
  };
}

const GP3: Price = { kind: 'volume', unit: 'GB-Months', volumeType: 'gp3', region: REGION, price: '0.1' };

const POOL: EstimatedPool = {
  name: 'gpu',
  labels: GPU,
  taints: [{ key: 'nvidia.com/gpu', value: 'true', effect: 'NoSchedule' }],
  requirements: [
    { key: 'karpenter.k8s.aws/instance-family', operator: 'In', values: ['g5'] },
    { key: 'karpenter.k8s.aws/instance-gpu-count', operator: 'Gt', values: ['0'] },
    { key: 'karpenter.sh/capacity-type', operator: 'In', values: ['on-demand', 'reserved'] },
    { key: 'kubernetes.io/arch', operator: 'In', values: ['amd64'] },
    { key: 'topology.kubernetes.io/zone', operator: 'In', values: ['eu-central-1a'] },
  ],
  weight: 0,
  limits: { gpus: 8 },
  nodeVolumes: [{ gib: 200, volumeType: 'gp3' }],
  unitsPerGpu: 1,
};

const CT: EstimatedWorkload = {
  name: 'imaging/ct',
  minReplicas: 2,
  maxReplicas: 6,
  cpu: 3,
  memoryMiB: 12 * 1024,
  gpus: 1,
  nodeSelector: GPU,
  tolerations: [{ key: 'nvidia.com/gpu', operator: 'Exists', effect: 'NoSchedule' }],
  volumes: [],
};

function estimate(
  given: Partial<EstimateInput> & {
    readonly workloads?: readonly EstimatedWorkload[];
    readonly pools?: readonly EstimatedPool[];
  } = {},
): Estimate {
  const { workloads = [CT], pools = [POOL], ...rest } = given;
  return estimateStack({
    stack: { workloads, pools, claims: [], jobs: [] },
    prices: [file([instance('g5.xlarge', '1'), instance('g5.12xlarge', '5'), GP3])],
    day: DAY,
    config: { region: REGION, currency: 'EUR' },
    ...rest,
  });
}

describe('an estimate', () => {
  it('is what the minimum costs, and what comes on top at the maximum', () => {
    const { lines, fixed, atMost, waiting } = estimate();
    expect(lines).toEqual([
      {
        kind: 'nodes',
        name: 'gpu',
        least: '2 × g5.xlarge on-demand',
        most: '6 × g5.xlarge on-demand',
        fixed: new Decimal(1460),
        scales: new Decimal(2920),
      },
      {
        kind: 'node volumes',
        name: 'gpu',
        least: '2 × 200 GiB',
        most: '6 × 200 GiB',
        fixed: new Decimal(40),
        scales: new Decimal(80),
      },
    ]);
    expect(fixed).toEqual(new Decimal(1500));
    expect(atMost).toEqual(new Decimal(4500));
    expect(waiting).toEqual([]);
  });

  it('has volumes, what serves all, and people', () => {
    const store: EstimatedWorkload = {
      ...CT,
      minReplicas: 2,
      maxReplicas: 2,
      volumes: [{ gib: 100, storageClass: 'fast' }],
    };
    const found = estimate({
      workloads: [store],
      prices: [
        file([
          instance('g5.xlarge', '1'),
          GP3,
          { kind: 'shared', unit: 'Hours', name: 'control-plane', price: '0.1' },
          { kind: 'people', unit: 'Hours', activity: 'operations', price: '70' },
        ]),
      ],
      config: {
        region: REGION,
        currency: 'EUR',
        volumeTypes: { fast: 'gp3' },
        shared: [{ name: 'control-plane' }],
        people: [{ activity: 'operations', hoursPerDay: '2' }],
      },
    });
    expect(found.lines.slice(2).map(({ kind, fixed, scales }) => [kind, fixed.toFixed(), scales.toFixed()])).toEqual([
      ['volumes', '20', '0'],
      ['shared', '73', '0'],
      // 2 hours on 5 days of each of 730 / 168 weeks, 70 each
      ['people', '3041.666666667', '0'],
    ]);
  });

  it('takes prices in another currency at the rate of a price file', () => {
    const usd = file([instance('g5.xlarge', '1'), GP3], { currency: 'USD' });
    const rate = file([], { exchangeRates: [{ from: 'USD', to: 'EUR', rate: '0.5' }] });
    expect(estimate({ prices: [usd, rate] }).fixed).toEqual(new Decimal(750));
  });

  it('names every price that is missing or stale', () => {
    expect(() => estimate({ prices: [file([instance('g4dn.xlarge', '1'), GP3])] })).toThrow(
      "'prices' (instance of pool gpu, family g5, on-demand, eu-central-1) must have a price for 2026-11-01 because none of the price files has one of its instance types, and a price is never guessed",
    );
    const stale = file([instance('g5.xlarge', '1'), GP3], { validTo: '2026-10-31' });
    expect(() => estimate({ prices: [stale] })).toThrow(
      /'prices' \(instance g5.xlarge on-demand eu-central-1\) must have a price for 2026-11-01 because .* is stale: it held until 2026-10-31/,
    );
    expect(() => estimate({ prices: [file([instance('g5.xlarge', '1')])] })).toThrow(
      "'prices' (volume gp3 eu-central-1) must",
    );
    const store = { ...CT, volumes: [{ gib: 1 }] };
    expect(() => estimate({ workloads: [store] })).toThrow(
      "'volumeTypes' (the default storage class, of imaging/ct) must have an entry ''",
    );
  });

  it('refuses pods that no pool takes, or that its minimum has no room for', () => {
    const elsewhere = { ...CT, tolerations: [] };
    expect(() => estimate({ workloads: [elsewhere] })).toThrow(
      "'pools' (imaging/ct) must have one that its pods can run on because gpu has the taint nvidia.com/gpu=true",
    );
    expect(() => estimate({ workloads: [{ ...CT, memoryMiB: 2 ** 20 }] })).toThrow(
      "'pools' (imaging/ct) must have room for its minimum (2 pods have none)",
    );
  });

  it('says what would wait at the maximum, and what it leaves out', () => {
    const found = estimate({ workloads: [{ ...CT, maxReplicas: 11 }] });
    expect(found.waiting).toEqual([{ workload: 'imaging/ct', pods: 3 }]);
    expect(found.notIncluded).toContain('network traffic');
  });

  it('takes Spot where a pool may, and the pool with the larger weight first', () => {
    const spot = {
      ...POOL,
      name: 'spot',
      weight: 10,
      limits: { gpus: 3 },
      requirements: [
        ...POOL.requirements.filter(({ key }) => key !== 'karpenter.sh/capacity-type'),
        { key: 'karpenter.sh/capacity-type', operator: 'In' as const, values: ['spot', 'on-demand'] },
      ],
    };
    const prices = [file([instance('g5.xlarge', '1'), instance('g5.xlarge', '0.3', 'spot'), GP3])];
    const { lines } = estimate({ pools: [POOL, spot], prices });
    expect(lines.filter(({ kind }) => kind === 'nodes').map(({ name, least, most }) => [name, least, most])).toEqual([
      ['gpu', 'none', '3 × g5.xlarge on-demand'],
      ['spot', '2 × g5.xlarge spot', '3 × g5.xlarge spot'],
    ]);
  });

  it('shares divided GPUs', () => {
    const shared = { ...POOL, unitsPerGpu: 4, limits: { gpus: 32 } };
    const { lines } = estimate({
      pools: [shared],
      workloads: [{ ...CT, cpu: 0.5, memoryMiB: 2048, minReplicas: 4, maxReplicas: 5 }],
    });
    expect([lines[0]?.least, lines[0]?.most]).toEqual(['1 × g5.xlarge on-demand', '2 × g5.xlarge on-demand']);
  });
});

describe('packing', () => {
  it('never puts more on a node than it has, and every pod somewhere or on the list of those that wait', () => {
    const types = ['g5.xlarge', 'g5.2xlarge', 'g5.12xlarge'].map((name, index) => ({
      shape: instanceShape(name) as NonNullable<ReturnType<typeof instanceShape>>,
      capacityType: 'on-demand' as const,
      pricePerHour: new Decimal(index + 1),
    }));
    const workload = fc.record({
      minReplicas: fc.integer({ min: 0, max: 6 }),
      cpu: fc.integer({ min: 1, max: 50 }),
      memoryMiB: fc.integer({ min: 256, max: 200_000 }),
      gpus: fc.integer({ min: 0, max: 5 }),
    });
    fc.assert(
      fc.property(fc.array(workload, { maxLength: 6 }), (given) => {
        const workloads = given.map((each, index) => ({ ...CT, ...each, name: `w${index}` }));
        const offers: Offers = new Map([[POOL, types]]);
        const { nodes, waiting } = pack(workloads, offers, 'min');
        const placed =
          nodes.flatMap(({ pods }) => pods).length + [...waiting.values()].reduce((sum, pods) => sum + pods, 0);
        expect(placed).toBe(workloads.reduce((sum, { minReplicas }) => sum + minReplicas, 0));
        for (const { instance: type, pods } of nodes) {
          const held = pods.map((name) => workloads.find((each) => each.name === name) as EstimatedWorkload);
          const room = allocatable(type.shape);
          expect(held.reduce((sum, { cpu }) => sum + cpu, 0)).toBeLessThanOrEqual(room.cpu);
          expect(held.reduce((sum, { memoryMiB }) => sum + memoryMiB, 0)).toBeLessThanOrEqual(room.memoryMiB);
          expect(held.reduce((sum, { gpus }) => sum + gpus, 0)).toBeLessThanOrEqual(type.shape.gpus);
        }
        expect(nodes.reduce((sum, node) => sum + node.instance.shape.gpus, 0)).toBeLessThanOrEqual(8);
      }),
    );
  });
});

describe('instance types', () => {
  it.each([
    ['g5.12xlarge', 48, 192, 4, 'a10g', 'amd64'],
    ['p4de.24xlarge', 96, 1152, 8, 'a100-80gb', 'amd64'],
    ['p5.48xlarge', 192, 2048, 8, 'h100', 'amd64'],
    ['c7i.2xlarge', 8, 16, 0, undefined, 'amd64'],
    ['c7i-flex.large', 2, 4, 0, undefined, 'amd64'],
    ['r7g.16xlarge', 64, 512, 0, undefined, 'arm64'],
    ['m6i.xlarge', 4, 16, 0, undefined, 'amd64'],
  ])('%s', (name, vcpus, gib, gpus, accelerator, architecture) => {
    expect(instanceShape(name)).toEqual({
      instanceType: name,
      vcpus,
      memoryMiB: gib * 1024,
      gpus,
      accelerator,
      architecture,
    });
  });

  it('that are not known are none', () => {
    expect(['c5n.xlarge', 't3.large', 'g5.7xlarge', 'metal', ''].map(instanceShape)).toEqual(Array(5).fill(undefined));
  });

  it('have Karpenter’s labels', () => {
    expect(instanceLabels(instanceShape('g4dn.12xlarge') as never)).toMatchObject({
      'karpenter.k8s.aws/instance-family': 'g4dn',
      'karpenter.k8s.aws/instance-category': 'g',
      'karpenter.k8s.aws/instance-generation': '4',
      'karpenter.k8s.aws/instance-gpu-name': 't4',
      'karpenter.k8s.aws/instance-gpu-count': '4',
      'karpenter.k8s.aws/instance-gpu-memory': '16384',
      'kubernetes.io/arch': 'amd64',
    });
  });
});
