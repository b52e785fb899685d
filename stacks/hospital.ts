/** The hospital of examples/03-hospital, and what it is made of where the cloud is provisioned with it. */
import { App } from 'cdk8s';
import { resultCache } from '../examples/03-hospital/cache';
import { costs } from '../examples/03-hospital/costs';
import { platform } from '../examples/03-hospital/platform';
import { services } from '../examples/03-hospital/services';
import { AppFacts } from '../constructs/app-facts';
import type { NodePoolSpec } from '../constructs/plan/node-pools/spec';
import { neededKeys } from './inference-platform';
import type { NeededKey } from './references';

/** Where that is which AWS keeps: the tiers of the cache, and the cost ledger. Each is text, or a placeholder for it. */
export interface CloudPlaces {
  readonly redisHost: string;
  readonly redisUser: string;
  readonly memcachedHosts: readonly string[];
  readonly databaseHost: string;
  readonly database: string;
  readonly databaseUser: string;
  /** `s3://bucket/prefix` */
  readonly ledger: string;
}

/** Stands for what is not there yet, where only the shape of the charts counts. */
export const DRAFT: CloudPlaces = {
  redisHost: 'redis.invalid',
  redisUser: 'draft',
  memcachedHosts: ['memcached.invalid'],
  databaseHost: 'database.invalid',
  database: 'draft',
  databaseUser: 'draft',
  ledger: 's3://draft/ledger',
};

/** Region of the node pools. */
export const REGION = 'eu-central-1';
/** Zones of the node pools. */
export const ZONES = ['a', 'b', 'c'].map((zone) => `${REGION}${zone}`);
/** Secrets that come from AWS where it runs the places. */
export const REDIS_SECRET = 'results-redis';
export const DATABASE_SECRET = 'results-database';
/** ConfigMap of prometheus-adapter's rules. */
export const ADAPTER_RULES = 'hospital-adapter-rules';

/** The charts, with the cache in the cluster and a database elsewhere. */
export function hospital(): App {
  const app = new App();
  platform(app);
  services(app, resultCache(app));
  costs(app);
  return app;
}

/**
 * The charts, with all tiers of the cache and the cost ledger elsewhere.
 *
 * @param tags of the nodes
 */
export function hospitalOnAws(tags: { readonly [key: string]: string }, places: CloudPlaces): App {
  const app = new App();
  platform(app, tags);
  const password = (secret: string): { readonly secret: string; readonly key: string } => ({ secret, key: 'password' });
  const cache = resultCache(app, {
    redis: { endpoint: places.redisHost, username: places.redisUser, password: password(REDIS_SECRET) },
    memcached: { endpoints: places.memcachedHosts },
    database: {
      host: places.databaseHost,
      database: places.database,
      user: places.databaseUser,
      password: password(DATABASE_SECRET),
      authority: { configMap: 'rds-authorities', key: `${REGION}-bundle.pem` },
    },
  });
  services(app, cache);
  costs(app, places.ledger);
  return app;
}

/** Specs of all node pools of an app. */
export function poolsOf(app: App): NodePoolSpec[] {
  return [...AppFacts.of(app).nodePools.values()];
}

/** What the pods need that neither a chart nor, with the cloud, AWS brings. */
export function missingKeys(cloud: boolean): NeededKey[] {
  if (!cloud) {
    return neededKeys(hospital());
  }
  const fromAws = [REDIS_SECRET, DATABASE_SECRET];
  return neededKeys(hospitalOnAws({}, DRAFT)).filter(({ kind, name }) => kind !== 'Secret' || !fromAws.includes(name));
}
