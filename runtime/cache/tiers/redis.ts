import { TierServerError, type CacheTier } from '../tier';
import type { RedisConnection } from './redis-connection';

/** Entries in Redis or Valkey, under their own keys with their own expiry. */
export class RedisTier implements CacheTier {
  readonly name = 'redis';

  constructor(private readonly connection: RedisConnection) {}

  async get(keys: readonly string[]): Promise<Uint8Array | undefined> {
    const [key] = keys;
    if (keys.length === 1 && key !== undefined) {
      return (await this.command<Buffer | null>(['GET', key])) ?? undefined;
    }
    const found = await this.command<(Buffer | null)[]>(['MGET', ...keys]);
    return found.find((entry) => entry !== null) ?? undefined;
  }

  async set(key: string, sealed: Uint8Array, ttlMs: number): Promise<void> {
    const { buffer, byteOffset, byteLength } = sealed;
    await this.command(['SET', key, Buffer.from(buffer, byteOffset, byteLength), 'PX', String(ttlMs)]);
  }

  async delete(keys: readonly string[]): Promise<void> {
    await this.command(['UNLINK', ...keys]);
  }

  close(): Promise<void> {
    this.connection.close();
    return Promise.resolve();
  }

  private async command<T>(args: readonly (string | Buffer)[]): Promise<T> {
    try {
      return await this.connection.command<T>(args);
    } catch (error) {
      throw isRefusal(error) ? new TierServerError(error) : error;
    }
  }
}

/** A reply such as `OOM command not allowed`, unlike a lost connection. */
function isRefusal(error: unknown): boolean {
  return error instanceof Error && /^(OOM|NOPERM|MISCONF|READONLY|WRONGTYPE|ERR|NOAUTH)\b/.test(error.message);
}
