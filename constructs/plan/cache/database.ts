/**
 * Steps that make the tables of the database tier, in order; the index of a step plus one is its version. Steps are only
 * ever added. `migrate()` of `mediform/cache` runs those that are missing, each in a transaction.
 */
export const CACHE_MIGRATIONS: readonly string[] = [
  `CREATE TABLE mediform_cache_entries (
     key text PRIMARY KEY,
     value bytea NOT NULL,
     seq bigint NOT NULL,
     expires_at timestamptz NOT NULL,
     stored_at timestamptz NOT NULL DEFAULT now()
   );
   CREATE INDEX mediform_cache_entries_expires_at ON mediform_cache_entries (expires_at);
   CREATE INDEX mediform_cache_entries_stored_at ON mediform_cache_entries (stored_at);
   CREATE TABLE mediform_cache_log_heads (
     namespace text PRIMARY KEY,
     incarnation bigint NOT NULL,
     seq bigint NOT NULL
   );
   CREATE TABLE mediform_cache_log (
     namespace text NOT NULL,
     seq bigint NOT NULL,
     data_type text NOT NULL,
     data_id text NOT NULL,
     recorded_at timestamptz NOT NULL DEFAULT now(),
     PRIMARY KEY (namespace, seq)
   );
   CREATE TABLE mediform_cache_leases (
     key text PRIMARY KEY,
     owner text NOT NULL,
     expires_at timestamptz NOT NULL
   );`,
];

/** Table that records which steps have run. */
export const CACHE_MIGRATIONS_TABLE = 'mediform_cache_migrations';
