/** Measures one ledger in a process of its own; prints a line of JSON. Arguments: the ledger's folder, rounds. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Ledger } from 'mediform/cost';
import { Engine, literal } from '../../runtime/cost/ledger/engine';
import { DAY_FILE, dayOf } from '../../runtime/cost/ledger/store';
import { median } from '../measure';
import { ANALYSES } from './analyses';

/** What DuckDB needs for reading and adding up what the analyses are made of, without anything of ours. */
const BARE = `SELECT x_Category, x_Service, x_Model, SUM(EffectiveCost), SUM(x_Calls), SUM(x_UsageHours), COUNT(*)`;

/** What a process prints. */
export interface Measured {
  /** Milliseconds of the bare scan. */
  readonly bare: number;
  /** Milliseconds of each analysis. */
  readonly analyses: { readonly [name: string]: number };
  /** Largest memory of the process, in MiB. */
  readonly memoryMiB: number;
}

async function milliseconds(work: () => Promise<unknown>): Promise<number> {
  global.gc?.();
  const start = performance.now();
  await work();
  return performance.now() - start;
}

async function main(folder: string, rounds: number): Promise<Measured> {
  const ledger = await Ledger.open(folder);
  const files = readdirSync(folder)
    .filter((name) => dayOf(name) !== undefined)
    .map((name) => literal(join(folder, name, DAY_FILE)));
  const bareEngine = await Engine.start('512MB');
  const works = [
    () => bareEngine.query(`${BARE} FROM read_parquet([${files.join(', ')}]) GROUP BY ALL`),
    ...ANALYSES.map(
      ({ run }) =>
        () =>
          run(ledger),
    ),
  ];
  const times = works.map((): number[] => []);
  // in turns, so that other work on the machine slows all of them alike; the first round fills the caches
  for (let round = 0; round <= rounds; round++) {
    for (const [index, work] of works.entries()) {
      const taken = await milliseconds(work);
      if (round > 0) {
        times[index]?.push(taken);
      }
    }
  }
  bareEngine.close();
  await ledger.close();
  const [bare = [], ...analyses] = times;
  return {
    bare: median(bare),
    analyses: Object.fromEntries(ANALYSES.map(({ name }, index) => [name, median(analyses[index] ?? [])])),
    memoryMiB: process.resourceUsage().maxRSS / 1024,
  };
}

void main(process.argv[2] ?? '', Number(process.argv[3])).then((measured) => console.log(JSON.stringify(measured)));
