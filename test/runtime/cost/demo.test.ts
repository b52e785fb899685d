import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ledger, type Decimal } from 'mediform/cost';
import { demoDays, writeDemo } from '../../../runtime/cost/demo';
import { randomFor } from '../../../runtime/cost/demo/random';
import { inFolder } from './support';

describe('the made-up year', () => {
  it('is the same to the byte for the same seed, and another for another', async () => {
    await inFolder(async (folder) => {
      const digests: string[] = [];
      for (const [name, seed] of [
        ['a', 7],
        ['b', 7],
        ['c', 8],
      ] as const) {
        const ledger = await Ledger.open(join(folder, name), { threads: 1 });
        await writeDemo(ledger, { seed, from: '2026-03-28', days: 2 });
        await ledger.close();
        const file = readFileSync(join(folder, name, 'day=2026-03-29', 'part-0.parquet'));
        digests.push(createHash('sha256').update(file).digest('hex'));
      }
      expect(digests[0]).toBe(digests[1]);
      expect(digests[0]).not.toBe(digests[2]);
    });
  });

  it('has what advice is to find: a GPU node that is hardly used, a cache that answers hardly anything', async () => {
    await inFolder(async (folder) => {
      const ledger = await Ledger.open(folder, { threads: 1 });
      await writeDemo(ledger, { days: 28 });
      const used = await ledger.query(
        "SELECT x_Model AS model, AVG(x_Utilisation) AS used FROM ledger WHERE x_Category = 'gpu' AND x_Priority <> 'batch' GROUP BY x_Model",
      );
      const byModel = new Map(used.map(({ model, used: utilisation }) => [model, Number(utilisation)]));
      expect(byModel.get('vit')).toBeLessThan(0.2);
      expect(byModel.get('resnet50')).toBeGreaterThan(0.3);
      const ratios = await ledger.query(
        'SELECT x_Model AS model, SUM(x_CacheHits) AS hits, SUM(x_Calls) AS calls FROM ledger WHERE x_Calls > 0 GROUP BY x_Model',
      );
      const hits = new Map(ratios.map(({ model, hits: h, calls }) => [model, Number(h) / Number(calls)]));
      expect(hits.get('minilm')).toBeLessThan(0.1);
      expect(hits.get('unet')).toBeGreaterThan(0.1);
      await ledger.close();
    });
  });

  it('is quieter on weekends, and grows', () => {
    const days = [...demoDays({ days: 364 })];
    const callsOf = (from: number, to: number, weekdays: readonly number[]): number =>
      days
        .slice(from, to)
        .filter(({ day }) => weekdays.includes(new Date(day).getUTCDay()))
        .flatMap(({ rows }) => rows.map(({ x_Calls = 0 }) => x_Calls))
        .reduce((sum, calls) => sum + calls, 0);
    const [saturdays, tuesdays] = [callsOf(0, 364, [6]), callsOf(0, 364, [2])];
    expect(saturdays / tuesdays).toBeGreaterThan(0.2);
    expect(saturdays / tuesdays).toBeLessThan(0.8);
    expect(callsOf(336, 364, [2]) / callsOf(0, 28, [2])).toBeGreaterThan(1.1);
    const totals = days.map(({ total }): Decimal => total);
    expect(totals.every((total) => total.greaterThan(500) && total.lessThan(10_000))).toBe(true);
  });
});

it('random numbers are spread evenly, and differ by seed and name', () => {
  const random = randomFor(1, 'a');
  const numbers = Array.from({ length: 20_000 }, random);
  const counts = Array.from(
    { length: 10 },
    (_, tenth) => numbers.filter((each) => Math.floor(each * 10) === tenth).length,
  );
  counts.forEach((count) => expect(Math.abs(count - 2000)).toBeLessThan(200));
  expect([randomFor(1, 'b')(), randomFor(2, 'a')()]).not.toContain(numbers[0]);
});
