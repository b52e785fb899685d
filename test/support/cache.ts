/** A cache whose servers are in memory, can be taken away, and live by a clock that the test turns. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import type { CacheConfig } from '../../constructs/plan/cache/config';
import type { SharedTier } from '../../constructs/plan/cache/kinds';
import { assembleCache, type CacheDeps } from '../../runtime/cache/assemble';
import { Breaker } from '../../runtime/cache/breaker';
import { Guard, GuardedTier } from '../../runtime/cache/guarded-tier';
import { Leases, type LeaseStore } from '../../runtime/cache/leases';
import type { LogEvent, LogRecord } from '../../runtime/cache/log-view';
import type { LogStore } from '../../runtime/cache/logs/log-store';
import type { connectStores } from '../../runtime/cache/stores';
import type { CacheTier } from '../../runtime/cache/tier';
import type { CacheQuery, LogPosition, MedicalCache } from '../../runtime/cache/types';

/** Time that stands still until it is moved. */
export class Clock {
  constructor(public ms = Date.UTC(2026, 0, 1)) {}
  readonly now = (): number => this.ms;
  pass(seconds: number): void {
    this.ms += seconds * 1000;
  }
}

/** What a server holds, for as many processes as connect to it. */
export class MemoryServer {
  readonly entries = new Map<string, { readonly sealed: Uint8Array; readonly until: number; readonly ttlMs: number }>();
  readonly leases = new Map<string, string>();
  readonly records: LogRecord[] = [];
  incarnation = 1;
  /** Does not answer. */
  down = false;
  gets = 0;

  constructor(private readonly clock: Clock) {}

  answer<T>(give: () => T): Promise<T> {
    return this.down ? Promise.reject(new Error('down')) : Promise.resolve().then(give);
  }

  tier(name: SharedTier): CacheTier {
    return {
      name,
      get: (keys) =>
        this.answer(() => {
          this.gets++;
          const held = keys.map((key) => this.entries.get(key)).find((entry) => entry !== undefined);
          return held !== undefined && held.until > this.clock.now() ? held.sealed : undefined;
        }),
      set: (key, sealed, ttlMs) =>
        this.answer(() => {
          this.entries.set(key, { sealed, ttlMs, until: this.clock.now() + ttlMs });
        }),
      delete: (keys) => this.answer(() => keys.forEach((key) => this.entries.delete(key))),
      refused: () => false,
      close: () => Promise.resolve(),
      ...(name === 'database' && { recent: (prefix: string, limit: number) => this.recent(prefix, limit) }),
    };
  }

  log(name: 'redis' | 'database'): LogStore {
    return {
      name,
      head: () => this.answer(() => ({ incarnation: this.incarnation, seq: this.records.length })),
      read: (after, limit) => this.answer(() => this.records.slice(after, after + limit)),
      append: (events: readonly LogEvent[], incarnation) =>
        this.answer(() => {
          if (incarnation !== this.incarnation) {
            throw new Error('another life');
          }
          const at = this.clock.now();
          events.forEach((event) => this.records.push({ ...event, seq: this.records.length + 1, at }));
          return this.records.length;
        }),
      renew: ({ incarnation }: LogPosition) =>
        this.answer(() => {
          this.incarnation += incarnation === this.incarnation ? 1 : 0;
        }),
      wait: () => new Promise((resolve) => setTimeout(resolve, 1).unref()),
      close: () => undefined,
    };
  }

  leaseStore(): LeaseStore {
    return {
      acquire: (key, owner) =>
        this.answer(() => {
          const free = !this.leases.has(key);
          if (free) {
            this.leases.set(key, owner);
          }
          return free;
        }),
      renew: () => Promise.resolve(),
      release: (key, owner) =>
        this.answer(() => {
          if (this.leases.get(key) === owner) {
            this.leases.delete(key);
          }
        }),
    };
  }

  private async *recent(prefix: string, limit: number): AsyncIterable<{ key: string; sealed: Uint8Array }> {
    const stored = await this.answer(() => [...this.entries].filter(([key]) => key.startsWith(prefix)));
    for (const [key, { sealed }] of stored.reverse().slice(0, limit)) {
      yield { key, sealed };
    }
  }
}

/** Servers of a fleet, and the processes that share them. */
export class Fleet {
  readonly clock = new Clock();
  readonly servers = {
    redis: new MemoryServer(this.clock),
    memcached: new MemoryServer(this.clock),
    database: new MemoryServer(this.clock),
  };
  readonly folder = mkdtempSync(join(tmpdir(), 'mediform-cache-'));
  readonly keyRingFile = join(this.folder, 'keyring.json');
  readonly keys: { [name: string]: string } = { first: randomBytes(32).toString('base64') };
  private readonly caches: MedicalCache[] = [];

  constructor() {
    this.writeRing('first');
  }

  writeRing(current: string, names = Object.keys(this.keys)): void {
    const keys = Object.fromEntries(names.map((name) => [name, this.keys[name]]));
    writeFileSync(this.keyRingFile, JSON.stringify({ current, keys }));
  }

  /** Another process; with random numbers that never refresh early and never add jitter. */
  async process(
    tiers: readonly SharedTier[] = ['redis', 'memcached', 'database'],
    config: Partial<CacheConfig> = {},
    deps: CacheDeps = {},
  ): Promise<MedicalCache> {
    const cache = await assembleCache(
      {
        namespace: 'test',
        keyRingFile: this.keyRingFile,
        ...(tiers.includes('redis') && { redis: { url: 'redis://127.0.0.1:1' } }),
        ...(tiers.includes('memcached') && { memcached: { servers: ['127.0.0.1:1'] } }),
        ...(tiers.includes('database') && { database: { host: '127.0.0.1', database: 'd', user: 'u' } }),
        ...config,
      },
      { registry: new Registry(), log: () => undefined, now: this.clock.now, random: () => 0, ...deps },
      this.connect(tiers),
    );
    this.caches.push(cache);
    return cache;
  }

  async close(): Promise<void> {
    await Promise.all(this.caches.map((cache) => cache.close()));
    rmSync(this.folder, { recursive: true });
  }

  private connect(tiers: readonly SharedTier[]): typeof connectStores {
    return (_config, { metrics, now, random, tracer }) => {
      const guard = (tier: CacheTier): Guard =>
        new Guard(tier.name, 100, () => false, new Breaker(now, random, () => undefined), metrics, tracer);
      const guarded = tiers.map((name) => {
        const tier = this.servers[name].tier(name);
        return new GuardedTier(tier, guard(tier), { maxEntryBytes: 1_000_000 }, metrics);
      });
      const [leasing] = guarded.filter(({ name }) => name !== 'memcached');
      return Promise.resolve({
        tiers: guarded,
        logs: (['redis', 'database'] as const)
          .filter((name) => tiers.includes(name))
          .map((name) => this.servers[name].log(name)),
        leases: leasing && new Leases(this.servers[leasing.name].leaseStore(), leasing.guard),
        purge: () => Promise.resolve(),
        close: () => Promise.resolve(),
      });
    };
  }
}

/** A question about an image. */
export function imageQuery(more: Partial<CacheQuery> = {}): CacheQuery {
  return {
    content: Buffer.from('pixels'),
    model: 'resnet50',
    modelVersion: '1.0.0',
    preprocessingVersion: '1',
    ids: ['study-4711'],
    ...more,
  };
}

/** A computation that counts how often it ran; its results are numbered. */
export function counting(): {
  readonly compute: () => Promise<{ value: { body: Buffer } }>;
  readonly runs: () => number;
} {
  let runs = 0;
  return {
    compute: () => Promise.resolve({ value: { body: Buffer.from(`result ${++runs}`) } }),
    runs: () => runs,
  };
}

/** What an answer says. */
export function textOf(answer: { readonly value: { readonly body: Uint8Array } | undefined } | undefined): string {
  return answer?.value === undefined ? '(none)' : Buffer.from(answer.value.body).toString();
}

/** Lets background work of this turn of the event loop and the next 25 run, however long each takes. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 25; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
