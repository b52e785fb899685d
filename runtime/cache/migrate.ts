import type { DatabaseTierConfig } from '../../constructs/plan/cache/config';

/** Makes or brings up to date the tables of the database tier. Several at a time wait for each other. */
export function migrate(config: DatabaseTierConfig): Promise<void> {
  void config;
  throw new Error('to come');
}
