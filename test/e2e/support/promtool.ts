import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { PrometheusRule } from '../../../constructs/imports/prometheus-rule';
import { describeUnless } from './suite';

export type RuleGroup = NonNullable<PrometheusRule['spec']['groups']>[number];

/** Series that Prometheus has scraped: name with labels, and values in promtool's notation (`0+5x20`, `_x4 7x10`). */
export type InputSeries = readonly [series: string, values: string];

/** What PromQL must give at a moment. */
export interface Expectation {
  /** Time since the start, such as `10m`. */
  readonly at: string;
  /** Must give one element without labels, or none. */
  readonly expr: string;
  /** Undefined where the expression must give nothing. */
  readonly value: number | undefined;
}

/** One history, and what must come of it. */
export interface PromScenario {
  readonly name: string;
  readonly series: readonly InputSeries[];
  readonly expect: readonly Expectation[];
}

/** A run of promtool. Time starts in 1970. */
export interface PromTest {
  readonly groups: readonly RuleGroup[];
  /**
   * Time between samples, and between evaluations of the rules.
   *
   * @default '15s'
   */
  readonly interval?: string;
  readonly scenarios: readonly PromScenario[];
}

/** Values that differ by less are the same: PromQL adds up in another order. */
const PRECISION = 1e-9;
/** Stands for no value in promtool's report of what it got. */
const NOTHING = -99_999;

/** What promtool says of its version; undefined where it is not on this machine. */
export const promtoolVersion = ((): string | undefined => {
  const { status, stdout } = spawnSync('promtool', ['--version'], { encoding: 'utf8' });
  return status === 0 ? stdout.split('\n')[0] : undefined;
})();

/** A suite that is reported as skipped, with the reason, where promtool is not on this machine. */
export function describeWithPromtool(name: string, suite: () => void): void {
  const missing = 'promtool is not on the PATH; Debian has it in the package prometheus';
  describeUnless(promtoolVersion === undefined ? missing : undefined, name, suite);
}

/** What `promtool check rules` says of rule groups; throws where it finds an error. */
export function checkRules(groups: readonly RuleGroup[]): string {
  return inTempDir((dir) => promtool(['check', 'rules', writeYaml(dir, 'rules.yaml', { groups })]));
}

/** Runs `promtool test rules`; throws its report where anything differs. */
export function testRules(...tests: readonly PromTest[]): void {
  inTempDir((dir) => {
    const files = tests.map(({ groups, interval = '15s', scenarios }, index) => {
      writeYaml(dir, `rules-${index}.yaml`, { groups });
      return writeYaml(dir, `test-${index}.yaml`, {
        rule_files: [`rules-${index}.yaml`],
        evaluation_interval: interval,
        tests: scenarios.map((scenario) => scenarioYaml(scenario, interval)),
      });
    });
    return promtool(['test', 'rules', ...files]);
  });
}

function scenarioYaml({ name, series, expect }: PromScenario, interval: string): object {
  return {
    name,
    interval,
    input_series: series.map(([labelled, values]) => ({ series: labelled, values })),
    promql_expr_test: expect.map(({ at, expr, value }) =>
      // an expression that fails gives what it got, so that the report shows it
      value === undefined
        ? { expr, eval_time: at, exp_samples: [] }
        : {
            expr: `((${expr}) or vector(${NOTHING})) unless abs((${expr}) - ${value}) < ${PRECISION}`,
            eval_time: at,
            exp_samples: [],
          },
    ),
  };
}

function promtool(args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync('promtool', args, { encoding: 'utf8', maxBuffer: 64 << 20 });
  if (status !== 0) {
    throw new Error(`promtool ${args.slice(0, 2).join(' ')}\n${error?.message ?? ''}${stderr}${stdout}`.slice(0, 8000));
  }
  return stdout;
}

function writeYaml(dir: string, name: string, content: object): string {
  const path = join(dir, name);
  writeFileSync(path, stringify(content, { lineWidth: 0, aliasDuplicateObjects: false }));
  return path;
}

function inTempDir<T>(run: (dir: string) => T): T {
  const dir = mkdtempSync(join(tmpdir(), 'mediform-promtool-'));
  try {
    return run(dir);
  } finally {
    rmSync(dir, { recursive: true });
  }
}
