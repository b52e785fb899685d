import type { App } from 'cdk8s';
import type { ComponentResourceOptions } from '@pulumi/pulumi';
import {
  AwsPlatform,
  SecretSync,
  serviceTags,
  type CostExport,
  type Database,
  type MemcachedCache,
  type ValkeyCache,
} from './aws';
import type { CloudConfig } from './config';
import {
  ADAPTER_RULES,
  DATABASE_SECRET,
  DRAFT,
  REDIS_SECRET,
  ZONES,
  hospitalOnAws,
  poolsOf,
  type CloudPlaces,
} from './hospital';
import { neededKeys } from './inference-platform';
import { asString } from './outputs';

/** Nodes of the Memcached tier; each is an endpoint of its own. */
const MEMCACHED_NODES = 2;

/**
 * Provisions the cloud of the hospital, with all tiers of its cache.
 *
 * @returns the charts that use it, and how to deploy them
 */
export function onAws(config: CloudConfig): { readonly app: App; readonly options: ComponentResourceOptions } {
  const { environment, costCentre, monthlyBudgetUsd, alarmEmails, publicAccessCidrs, privateAccessCidrs } = config;
  const tags = { environment, costCentre };
  const nodeTags = serviceTags(tags, 'node-pools');
  const draft = hospitalOnAws(nodeTags, DRAFT);
  const pools = poolsOf(draft);
  const clusterName = pools[0]?.nodeClass.clusterName ?? '';
  const platform = new AwsPlatform('hospital', {
    tags,
    clusterName,
    pools: pools.map((spec) => ({ provisioner: 'karpenter', spec })),
    network: { zones: ZONES },
    cluster: { publicAccessCidrs, privateAccessCidrs },
    memcached: { nodes: MEMCACHED_NODES },
    database: { databaseName: 'results' },
    costExport: { budget: { monthlyUsd: monthlyBudgetUsd, alarmEmails } },
    addOns: { adapterRules: ADAPTER_RULES },
  });
  // undefined only where the arguments turn them off
  const stores = {
    valkey: platform.valkey as ValkeyCache,
    memcached: platform.memcached as MemcachedCache,
    database: platform.database as Database,
    costExport: platform.costExport as CostExport,
  };
  const inside = { provider: platform.kubernetes, dependsOn: [...platform.ready] };
  const secrets = new SecretSync(
    'hospital-secrets',
    {
      tags,
      clusterName: platform.cluster.clusterName,
      secrets: [
        synced(draft, REDIS_SECRET, { secretArn: stores.valkey.secretArn, keyArn: stores.valkey.keyArn }),
        synced(draft, DATABASE_SECRET, { secretArn: stores.database.adminSecretArn, keyArn: stores.database.keyArn }),
      ],
    },
    inside,
  );
  const app = hospitalOnAws(nodeTags, placesOf(stores));
  return { app, options: { ...inside, dependsOn: [...inside.dependsOn, secrets] } };
}

function placesOf({ valkey, memcached, database, costExport }: Stores): CloudPlaces {
  return {
    redisHost: asString(valkey.endpoint),
    redisUser: valkey.username,
    memcachedHosts: Array.from({ length: MEMCACHED_NODES }, (_, node) =>
      // the port is the default one
      asString(memcached.servers.apply((servers) => servers[node]?.split(':')[0] ?? '')),
    ),
    databaseHost: asString(database.endpoint),
    database: database.databaseName,
    databaseUser: database.adminUser,
    // behind its scheme, which the charts check
    ledger: `s3://${asString(costExport.ledgerUrl.apply((url) => url.replace(/^s3:\/\//, '')))}`,
  };
}

interface Stores {
  readonly valkey: ValkeyCache;
  readonly memcached: MemcachedCache;
  readonly database: Database;
  readonly costExport: CostExport;
}

/** A secret of AWS in all namespaces whose pods need it. */
function synced<From extends object>(
  app: App,
  name: string,
  from: From,
): From & { readonly name: string; readonly namespaces: readonly string[] } {
  const keys = neededKeys(app).filter((key) => key.kind === 'Secret' && key.name === name);
  return { ...from, name, namespaces: [...new Set(keys.map(({ namespace }) => namespace))] };
}
