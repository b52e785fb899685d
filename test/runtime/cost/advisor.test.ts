import fc from 'fast-check';
import { Duration } from 'cdk8s';
import { MedicalInferenceService, type MedicalInferenceServiceProps } from 'mediform';
import {
  constraintsOf,
  CostOptimizationAdvisor,
  Decimal,
  Ledger,
  type AdvisorOptions,
  type ServiceConstraints,
} from 'mediform/cost';
import { BUSIEST_UTILISATION } from '../../../runtime/cost/advice/constraints';
import { serviceAdvice } from '../../../runtime/cost/advice/services';
import { ADVICE_RULES } from '../../../runtime/cost/advice/types';
import type { UsageRow } from '../../../runtime/cost/advice/usage';
import { GPU_SERVICE, testChart } from '../../support/app';
import { advise, CT, IDLE, money, type Rows } from './advice-support';
import { inFolder, ledgerDay, row } from './support';

describe('resources under 30 %', () => {
  it('are scaled in, which saves half of what they cost a month', async () => {
    const report = await advise(IDLE, { services: [CT] }, 28);
    // 96 a day, 730 hours a month: 96 × 730 / 24; half of it
    expect(report).toEqual({
      period: { from: '2026-03-01', to: '2026-03-28' },
      days: 28,
      currency: 'EUR',
      monthlySaving: money('1460'),
      withheld: [],
      advice: [
        {
          kind: 'scale-in',
          subject: 'ct',
          construct: 'imaging/ct',
          property: 'scaling.minReplicas',
          current: '4',
          // normal work keeps 2; by use, 4 × 0.12 / 0.6 would do
          proposed: '2',
          reason: 'its GPUs are 12% used, with 4 replicas on average; 2 carry the load',
          monthlyCost: money('2920'),
          monthlySaving: money('1460'),
          confidence: 'high',
          confidenceReason: '28 days, 100% of the cost measured',
        },
      ],
    });
  });

  it('save another part where the rule says so, and never more than the replicas free', async () => {
    const saving = async (options: AdvisorOptions): Promise<string | undefined> =>
      (await advise(IDLE, options)).advice[0]?.monthlySaving.toFixed();
    expect(await saving({ services: [CT], rules: { savingShare: 0.25 } })).toBe('730');
    // of four replicas, a disruption budget of two keeps three: a quarter is freed
    expect(await saving({ services: [{ ...CT, minAvailable: 2 }] })).toBe('730');
  });

  it('are those under the bound, not at it', async () => {
    const used = (utilisation: string): Rows => [['96', { ...IDLE[0]?.[1], x_Utilisation: money(utilisation) }]];
    expect((await advise(used('0.3'), { services: [CT] })).advice).toEqual([]);
    expect((await advise(used('0.299999'), { services: [CT] })).advice).toHaveLength(1);
    expect((await advise(used('0.3'), { services: [CT], rules: { lowUtilisation: 0.4 } })).advice).toHaveLength(1);
  });

  it('are weighed by what they cost, GPUs before cores', async () => {
    const rows: Rows = [
      // (90 × 0.1 + 10 × 0.9) / 100 = 0.18
      ['90', { x_Service: 'ct', x_UsageHours: money('48'), x_Utilisation: money('0.1') }],
      ['10', { x_Service: 'ct', x_UsageHours: money('48'), x_Utilisation: money('0.9') }],
      ['50', { x_Service: 'ct', x_Category: 'cpu', x_Utilisation: money('0.9') }],
    ];
    const { advice, withheld } = await advise(rows, { services: [CT] });
    expect(advice).toEqual([]);
    // 4 × 0.9 / 0.6
    expect(withheld).toEqual([
      {
        subject: 'ct',
        reason:
          'its GPUs are 18% used, but it needs 6 replicas: on its busiest day fewer would be over 60% busy, and normal work keeps the rest free',
      },
    ]);
  });

  it('are no reason to change anything where nothing was measured', async () => {
    expect(await advise([['96', { x_Service: 'ct' }]], { services: [CT] })).toMatchObject({ advice: [], withheld: [] });
  });

  it('are less sure over fewer days, or where little was measured', async () => {
    const confidence = async (rows: Rows, days: number): Promise<unknown> =>
      (await advise(rows, { services: [CT] }, days)).advice[0];
    expect(await confidence(IDLE, 14)).toMatchObject({ confidence: 'medium' });
    expect(await confidence(IDLE, 13)).toMatchObject({ confidence: 'low' });
    const half: Rows = [...IDLE, ['96', { x_Service: 'ct' }]];
    expect(await confidence(half, 28)).toMatchObject({
      confidence: 'medium',
      confidenceReason: '28 days, 50% of the cost measured',
    });
  });

  it('are retired where nobody calls them, which saves all of it', async () => {
    const uncalled: Rows = [IDLE[0] as Rows[number], ['0', { x_Service: 'ct', x_Category: 'api', x_Calls: 0 }]];
    expect((await advise(uncalled, { services: [CT] })).advice).toMatchObject([
      { kind: 'retire', construct: 'imaging/ct', monthlySaving: money('2920'), reason: 'nobody called it in 2 days' },
    ]);
    const emergency = await advise(uncalled, { services: [{ ...CT, priority: 'emergency' }] });
    expect(emergency.advice).toEqual([]);
    expect(emergency.withheld[0]?.reason).toContain('stands by');
  });
});

describe('what a service needs', () => {
  const withheld = async (constraints?: ServiceConstraints): Promise<string | undefined> => {
    const report = await advise(IDLE, { services: constraints === undefined ? [] : [constraints] });
    expect(report.advice).toEqual([]);
    return report.withheld[0]?.reason;
  };

  it('is never guessed', async () => {
    expect(await withheld()).toBe(
      'its GPUs are 12% used, but what its priority needs is not known: give its plan or manifest',
    );
  });

  it('is its disruption budget', async () => {
    expect(await withheld({ ...CT, minAvailable: 3 })).toContain(
      'it needs 4 replicas: its disruption budget keeps 3 while one may go',
    );
  });

  it('is room for twice the load, for emergencies', async () => {
    const busy: Rows = [['96', { ...IDLE[0]?.[1], x_Utilisation: money('0.29') }], IDLE[1] as Rows[number]];
    const report = await advise(busy, { services: [{ ...CT, priority: 'emergency' }] });
    // 4 × 0.29 / 0.4 = 2.9: three stay, and a quarter is freed
    expect(report.advice).toMatchObject([{ proposed: '3', monthlySaving: money('730') }]);
  });

  it('is not known of peak hours', async () => {
    const peaks = { ...CT, minReplicas: 2, peakReplicas: 8 };
    expect(await withheld({ ...peaks, priority: 'emergency' })).toContain('the ledger sees days, not hours');
    expect((await advise(IDLE, { services: [peaks] })).advice).toMatchObject([
      { property: 'scaling.peakHours', current: '8 replicas', proposed: 'fewer', confidence: 'low' },
    ]);
    expect((await advise(IDLE, { services: [{ ...CT, minReplicas: 2 }] })).advice).toMatchObject([
      { property: 'scaling.rules', proposed: 'scale in sooner' },
    ]);
  });

  it('is read from its plan', () => {
    const plan = (props: Partial<MedicalInferenceServiceProps>): ServiceConstraints =>
      constraintsOf(new MedicalInferenceService(testChart(), 'ct_triage', { ...GPU_SERVICE, ...props }).plan);
    expect(plan({})).toEqual({
      service: 'ct-triage',
      model: 'resnet50',
      construct: 'imaging/ct-triage',
      priority: 'normal',
      minReplicas: 2,
      maxReplicas: 20,
    });
    const peak = { start: '07:00', end: '12:00', timeZone: 'Europe/Berlin' };
    expect(
      plan({
        priority: 'emergency',
        disruption: { minAvailable: 2 },
        modelLoadTime: Duration.minutes(2),
        scaling: {
          minReplicas: 3,
          maxReplicas: 9,
          peakHours: [
            { ...peak, replicas: 5 },
            { ...peak, replicas: 7 },
          ],
        },
      }),
    ).toMatchObject({ priority: 'emergency', minReplicas: 3, maxReplicas: 9, minAvailable: 2, peakReplicas: 7 });
  });

  it('is never broken, whatever the numbers', () => {
    const part = fc.integer({ min: 0, max: 100 }).map((hundredths) => hundredths / 100);
    fc.assert(
      fc.property(
        fc.record({
          priority: fc.constantFrom('emergency' as const, 'normal' as const, 'batch' as const),
          minReplicas: fc.integer({ min: 1, max: 20 }),
          minAvailable: fc.integer({ min: 0, max: 19 }),
          replicas: fc.integer({ min: 1, max: 40 }),
          mean: part,
          peak: part,
          cost: fc.integer({ min: 1, max: 100_000 }),
        }),
        ({ priority, minReplicas, minAvailable, replicas, mean, peak, cost }) => {
          const busiest = Math.max(mean, peak);
          const usage: UsageRow = {
            service: 'ct',
            model: null,
            priority,
            category: 'gpu',
            pricing: 'Standard',
            cost: new Decimal(cost),
            used: new Decimal(cost).times(mean),
            measured: new Decimal(cost),
            hours: new Decimal(replicas * 24 * 28),
            peak: new Decimal(busiest),
            calls: 1,
            hits: null,
          };
          const constraints = { ...CT, priority, minReplicas, minAvailable };
          const { advice } = serviceAdvice('ct', [usage], 28, constraints, ADVICE_RULES);
          for (const { property, proposed, monthlyCost, monthlySaving } of advice) {
            expect(monthlySaving.minus(monthlyCost.times(0.5)).toNumber()).toBeLessThan(1e-8);
            if (property === 'scaling.minReplicas') {
              expect(Number(proposed)).toBeLessThan(minReplicas);
              expect(Number(proposed)).toBeGreaterThan(minAvailable);
              expect(Number(proposed)).toBeGreaterThanOrEqual(priority === 'batch' ? 1 : 2);
              // the busiest day, on what is left, stays within what the priority allows
              expect((replicas * busiest) / Number(proposed)).toBeLessThanOrEqual(BUSIEST_UTILISATION[priority] + 0.01);
            }
          }
        },
      ),
    );
  });
});

describe('several models under one name of a service', () => {
  it('are scaled each for itself', async () => {
    const rows: Rows = [
      ...IDLE,
      ['48', { x_Service: 'ct', x_Model: 'vit', x_UsageHours: money('48'), x_Utilisation: money('0.7') }],
    ];
    const { advice, withheld } = await advise(rows, {
      services: [
        { ...CT, model: 'unet' },
        { ...CT, model: 'vit', construct: 'imaging/vit' },
      ],
    });
    expect(withheld).toEqual([]);
    expect(advice).toMatchObject([{ subject: 'ct, unet', construct: 'imaging/ct', monthlyCost: money('2920') }]);
  });
});

describe('a report', () => {
  it('adds up what can be saved at the same time', async () => {
    const rows: Rows = [...IDLE, ['1', { x_Service: 'ct', x_Model: 'small', x_Category: 'api', x_Calls: 100 }]];
    const { advice, monthlySaving } = await advise(rows, {
      services: [CT],
      models: [
        { model: 'unet', task: 'ct', accuracy: 0.8 },
        { model: 'small', task: 'ct', accuracy: 0.95 },
      ],
    });
    expect(advice.map(({ kind }) => kind)).toEqual(['replace-model', 'scale-in']);
    expect(monthlySaving).toEqual(advice[0]?.monthlySaving);
  });

  it('is in order, whatever order its days had', async () => {
    await inFolder(async (folder) => {
      const ledger = await Ledger.open(folder, { threads: 1 });
      for (const [day, x_Service] of [
        ['2026-03-01', 'b'],
        ['2026-03-02', 'c'],
        ['2026-03-03', 'a'],
      ] as const) {
        await ledger.writeDay(ledgerDay(day, [row('9', { x_Service, x_Utilisation: money('0.1') }, day)]));
      }
      const report = await new CostOptimizationAdvisor(ledger).advise({ from: '2026-03-01', to: '2026-03-03' });
      expect(report.withheld.map(({ subject }) => subject)).toEqual(['a', 'b', 'c']);
      expect(report.currency).toBe('EUR');
      await ledger.close();
    });
  });

  it('refuses rules that are no parts, and days that are not there', async () => {
    await expect(advise([], { rules: { savingShare: 1.5 } }, 1)).rejects.toThrow(
      "'rules.savingShare' (1.5) must be from 0 to 1 because it is a part of a whole",
    );
    await expect(advise([], { models: [{ model: 'm', task: 't', accuracy: 93 }] }, 1)).rejects.toThrow(
      "'models.m.accuracy' (93) must be from 0 to 1",
    );
    await expect(advise([], { services: [CT, CT] }, 1)).rejects.toThrow("'services' (ct) must be there once");
    await inFolder(async (folder) => {
      const ledger = await Ledger.open(folder);
      const advisor = new CostOptimizationAdvisor(ledger);
      await expect(advisor.advise({ from: '2026-03-01', to: '2026-03-02' })).rejects.toThrow(
        'the ledger has no day from 2026-03-01 to 2026-03-02; collect them first',
      );
      await ledger.close();
    });
  });
});
