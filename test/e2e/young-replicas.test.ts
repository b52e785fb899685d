/** Votes to scale out while some replicas are younger than the averages, on the real PromQL engine. */
import { signalVote } from '../../constructs/plan/scaling/votes';
import { describeWithPromtool, testRules, type InputSeries } from './support/promtool';
import { deploymentSeries, groupsOf, podName, podSeries, recorded, service } from './support/workload';

/** Three replicas, from the fourth minute on four; a sample every 15 seconds. */
const GROWN = deploymentSeries('ct', '3+0x15 4+0x24');
const PODS = [0, 1, 2, 3].flatMap((index) => podSeries(podName('ct', index), { gpus: [96], queue: 60, p95: 6 }));
const LOAD: { readonly [signal: string]: number | undefined } = {
  gpu_utilization: 96,
  queue_length: 60,
  response_time_p95: 6,
  error_rate: undefined,
};

const ct = service('ct');

function check(series: readonly InputSeries[], at: string, votes: { readonly [signal: string]: number }): void {
  const expect = Object.entries(votes).map(([signal, value]) => ({
    at,
    expr: recorded('mediform:signal_pressure', 'ct', { signal }),
    value,
  }));
  testRules({ groups: groupsOf(ct), scenarios: [{ name: at, series, expect }] });
}

const votes = (measuredOn: number): { [signal: string]: number } =>
  Object.fromEntries(
    ct.scaling.signals.map((plan) => [plan.signal, signalVote(plan, LOAD[plan.signal], true, measuredOn)]),
  );

describeWithPromtool('votes for replicas that the averages do not know yet', () => {
  it('count for those that were there before', () => {
    expect(votes(3 / 4)).toEqual({
      gpu_utilization: 1.125,
      queue_length: 2.4,
      response_time_p95: 1.125,
      error_rate: 1,
    });
    check([...GROWN, ...PODS], '5m', votes(3 / 4));
  });

  it('count for all once the window has passed', () => {
    expect(votes(1)).toEqual({ gpu_utilization: 1.5, queue_length: 2.4, response_time_p95: 1.5, error_rate: 1 });
    check([...GROWN, ...PODS], '8m', votes(1));
  });

  it('never ask to scale in', () => {
    const doubled = deploymentSeries('ct', '1+0x15 4+0x24');
    check([...doubled, ...PODS], '5m', votes(1 / 4));
    expect(votes(1 / 4)).toMatchObject({ gpu_utilization: 1, response_time_p95: 1 });
  });

  it('count for all where nobody counts replicas', () => {
    check(PODS, '5m', votes(1));
  });
});
