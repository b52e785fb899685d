/** Ledgers of any size, made by SQL: the allocation of ten million rows is not what is measured. */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LEDGER_COLUMNS } from '../../constructs/plan/cost/columns';
import { addDays } from '../../constructs/plan/cost/days';
import { Engine, literal } from '../../runtime/cost/ledger/engine';
import { DAY_FILE, partition } from '../../runtime/cost/ledger/store';

export const FIRST_DAY = '2025-07-01';
export const DAYS = 365;

const CATEGORIES =
  "['gpu', 'gpu', 'gpu', 'cpu', 'cpu', 'storage', 'network', 'api', 'api', 'api', 'data_storage', 'people', 'idle', 'shared']";
const MODELS = "['resnet50', 'unet', 'vit', 'gpt-4', 'gpt-4o-mini', 'minilm', 'densenet', 'llama']";

/**
 * A row for each `i` and `d`, the day's number. Services, models, categories and resources are as many as a large hospital
 * has; amounts look random, and are the same in every run.
 */
function valueOf(name: string): string | undefined {
  const random = `hash(i * 1000 + d)`;
  const cost = `CAST(1 + ${random} % 9000000000 AS DECIMAL(18, 0)) / 1000000000 * (1 + 0.5 * sin(d / 58.0)) * (1 + d / 1500.0)`;
  const isApi = `list_extract(${CATEGORIES}, 1 + i % 14) = 'api'`;
  const values: { readonly [column: string]: string } = {
    BilledCost: cost,
    EffectiveCost: cost,
    ContractedCost: cost,
    ListCost: cost,
    PricingCurrencyEffectiveCost: cost,
    BillingCurrency: "'EUR'",
    PricingCurrency: "'EUR'",
    BillingPeriodStart: "date_trunc('month', day)",
    BillingPeriodEnd: "date_trunc('month', day) + INTERVAL 1 MONTH",
    ChargePeriodStart: 'day',
    ChargePeriodEnd: 'day + INTERVAL 1 DAY',
    ResourceId: "'i-' || (i // 14)",
    ResourceName: "'node-' || (i // 14) % 700",
    ResourceType: "'Node'",
    SkuId: "'sku-' || i % 97",
    SkuMeter: "'meter-' || i % 7",
    x_Category: `list_extract(${CATEGORIES}, 1 + i % 14)`,
    x_Service: "CASE WHEN i % 14 >= 12 THEN NULL ELSE 'service-' || (i // 14) % 24 END",
    x_Model: `CASE WHEN i % 14 >= 12 THEN NULL ELSE list_extract(${MODELS}, 1 + (i // 28) % 8) END`,
    x_Namespace: "'namespace-' || (i // 14) % 24",
    x_Priority: "CASE (i // 14) % 3 WHEN 0 THEN 'emergency' WHEN 1 THEN 'normal' ELSE 'batch' END",
    x_PriceDate: 'CAST(day AS DATE)',
    x_UsageHours: 'CASE WHEN i % 14 < 3 THEN 24 END',
    x_Utilisation: `CASE WHEN i % 14 < 5 THEN (${random} % 1000) / 1000.0 END`,
    x_Calls: `CASE WHEN ${isApi} THEN ${random} % 5000 END`,
    x_InputTokens: `CASE WHEN ${isApi} THEN ${random} % 900000 END`,
    x_OutputTokens: `CASE WHEN ${isApi} THEN ${random} % 90000 END`,
    x_InferenceSeconds: `CASE WHEN ${isApi} THEN ${random} % 7000 END`,
    x_CacheHits: `CASE WHEN ${isApi} THEN ${random} % 1000 END`,
    x_CacheMisses: `CASE WHEN ${isApi} THEN ${random} % 4000 END`,
  };
  return values[name];
}

/** Writes a ledger of about so many rows into a folder, unless it is there already. */
export async function writeRows(folder: string, rows: number): Promise<void> {
  const done = join(folder, '.done');
  if (existsSync(done)) {
    return;
  }
  rmSync(folder, { recursive: true, force: true });
  const engine = await Engine.start('700MB');
  const columns = LEDGER_COLUMNS.map(({ name, type, nullable }) => {
    const value = valueOf(name) ?? (nullable ? 'NULL' : `'${name}'`);
    return `CAST(${value} AS ${type}) AS "${name}"`;
  });
  for (let d = 0; d < DAYS; d++) {
    const day = addDays(FIRST_DAY, d);
    mkdirSync(join(folder, partition(day)), { recursive: true });
    const numbers = `SELECT range AS i, ${d} AS d, TIMESTAMP ${literal(day)} AS day FROM range(${Math.round(rows / DAYS)})`;
    await engine.run(`CREATE OR REPLACE TEMP TABLE new_day AS SELECT ${columns.join(', ')} FROM (${numbers})`);
    const [sums] = await engine.query(
      'SELECT COUNT(*) AS rows, CAST(SUM(EffectiveCost) AS VARCHAR) AS total FROM new_day',
    );
    const metadata = JSON.stringify({ day, timeZone: 'UTC', currency: 'EUR', ...sums });
    const path = join(folder, partition(day), DAY_FILE);
    await engine.run(
      `COPY new_day TO ${literal(path)} (FORMAT parquet, COMPRESSION zstd, KV_METADATA {mediform: ${literal(metadata)}})`,
    );
  }
  engine.close();
  writeFileSync(done, '');
}
