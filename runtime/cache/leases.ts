import { randomUUID } from 'node:crypto';
import { FAILED, type Guard } from './guarded-tier';
import type { DatabaseConnection } from './tiers/database-connection';
import type { RedisConnection } from './tiers/redis-connection';

/** Where processes agree on who computes. */
export interface LeaseStore {
  /** Whether the owner has the lease now, for some time. */
  acquire(key: string, owner: string, ms: number): Promise<boolean>;
  /** Prolongs it, where it is the owner's still. */
  renew(key: string, owner: string, ms: number): Promise<void>;
  release(key: string, owner: string): Promise<void>;
}

/** A lease that this process has. */
export interface Lease {
  release(): Promise<void>;
}

/** A process that dies leaves its leases for so long. */
const LEASE_MS = 5_000;

/**
 * At most one process at a time computes a key. A lease is advice: a process that was thought dead may still come with its
 * result. That does no harm, since the result carries the place in the log of invalidations at which it was begun, which
 * fences it off where something was invalidated since.
 */
export class Leases {
  private readonly owner = randomUUID();
  private count = 0;

  constructor(
    private readonly store: LeaseStore,
    private readonly guard: Guard,
  ) {}

  /** A lease, or `held` where another has it, or undefined where nobody can tell. */
  async acquire(key: string): Promise<Lease | 'held' | undefined> {
    const owner = `${this.owner}:${++this.count}`;
    const acquired = await this.guard.run('lease', 0, () => this.store.acquire(key, owner, LEASE_MS));
    if (acquired !== true) {
      return acquired === FAILED ? undefined : 'held';
    }
    const renewing = setInterval(() => {
      void this.guard.run('lease', 0, () => this.store.renew(key, owner, LEASE_MS));
    }, LEASE_MS / 3);
    renewing.unref();
    return {
      release: async () => {
        clearInterval(renewing);
        await this.guard.run('lease', 0, () => this.store.release(key, owner));
      },
    };
  }
}

const RENEW = `if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end return 1`;
const RELEASE = `if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end return 1`;

/** Leases in Redis. */
export class RedisLeases implements LeaseStore {
  constructor(private readonly connection: RedisConnection) {}

  async acquire(key: string, owner: string, ms: number): Promise<boolean> {
    return (await this.connection.command(['SET', leaseKey(key), owner, 'NX', 'PX', String(ms)])) !== null;
  }

  async renew(key: string, owner: string, ms: number): Promise<void> {
    await this.connection.command(['EVAL', RENEW, '1', leaseKey(key), owner, String(ms)]);
  }

  async release(key: string, owner: string): Promise<void> {
    await this.connection.command(['EVAL', RELEASE, '1', leaseKey(key), owner]);
  }
}

function leaseKey(key: string): string {
  return `${key}:lease`;
}

const ACQUIRE_ROW = `INSERT INTO mediform_cache_leases AS held (key, owner, expires_at)
  VALUES ($1, $2, now() + $3::float8 * interval '1 millisecond')
  ON CONFLICT (key) DO UPDATE SET owner = excluded.owner, expires_at = excluded.expires_at
  WHERE held.expires_at <= now() RETURNING 1`;
const RENEW_ROW = `UPDATE mediform_cache_leases SET expires_at = now() + $3::float8 * interval '1 millisecond'
  WHERE key = $1 AND owner = $2`;
const RELEASE_ROW = 'DELETE FROM mediform_cache_leases WHERE key = $1 AND owner = $2';

/** Leases in PostgreSQL, for where there is no Redis. */
export class DatabaseLeases implements LeaseStore {
  constructor(private readonly connection: DatabaseConnection) {}

  async acquire(key: string, owner: string, ms: number): Promise<boolean> {
    return (await this.connection.query('cache_lease_acquire', ACQUIRE_ROW, [key, owner, ms])).length > 0;
  }

  async renew(key: string, owner: string, ms: number): Promise<void> {
    await this.connection.query('cache_lease_renew', RENEW_ROW, [key, owner, ms]);
  }

  async release(key: string, owner: string): Promise<void> {
    await this.connection.query('cache_lease_release', RELEASE_ROW, [key, owner]);
  }
}
