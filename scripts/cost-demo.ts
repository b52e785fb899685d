/**
 * `npm run cost:demo [-- FOLDER]`: makes up a hospital's year, and makes its ledger, its report and its dashboard. The same
 * every time.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  costDashboard,
  costReport,
  Ledger,
  type CacheUsage,
  type ModelFacts,
  type ServiceConstraints,
} from 'mediform/cost';
import { DEMO_SERVICES, writeDemo } from '../runtime/cost/demo';
import { adviceSheet, forecastSheet, reportSheet } from '../runtime/cost/cli/sheets';
import { tableText } from '../runtime/cost/cli/sheet';
import { Format } from '../runtime/cost/report/format';

const FOLDER = process.argv[2] ?? 'dist/cost-demo';

/** What the demo's services must keep, as their plans would say it. */
const SERVICES: readonly ServiceConstraints[] = DEMO_SERVICES.flatMap(
  ({ service, model, namespace, priority, nodes }) =>
    nodes === undefined || namespace === 'imaging-batch'
      ? []
      : [
          {
            service,
            model,
            construct: `${namespace}/${service.replaceAll('_', '-')}-${model}`,
            priority,
            minReplicas: nodes.min,
            maxReplicas: nodes.max,
          },
        ],
);

/** What the hospital's own tests would say of the models. */
const MODELS: readonly ModelFacts[] = [
  { model: 'vit', task: 'image diagnosis', accuracy: 0.93 },
  { model: 'unet', task: 'image diagnosis', accuracy: 0.92 },
  { model: 'resnet50', task: 'image diagnosis', accuracy: 0.91 },
  { model: 'gpt-4', task: 'record analysis', accuracy: 0.89 },
  { model: 'gpt-4o-mini', task: 'record analysis', accuracy: 0.91 },
];

/** What the counters of the cache of the knowledge retrieval would say: hardly a hit, and nothing lost or expired. */
const CACHES: readonly CacheUsage[] = [
  {
    service: 'knowledge_retrieval',
    kind: 'knowledge',
    lookups: [
      { tier: 'hot', outcome: 'hit', count: 19_000 },
      { tier: 'hot', outcome: 'miss', count: 301_000 },
      { tier: 'redis', outcome: 'hit', count: 4_000 },
      { tier: 'redis', outcome: 'miss', count: 297_000 },
    ],
    evictions: 2_000,
    stored: 290_000,
  },
];

async function main(): Promise<void> {
  const [folder, page] = [join(FOLDER, 'ledger'), join(FOLDER, 'dashboard.html')];
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  const ledger = await Ledger.open(folder);
  try {
    let days = 0;
    await writeDemo(ledger, {}, () => {
      days += 1;
      if (days % 30 === 0) {
        process.stderr.write(`${days} days written\n`);
      }
    });
    const report = await costReport(ledger, {
      diagnosisServices: ['image_diagnosis'],
      monthlyBudget: '80000',
      advice: { services: SERVICES, models: MODELS, caches: CACHES },
    });
    const format = new Format(report.currency);
    const sheets = [
      reportSheet(report, 'service'),
      reportSheet(report, 'model'),
      reportSheet(report, 'month'),
      ...(report.forecast === undefined ? [] : [forecastSheet(report.forecast)]),
      adviceSheet(report.advice),
    ];
    console.log(sheets.map((sheet) => tableText(sheet, format)).join('\n'));
    writeFileSync(page, await costDashboard(report, { title: 'Cost of AI inference, St. Example Hospital' }));
    console.log(`ledger     ${folder}\ndashboard  ${page}`);
  } finally {
    await ledger.close();
  }
}

void main();
