/** Processes that share a cache on real servers. */
import { randomBytes } from 'node:crypto';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createMedicalCache, migrate, type CacheConfig, type CacheQuery, type MedicalCache } from 'mediform/cache';
import { Registry } from 'prom-client';
import { Processes } from './processes';
import { startMemcached, startPostgres, startRedis, type Store } from './stores';
import { allAnswered } from './wait';

/** What an opened cache's metrics say, by name and labels. */
export type Metrics = (pattern: RegExp) => Promise<number>;

export interface OpenedCache {
  readonly cache: MedicalCache;
  /** Sum of the samples whose line matches. */
  readonly metrics: Metrics;
}

type Stores = Required<Pick<CacheConfig, 'redis' | 'memcached' | 'database'>>;

/** So long that a busy machine is not taken for a server that hangs. */
export const PATIENT = { deadlineMs: 5_000 };

/** The three servers, and caches on them. */
export class CacheFleet {
  readonly keyRingFile: string;
  private readonly keys: { [name: string]: string } = {};
  private readonly caches: MedicalCache[] = [];
  private readonly loads: (() => void)[] = [];

  private constructor(
    readonly processes: Processes,
    readonly redis: Store<Stores['redis']>,
    readonly memcached: Store<Stores['memcached']>,
    readonly postgres: Store<Stores['database']>,
  ) {
    this.keyRingFile = join(processes.folder, 'keyring.json');
    this.writeRing('first', ['first']);
  }

  static async start(): Promise<CacheFleet> {
    const processes = await Processes.start();
    const [redis, memcached, postgres] = await Promise.all([
      startRedis(processes, { tls: true, password: 'only-for-tests' }),
      startMemcached(processes, { tls: true, password: 'only-for-tests' }),
      startPostgres(processes, { tls: true }),
    ]);
    await migrate(postgres.config);
    return new CacheFleet(processes, redis, memcached, postgres);
  }

  /** Writes the key ring; keys that are new are made. */
  writeRing(current: string, names: readonly string[]): void {
    names.forEach((name) => (this.keys[name] ??= randomBytes(32).toString('base64')));
    const keys = Object.fromEntries(names.map((name) => [name, this.keys[name]]));
    // at once, as Kubernetes does it: nobody reads a half
    writeFileSync(`${this.keyRingFile}.new`, JSON.stringify({ current, keys }));
    renameSync(`${this.keyRingFile}.new`, this.keyRingFile);
  }

  /** Replaces the first key by a second one while processes run. */
  async rotate(): Promise<void> {
    // each step reaches every process before the next: they look every five seconds
    for (const [current, names] of [
      ['first', ['first', 'second']],
      ['second', ['first', 'second']],
      ['second', ['second']],
    ] as const) {
      this.writeRing(current, names);
      await sleep(8_000);
    }
  }

  /**
   * A configuration with a namespace of its own, so that tests do not meet each other's entries. Tiers are waited for with
   * patience: who wants to see deadlines, which are short by default, gives tiers without.
   */
  config(more: Partial<CacheConfig> = {}): CacheConfig {
    return {
      namespace: `test-${randomBytes(4).toString('hex')}`,
      keyRingFile: this.keyRingFile,
      redis: { ...this.redis.config, ...PATIENT },
      memcached: { ...this.memcached.config, ...PATIENT },
      database: { ...this.postgres.config, ...PATIENT },
      breaker: { openMs: 300 },
      ...more,
    };
  }

  async open(config: CacheConfig): Promise<OpenedCache> {
    const registry = new Registry();
    const cache = await createMedicalCache(config, { registry, log: () => undefined });
    this.caches.push(cache);
    const metrics = async (pattern: RegExp): Promise<number> =>
      (await registry.metrics())
        .split('\n')
        .filter((line) => !line.startsWith('#') && pattern.test(line))
        .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
    return { cache, metrics };
  }

  /** Asks about studies at random until the report is asked for, and checks that each answer is that study's. */
  load(caches: readonly MedicalCache[], studies: number, atATime = 8): Load {
    const load = startLoad(caches, studies, atATime);
    this.loads.push(load.end);
    return load;
  }

  /** Ends loads and closes the caches; servers go on. */
  async closeCaches(): Promise<void> {
    this.loads.splice(0).forEach((end) => end());
    await Promise.all(this.caches.splice(0).map((cache) => cache.close()));
  }

  async stop(): Promise<void> {
    await this.closeCaches();
    await this.processes.stop();
  }
}

/** A question about the image of a study. */
export function study(index: number): CacheQuery {
  return {
    content: Buffer.from(`pixels of study ${index}`),
    model: 'resnet50',
    modelVersion: '1.0.0',
    preprocessingVersion: '1',
    ids: [`study-${index}`],
  };
}

/** What callers saw under a load. */
export interface LoadReport {
  readonly calls: number;
  readonly computations: number;
  /** Answers of each tier. */
  readonly byTier: { readonly [tier: string]: number };
}

export interface Load {
  readonly end: () => void;
  readonly allAnswered: () => Promise<unknown>;
  /** Ends it. */
  readonly report: () => Promise<LoadReport>;
}

function startLoad(caches: readonly MedicalCache[], studies: number, atATime: number): Load {
  let [computations, over] = [0, false];
  const answered = Array<number>(atATime).fill(0);
  const byTier: { [tier: string]: number } = {};
  const failures: unknown[] = [];
  const worker = async (number: number): Promise<void> => {
    const cache = caches[number % caches.length] as MedicalCache;
    while (!over) {
      const index = Math.floor(Math.random() * studies);
      try {
        const { tier, value } = await cache.diagnosis.getOrCompute(study(index), () => {
          computations++;
          return Promise.resolve({ value: { body: Buffer.from(`diagnosis ${index}`) } });
        });
        byTier[tier] = (byTier[tier] ?? 0) + 1;
        if (value === undefined || Buffer.from(value.body).toString() !== `diagnosis ${index}`) {
          failures.push(new Error(`study ${index} was answered with another one's diagnosis`));
        }
      } catch (error) {
        failures.push(error);
      }
      answered[number] = (answered[number] ?? 0) + 1;
      await sleep(1);
    }
  };
  const workers = Array.from({ length: atATime }, (_, number) => worker(number));
  const end = (): void => {
    over = true;
  };
  const report = async (): Promise<LoadReport> => {
    end();
    await Promise.all(workers);
    const calls = answered.reduce((sum, count) => sum + count, 0);
    if (failures.length > 0) {
      throw new AggregateError(
        failures.slice(0, 3),
        `${failures.length} of ${calls} calls failed: ${String(failures[0])}`,
      );
    }
    return { calls, computations, byTier };
  };
  return { end, allAnswered: () => allAnswered(answered), report };
}
