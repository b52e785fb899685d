import { Counter, Gauge, type Registry } from 'prom-client';
import { CACHE_KINDS, type CacheKind, type SharedTier, type TierName } from '../../constructs/plan/cache/kinds';
import { CacheMetric } from '../../constructs/plan/cache/metrics';
import { DistributionHistogram, TallyCounter, type Distribution, type Tally } from './tallies';

const TIER_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1];

export type LookupOutcome = 'hit' | 'miss' | 'stale' | 'invalidated' | 'unreadable' | 'error' | 'skipped';
export type TierOperation = 'get' | 'set' | 'delete' | 'lease';
export type TierErrorReason = 'deadline' | 'connection' | 'server' | 'breaker' | 'busy' | 'too_large';
export type KeyFault = 'unknown_key' | 'not_authentic' | 'bad_format' | 'key_ring';

/** What the hot tier counts. */
export interface HotCounts {
  readonly hits: Tally;
  readonly misses: Tally;
  readonly evictions: Tally;
  bytes: number;
  entries: number;
}

/** Lookups by tier and outcome: objects, since to put a name together costs more than to count. */
type LookupTallies = { [T in TierName]?: { [O in LookupOutcome]?: Tally } };

/** The cache's metrics on one registry. */
export class CacheMetrics {
  private readonly lookups: TallyCounter<'kind' | 'tier' | 'outcome'>;
  private readonly lookupTallies: { readonly [K in CacheKind]: LookupTallies } = {
    diagnosis: {},
    knowledge: {},
    model_output: {},
  };
  private readonly seconds: DistributionHistogram<'tier' | 'operation'>;
  private readonly errors: Counter<'tier' | 'operation' | 'reason'>;
  private readonly breaker: Gauge<'tier'>;
  private readonly written: Counter<'tier' | 'kind'>;
  private readonly computations: Counter<'kind' | 'outcome'>;
  private readonly coalesced: Counter<'kind' | 'scope'>;
  private readonly refreshes: Counter<'kind'>;
  private readonly invalidations: Counter<'data_type' | 'outcome'>;
  private readonly faults: Counter<'reason'>;
  private readonly prefetches: Counter<'outcome'>;
  private readonly warmUps: Counter<'outcome'>;

  /**
   * @param hot counts of the hot tier, read when the metrics are
   * @param logAges seconds since each log was heard of, read when the metrics are
   */
  constructor(
    registry: Registry,
    hot: { readonly [K in CacheKind]: HotCounts },
    logAges: () => { readonly [log: string]: number },
  ) {
    const registers = [registry];
    this.lookups = new TallyCounter(registry, {
      name: CacheMetric.LOOKUPS,
      help: 'Lookups of entries, by what came of them',
      labelNames: ['kind', 'tier', 'outcome'],
    });
    const evictions = new TallyCounter(registry, {
      name: CacheMetric.EVICTIONS,
      help: 'Entries that the hot tier gave up for room',
      labelNames: ['kind'],
    });
    for (const kind of CACHE_KINDS) {
      this.lookups.begin({ kind, tier: 'hot', outcome: 'hit' }, hot[kind].hits);
      this.lookups.begin({ kind, tier: 'hot', outcome: 'miss' }, hot[kind].misses);
      evictions.begin({ kind }, hot[kind].evictions);
    }
    for (const [name, help, what] of [
      [CacheMetric.BYTES, 'Bytes held', 'bytes'],
      [CacheMetric.ENTRIES, 'Entries held', 'entries'],
    ] as const) {
      new Gauge({
        name,
        help,
        labelNames: ['tier', 'kind'],
        registers,
        collect() {
          CACHE_KINDS.forEach((kind) => this.set({ tier: 'hot', kind }, hot[kind][what]));
        },
      });
    }
    new Gauge({
      name: CacheMetric.LOG_AGE,
      help: 'Seconds since a log of invalidations was last heard of',
      labelNames: ['log'],
      registers,
      collect() {
        Object.entries(logAges()).forEach(([log, age]) => this.set({ log }, age));
      },
    });
    const counter = <L extends string>(name: string, help: string, labelNames: L[]): Counter<L> =>
      new Counter({ name, help, labelNames, registers });
    this.seconds = new DistributionHistogram(
      registry,
      { name: CacheMetric.TIER_SECONDS, help: 'Time of operations on shared tiers', labelNames: ['tier', 'operation'] },
      TIER_BUCKETS,
    );
    this.errors = counter(CacheMetric.TIER_ERRORS, 'Operations on shared tiers that did not succeed', [
      'tier',
      'operation',
      'reason',
    ]);
    this.breaker = new Gauge({
      name: CacheMetric.BREAKER,
      help: 'Circuit breakers: 0 closed, 1 half-open, 2 open',
      labelNames: ['tier'],
      registers,
    });
    this.written = counter(CacheMetric.WRITTEN_BYTES, 'Bytes written to shared tiers', ['tier', 'kind']);
    this.computations = counter(CacheMetric.COMPUTATIONS, 'Computations of what no tier had', ['kind', 'outcome']);
    this.coalesced = counter(CacheMetric.COALESCED, "Callers who waited for another's computation", ['kind', 'scope']);
    this.refreshes = counter(CacheMetric.EARLY_REFRESHES, 'Computations before expiry', ['kind']);
    this.invalidations = counter(CacheMetric.INVALIDATIONS, 'Invalidations', ['data_type', 'outcome']);
    this.faults = counter(CacheMetric.KEY_FAULTS, 'Entries that no key opens, and key rings that cannot be read', [
      'reason',
    ]);
    this.prefetches = counter(CacheMetric.PREFETCHES, 'Queries asked ahead', ['outcome']);
    this.warmUps = counter(CacheMetric.WARM_UPS, 'Entries of warm-ups', ['outcome']);
    // an alarm needs the series to be there before the first fault
    for (const reason of ['unknown_key', 'not_authentic', 'bad_format', 'key_ring']) {
      this.faults.inc({ reason }, 0);
    }
  }

  lookup(kind: CacheKind, tier: TierName, outcome: LookupOutcome): void {
    const tallies = (this.lookupTallies[kind][tier] ??= {});
    const tally = (tallies[outcome] ??= this.lookups.begin({ kind, tier, outcome }, { count: 0 }));
    tally.count++;
  }

  /** Where the times of one operation on a tier are observed, in seconds; a series from now on. */
  tierSeconds(tier: SharedTier, operation: TierOperation): Distribution {
    return this.seconds.begin({ tier, operation });
  }

  tierError(tier: SharedTier, operation: TierOperation, reason: TierErrorReason): void {
    this.errors.inc({ tier, operation, reason });
  }

  breakerState(tier: SharedTier, state: 0 | 1 | 2): void {
    this.breaker.set({ tier }, state);
  }

  wrote(tier: SharedTier, kind: CacheKind, bytes: number): void {
    this.written.inc({ tier, kind }, bytes);
  }

  computed(kind: CacheKind, outcome: 'stored' | 'not_stored' | 'failed'): void {
    this.computations.inc({ kind, outcome });
  }

  waited(kind: CacheKind, scope: 'process' | 'cluster'): void {
    this.coalesced.inc({ kind, scope });
  }

  refreshed(kind: CacheKind): void {
    this.refreshes.inc({ kind });
  }

  invalidated(dataType: CacheKind, outcome: 'recorded' | 'partial' | 'failed'): void {
    this.invalidations.inc({ data_type: dataType, outcome });
  }

  keyFault(reason: KeyFault): void {
    this.faults.inc({ reason });
  }

  prefetched(outcome: 'issued' | 'used' | 'wasted' | 'denied' | 'cached' | 'over_budget'): void {
    this.prefetches.inc({ outcome });
  }

  warmedUp(outcome: 'loaded' | 'skipped' | 'failed'): void {
    this.warmUps.inc({ outcome });
  }
}
