/** The dashboard as people see it: in Chromium, on a desk, on a phone, on paper, in light and dark. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { costDashboard, costReport, Ledger } from 'mediform/cost';
import type { AxeResults } from 'axe-core';
import { chromium, type Browser, type Page } from 'playwright-core';
import { writeDemo } from '../../runtime/cost/demo';
import { describeUnless } from './support/suite';

const CHROMIUM = process.env.MEDIFORM_CHROMIUM ?? '/usr/bin/chromium';
const ARGUMENTS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking'];
/** Where screenshots are kept for people to look at. */
const SCREENSHOTS = process.env.MEDIFORM_SCREENSHOTS;

const noChromium = existsSync(CHROMIUM) ? undefined : `there is no ${CHROMIUM}; Debian has it in the package chromium`;

describeUnless(noChromium, 'the dashboard in Chromium', () => {
  let folder: string;
  let address: string;
  let browser: Browser;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'mediform-dashboard-'));
    const ledger = await Ledger.open(join(folder, 'ledger'));
    await writeDemo(ledger, { days: 120 });
    const report = await costReport(ledger, {
      diagnosisServices: ['image_diagnosis'],
      monthlyBudget: '70000',
      advice: {
        services: [
          {
            service: 'knowledge_retrieval',
            construct: 'knowledge/knowledge-retrieval-minilm',
            priority: 'normal',
            minReplicas: 5,
            maxReplicas: 8,
          },
        ],
        models: [
          { model: 'vit', task: 'ct', accuracy: 0.9 },
          { model: 'unet', task: 'ct', accuracy: 0.92 },
        ],
      },
    });
    await ledger.close();
    const file = join(folder, 'costs.html');
    writeFileSync(file, await costDashboard(report));
    address = pathToFileURL(file).href;
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS });
  }, 180_000);

  afterAll(async () => {
    await browser.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Opens the page, and keeps what it asks for and complains about. */
  async function open(
    width: number,
    colorScheme: 'light' | 'dark' = 'light',
  ): Promise<{ page: Page; requests: string[]; complaints: string[] }> {
    const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
    const [requests, complaints]: [string[], string[]] = [[], []];
    page.on('request', (request) => requests.push(request.url()));
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(String(error)));
    await page.goto(address);
    return { page, requests, complaints };
  }

  /** Texts of cells of tables that do not fit into them, and lie over others or are cut off. */
  async function overflowing(page: Page): Promise<readonly string[]> {
    return page.evaluate<readonly string[]>(`[...document.querySelectorAll('th, td')]
      .filter((cell) => {
        const range = document.createRange();
        range.selectNodeContents(cell);
        const [content, box] = [range.getBoundingClientRect(), cell.getBoundingClientRect()];
        return content.width > 0 && (content.right > box.right + 1 || content.left < box.left - 1);
      })
      .map((cell) => cell.textContent)`);
  }

  async function keep(page: Page, name: string): Promise<void> {
    if (SCREENSHOTS !== undefined) {
      mkdirSync(SCREENSHOTS, { recursive: true });
      await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), fullPage: true });
    }
  }

  test('asks for nothing but itself', async () => {
    const { page, requests, complaints } = await open(1280);
    expect(requests).toEqual([address]);
    expect(complaints).toEqual([]);
    await page.close();
  });

  test.each([
    [1280, 'light', 'wide'],
    [1280, 'dark', 'wide'],
    [390, 'light', 'narrow'],
    [320, 'light', 'narrow'],
  ] as const)('fits %d pixels in %s, with the %s charts', async (width, scheme, charts) => {
    const { page } = await open(width, scheme);
    await keep(page, `dashboard-${width}-${scheme}`);
    const scrolls = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
    expect(scrolls).toBe(0);
    expect(await page.locator(`.${charts} svg:visible`).count()).toBe(5);
    expect(await page.locator('figure svg:visible').count()).toBe(5);
    // nothing is drawn outside of its chart, where it would be cut off
    const outside = await page.evaluate(`[...document.querySelectorAll('figure .${charts} svg')].flatMap((svg) => {
      const box = svg.getBoundingClientRect();
      return [...svg.querySelectorAll('text')]
        .filter((text) => { const t = text.getBoundingClientRect(); return t.left < box.left - 1 || t.right > box.right + 1; })
        .map((text) => text.textContent);
    })`);
    expect(outside).toEqual([]);
    expect(await overflowing(page)).toEqual([]);
    await page.close();
  });

  test('letters on a phone are large enough to read', async () => {
    const { page } = await open(390);
    const smallest = await page.evaluate(`Math.min(...[...document.querySelectorAll('figure .narrow svg text')]
      .map((text) => parseFloat(getComputedStyle(text).fontSize) * text.ownerSVGElement.getBoundingClientRect().width
        / text.ownerSVGElement.viewBox.baseVal.width))`);
    expect(smallest).toBeGreaterThanOrEqual(9);
    await page.close();
  });

  test('has landmarks, names and one heading of the first level', async () => {
    const { page } = await open(1280);
    const snapshot = await page.locator('body').ariaSnapshot();
    for (const landmark of [
      'banner',
      'main',
      'contentinfo',
      'navigation "Sections"',
      'region "By service"',
      'region "Advice"',
    ]) {
      expect(snapshot).toContain(landmark);
    }
    expect(await page.locator('h1').count()).toBe(1);
    expect(await page.locator('html').getAttribute('lang')).toBe('en');
    expect(await page.title()).toMatch(/^Cost of AI inference, \d+ \w+ 2025 to/);
    expect(await page.locator('svg:not([aria-label])').count()).toBe(0);
    // what scrolls can be reached by keyboard, and the first stop leads past the navigation
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to the content');
    await page.close();
  });

  test.each([
    [1280, 'light'],
    [1280, 'dark'],
    [390, 'light'],
    [390, 'dark'],
  ] as const)('breaks no rule of WCAG 2.2 AA at %d pixels in %s', async (width, scheme) => {
    const { page } = await open(width, scheme);
    // what is folded away is to be accessible, too
    await page.evaluate(`document.querySelectorAll('details').forEach((details) => (details.open = true))`);
    await page.addScriptTag({ path: require.resolve('axe-core/axe.min.js') });
    const found = await page.evaluate<AxeResults>(
      `axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })`,
    );
    const broken = found.violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html.slice(0, 200))]);
    expect(broken).toEqual([]);
    expect(found.passes.map(({ id }) => id)).toEqual(expect.arrayContaining(['color-contrast', 'region', 'list']));
    await page.close();
  });

  test('shows the table of a chart when it is asked for', async () => {
    const { page } = await open(1280);
    const details = page.locator('#trend details');
    expect(await details.locator('table').isVisible()).toBe(false);
    await details.locator('summary').click();
    expect(await details.locator('table').isVisible()).toBe(true);
    expect(await details.locator('tbody tr').count()).toBe(18);
    await page.close();
  });

  test('every link leads to a section', async () => {
    const { page } = await open(1280);
    const targets = await page.evaluate<readonly string[]>(
      `[...document.querySelectorAll('nav a')].map((link) => link.getAttribute('href'))`,
    );
    expect(targets.length).toBeGreaterThanOrEqual(7);
    for (const target of targets) {
      expect([target, await page.locator(target).count()]).toEqual([target, 1]);
    }
    await page.close();
  });

  test('prints in light colours on a few sheets, without what is for screens', async () => {
    const { page } = await open(1280, 'dark');
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
    expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe('rgb(255, 255, 255)');
    expect(await page.locator('nav').isVisible()).toBe(false);
    expect(await page.locator('.wide svg:visible').count()).toBe(5);
    // A4 less its margins, and the window of a preview
    for (const width of [688, 760]) {
      await page.setViewportSize({ width, height: 1000 });
      expect(await overflowing(page)).toEqual([]);
      await keep(page, `dashboard-print-${width}`);
    }
    const pdf = (await page.pdf({ preferCSSPageSize: true, printBackground: true })).toString('latin1');
    const sheets = pdf.match(/\/Type\s*\/Page[^s]/g)?.length ?? 0;
    expect(sheets).toBeGreaterThan(1);
    expect(sheets).toBeLessThanOrEqual(7);
    await page.close();
  });
});
