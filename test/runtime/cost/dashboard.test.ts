import { costDashboard, costReport, Ledger, type CostReport } from 'mediform/cost';
import { writeDemo } from '../../../runtime/cost/demo';
import { Format } from '../../../runtime/cost/report/format';
import { markup, Markup } from '../../../runtime/cost/report/html';
import { STYLE } from '../../../runtime/cost/report/style';
import { inFolder, ledgerDay, row } from './support';

let report: CostReport;
let page: string;

beforeAll(async () => {
  await inFolder(async (folder) => {
    const ledger = await Ledger.open(folder);
    await writeDemo(ledger, { days: 75 });
    report = await costReport(ledger, { diagnosisServices: ['image_diagnosis'], monthlyBudget: '1000' });
    await ledger.close();
  });
  page = await costDashboard(report, { title: 'Costs <of> "St. Example" & sons', generated: '2025-09-14 06:00 UTC' });
}, 120_000);

describe('a report', () => {
  it('adds up, however it is broken down', () => {
    const { total, services, categories, trend, sources } = report;
    const sum = (amounts: readonly { toFixed(): string }[]): string =>
      amounts.reduce<typeof total>((all, amount) => all.plus(amount.toFixed()), total.minus(total)).toFixed();
    expect(sum(services.map(({ cost }) => cost))).toBe(total.toFixed());
    expect(sum(Object.values(categories))).toBe(total.toFixed());
    expect(sum(trend.days.map(({ cost }) => cost))).toBe(total.toFixed());
    expect(sum(sources.map(({ cost }) => cost))).toBe(total.toFixed());
  });

  it('is about the last 30 days of the ledger where nothing else is said', () => {
    expect(report.period).toEqual({ from: '2025-08-15', to: '2025-09-13' });
    expect(report.months).toMatchObject({ month: '2025-09', previous: '2025-08', days: 13 });
    expect(report.forecast).toMatchObject({ year: 2025, actualDays: 75, from: '2025-07-01' });
  });

  it('tells how the month stands against its budget', () => {
    const { budget } = report;
    expect(budget).toMatchObject({ month: '2025-09', passed: true });
    // 13 of the month's 30 days
    expect(budget?.projected.toFixed(2)).toBe(budget?.spent.times(30).dividedBy(13).toFixed(2));
  });

  it('of a young ledger has no forecast and no month to compare, and says why', async () => {
    await inFolder(async (folder) => {
      const ledger = await Ledger.open(folder, { threads: 1 });
      await ledger.writeDay(ledgerDay('2026-03-02', [row('5')]));
      const young = await costReport(ledger);
      await ledger.close();
      expect(young.months).toBeUndefined();
      expect(young.forecast).toBeUndefined();
      expect(young.noForecast).toBe(
        'a forecast needs 60 days, and the ledger has 1: fewer show no trend and no season',
      );
      expect(young.trend.missing).toHaveLength(29);
      const html = await costDashboard(young);
      expect(html).toContain('No forecast yet: a forecast needs 60 days');
      expect(html).toContain('The ledger lacks 29 days');
    });
  });
});

describe('the dashboard', () => {
  it('needs nothing else: no script, no font, no address', () => {
    expect(page).not.toMatch(/<script|<link|<iframe|@import|url\((?!#)|\son\w+=/i);
    expect(page.match(/https?:\/\/[^"\s<]*/g) ?? []).toEqual([]);
  });

  it('escapes what it is given', () => {
    expect(page).toContain('<h1>Costs &lt;of&gt; &quot;St. Example&quot; &amp; sons</h1>');
    expect(markup`${'<b>'}${3}${undefined}${[markup`<i>${'&'}</i>`, new Markup('<br>')]}`.text).toBe(
      '&lt;b&gt;3<i>&amp;</i><br>',
    );
  });

  it('is the same again from the same report', async () => {
    const options = { title: 'Costs <of> "St. Example" & sons', generated: '2025-09-14 06:00 UTC' };
    expect(await costDashboard(report, options)).toBe(page);
  });

  it('has every chart twice, with a name, and a table for each', () => {
    const charts = [...page.matchAll(/<svg viewBox="[^"]+" role="img" aria-label="([^"]+)">/g)].map(
      ([, label]) => label,
    );
    expect(charts).toHaveLength(10);
    expect(new Set(charts).size).toBe(5);
    expect(page.match(/<figure>/g)).toHaveLength(5);
    expect(page.match(/<caption>/g)?.length).toBeGreaterThanOrEqual(5);
    const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
  });

  it('shows the numbers of the report', () => {
    const format = new Format('EUR');
    for (const { cost, costPerCall } of report.services) {
      expect(page).toContain(`>${format.money(cost)}<`);
      expect(page).toContain(`>${format.unitCost(costPerCall)}<`);
    }
    expect(page).toContain(
      `The budget of September 2025, €1,000, is passed: ${format.money(report.budget?.spent as never)}.`,
    );
  });
});

describe('its colours', () => {
  const themes = [...STYLE.matchAll(/:root \{([^}]+)\}/g)].map(([, body = '']) =>
    Object.fromEntries(
      [...body.matchAll(/--(\w+): (#[0-9a-f]{6})/g)].map(([, name = '', colour = '']) => [name, colour]),
    ),
  );

  /** Contrast of WCAG 2: (L1 + 0.05) / (L2 + 0.05), of relative luminances. */
  const contrast = (a = '', b = ''): number => {
    const luminance = (colour: string): number =>
      [1, 3, 5]
        .map((at) => parseInt(colour.slice(at, at + 2), 16) / 255)
        .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
        .reduce((sum, part, index) => sum + part * ([0.2126, 0.7152, 0.0722][index] ?? 0), 0);
    const [light = 0, dark = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
    return (light + 0.05) / (dark + 0.05);
  };

  it('of text have a contrast of 4.5 on every ground, in light, dark and print', () => {
    expect(themes).toHaveLength(3);
    for (const theme of themes) {
      for (const text of ['text', 'muted', 'accent', 'good', 'bad', 'warn']) {
        for (const ground of ['card', 'ground']) {
          expect([text, ground, contrast(theme[text], theme[ground]) >= 4.5]).toEqual([text, ground, true]);
        }
      }
      expect(contrast(theme.text, theme.chip)).toBeGreaterThanOrEqual(4.5);
    }
  });

  it('of neighbours in a stack differ in lightness', () => {
    const stack = ['gpu', 'cpu', 'storage', 'network', 'api', 'data_storage', 'people', 'idle', 'shared'];
    for (const theme of themes) {
      stack.slice(1).forEach((name, index) => {
        expect([name, contrast(theme[name], theme[stack[index] ?? '']) >= 1.3]).toEqual([name, true]);
      });
    }
  });
});
