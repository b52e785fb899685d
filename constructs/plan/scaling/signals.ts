import type { Problems } from '../errors';
import type { GpuNeeds } from '../scheduling';
import type { BandRule, ScalingRules, ScalingTargets, SignalPlan } from './props';

/**
 * Target as a part of the scale-out threshold. Utilisation and response time: 0.8, so that just over the threshold the
 * HPA sees 1.25 (its tolerance is 1.1). Queue: 0.5, because a queue says how much is unserved and replicas should double.
 * A scale-in threshold of at most half the target lets two replicas shrink to one; see ADR 3.
 */
const TARGET_SHARE = { utilisation: 0.8, queue: 0.5 };
const DEFAULT_UTILISATION: BandRule = { scaleOutAbove: 80, scaleInBelow: 30 };
const DEFAULT_QUEUE: BandRule = { scaleOutAbove: 50, scaleInBelow: 5 };
const DEFAULT_P95_SECONDS = 5;
const DEFAULT_ERROR_PERCENT = 1;

/** The signals of a service, checked and with defaults. */
export function planSignals(problems: Problems, rules: ScalingRules, gpu: GpuNeeds | undefined): SignalPlan[] {
  const hasGpu = gpu !== undefined;
  problems.check(
    hasGpu || rules.gpuUtilization === undefined || rules.gpuUtilization === 'off',
    'scaling.rules.gpuUtilization',
    rules.gpuUtilization,
    "not be given without 'gpu'",
    'the service has no GPU to measure',
  );
  const gpuRule = rules.gpuUtilization ?? (hasGpu ? DEFAULT_UTILISATION : 'off');
  const cpuRule = rules.cpuUtilization ?? (hasGpu ? 'off' : DEFAULT_UTILISATION);
  const queueRule = rules.queueLength ?? DEFAULT_QUEUE;
  const signals: SignalPlan[] = [];
  if (gpuRule !== 'off' && hasGpu) {
    signals.push(bandSignal(problems, 'gpu_utilization', 'gpuUtilization', gpuRule, TARGET_SHARE.utilisation));
  }
  if (cpuRule !== 'off') {
    signals.push(bandSignal(problems, 'cpu_utilization', 'cpuUtilization', cpuRule, TARGET_SHARE.utilisation));
  }
  if (queueRule !== 'off') {
    signals.push(bandSignal(problems, 'queue_length', 'queueLength', queueRule, TARGET_SHARE.queue));
  }
  problems.check(
    signals.length > 0,
    'scaling.rules',
    rules,
    'keep gpuUtilization, cpuUtilization or queueLength on',
    'no other rule can tell when to scale in',
  );
  if (rules.responseTimeP95 !== 'off') {
    const out = rules.responseTimeP95?.scaleOutAbove.toSeconds({ integral: false }) ?? DEFAULT_P95_SECONDS;
    checkPositive(problems, 'scaling.rules.responseTimeP95.scaleOutAbove', out, 'a response takes time');
    signals.push({ signal: 'response_time_p95', scaleOutAbove: out, target: out * TARGET_SHARE.utilisation });
  }
  if (rules.errorRate !== 'off') {
    const out = rules.errorRate?.scaleOutAbove ?? DEFAULT_ERROR_PERCENT;
    problems.check(
      out > 0 && out < 100,
      'scaling.rules.errorRate.scaleOutAbove',
      out,
      'be over 0 and under 100',
      'it is a percentage of requests',
    );
    signals.push({ signal: 'error_rate', scaleOutAbove: out, target: out });
  }
  return signals;
}

function bandSignal(
  problems: Problems,
  signal: SignalPlan['signal'],
  property: string,
  rule: BandRule,
  targetShare: number,
): SignalPlan {
  const { scaleOutAbove, scaleInBelow } = rule;
  const path = `scaling.rules.${property}`;
  const positive = checkPositive(problems, `${path}.scaleOutAbove`, scaleOutAbove, 'the signal is never negative');
  if (positive && signal !== 'queue_length') {
    problems.check(
      scaleOutAbove < 100,
      `${path}.scaleOutAbove`,
      scaleOutAbove,
      'be under 100',
      'utilisation never goes over 100 %, so the service would never scale out',
    );
  }
  const share = targetShare / 2;
  problems.check(
    scaleInBelow >= 0 && scaleInBelow <= share * scaleOutAbove,
    `${path}.scaleInBelow`,
    scaleInBelow,
    `be at least 0 and at most ${Math.round(share * scaleOutAbove * 1000) / 1000} (${share} × scaleOutAbove)`,
    'with a narrower band two replicas would never shrink to one, and scaling out would lead straight back in',
  );
  return { signal, scaleOutAbove, scaleInBelow, target: scaleOutAbove * targetShare };
}

/** Checks plain HPA targets. */
export function checkTargets(problems: Problems, targets: ScalingTargets, gpu: GpuNeeds | undefined): void {
  const { gpuUtilization, queueLength, resources = {} } = targets;
  if (gpuUtilization !== undefined) {
    problems.check(
      gpu !== undefined,
      'scaling.targets.gpuUtilization',
      gpuUtilization,
      "not be given without 'gpu'",
      'the service has no GPU to measure',
    );
    problems.check(
      gpuUtilization > 0 && gpuUtilization <= 90,
      'scaling.targets.gpuUtilization',
      gpuUtilization,
      'be over 0 and at most 90',
      'the HPA acts only over 1.1 × the target, and utilisation never goes over 100 %',
    );
  }
  if (queueLength !== undefined) {
    checkPositive(problems, 'scaling.targets.queueLength', queueLength, 'it is divided by');
  }
  for (const [resource, percent] of Object.entries(resources)) {
    problems.check(
      resource === 'cpu' || resource === 'memory',
      `scaling.targets.resources.${resource}`,
      percent,
      'be for cpu or memory',
      `the metrics server measures nothing else, so an HPA on it never scales${
        resource.startsWith('nvidia.com/') ? '; set scaling.targets.gpuUtilization instead' : ''
      }`,
    );
    checkPositive(problems, `scaling.targets.resources.${resource}`, percent, 'it is divided by');
  }
  problems.check(
    gpuUtilization !== undefined || queueLength !== undefined || Object.keys(resources).length > 0,
    'scaling.targets',
    targets,
    'name at least one target',
    'an HPA without metrics scales on CPU, which the VPA changes',
  );
}

function checkPositive(problems: Problems, property: string, value: number, because: string): boolean {
  return problems.check(value > 0 && Number.isFinite(value), property, value, 'be a finite number over 0', because);
}
