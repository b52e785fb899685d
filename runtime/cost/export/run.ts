import { readFile, writeFile } from 'node:fs/promises';
import { addDays, dayAt } from '../../../constructs/plan/cost/days';
import type { PriceFile } from '../../../constructs/plan/cost/price-file';
import type { LedgerRow } from '../../../constructs/plan/cost/row';
import type { CostExportConfig } from '../../../constructs/plan/cost-export/config';
import { collectDays, type DayResult } from '../collect/collect-days';
import { checkDay, inOrder } from '../ledger/check-day';
import { metadataOf, type DayMetadata } from '../ledger/day-metadata';
import { LedgerError } from '../ledger/errors';
import type { LedgerStore } from '../ledger/store';
import { firstDayNeeded, metricsText, missingOf, push } from './metrics';
import { metadataIn, parquetOf } from './parquet';

/** What a run has of the world. */
export interface ExportInput {
  readonly config: CostExportConfig;
  readonly prices: readonly PriceFile[];
  readonly store: LedgerStore;
  readonly now: Date;
  /** Told of each day when it is done. */
  readonly onDay: (result: DayResult) => void;
}

/** What came of a run. */
export interface ExportResult {
  readonly collected: readonly string[];
  readonly failed: readonly string[];
  /** Days of those that are looked at that the ledger still lacks. */
  readonly missing: readonly string[];
}

/**
 * Collects the days that a ledger lacks, and those whose bill may still change; then says in metrics how it stands. A day
 * that fails keeps no other from being collected.
 */
export async function exportDays({ config, prices, store, now, onDay }: ExportInput): Promise<ExportResult> {
  const { cost, backfillDays, recollectDays, monthlyBudget, pushgateway, name } = config;
  const today = dayAt(Math.floor(now.getTime() / 1000), cost.timeZone ?? 'UTC');
  const known = new Set(await store.days());
  const again = Array.from({ length: recollectDays }, (_, index) => addDays(today, index - recollectDays));
  const days = [...new Set([...missingOf(known, today, backfillDays), ...again])].sort();
  const files = new DayFiles(store);
  const results = await collectDays({ ledger: files, config: cost, prices, days, onDay });

  const there = await store.days();
  const missing = missingOf(new Set(there), today, backfillDays);
  const last = there.at(-1);
  if (pushgateway !== undefined && last !== undefined) {
    const lastRows = files.rowsOf(last);
    const metadata = await files.metadata(there.filter((day) => day >= firstDayNeeded(last)));
    const text = metricsText({ days: metadata, lastRows, missingDays: missing.length, monthlyBudget });
    await push(pushgateway, name, text, lastRows !== undefined);
  }
  return {
    collected: results.filter(({ ok }) => ok).map(({ day }) => day),
    failed: results.filter(({ ok }) => !ok).map(({ day }) => day),
    missing,
  };
}

/** The days of a ledger as files, written and read without DuckDB. */
class DayFiles {
  private last?: { readonly day: string; readonly rows: readonly LedgerRow[] };

  constructor(private readonly store: LedgerStore) {}

  async writeDay(day: Parameters<typeof metadataOf>[0]): Promise<void> {
    checkDay(day, await this.neighbourOf(day.day));
    const bytes = await parquetOf(inOrder(day.rows), metadataOf(day));
    await this.store.replace(day.day, (path) => writeFile(path, bytes));
    if (this.last === undefined || day.day >= this.last.day) {
      this.last = { day: day.day, rows: day.rows };
    }
  }

  /** Rows of a day that this run has written; undefined of any other. */
  rowsOf(day: string): readonly LedgerRow[] | undefined {
    return this.last?.day === day ? this.last.rows : undefined;
  }

  /** @throws LedgerError where a file cannot be read: sums without it would be too small */
  async metadata(days: readonly string[]): Promise<[DayMetadata, ...DayMetadata[]]> {
    const { files, damaged } = await this.store.fetch(days);
    const all = days.map(async (day) => {
      try {
        if (damaged.has(day)) {
          throw new Error(damaged.get(day));
        }
        return await metadataIn(await readFile(files.get(day) ?? ''));
      } catch (cause) {
        throw new LedgerError(`${this.store.nameOf(day)} is damaged: ${(cause as Error).message}`, { cause });
      }
    });
    return (await Promise.all(all)) as [DayMetadata, ...DayMetadata[]];
  }

  /** What the nearest other day says of itself; a damaged one says nothing, and keeps nobody from writing. */
  private async neighbourOf(day: string): Promise<DayMetadata | undefined> {
    const days = (await this.store.days()).filter((other) => other !== day);
    const near = [days.filter((other) => other < day).at(-1), days.find((other) => other > day)];
    for (const other of near) {
      const found = other === undefined ? undefined : await this.metadata([other]).catch(() => undefined);
      if (found !== undefined) {
        return found[0];
      }
    }
    return undefined;
  }
}
