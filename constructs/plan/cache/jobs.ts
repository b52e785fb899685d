import type { DatabaseTierConfig } from './config';
import { CACHE_MIGRATIONS } from './database';

/** What the Job that makes the tables is told. */
export interface MigrationConfig {
  /** The database as the owner of its tables reaches it. */
  readonly database: DatabaseTierConfig;
  /** Role that may use the tables; absent where the owner itself does. */
  readonly grantTo?: string;
}

/**
 * What lets a role use the tables that another one owns.
 *
 * @param role name of the role, quoted as SQL wants it
 */
export function cacheGrants(role: string): string {
  const tables = CACHE_MIGRATIONS.flatMap((step) =>
    [...step.matchAll(/CREATE TABLE (?:IF NOT EXISTS )?(\w+)/g)].map(([, table]) => table),
  );
  return `GRANT SELECT, INSERT, UPDATE, DELETE ON ${tables.join(', ')} TO ${role}`;
}
