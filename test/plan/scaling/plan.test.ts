import { Duration } from 'cdk8s';
import { Problems } from '../../../constructs/plan/errors';
import { planScaling, type ScalingContext } from '../../../constructs/plan/scaling/plan';
import type { ScalingPlan, ScalingProps } from '../../../constructs/plan/scaling/props';

const seconds = (value: number): { toSeconds(): number } => ({ toSeconds: () => value });

const GPU: ScalingContext = { serviceName: 'ct', gpu: {}, modelLoadSeconds: 300 };
const CPU: ScalingContext = { serviceName: 'search', modelLoadSeconds: 300 };

function plan(props: ScalingProps, context = GPU): ScalingPlan {
  const problems = new Problems();
  const result = planScaling(problems, props, context);
  expect(problems.list).toEqual([]);
  return result;
}

describe('defaults', () => {
  it('are the four rules, the bounds and the pace of the reference', () => {
    expect(plan({})).toEqual({
      name: 'ct',
      minReplicas: 2,
      maxReplicas: 20,
      engine: 'hpa',
      prometheusAddress: 'http://prometheus-operated.monitoring.svc:9090',
      signals: [
        { signal: 'gpu_utilization', scaleOutAbove: 80, scaleInBelow: 30, target: 64 },
        { signal: 'queue_length', scaleOutAbove: 50, scaleInBelow: 5, target: 25 },
        { signal: 'response_time_p95', scaleOutAbove: 5, target: 4 },
        { signal: 'error_rate', scaleOutAbove: 1, target: 1 },
      ],
      errorStepSeconds: 600,
      targets: undefined,
      scaleIn: {
        stabilizationWindowSeconds: 300,
        policies: [{ type: 'Percent', value: 50, periodSeconds: 60 }],
      },
      scaleOut: {
        stabilizationWindowSeconds: 0,
        policies: [
          { type: 'Percent', value: 100, periodSeconds: 15 },
          { type: 'Pods', value: 2, periodSeconds: 15 },
        ],
      },
      peaks: [],
      forecastLeadSeconds: undefined,
      windowSeconds: 120,
    });
  });

  it('measure the CPU where there is no GPU', () => {
    expect(plan({}, CPU).signals[0]).toEqual({
      signal: 'cpu_utilization',
      scaleOutAbove: 80,
      scaleInBelow: 30,
      target: 64,
    });
  });

  it('hold replicas for as long as a model loads or an average looks back', () => {
    const held = (modelLoadSeconds: number, window: number): number =>
      plan({ window: seconds(window) }, { ...GPU, modelLoadSeconds }).scaleIn.stabilizationWindowSeconds;
    expect(held(60, 60)).toBe(300);
    expect(held(900, 60)).toBe(900);
    expect(held(60, 1200)).toBe(1200);
  });

  it('lead by the time in which a node starts and a model loads', () => {
    const { peaks, forecastLeadSeconds } = plan({
      peakHours: [{ start: '08:00', end: '12:00', timeZone: 'Europe/Berlin', replicas: 8 }],
      forecast: {},
    });
    expect(peaks).toEqual([
      { window: { start: '08:00', end: '12:00', timeZone: 'Europe/Berlin' }, replicas: 8, leadMinutes: 15 },
    ]);
    expect(forecastLeadSeconds).toBe(900);
  });
});

it('takes everything as it is given', () => {
  const given = plan({
    name: 'medical-ai-hpa',
    minReplicas: 1,
    maxReplicas: 5,
    engine: 'keda',
    prometheusAddress: 'http://prometheus:9090',
    rules: {
      gpuUtilization: { scaleOutAbove: 70, scaleInBelow: 28 },
      cpuUtilization: { scaleOutAbove: 50, scaleInBelow: 10 },
      queueLength: { scaleOutAbove: 8, scaleInBelow: 2 },
      responseTimeP95: { scaleOutAbove: seconds(2) },
      errorRate: { scaleOutAbove: 5, stepEvery: seconds(120) },
    },
    scaleIn: { stabilizationWindow: seconds(600), policies: [{ pods: 1, period: seconds(30) }] },
    scaleOut: { stabilizationWindow: seconds(15), policies: [{ percent: 10, period: seconds(60) }] },
    forecast: { leadTime: seconds(1800) },
    window: seconds(60),
  });
  expect(given).toMatchObject({
    name: 'medical-ai-hpa',
    minReplicas: 1,
    maxReplicas: 5,
    engine: 'keda',
    prometheusAddress: 'http://prometheus:9090',
    errorStepSeconds: 120,
    scaleIn: { stabilizationWindowSeconds: 600, policies: [{ type: 'Pods', value: 1, periodSeconds: 30 }] },
    scaleOut: { stabilizationWindowSeconds: 15, policies: [{ type: 'Percent', value: 10, periodSeconds: 60 }] },
    forecastLeadSeconds: 1800,
    windowSeconds: 60,
  });
  expect(given.signals.map(({ signal, scaleOutAbove }) => [signal, scaleOutAbove])).toEqual([
    ['gpu_utilization', 70],
    ['cpu_utilization', 50],
    ['queue_length', 8],
    ['response_time_p95', 2],
    ['error_rate', 5],
  ]);
});

it('leaves out the rules that are off', () => {
  const { signals, errorStepSeconds } = plan({
    rules: { gpuUtilization: 'off', responseTimeP95: 'off', errorRate: 'off' },
  });
  expect(signals.map(({ signal }) => signal)).toEqual(['queue_length']);
  expect(errorStepSeconds).toBeUndefined();
});

it('has no signals and no error step beside plain targets', () => {
  const { signals, errorStepSeconds } = plan({ targets: { gpuUtilization: 80, queueLength: 10 } });
  expect(signals).toEqual([]);
  expect(errorStepSeconds).toBeUndefined();
});

it('accepts every value at its bound', () => {
  plan(
    {
      minReplicas: 1,
      maxReplicas: 1,
      rules: {
        gpuUtilization: { scaleOutAbove: 99.9, scaleInBelow: 0 },
        queueLength: { scaleOutAbove: 50, scaleInBelow: 12.5 },
        errorRate: { scaleOutAbove: 99.9, stepEvery: seconds(60) },
      },
      scaleIn: { stabilizationWindow: seconds(3600), policies: [{ pods: 1, period: seconds(1800) }] },
      forecast: { leadTime: seconds(86_400) },
      window: seconds(3600),
    },
    { ...GPU, modelLoadSeconds: 3600 },
  );
  plan({
    minReplicas: 2,
    maxReplicas: 8,
    peakHours: [{ start: '08:00', end: '12:00', timeZone: 'Europe/Berlin', replicas: 8, leadTime: seconds(86_400) }],
    window: seconds(10),
  });
  plan({ targets: { gpuUtilization: 90, resources: { cpu: 0.1, memory: 200 } } });
});

it('takes response times under a second', () => {
  const { signals } = plan({ rules: { responseTimeP95: { scaleOutAbove: Duration.millis(500) } } });
  expect(signals).toContainEqual({ signal: 'response_time_p95', scaleOutAbove: 0.5, target: 0.4 });
});
