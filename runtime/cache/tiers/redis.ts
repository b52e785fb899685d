import type { CacheTier } from '../tier';
import type { RedisConnection } from './redis-connection';

/** Entries in Redis or Valkey, under their own keys with their own expiry. */
export class RedisTier implements CacheTier {
  readonly name = 'redis';

  constructor(private readonly connection: RedisConnection) {}

  get(keys: readonly string[]): Promise<Uint8Array | null | undefined> {
    const [key] = keys;
    if (keys.length === 1 && key !== undefined) {
      return this.connection.command<Buffer | null>(['GET', key]);
    }
    const found = this.connection.command<(Buffer | null)[]>(['MGET', ...keys]);
    return found.then((entries) => entries.find((entry) => entry !== null));
  }

  async set(key: string, sealed: Uint8Array, ttlMs: number): Promise<void> {
    const { buffer, byteOffset, byteLength } = sealed;
    await this.connection.command(['SET', key, Buffer.from(buffer, byteOffset, byteLength), 'PX', String(ttlMs)]);
  }

  async delete(keys: readonly string[]): Promise<void> {
    await this.connection.command(['UNLINK', ...keys]);
  }

  /** A reply such as `OOM command not allowed`, unlike a lost connection. */
  refused(error: unknown): boolean {
    return error instanceof Error && /^(OOM|NOPERM|MISCONF|READONLY|WRONGTYPE|ERR|NOAUTH)\b/.test(error.message);
  }

  close(): Promise<void> {
    this.connection.close();
    return Promise.resolve();
  }
}
