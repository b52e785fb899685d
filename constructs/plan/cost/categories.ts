/**
 * What a row of the ledger pays for.
 *
 * - `gpu`, `cpu`: the part of a node that pods held; `cpu` includes the memory
 * - `storage`: volumes of the cluster
 * - `network`: traffic
 * - `api`: models, by tokens, calls or seconds; also the row that counts a service's calls, at no cost, where a model runs
 *   on nodes of the cluster
 * - `data_storage`: where data is kept outside of the cluster's volumes: buckets, databases, backups
 * - `people`: hours of development, operations and review
 * - `idle`: what was paid for and nobody held
 * - `shared`: what serves all: control plane, monitoring, load balancers
 */
export const CostCategory = {
  GPU: 'gpu',
  CPU: 'cpu',
  STORAGE: 'storage',
  NETWORK: 'network',
  API: 'api',
  DATA_STORAGE: 'data_storage',
  PEOPLE: 'people',
  IDLE: 'idle',
  SHARED: 'shared',
} as const;

/** What a row of the ledger pays for: `gpu`, `cpu`, `storage`, ... */
export type CostCategory = (typeof CostCategory)[keyof typeof CostCategory];

/** The four groups that a day's total is made of. */
export type CostGroup = 'infrastructure' | 'inference' | 'storage' | 'people';

/** Group of each category: `total = infrastructure + inference + storage + people`. */
export const COST_GROUPS: { readonly [C in CostCategory]: CostGroup } = {
  gpu: 'infrastructure',
  cpu: 'infrastructure',
  storage: 'infrastructure',
  network: 'infrastructure',
  idle: 'infrastructure',
  shared: 'infrastructure',
  api: 'inference',
  data_storage: 'storage',
  people: 'people',
};

/** All categories, in the order in which reports show them. */
export const COST_CATEGORIES: readonly CostCategory[] = Object.values(CostCategory);

/**
 * How sure an amount is.
 *
 * - `billed`: the provider's bill says so
 * - `metered`: measured usage times a dated price; the bill may still correct it
 * - `declared`: somebody wrote it down: hours of people, flat shared costs
 */
export type Confidence = 'billed' | 'metered' | 'declared';
