import { Decimal, money } from '../../../constructs/plan/cost/money';
import type { Findings } from './services';
import type { Advice, AdviceKind, AdviceRules, CacheUsage } from './types';
import { callsOf, costOf, monthly, percents, type UsageRow } from './usage';

/** What keeps a cache from hitting, and what to change. */
interface Cause {
  readonly kind: AdviceKind;
  readonly property: string;
  readonly proposed: string;
  readonly reason: string;
}

/** Part of the lookups from which on one outcome is the cause. */
const NOTABLE = 0.1;
/** Evictions for each stored entry from which on the tier is too small. */
const CHURN = 0.5;

/**
 * Advice on a cache whose hit ratio is low: what its own counters say keeps it from hitting. Saved is the part of the
 * service's calls that would no longer be computed at the lowest ratio that is not low, at what a computed call costs.
 */
export function cacheAdvice(
  usage: CacheUsage,
  rows: readonly UsageRow[],
  days: number,
  construct: string | undefined,
  rules: AdviceRules,
): Findings {
  const counts = new Counts(usage);
  const subject = usage.service;
  if (counts.requests < rules.fewestLookups) {
    return { advice: [], withheld: [] };
  }
  const ratio = new Decimal(counts.hits).dividedBy(counts.requests);
  if (!ratio.lessThan(rules.lowHitRatio)) {
    return { advice: [], withheld: [] };
  }
  const hit = `${percents(ratio)} of ${counts.requests.toLocaleString('en')} ${usage.kind} lookups hit`;
  const calls = callsOf(rows) ?? 0;
  const hits = rows.reduce((total, row) => total + (row.hits ?? 0), 0);
  const computed = calls - hits;
  if (computed <= 0) {
    return { advice: [], withheld: [{ subject, reason: `${hit}, but the ledger has no computed call of it` }] };
  }
  const cause = causeOf(usage, counts);
  const compute = rows.filter(({ category }) => category === 'gpu' || category === 'cpu' || category === 'api');
  const monthlyCost = monthly(costOf(compute), days);
  // of the computed calls, those that this kind would have answered
  const avoided = new Decimal(rules.lowHitRatio).minus(ratio).times(counts.requests).dividedBy(computed);
  const byCall = compute.every(({ category, cost }) => category === 'api' || cost.isZero());
  const advice: Advice = {
    ...cause,
    subject,
    ...(construct === undefined ? {} : { construct }),
    reason: `${hit}: ${cause.reason}`,
    monthlyCost: money(monthlyCost),
    monthlySaving: money(monthlyCost.times(Decimal.min(1, avoided))),
    confidence: byCall ? 'medium' : 'low',
    confidenceReason: byCall
      ? 'each call is paid for; how many more will hit is an estimate'
      : 'nodes are paid for, not calls: it saves what the service then scales in',
  };
  return { advice: [advice], withheld: [] };
}

function causeOf({ kind, evictions, stored }: CacheUsage, counts: Counts): Cause {
  const unreachable = counts.part('error') + counts.part('skipped');
  if (unreachable >= NOTABLE) {
    return {
      kind: 'cache-reach',
      property: `${counts.worst(['error', 'skipped'])}.deadline`,
      proposed: 'longer, or a tier that answers',
      reason: `${asPercents(unreachable)} of the lookups of a tier failed or were skipped`,
    };
  }
  if (counts.part('unreadable') >= NOTABLE) {
    return {
      kind: 'cache-key-ring',
      property: 'keyRing',
      proposed: 'the same ring everywhere, with the keys of the longest lifetime',
      reason: `${asPercents(counts.part('unreadable'))} of what was found could not be opened`,
    };
  }
  if (counts.part('invalidated') >= NOTABLE) {
    return {
      kind: 'cache-invalidation',
      property: 'data_id',
      proposed: 'invalidate by id, not the whole kind',
      reason: `${asPercents(counts.part('invalidated'))} of the lookups found what had been invalidated`,
    };
  }
  if (counts.part('stale') >= NOTABLE) {
    return {
      kind: 'cache-ttl',
      property: 'gateway.routes[].cache.ttl',
      proposed: 'longer',
      reason: `${asPercents(counts.part('stale'))} of the lookups found what had expired`,
    };
  }
  if (!counts.hasSharedTier && stored > 0 && evictions / stored >= CHURN) {
    return {
      kind: 'cache-size',
      property: 'hot.memory',
      proposed: 'more, or a shared tier below it',
      reason: `${Math.round((evictions / stored) * 100)} entries went for room for every 100 that were stored`,
    };
  }
  return {
    kind: 'cache-key',
    property: kind === 'knowledge' ? 'gateway.routes[].cache.textFields' : 'gateway.routes[].cache.headers',
    proposed:
      kind === 'knowledge'
        ? 'the fields that hold the question, so that spelling does not matter'
        : 'fewer: what differs between equal requests does not belong in the key',
    reason: 'entries are neither lost nor expired, so equal requests have different keys or are rare',
  };
}

/** Lookups, added up. Every request asks the first tier, so that its lookups are the requests. */
class Counts {
  readonly hits: number;
  readonly requests: number;
  readonly hasSharedTier: boolean;

  constructor(private readonly usage: CacheUsage) {
    this.hits = this.count(({ outcome }) => outcome === 'hit');
    this.requests = this.count(({ tier }) => tier === 'hot');
    this.hasSharedTier = usage.lookups.some(({ tier, count }) => tier !== 'hot' && count > 0);
  }

  /** The largest part that an outcome has of the lookups of a tier. */
  part(outcome: string): number {
    return Math.max(...this.tiers().map((tier) => this.partOf(tier, [outcome])));
  }

  /** The tier of which some outcomes have the largest part. */
  worst(outcomes: readonly string[]): string {
    return this.tiers().sort((a, b) => this.partOf(b, outcomes) - this.partOf(a, outcomes))[0] ?? 'hot';
  }

  private tiers(): string[] {
    return [...new Set(this.usage.lookups.map(({ tier }) => tier))];
  }

  private partOf(tier: string, outcomes: readonly string[]): number {
    const all = this.count((lookup) => lookup.tier === tier);
    return all === 0 ? 0 : this.count((lookup) => lookup.tier === tier && outcomes.includes(lookup.outcome)) / all;
  }

  private count(which: (lookup: CacheUsage['lookups'][number]) => boolean): number {
    return this.usage.lookups.filter(which).reduce((total, { count }) => total + count, 0);
  }
}

function asPercents(part: number): string {
  return `${Math.round(part * 100)}%`;
}
