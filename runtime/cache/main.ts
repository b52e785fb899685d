/**
 * What Jobs do for a cache: `migrate` makes the tables of the database tier, `warm-up` fills the tiers above it. The
 * configuration is at `CACHE_PATHS.config`, or where MEDIFORM_CONFIG says. Tells in one JSON line what was done.
 */
import { readFileSync } from 'node:fs';
import { CACHE_PATHS, type CacheConfig } from '../../constructs/plan/cache/config';
import { cacheGrants, type MigrationConfig } from '../../constructs/plan/cache/jobs';
import { CONFIG_VARIABLE } from '../../constructs/plan/gateway/names';
import { createMedicalCache } from './create';
import { migrate } from './migrate';
import { databaseOptions } from './tiers/database-connection';

const COMMANDS: { readonly [command: string]: (config: unknown) => Promise<object> } = {
  migrate: async (config) => {
    const { database, grantTo } = config as MigrationConfig;
    const steps = await migrate(database);
    if (grantTo !== undefined) {
      await grant({ database, grantTo });
    }
    return { event: 'migrated', steps };
  },
  'warm-up': async (config) => {
    const cache = await createMedicalCache(config as CacheConfig);
    try {
      return { event: 'warmed-up', entries: await cache.optimizer.warmUp() };
    } finally {
      await cache.close();
    }
  },
};

/** Lets a role use the tables. To grant what was granted changes nothing. */
async function grant({ database, grantTo }: Required<MigrationConfig>): Promise<void> {
  const pg = await import('pg');
  const client = new pg.default.Client(databaseOptions(database));
  await client.connect();
  try {
    await client.query(cacheGrants(pg.default.escapeIdentifier(grantTo)));
  } finally {
    await client.end();
  }
}

async function main(command = ''): Promise<void> {
  const run = COMMANDS[command];
  if (run === undefined) {
    throw new Error(`'command' (${command}) must be one of ${Object.keys(COMMANDS).join(', ')}`);
  }
  const path = process.env[CONFIG_VARIABLE] ?? CACHE_PATHS.config;
  console.log(JSON.stringify(await run(JSON.parse(readFileSync(path, 'utf8')) as unknown)));
}

main(process.argv[2]).catch((error: unknown) => {
  console.error(JSON.stringify({ event: 'failed', command: process.argv[2], error: String(error) }));
  process.exitCode = 1;
});
