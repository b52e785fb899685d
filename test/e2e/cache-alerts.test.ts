/** The alerts on caches on the real PromQL engine. */
import { App, Chart } from 'cdk8s';
import { MedicalInferenceService, TieredCache } from '../../constructs';
import type { PrometheusRule } from '../../constructs/imports/prometheus-rule';
import { findObject, synthObjects } from '../../constructs/testing';
import { IN_CLUSTER, cachedService } from '../support/tiered-cache';
import { checkRules, describeWithPromtool, testRules, type InputSeries, type RuleGroup } from './support/promtool';

const app = new App();
const cache = new TieredCache(new Chart(app, 'caches', { namespace: 'caches' }), 'results', IN_CLUSTER);
new MedicalInferenceService(new Chart(app, 'imaging', { namespace: 'imaging' }), 'search', cachedService(cache));
const all: readonly RuleGroup[] = ['results', 'search'].flatMap(
  (name) => (findObject(synthObjects(app), 'PrometheusRule', name) as unknown as PrometheusRule).spec.groups ?? [],
);
/** Those on caches alone: of the rules of scaling there are many, and hours to evaluate. */
const groups = all.map((group) => ({
  ...group,
  rules: group.rules?.filter(({ alert }) => alert?.startsWith('Cache')),
}));

const POD = 'namespace="imaging",pod="search-6d4cf56db6-x2k9z"';

/** Whether an alert fires, at the end of ten hours of some series. */
function fires(alert: string, series: readonly InputSeries[], expected: boolean): void {
  const expr = `count(ALERTS{alertname="${alert}",alertstate="firing"})`;
  const expectation = { at: '10h', expr, value: expected ? 1 : undefined };
  testRules({ groups, interval: '1m', scenarios: [{ name: alert, series, expect: [expectation] }] });
}

describeWithPromtool('alerts on caches', () => {
  it('are valid', () => {
    expect(checkRules(groups)).toMatch(/SUCCESS: \d+ rules found/);
  });

  it.each<[string, string, readonly InputSeries[], boolean]>([
    [
      'CacheKeyFault',
      'one wrong key in ten minutes',
      [[`mediform_cache_key_faults_total{${POD},reason="unknown_key"}`, '0x595 1x5']],
      true,
    ],
    [
      'CacheKeyFault',
      'no wrong key',
      [[`mediform_cache_key_faults_total{${POD},reason="unknown_key"}`, '3x600']],
      false,
    ],
    [
      'CacheKeyFault',
      'a wrong key of another service',
      [
        [
          `mediform_cache_key_faults_total{namespace="imaging",pod="ct-6d4cf56db6-x2k9z",reason="unknown_key"}`,
          '0x595 1x5',
        ],
      ],
      false,
    ],
    [
      'CacheTierUnavailable',
      'a breaker that stays open',
      [[`mediform_cache_breaker_state{${POD},tier="redis"}`, '2x600']],
      true,
    ],
    [
      'CacheTierUnavailable',
      'one that tries again and closes',
      [[`mediform_cache_breaker_state{${POD},tier="redis"}`, '0x596 2x2 0x2']],
      false,
    ],
    [
      'CacheHitRatioLow',
      '5 of 100 requests',
      [
        [`mediform_cache_answers_total{${POD},result="hit"}`, '0+5x600'],
        [`mediform_cache_answers_total{${POD},result="miss"}`, '0+95x600'],
      ],
      true,
    ],
    [
      'CacheHitRatioLow',
      'none of 100 requests',
      [[`mediform_cache_answers_total{${POD},result="miss"}`, '0+100x600']],
      true,
    ],
    [
      'CacheHitRatioLow',
      '50 of 100 requests',
      [
        [`mediform_cache_answers_total{${POD},result="hit"}`, '0+50x600'],
        [`mediform_cache_answers_total{${POD},result="miss"}`, '0+50x600'],
      ],
      false,
    ],
    [
      'CacheHitRatioLow',
      'hardly any request',
      [
        [`mediform_cache_answers_total{${POD},result="hit"}`, '0x600'],
        [`mediform_cache_answers_total{${POD},result="miss"}`, '0x595 10x5'],
      ],
      false,
    ],
    [
      'CacheServerDown',
      'one of two servers',
      [
        ['kube_statefulset_status_replicas_ready{namespace="caches",statefulset="results-memcached"}', '1x600'],
        ['kube_statefulset_replicas{namespace="caches",statefulset="results-memcached"}', '2x600'],
      ],
      true,
    ],
    [
      'CacheServerDown',
      'both servers ready',
      [
        ['kube_statefulset_status_replicas_ready{namespace="caches",statefulset="results-memcached"}', '2x600'],
        ['kube_statefulset_replicas{namespace="caches",statefulset="results-memcached"}', '2x600'],
      ],
      false,
    ],
    [
      'CacheTooSmall',
      'two evictions a second',
      [['redis_evicted_keys_total{namespace="caches",pod="results-redis-0"}', '0+120x600']],
      true,
    ],
    [
      'CacheTooSmall',
      'one in ten seconds',
      [['redis_evicted_keys_total{namespace="caches",pod="results-redis-0"}', '0+6x600']],
      false,
    ],
  ])('%s: %s', (alert, _, series, expected) => {
    expect(() => fires(alert, series, expected)).not.toThrow();
  });
});
