import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { CACHE_KINDS, type CacheKind } from '../../../constructs/plan/cache/kinds';
import { CacheMetric } from '../../../constructs/plan/cache/metrics';
import { ConfigurationError, Problems } from '../../../constructs/plan/errors';
import type { AdvisorOptions } from '../advice/advisor';
import type { CacheUsage, ModelFacts } from '../advice/types';
import { groupBy } from '../analysis/group-by';
import { dayCount, type Period } from '../analysis/period';
import { reasonOf } from '../collect/prometheus';
import { LedgerError } from '../ledger/errors';
import { constraintsOfManifests } from '../manifests/constraints';
import { readManifests } from '../manifests/read';

/** Where advice gets what the ledger does not know. */
export interface AdviceSources {
  readonly manifests?: string;
  readonly models?: string;
  readonly prometheus?: string;
}

/** Reads all that advice is made from, besides the ledger. */
export async function adviceInputs(sources: AdviceSources, period: Period): Promise<AdvisorOptions> {
  const { manifests, models, prometheus } = sources;
  return {
    ...(manifests === undefined ? {} : { services: constraintsOfManifests(await readManifests(manifests)) }),
    ...(models === undefined ? {} : { models: await readModels(models) }),
    ...(prometheus === undefined ? {} : { caches: await cacheUsage(prometheus, period) }),
  };
}

/** Reads tasks and accuracies of models: a list with `model`, `task`, `accuracy` and maybe `costPerCall`. */
async function readModels(file: string): Promise<readonly ModelFacts[]> {
  let content: unknown;
  try {
    content = parse(await readFile(file, 'utf8'), { schema: 'core' });
  } catch (error) {
    throw new ConfigurationError([`'models' (${file}) must be YAML or JSON because ${(error as Error).message}`]);
  }
  const problems = new Problems();
  const because = 'a model is replaced by one of the same task that reaches the accuracy';
  if (problems.check(Array.isArray(content), 'models', file, 'hold a list', because)) {
    for (const [index, entry] of (content as Partial<ModelFacts>[]).entries()) {
      const at = `models[${index}]`;
      problems.check(typeof entry?.model === 'string', `${at}.model`, entry?.model, 'be a name', because);
      problems.check(typeof entry?.task === 'string', `${at}.task`, entry?.task, 'be a name', because);
      problems.check(typeof entry?.accuracy === 'number', `${at}.accuracy`, entry?.accuracy, 'be a number', because);
    }
  }
  problems.throwIfAny();
  return content as readonly ModelFacts[];
}

interface Answer {
  readonly status: string;
  readonly error?: string;
  readonly data?: {
    readonly result: readonly {
      readonly metric: { readonly [label: string]: string };
      readonly value: readonly [number, string];
    }[];
  };
}

/** What the caches did in a period, as their own counters say. */
export async function cacheUsage(prometheus: string, period: Period): Promise<readonly CacheUsage[]> {
  const range = `[${dayCount(period)}d]`;
  // the first second after the period; days of another zone shift it by some hours of some weeks
  const time = Date.parse(`${period.to}T00:00:00Z`) / 1000 + 86_400;
  const counted = async (selector: string, by: string): Promise<Counted[]> =>
    ask(prometheus, `sum by (${by}) (increase(${selector}${range}))`, time);
  const lookups = await counted(CacheMetric.LOOKUPS, 'service, kind, tier, outcome');
  const evictions = await counted(CacheMetric.EVICTIONS, 'service, kind');
  const stored = await counted(`${CacheMetric.COMPUTATIONS}{outcome="stored"}`, 'service, kind');
  const of = (all: readonly Counted[], service: string, kind: string): number =>
    all.find(({ labels }) => labels.service === service && labels.kind === kind)?.count ?? 0;
  const known = lookups.filter(({ labels }) => (CACHE_KINDS as readonly string[]).includes(labels.kind ?? ''));
  return [...groupBy(known, ({ labels }) => JSON.stringify([labels.service ?? '', labels.kind]))].map(
    ([key, ofCache]) => {
      const [service, kind] = JSON.parse(key) as [string, CacheKind];
      return {
        service,
        kind,
        lookups: ofCache.map(({ labels: { tier = '', outcome = '' }, count }) => ({ tier, outcome, count })),
        evictions: of(evictions, service, kind),
        stored: of(stored, service, kind),
      };
    },
  );
}

interface Counted {
  readonly labels: { readonly [label: string]: string };
  readonly count: number;
}

async function ask(prometheus: string, query: string, time: number): Promise<Counted[]> {
  const url = new URL('api/v1/query', prometheus.endsWith('/') ? prometheus : `${prometheus}/`);
  let answer: Answer;
  try {
    const body = new URLSearchParams({ query, time: String(time) });
    const response = await fetch(url, { method: 'POST', body, signal: AbortSignal.timeout(120_000) });
    answer = (await response.json()) as Answer;
  } catch (cause) {
    throw new LedgerError(`Prometheus at ${prometheus} cannot be asked: ${reasonOf(cause)}`, { cause });
  }
  if (answer.data === undefined) {
    throw new LedgerError(`Prometheus at ${prometheus} refused ${query}: ${answer.error}`);
  }
  return answer.data.result.map(({ metric, value: [, count] }) => ({
    labels: metric,
    count: Math.round(Number(count)),
  }));
}
