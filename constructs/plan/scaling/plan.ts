import type { Problems } from '../errors';
import type { GpuNeeds } from '../scheduling';
import { checkWeeklyWindow } from '../weekly-window';
import type { PacePlan, PeakPlan, ScalingPace, ScalingPlan, ScalingProps, ScalingRules, SignalPlan } from './props';
import { checkTargets, planSignals } from './signals';

/** What scaling must know of the service. */
export interface ScalingContext {
  readonly serviceName: string;
  readonly gpu?: GpuNeeds;
  readonly modelLoadSeconds: number;
}

/** An HPA cannot hold recommendations longer (autoscaling/v2 validation). */
const MAX_STABILIZATION_SECONDS = 3600;
/** An HPA policy cannot look back further (autoscaling/v2 validation). */
const MAX_POLICY_PERIOD_SECONDS = 1800;
/** Time for Karpenter to bring up a GPU node and pull the image. */
const NODE_START_SECONDS = 600;

const DEFAULT_ERROR_STEP_SECONDS = 600;

/** Fills in defaults and checks a service's scaling; what is wrong goes to `problems`. */
export function planScaling(problems: Problems, props: ScalingProps, context: ScalingContext): ScalingPlan {
  const minReplicas = props.minReplicas ?? 2;
  const maxReplicas = props.maxReplicas ?? 20;
  checkReplicas(problems, minReplicas, maxReplicas);
  problems.check(
    props.engine === undefined || props.engine === 'hpa' || props.engine === 'keda',
    'scaling.engine',
    props.engine,
    "be 'hpa' or 'keda'",
    'these are the engines that feed the autoscaler',
  );
  const rules = props.rules ?? {};
  problems.check(
    props.targets === undefined || props.rules === undefined,
    'scaling.targets',
    props.targets,
    "not be given beside 'scaling.rules'",
    'both steer the same autoscaler, which follows the larger vote',
  );
  const signals = props.targets === undefined ? planSignals(problems, rules, context.gpu) : [];
  if (props.targets !== undefined) {
    checkTargets(problems, props.targets, context.gpu);
  }
  const leadSeconds = context.modelLoadSeconds + NODE_START_SECONDS;
  const windowSeconds = planWindow(problems, props);

  return {
    name: props.name ?? context.serviceName,
    minReplicas,
    maxReplicas,
    engine: props.engine ?? 'hpa',
    prometheusAddress: props.prometheusAddress ?? 'http://prometheus-operated.monitoring.svc:9090',
    signals,
    errorStepSeconds: props.targets === undefined ? planErrorStep(problems, rules.errorRate) : undefined,
    targets: props.targets,
    scaleIn: planScaleIn(problems, props, context, windowSeconds),
    scaleOut: planPace(problems, 'scaling.scaleOut', props.scaleOut, 0, [
      { type: 'Percent', value: 100, periodSeconds: 15 },
      { type: 'Pods', value: 2, periodSeconds: 15 },
    ]),
    peaks: planPeaks(problems, props, minReplicas, maxReplicas, leadSeconds),
    forecastLeadSeconds: planForecast(problems, props, signals, context, leadSeconds),
    windowSeconds,
  };
}

function checkReplicas(problems: Problems, min: number, max: number): void {
  const whole = problems.check(
    Number.isInteger(min) && min >= 1,
    'scaling.minReplicas',
    min,
    'be a whole number of at least 1',
    'a service without replicas sends no metrics and could never come back',
  );
  if (whole) {
    problems.check(
      Number.isInteger(max) && max >= min,
      'scaling.maxReplicas',
      max,
      `be a whole number of at least 'minReplicas' (${min})`,
      'the autoscaler needs room between the two',
    );
  }
}

function planErrorStep(problems: Problems, rule: ScalingRules['errorRate']): number | undefined {
  if (rule === 'off') {
    return undefined;
  }
  const seconds = rule?.stepEvery?.toSeconds() ?? DEFAULT_ERROR_STEP_SECONDS;
  problems.check(
    seconds >= 60 && seconds <= 86_400,
    'scaling.rules.errorRate.stepEvery',
    `${seconds} s`,
    'be at least a minute and at most one day',
    'a step needs time to show its effect before the next',
  );
  return seconds;
}

function planScaleIn(
  problems: Problems,
  props: ScalingProps,
  context: ScalingContext,
  windowSeconds: number,
): PacePlan {
  const longEnough = Math.min(Math.max(300, context.modelLoadSeconds, windowSeconds), MAX_STABILIZATION_SECONDS);
  const pace = planPace(problems, 'scaling.scaleIn', props.scaleIn, longEnough, [
    { type: 'Percent', value: 50, periodSeconds: 60 },
  ]);
  problems.check(
    pace.stabilizationWindowSeconds >= context.modelLoadSeconds,
    'scaling.scaleIn.stabilizationWindow',
    `${pace.stabilizationWindowSeconds} s`,
    `be at least 'modelLoadTime' (${context.modelLoadSeconds} s)`,
    'the HPA counts ready pods only and would remove replicas while new ones load their model',
  );
  problems.check(
    pace.stabilizationWindowSeconds >= windowSeconds,
    'scaling.scaleIn.stabilizationWindow',
    `${pace.stabilizationWindowSeconds} s`,
    `be at least 'scaling.window' (${windowSeconds} s)`,
    'for that long the averages still show the load before replicas were removed, and more would be',
  );
  return pace;
}

function planPace(
  problems: Problems,
  property: string,
  pace: ScalingPace | undefined,
  defaultWindowSeconds: number,
  defaultPolicies: PacePlan['policies'],
): PacePlan {
  const window = pace?.stabilizationWindow?.toSeconds() ?? defaultWindowSeconds;
  problems.check(
    window >= 0 && window <= MAX_STABILIZATION_SECONDS,
    `${property}.stabilizationWindow`,
    `${window} s`,
    `be at most ${MAX_STABILIZATION_SECONDS} s`,
    'the API server refuses a longer one',
  );
  const policies = pace?.policies?.map((policy) => ({
    type: 'percent' in policy ? ('Percent' as const) : ('Pods' as const),
    value: 'percent' in policy ? policy.percent : policy.pods,
    periodSeconds: policy.period.toSeconds(),
  }));
  policies?.forEach((policy, index) => {
    const at = `${property}.policies[${index}]`;
    problems.check(
      Number.isInteger(policy.value) && policy.value > 0,
      at,
      policy.value,
      'allow a whole number over 0',
      'the API server refuses anything else',
    );
    problems.check(
      policy.periodSeconds > 0 && policy.periodSeconds <= MAX_POLICY_PERIOD_SECONDS,
      `${at}.period`,
      `${policy.periodSeconds} s`,
      `be over 0 and at most ${MAX_POLICY_PERIOD_SECONDS} s`,
      'the API server refuses anything else',
    );
  });
  problems.check(
    policies === undefined || policies.length > 0,
    `${property}.policies`,
    policies,
    'hold at least one policy',
    'without one the direction is switched off',
  );
  return { stabilizationWindowSeconds: window, policies: policies ?? defaultPolicies };
}

function planPeaks(
  problems: Problems,
  props: ScalingProps,
  minReplicas: number,
  maxReplicas: number,
  leadSeconds: number,
): PeakPlan[] {
  return (props.peakHours ?? []).map((peak, index) => {
    const property = `scaling.peakHours[${index}]`;
    const { replicas, leadTime, ...window } = peak;
    checkWeeklyWindow(problems, property, window);
    problems.check(
      Number.isInteger(replicas) && replicas > minReplicas && replicas <= maxReplicas,
      `${property}.replicas`,
      replicas,
      `be a whole number over 'minReplicas' (${minReplicas}) and at most 'maxReplicas' (${maxReplicas})`,
      'outside these bounds the peak changes nothing or cannot be reached',
    );
    const lead = leadTime?.toSeconds() ?? leadSeconds;
    problems.check(
      lead >= 0 && lead <= 86_400,
      `${property}.leadTime`,
      `${lead} s`,
      'be at most one day',
      'a longer lead would join one peak to the next',
    );
    return { window, replicas, leadMinutes: Math.ceil(lead / 60) };
  });
}

function planForecast(
  problems: Problems,
  props: ScalingProps,
  signals: readonly SignalPlan[],
  context: ScalingContext,
  leadSeconds: number,
): number | undefined {
  if (props.forecast === undefined) {
    return undefined;
  }
  const lead = props.forecast.leadTime?.toSeconds() ?? leadSeconds;
  problems.check(
    lead >= 60 && lead <= 86_400,
    'scaling.forecast.leadTime',
    `${lead} s`,
    'be at least a minute and at most one day',
    'the same hour of last week says little about another day',
  );
  problems.check(
    signals.some(({ signal }) => signal === 'gpu_utilization' || signal === 'cpu_utilization'),
    'scaling.forecast',
    props.forecast,
    'come with a utilisation rule',
    'demand is forecast from the utilisation of last week',
  );
  const sharing = context.gpu?.sharing?.mode;
  problems.check(
    sharing === undefined || sharing === 'mig',
    'scaling.forecast',
    props.forecast,
    `not be given with ${sharing}`,
    'the utilisation of a shared GPU is that of all its pods, not of this service',
  );
  return lead;
}

function planWindow(problems: Problems, props: ScalingProps): number {
  const window = props.window?.toSeconds() ?? 120;
  problems.check(
    window >= 10 && window <= 3600,
    'scaling.window',
    `${window} s`,
    'be at least 10 s and at most an hour',
    'a shorter one holds no two samples, a longer one sees a crowd too late',
  );
  return window;
}
