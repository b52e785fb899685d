import { athenaSql, COST_QUERIES } from '../../../constructs/plan/cost/queries';
import { CostAnalyzer, Decimal, Ledger, type LedgerRow } from 'mediform/cost';
import { ConfigurationError } from '../../../constructs/plan/errors';
import { inFolder, ledgerDay, row } from './support';

type Given = { readonly [C in keyof LedgerRow]?: LedgerRow[C] };

/** Rows of each day; the resource is numbered, so that no two have the same key. */
async function withDays(
  days: { readonly [day: string]: readonly (readonly [cost: string, given: Given])[] },
  test: (analyzer: CostAnalyzer) => Promise<void>,
): Promise<void> {
  await inFolder(async (folder) => {
    const ledger = await Ledger.open(folder, { threads: 1 });
    try {
      for (const [day, rows] of Object.entries(days)) {
        await ledger.writeDay(
          ledgerDay(
            day,
            rows.map(([cost, given], index) => row(cost, { ResourceId: `r-${index}`, ...given }, day)),
          ),
        );
      }
      await test(new CostAnalyzer(ledger));
    } finally {
      await ledger.close();
    }
  });
}

const money = (text: string): Decimal => new Decimal(text);
const MARCH = { from: '2026-03-01', to: '2026-03-31' };

describe('by service', () => {
  it('gives cost, calls and cost for each call, and 0 for each call where there are none', async () => {
    await withDays(
      {
        '2026-03-01': [
          ['10.10', { x_Service: 'image_diagnosis', x_Category: 'gpu' }],
          ['0', { x_Service: 'image_diagnosis', x_Category: 'api', x_Calls: 100 }],
          ['5.00', { x_Service: 'knowledge_retrieval', x_Category: 'cpu' }],
          ['3.30', { x_Category: 'idle' }],
        ],
        '2026-03-02': [
          ['20.20', { x_Service: 'image_diagnosis', x_Category: 'gpu' }],
          ['2.00', { x_Service: 'image_diagnosis', x_Category: 'people' }],
          ['0', { x_Service: 'image_diagnosis', x_Category: 'api', x_Calls: 200 }],
        ],
        '2026-04-01': [['1000', { x_Service: 'image_diagnosis' }]],
      },
      async (analyzer) => {
        expect(await analyzer.byService(MARCH)).toEqual([
          {
            service: 'image_diagnosis',
            currency: 'EUR',
            cost: money('32.3'),
            calls: 300,
            // 32.30 / 300
            costPerCall: money('0.107666667'),
            byCategory: { gpu: money('30.3'), people: money('2') },
          },
          {
            service: 'knowledge_retrieval',
            currency: 'EUR',
            cost: money('5'),
            calls: 0,
            costPerCall: money('0'),
            byCategory: { cpu: money('5') },
          },
          {
            currency: 'EUR',
            cost: money('3.3'),
            calls: 0,
            costPerCall: money('0'),
            byCategory: { idle: money('3.3') },
          },
        ]);
      },
    );
  });

  it('adds up exactly', async () => {
    const rows = Array.from({ length: 10 }, () => ['0.1', { x_Service: 'a' }] as const);
    await withDays({ '2026-03-01': [...rows, ['0.000000001', { x_Service: 'a' }]] }, async (analyzer) => {
      expect((await analyzer.byService(MARCH))[0]?.cost.toFixed()).toBe('1.000000001');
    });
  });

  it('refuses a period that is none', async () => {
    await withDays({}, async (analyzer) => {
      const message = "'from' (2026-02-30) must be a day YYYY-MM-DD because the ledger is kept by days";
      await expect(analyzer.byService({ from: '2026-02-30', to: '2026-03-01' })).rejects.toThrow(message);
      await expect(analyzer.byModel({ from: '2026-03-02', to: '2026-03-01' })).rejects.toThrow(
        "'to' (2026-03-01) must be 2026-03-02 or later because a period ends after it began",
      );
      expect(await analyzer.byService(MARCH)).toEqual([]);
    });
  });
});

describe('by model', () => {
  it('gives cost, usage hours and cost for each hour, and 0 for each hour where there are none', async () => {
    await withDays(
      {
        '2026-03-01': [
          ['24.00', { x_Model: 'resnet50', x_Service: 'a', x_UsageHours: money('24') }],
          ['12.00', { x_Model: 'resnet50', x_Service: 'b', x_UsageHours: money('8.5') }],
          ['0', { x_Model: 'resnet50', x_Category: 'api', x_Calls: 18 }],
          ['7.77', { x_Model: 'gpt-4', x_Category: 'api', x_Calls: 3 }],
          ['50', { x_Category: 'idle' }],
        ],
      },
      async (analyzer) => {
        expect(await analyzer.byModel(MARCH)).toEqual([
          {
            model: 'resnet50',
            currency: 'EUR',
            cost: money('36'),
            usageHours: money('32.5'),
            costPerHour: money('1.107692308'),
            calls: 18,
            costPerCall: money('2'),
          },
          {
            model: 'gpt-4',
            currency: 'EUR',
            cost: money('7.77'),
            usageHours: money('0'),
            costPerHour: money('0'),
            calls: 3,
            costPerCall: money('2.59'),
          },
        ]);
      },
    );
  });
});

describe('a diagnosis', () => {
  const DAY: readonly (readonly [string, Given])[] = [
    ['60', { x_Service: 'image_diagnosis' }],
    ['0', { x_Service: 'image_diagnosis', x_Category: 'api', x_Calls: 40 }],
    ['40', { x_Service: 'knowledge_retrieval' }],
    ['15', { x_Category: 'idle' }],
    ['10', { x_Category: 'shared' }],
  ];

  it('costs what its service costs, and its part of what is nobody’s', async () => {
    await withDays({ '2026-03-01': DAY }, async (analyzer) => {
      expect(await analyzer.perDiagnosis(MARCH, ['image_diagnosis'])).toEqual({
        currency: 'EUR',
        diagnoses: 40,
        directCost: money('60'),
        // 25 × 60 / 100
        sharedCost: money('15'),
        directCostPerDiagnosis: money('1.5'),
        costPerDiagnosis: money('1.875'),
      });
    });
  });

  it('costs nothing where there was none, and is never guessed', async () => {
    await withDays({ '2026-03-01': DAY }, async (analyzer) => {
      expect((await analyzer.perDiagnosis(MARCH, ['knowledge_retrieval'])).costPerDiagnosis).toEqual(money('0'));
      await expect(analyzer.perDiagnosis(MARCH, ['ct'])).rejects.toThrow(
        "'services' (ct) must be one of image_diagnosis, knowledge_retrieval because the ledger has these",
      );
      await expect(analyzer.perDiagnosis(MARCH, [])).rejects.toThrow(ConfigurationError);
    });
  });
});

describe('the daily trend', () => {
  it('has every day, the mean of its last week, and the slope without the weekends', async () => {
    // 100 on Sunday the first and one more every day; Saturdays and Sundays cost 50 less
    const cost = (day: number): number =>
      100 + day - ([0, 6].includes(new Date(Date.UTC(2026, 2, day)).getUTCDay()) ? 50 : 0);
    const days: { [day: string]: readonly (readonly [string, Given])[] } = {};
    for (const day of Array.from({ length: 21 }, (_, index) => index + 1).filter((number) => number !== 10)) {
      days[`2026-03-${String(day).padStart(2, '0')}`] = [[String(cost(day)), {}]];
    }
    await withDays(days, async (analyzer) => {
      const trend = await analyzer.dailyTrend({ from: '2026-03-01', to: '2026-03-21' });
      expect(trend.slopePerDay).toEqual(money('1'));
      expect(trend.missing).toEqual(['2026-03-10']);
      expect(trend.days).toHaveLength(20);
      expect(trend.days[5]).toEqual({ day: '2026-03-06', cost: money('106') });
      // 51 + 102 + 103 + 104 + 105 + 106 + 57
      expect(trend.days[6]).toEqual({ day: '2026-03-07', cost: money('57'), weekMean: money('89.714285714') });
      expect(trend.days.find(({ day }) => day === '2026-03-15')?.weekMean).toBeUndefined();
      expect(trend.days.find(({ day }) => day === '2026-03-17')?.weekMean).toBeDefined();
    });
  });

  it('is refused where there is nothing', async () => {
    await withDays({}, async (analyzer) => {
      await expect(analyzer.dailyTrend(MARCH)).rejects.toThrow(
        'the ledger has no day from 2026-03-01 to 2026-03-31; collect them first',
      );
    });
  });
});

describe('month against month', () => {
  const day = (cost: string, service = 'a'): readonly (readonly [string, Given])[] => [[cost, { x_Service: service }]];

  it('compares the same days of both, and says what it left out', async () => {
    await withDays(
      {
        '2026-02-01': day('10'),
        '2026-02-02': day('10', 'b'),
        '2026-02-28': day('10'),
        '2026-03-01': day('12'),
        '2026-03-02': day('15', 'b'),
        '2026-03-03': day('99'),
        // the night in which clocks change in Europe, and a day that February never has
        '2026-03-29': day('99'),
      },
      async (analyzer) => {
        expect(await analyzer.monthAgainstMonth()).toEqual({
          month: '2026-03',
          previous: '2026-02',
          currency: 'EUR',
          days: 2,
          cost: money('27'),
          previousCost: money('20'),
          change: money('7'),
          changeRatio: money('0.35'),
          leftOut: ['2026-02-28', '2026-03-03', '2026-03-29'],
          byService: [
            { service: 'b', cost: money('15'), previousCost: money('10'), change: money('5') },
            { service: 'a', cost: money('12'), previousCost: money('10'), change: money('2') },
          ],
        });
      },
    );
  });

  it('goes over the turn of the year, and has no ratio to nothing', async () => {
    await withDays({ '2025-12-01': day('0'), '2026-01-01': day('4') }, async (analyzer) => {
      const comparison = await analyzer.monthAgainstMonth('2026-01');
      expect(comparison).toMatchObject({ previous: '2025-12', days: 1, change: money('4') });
      expect(comparison.changeRatio).toBeUndefined();
    });
  });

  it('is refused where no day is in both', async () => {
    await withDays({ '2026-01-01': day('1'), '2026-02-02': day('1') }, async (analyzer) => {
      await expect(analyzer.monthAgainstMonth()).rejects.toThrow('2026-02 and 2026-01 have no day in common');
      await expect(analyzer.monthAgainstMonth('2026-13')).rejects.toThrow("'month' (2026-13) must be a month YYYY-MM");
    });
  });
});

describe('the SQL', () => {
  it.each(Object.entries(COST_QUERIES))('of %s keeps to what DuckDB and Athena agree on', (_, sql) => {
    const functions = [...sql.matchAll(/\b([A-Za-z_]+)\(/g)].map(([, name]) => name);
    const both = ['SUM', 'MAX', 'CAST', 'COUNT'];
    expect(functions.filter((name = '') => !both.includes(name))).toEqual([]);
    // DuckDB divides decimals to floats; no average for the same reason
    expect(sql).not.toMatch(/\/|AVG|::|FILTER|QUALIFY|GROUP BY ALL/);
    expect(sql.match(/\$\d/g)).toEqual(['$1', '$2']);
    expect(athenaSql(sql, 'costs').match(/[?$]/g)).toEqual(['?', '?']);
  });
});
