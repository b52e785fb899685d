import { App, Chart, Testing } from 'cdk8s';
import { TieredCache, type MedicalInferenceServiceProps, type TieredCacheProps } from '../../constructs';
import { findObject, type KubeObject } from '../../constructs/testing';
import { CPU_SERVICE } from './app';

/** An entry of a Secret. */
export const secret = (name: string): { secret: string; key: string } => ({ secret: `results-${name}`, key: name });

/** Servers in the cluster, and a database elsewhere. */
export const IN_CLUSTER: TieredCacheProps = {
  keyRing: secret('keyring'),
  redis: { password: secret('redis') },
  memcached: {},
  database: { host: 'db.hospital.example', database: 'cache', user: 'results', password: secret('database') },
  tls: { issuer: { name: 'hospital' } },
};

/** Nothing in the cluster. */
export const ELSEWHERE: TieredCacheProps = {
  keyRing: secret('keyring'),
  redis: { endpoint: 'redis.hospital.example', password: secret('redis') },
  memcached: { endpoints: ['memcached.hospital.example:11311'], cidr: '10.3.0.0/16' },
  database: {
    ...(IN_CLUSTER.database as NonNullable<TieredCacheProps['database']>),
    authority: { configMap: 'rds', key: 'ca.pem' },
  },
};

/** A chart in the namespace `caches`, in an app of its own. */
export function cacheChart(): Chart {
  return new Chart(new App(), 'test', { namespace: 'caches' });
}

/** All objects of a cache `results` with some properties of its own. */
export function renderCache(props: Partial<TieredCacheProps> = {}, base = IN_CLUSTER): KubeObject[] {
  const chart = cacheChart();
  new TieredCache(chart, 'results', { ...base, ...props });
  return Testing.synth(chart) as KubeObject[];
}

/** One object of such a cache. */
export function renderedOf<T>(
  kind: string,
  name: string,
  props?: Partial<TieredCacheProps>,
  base?: TieredCacheProps,
): T {
  return findObject(renderCache(props, base), kind, name) as unknown as T;
}

/** A service that keeps its answers in a cache. */
export const cachedService = (cache: TieredCache): MedicalInferenceServiceProps => ({
  ...CPU_SERVICE,
  model: { ...CPU_SERVICE.model, preprocessingVersion: '1' },
  cache,
  gateway: { routes: [{ path: '/v1/search', cache: { kind: 'knowledge' } }] },
});
