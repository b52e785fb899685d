import { Chart, Size, type App } from 'cdk8s';
import { Priority, TieredCache, type TieredCacheProps } from 'mediform';

/** The shared tiers: Redis and Memcached in the cluster, a database of the cloud below them. */
const TIERS: Pick<TieredCacheProps, 'tls' | 'redis' | 'memcached' | 'database'> = {
  tls: { issuer: { name: 'hospital-internal' } },
  redis: {
    password: { secret: 'results-redis', key: 'password' },
    memory: Size.gibibytes(16),
    persistence: { size: Size.gibibytes(24), storageClass: 'gp3-encrypted' },
  },
  memcached: { servers: 3, memory: Size.gibibytes(8) },
  database: {
    host: 'results.cluster-c1x2y3z4.eu-central-1.rds.amazonaws.com',
    database: 'results',
    user: 'results_app',
    password: { secret: 'results-database', key: 'password' },
    owner: { user: 'results_owner', password: { secret: 'results-database-owner', key: 'password' } },
    authority: { configMap: 'rds-authorities', key: 'eu-central-1-bundle.pem' },
    cidr: '10.20.0.0/16',
  },
};

/**
 * What the services have computed, kept for a week (diagnoses) or a day (knowledge). Only what is named here is secret, and
 * each namespace that uses the cache has it too.
 */
export function resultCache(app: App, tiers = TIERS): TieredCache {
  const chart = new Chart(app, 'cache', { namespace: 'cache' });
  return new TieredCache(chart, 'results', {
    ...tiers,
    keyspace: 'production.results',
    keyRing: { secret: 'results-keyring', key: 'keyring.json' },
    priority: Priority.EMERGENCY,
    warmUp: { schedule: '40 6 * * 1-5', timeZone: 'Europe/Berlin', maxEntries: 5_000 },
    monitoring: { labels: { release: 'prometheus' } },
  });
}
