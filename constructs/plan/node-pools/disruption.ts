import type { Problems } from '../errors';
import type { ConsolidationPolicy, DisruptionBudget, DisruptionReason, DisruptionSpec, NodePoolSpec } from './spec';
import { checkWeeklyWindow, coversWholeWeek, utcSchedules, type WeeklyWindow } from '../weekly-window';

/** Age of a node, in seconds, at which Karpenter replaces it by default: 30 days. */
const DEFAULT_EXPIRY_SECONDS = 720 * 3600;

/** How many nodes may be disrupted at a time by default. */
const DEFAULT_BUDGETS: readonly DisruptionBudget[] = [{ nodes: '10%' }];

const REASONS: readonly DisruptionReason[] = ['Underutilized', 'Empty', 'Drifted'];
const POLICIES: readonly ConsolidationPolicy[] = ['WhenEmpty', 'WhenEmptyOrUnderutilized'];

/** Most budgets that a Karpenter NodePool takes. */
const MAX_BUDGETS = 50;

/** Karpenter's patterns of a budget's `nodes` and `schedule`. */
const NODES = /^((100|[0-9]{1,2})%|[0-9]+)$/;
const SCHEDULE = /^(@(annually|yearly|monthly|weekly|daily|midnight|hourly)|\S+( \S+){4})$/;

/** When nodes of a pool are replaced or removed. */
export interface DisruptionOptions {
  /**
   * Which nodes are removed.
   *
   * @default - GPU and batch pools: `WhenEmpty`; others: `WhenEmptyOrUnderutilized`
   */
  readonly consolidationPolicy?: ConsolidationPolicy;
  /**
   * Seconds without a change of pods before a node may be removed.
   *
   * @default - GPU pools 600 (a model takes long to load again), batch pools 60, others 300
   */
  readonly consolidateAfterSeconds?: number;
  /**
   * How many nodes may be disrupted at a time.
   *
   * @default [{ nodes: '10%' }]
   */
  readonly budgets?: readonly DisruptionBudget[];
  /**
   * Hours in which no node is disrupted voluntarily. Added to `budgets` as UTC schedules that cover the window with and
   * without daylight saving. Batch pools have none.
   *
   * @default - none
   */
  readonly clinicHours?: WeeklyWindow;
  /**
   * Age in seconds at which a node is drained. Expiry is forceful: it ignores budgets and `do-not-disrupt`. New machine
   * images come by drift, which budgets do govern.
   *
   * @default - `Never` with `clinicHours`, else 30 days
   */
  readonly expireAfterSeconds?: number | 'Never';
  /**
   * Seconds after which pods that keep a node from draining are removed by force, even those marked `do-not-disrupt`.
   *
   * @default - waits for ever
   */
  readonly terminationGracePeriodSeconds?: number;
}

/** What a kind of pool does where its options say nothing. */
export interface DisruptionDefaults {
  readonly consolidationPolicy: ConsolidationPolicy;
  readonly consolidateAfterSeconds: number;
}

/**
 * Plans when nodes of a pool are disrupted, and records options that could never work: budgets that block every
 * voluntary disruption for ever, so that no node is ever removed or gets a security fix.
 */
export function planDisruption(
  problems: Problems,
  options: DisruptionOptions,
  defaults: DisruptionDefaults,
): Pick<NodePoolSpec, 'disruption' | 'expireAfterSeconds' | 'terminationGracePeriodSeconds'> {
  const { clinicHours, terminationGracePeriodSeconds } = options;
  const consolidationPolicy = options.consolidationPolicy ?? defaults.consolidationPolicy;
  const consolidateAfterSeconds = options.consolidateAfterSeconds ?? defaults.consolidateAfterSeconds;
  problems.check(
    POLICIES.includes(consolidationPolicy),
    'consolidationPolicy',
    consolidationPolicy,
    `be one of ${POLICIES.join(', ')}`,
    'Karpenter knows no other',
  );
  problems.check(
    Number.isInteger(consolidateAfterSeconds) && consolidateAfterSeconds >= 0,
    'consolidateAfter',
    consolidateAfterSeconds,
    'be a whole number of seconds, 0 or more',
    'a node cannot be removed before it is idle',
  );
  const budgets = [
    ...planBudgets(problems, options.budgets ?? DEFAULT_BUDGETS, consolidationPolicy),
    ...clinicBudgets(problems, clinicHours),
  ];
  problems.check(
    budgets.length <= MAX_BUDGETS,
    'budgets',
    `${budgets.length} with clinicHours`,
    `be at most ${MAX_BUDGETS}`,
    'Karpenter takes no more',
  );
  const disruption: DisruptionSpec = { consolidationPolicy, consolidateAfterSeconds, budgets };
  const expireAfterSeconds =
    options.expireAfterSeconds ?? (clinicHours === undefined ? DEFAULT_EXPIRY_SECONDS : 'Never');
  checkExpiry(problems, expireAfterSeconds, terminationGracePeriodSeconds);
  return {
    disruption,
    expireAfterSeconds,
    ...(terminationGracePeriodSeconds === undefined ? {} : { terminationGracePeriodSeconds }),
  };
}

function planBudgets(
  problems: Problems,
  budgets: readonly DisruptionBudget[],
  policy: ConsolidationPolicy,
): readonly DisruptionBudget[] {
  const sane = problems.check(
    Array.isArray(budgets) && budgets.length > 0 && budgets.every((budget) => typeof budget === 'object' && budget),
    'budgets',
    budgets,
    'list at least one budget',
    'an empty list lets Karpenter disrupt all nodes at once',
  );
  if (!sane || !budgets.map((budget, index) => checkBudget(problems, `budgets[${index}]`, budget)).every(Boolean)) {
    return [];
  }
  const blocked = new Set(budgets.filter(blocksForEver).flatMap((budget) => budget.reasons ?? REASONS));
  // a pool that removes only empty nodes never acts on underutilisation
  const acted = REASONS.filter((reason) => reason !== 'Underutilized' || policy !== 'WhenEmpty');
  problems.check(
    !acted.every((reason) => blocked.has(reason)),
    'budgets',
    budgets,
    'leave some time or reason in which nodes may be disrupted',
    'nodes would never be removed when idle nor get a security fix',
  );
  return budgets;
}

function checkBudget(problems: Problems, property: string, budget: DisruptionBudget): boolean {
  const { nodes, reasons, schedule, durationMinutes } = budget;
  const checks = [
    problems.check(
      typeof nodes === 'string' && NODES.test(nodes),
      `${property}.nodes`,
      nodes,
      "be a string with a number of nodes or a percentage, such as '2' or '10%'",
      'Karpenter reads nothing else',
    ),
    problems.check(
      reasons === undefined ||
        (Array.isArray(reasons) &&
          reasons.length > 0 &&
          reasons.every((reason: DisruptionReason) => REASONS.includes(reason))),
      `${property}.reasons`,
      reasons,
      `list at least one of ${REASONS.join(', ')}`,
      'Karpenter disrupts for no other reason',
    ),
    problems.check(
      (schedule === undefined) === (durationMinutes === undefined),
      `${property}.schedule`,
      schedule,
      "be given together with 'duration'",
      'a budget is either always active or for a time after each hit',
    ),
    problems.check(
      schedule === undefined || (typeof schedule === 'string' && SCHEDULE.test(schedule)),
      `${property}.schedule`,
      schedule,
      'be five cron fields or a word such as @daily',
      'Karpenter reads nothing else',
    ),
    problems.check(
      durationMinutes === undefined || (Number.isInteger(durationMinutes) && durationMinutes > 0),
      `${property}.duration`,
      durationMinutes,
      'be a whole number of minutes above 0',
      'Karpenter counts budgets in minutes',
    ),
  ];
  return checks.every(Boolean);
}

function clinicBudgets(problems: Problems, clinicHours: WeeklyWindow | undefined): readonly DisruptionBudget[] {
  if (clinicHours === undefined || !checkWeeklyWindow(problems, 'clinicHours', clinicHours)) {
    return [];
  }
  problems.check(
    !coversWholeWeek(clinicHours),
    'clinicHours',
    clinicHours,
    'leave some time of the week in which nodes may be disrupted, also with daylight saving',
    'nodes would never be removed when idle nor get a security fix',
  );
  return utcSchedules(clinicHours).map((schedule) => ({ nodes: '0', ...schedule }));
}

function blocksForEver({ nodes, schedule, durationMinutes }: DisruptionBudget): boolean {
  return (
    parseInt(nodes, 10) === 0 &&
    (schedule === undefined || durationMinutes === undefined || durationMinutes >= longestGap(schedule))
  );
}

/** Minutes from one hit of a schedule to the next, at most; `Infinity` for schedules that are harder to read. */
function longestGap(schedule: string): number {
  const daily = 24 * 60;
  if (schedule === '@hourly' || /^\d+ \* \* \* \*$/.test(schedule)) {
    return 60;
  }
  if (schedule === '@daily' || schedule === '@midnight' || /^\d+ \d+ \* \* \*$/.test(schedule)) {
    return daily;
  }
  return schedule === '@weekly' || /^\d+ \d+ \* \* \w+$/.test(schedule) ? 7 * daily : Infinity;
}

function checkExpiry(problems: Problems, expireAfter: number | 'Never', gracePeriod: number | undefined): void {
  const graceOk =
    gracePeriod === undefined ||
    problems.check(
      Number.isInteger(gracePeriod) && gracePeriod > 0,
      'terminationGracePeriod',
      gracePeriod,
      'be a whole number of seconds above 0',
      'pods need some time to finish',
    );
  const expiryOk = problems.check(
    expireAfter === 'Never' || (Number.isInteger(expireAfter) && expireAfter > 0),
    'expireAfter',
    expireAfter,
    "be a whole number of seconds above 0, or 'Never'",
    'it is the age at which a node is replaced',
  );
  if (graceOk && expiryOk && gracePeriod !== undefined && expireAfter !== 'Never') {
    problems.check(
      expireAfter >= gracePeriod,
      'expireAfter',
      `${expireAfter} s`,
      `be at least 'terminationGracePeriod' (${gracePeriod} s)`,
      'a node would drain for longer than it serves',
    );
  }
}
