/** The page on costs says what the components really make by default, and adds it up. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AddOns } from '../../../stacks/aws/add-ons/add-ons';
import { planSystemNodes } from '../../../stacks/aws/cluster/system-nodes';
import { Database } from '../../../stacks/aws/database';
import { MemcachedCache } from '../../../stacks/aws/memcached-cache';
import { ZONES } from '../../../stacks/aws/network/args';
import { NODE_SERVICES } from '../../../stacks/aws/network/endpoints';
import { ValkeyCache } from '../../../stacks/aws/valkey-cache';
import { recordGraph } from '../../support/aws-graph';
import { PLACE, TAGS } from '../../support/aws-stores';

const PAGE = readFileSync(join(__dirname, '../../../docs/aws-costs.md'), 'utf8');
const HOURS = 730;

/** Cells of the table rows below a heading. */
function rows(heading: string): string[][] {
  const [, after = ''] = PAGE.split(heading);
  const [section = ''] = after.split(/^## /m);
  return section
    .split('\n')
    .filter((line) => line.startsWith('|') && !line.includes('---'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll('*', '')),
    );
}

const number = (cell: string | undefined): number => Number(cell?.replaceAll(',', ''));
const parts = rows('# What AWS costs').slice(1, 15);
const prices = rows('## Prices').slice(1);

function monthly(made: RegExp): number {
  const row = parts.find(([, what]) => made.test(what ?? ''));
  return number(row?.[2]);
}

function price(what: RegExp): number {
  const row = prices.find(([name]) => what.test(name ?? ''));
  return number(row?.[1]);
}

test('adds up', () => {
  const sum = parts.at(-1);
  expect(sum?.[0]).toBe('sum');
  const total = parts.slice(0, -1).reduce((all, [, , usd]) => all + number(usd), 0);
  expect(total).toBe(number(sum?.[2]));
});

test('is of the stores that are made', async () => {
  const graph = await recordGraph(
    () => {
      const args = { tags: TAGS, ...PLACE };
      new ValkeyCache('hot', args);
      new MemcachedCache('common', args);
      new Database('results', args);
    },
    {
      calls: { 'aws:secretsmanager/getRandomPassword:getRandomPassword': { randomPassword: 'x' } },
      outputs: {
        'aws:elasticache/cluster:Cluster': () => ({ cacheNodes: [] }),
        'aws:rds/instance:Instance': () => ({ masterUserSecrets: [], resourceId: 'db' }),
      },
    },
  );
  const valkey = graph.only('aws:elasticache/replicationGroup:ReplicationGroup').inputs;
  const memcached = graph.only('aws:elasticache/cluster:Cluster').inputs;
  const database = graph.only('aws:rds/instance:Instance').inputs;
  const nodes = (count: unknown, type: unknown) => `${String(count)} × ${String(type)}`;
  expect(parts.map(([, what]) => what)).toEqual(
    expect.arrayContaining([
      `${nodes(valkey.numCacheClusters, valkey.nodeType)}, Valkey`,
      `${nodes(memcached.numCacheNodes, memcached.nodeType)}, Memcached`,
      `${String(database.instanceClass)}, PostgreSQL, in two zones`,
      `${String(database.allocatedStorage)} GB gp3, in two zones`,
    ]),
  );
  const of = (count: unknown, hourly: number) => Math.round(Number(count) * hourly * HOURS);
  expect(monthly(/Valkey/)).toBe(of(valkey.numCacheClusters, price(/Valkey/)));
  expect(monthly(/Memcached/)).toBe(of(memcached.numCacheNodes, price(/Memcached/)));
  expect(monthly(/PostgreSQL/)).toBe(of(2, price(/PostgreSQL/)));
  expect(monthly(/100 GB gp3/)).toBe(Math.round(2 * Number(database.allocatedStorage) * price(/storage of RDS/)));
});

test('is of the network and nodes that are made', () => {
  const { instanceTypes, minNodes, volumes } = planSystemNodes({});
  const [volume] = volumes;
  const made = parts.map(([, what]) => what);
  expect(made).toContain(`${minNodes} system nodes, ${instanceTypes[0]}`);
  expect(made).toContain(`their volumes, ${minNodes} × ${volume?.sizeGiB} GB gp3`);
  expect(made).toContain(`${ZONES} NAT gateways with an address each`);
  expect(made).toContain(`${NODE_SERVICES.length} interface endpoints in ${ZONES} zones (S3's is free)`);
  expect(monthly(/system nodes/)).toBe(Math.round(minNodes * price(/m6i.xlarge/) * HOURS));
  expect(monthly(/their volumes/)).toBe(Math.round(minNodes * (volume?.sizeGiB ?? 0) * price(/^gp3 volume/)));
  expect(monthly(/NAT/)).toBe(Math.round(ZONES * (price(/NAT/) + price(/IPv4/)) * HOURS));
  expect(monthly(/interface endpoints/)).toBe(
    Math.round(NODE_SERVICES.length * ZONES * price(/interface endpoint/) * HOURS),
  );
  expect(monthly(/control plane/)).toBe(Math.round(price(/EKS cluster/) * HOURS));
});

test('is of the volume that Prometheus has', async () => {
  const graph = await recordGraph(() => new AddOns('add-ons'));
  const { values } = graph.only('kubernetes:helm.sh/v3:Release', 'add-ons-kube-prometheus-stack').inputs;
  const [, gib] = /"storage":"(\d+)Gi"/.exec(JSON.stringify(values)) ?? [];
  expect(parts.map(([, what]) => what)).toContain(`Prometheus' volume, ${gib} GB gp3`);
  expect(monthly(/Prometheus/)).toBe(Math.round(Number(gib) * price(/^gp3 volume/)));
});
