import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { MemcachedTierConfig } from '../../../constructs/plan/cache/config';
import { Problems } from '../../../constructs/plan/errors';
import { readSecret } from '../secrets';
import type { CacheTier } from '../tier';
import { MemcachedConnection, MemcachedRefusal } from './memcached-connection';

interface Server {
  readonly name: string;
  readonly connection: MemcachedConnection;
}

/** More seconds than this memcached takes for a date. */
const MAX_RELATIVE_SECONDS = 2_592_000;

/**
 * Entries in Memcached. Each key has one server, by rendezvous hashing: a server that comes or goes moves only its own
 * share of the keys.
 */
export class MemcachedTier implements CacheTier {
  readonly name = 'memcached';
  private readonly servers: readonly Server[];

  constructor(config: MemcachedTierConfig) {
    const { caFile, certificateFile, keyFile, passwordFile, servers, tls = true, username } = config;
    const login =
      username === undefined || passwordFile === undefined
        ? undefined
        : { username, password: readSecret(passwordFile) };
    const problems = new Problems();
    problems.check(
      login === undefined || !/\s/.test(login.password),
      'memcached.passwordFile',
      passwordFile,
      'hold a password without white space',
      'the server takes no other',
    );
    problems.throwIfAny();
    const trusted = caFile === undefined ? {} : { ca: readFileSync(caFile, 'utf8') };
    const shown = certificateFile === undefined || keyFile === undefined ? {} : { certificateFile, keyFile };
    this.servers = servers.map((name) => {
      const [, host = '', port = ''] = /^\[?(.*?)\]?:(\d+)$/.exec(name) ?? [];
      const connection = new MemcachedConnection({
        host,
        port: Number(port),
        ...(tls && { tls: { ...trusted, ...shown } }),
        ...(login !== undefined && { login }),
      });
      return { name, connection };
    });
  }

  async get(keys: readonly string[]): Promise<Uint8Array | undefined> {
    // all at once, since they share a connection
    const replies = await Promise.all(keys.map((key) => this.connection(key).command(`mg ${key} v`)));
    return replies.find(({ value }) => value !== undefined)?.value;
  }

  async set(key: string, sealed: Uint8Array, ttlMs: number): Promise<void> {
    // whole seconds, and never a longer time; 0 would mean for ever, and less than a second is not worth it
    const seconds = Math.min(Math.floor(ttlMs / 1000), MAX_RELATIVE_SECONDS);
    if (seconds < 1) {
      return;
    }
    const { code } = await this.connection(key).command(`ms ${key} ${sealed.byteLength} T${seconds}`, sealed);
    if (code !== 'HD') {
      throw new MemcachedRefusal(code);
    }
  }

  async delete(keys: readonly string[]): Promise<void> {
    await Promise.all(keys.map((key) => this.connection(key).command(`md ${key}`)));
  }

  refused(error: unknown): boolean {
    return error instanceof MemcachedRefusal;
  }

  close(): Promise<void> {
    this.servers.forEach(({ connection }) => connection.close());
    return Promise.resolve();
  }

  private connection(key: string): MemcachedConnection {
    const [first, ...others] = this.servers;
    let best = first as Server;
    if (others.length > 0) {
      const weight = ({ name }: Server): number =>
        createHash('sha256').update(`${name} ${key}`).digest().readUIntBE(0, 6);
      let most = weight(best);
      for (const server of others) {
        const own = weight(server);
        [best, most] = own > most ? [server, own] : [best, most];
      }
    }
    return best.connection;
  }
}
