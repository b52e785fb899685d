/**
 * Writes the days that a ledger lacks. The configuration is at `COST_EXPORT_PATHS.config`, or where MEDIFORM_CONFIG says;
 * prices are beside it. Tells of each day in a JSON line; ends with 1 where a day failed.
 */
import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseCostConfig } from '../../constructs/plan/cost/check-config';
import { COST_EXPORT_PATHS, type CostExportConfig } from '../../constructs/plan/cost-export/config';
import { CONFIG_VARIABLE } from '../../constructs/plan/gateway/names';
import type { DayResult } from './collect/collect-days';
import { exportDays } from './export/run';
import { S3Store } from './ledger/s3-store';
import { FolderStore } from './ledger/store';
import { readPriceFiles } from './prices/read-files';
import { isUrl } from './s3';

function tell(event: object): void {
  console.log(JSON.stringify(event));
}

function tellDay(result: DayResult): void {
  tell(
    result.ok
      ? { event: 'collected', day: result.day, unmatched: result.unmatched.map(({ resourceId }) => resourceId) }
      : { event: 'failed', day: result.day, error: result.error.message },
  );
}

async function main(): Promise<void> {
  const path = process.env[CONFIG_VARIABLE] ?? COST_EXPORT_PATHS.config;
  const config = JSON.parse(readFileSync(path, 'utf8')) as CostExportConfig;
  const inS3 = isUrl(config.ledger);
  if (!inS3) {
    await mkdir(config.ledger, { recursive: true });
  }
  const store = inS3 ? await S3Store.open(config.ledger, {}) : new FolderStore(config.ledger);
  try {
    const prices = await readPriceFiles(join(dirname(path), 'prices'));
    const cost = parseCostConfig(config.cost);
    const result = await exportDays({ config: { ...config, cost }, prices, store, now: new Date(), onDay: tellDay });
    tell({ event: 'done', ...result });
    process.exitCode = result.failed.length === 0 ? 0 : 1;
  } finally {
    await store.close();
  }
}

main().catch((error: unknown) => {
  tell({ event: 'failed', error: String(error) });
  process.exitCode = 1;
});
