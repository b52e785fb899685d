import { RunError, getProject, runtime, secret, type Output } from '@pulumi/pulumi';
import { z } from 'zod';
import type { NeededKey } from './references';

/** Settings of the stack: what `pulumi config` shows. */
export interface StackConfig {
  /**
   * What the cloud is told.
   *
   * @default - no cloud is provisioned: setting `aws` is not `true`
   */
  readonly cloud?: CloudConfig;

  /**
   * Whether the namespaces that services live in are made.
   *
   * @default true
   */
  readonly createNamespaces: boolean;

  /** Values of the Secrets and ConfigMaps that pods need: settings `secrets` and `configMaps`. */
  readonly valueOf: (key: NeededKey) => Output<string>;
}

/** Settings that `aws` needs, each by its name. */
export interface CloudConfig {
  /** Such as `production`; a tag of everything. */
  readonly environment: string;
  /** Whom the bill goes to; a tag of everything. */
  readonly costCentre: string;
  /** USD that the account may cost in a month. */
  readonly monthlyBudgetUsd: number;
  /** Who is told when it costs more. */
  readonly alarmEmails: readonly string[];
  /**
   * Who may reach the Kubernetes API over the internet.
   *
   * @default - nobody: Pulumi runs where the VPC is reached
   */
  readonly publicAccessCidrs?: readonly string[];
  /**
   * Who may reach the Kubernetes API over what is connected with the VPC, such as a VPN.
   *
   * @default - the cluster's nodes alone
   */
  readonly privateAccessCidrs?: readonly string[];
}

/** What the configuration has to fit. */
export interface Needs {
  /** Keys of Secrets and ConfigMaps that the charts refer to and that do not come with the cloud. */
  readonly keys: (cloud: boolean) => readonly NeededKey[];
  /** AWS region of the node pools. */
  readonly region: string;
}

/** Texts by the name of a Secret or ConfigMap, and key. */
interface Values {
  readonly [name: string]: { readonly [key: string]: string };
}

// values arrive as text, and those with parts as JSON; a message is what comes after "must"
const flag = (because: string): z.ZodType<boolean, string> =>
  z.stringbool({ truthy: ['true'], falsy: ['false'], error: `be true or false because ${because}` });
const text = (must: string): z.ZodString => z.string(must).min(1, must);
const json = (must: string): z.ZodPipe<z.ZodString, z.ZodTransform<unknown, string>> =>
  z.string(must).transform((value, context) => parseJson(value, must, context));
const texts = (must: string): z.ZodType<Values> =>
  json(must).pipe(z.record(z.string(), z.record(z.string(), text(must), must), must));
const list = (must: string, item: z.ZodString): z.ZodType<string[]> =>
  json(must).pipe(z.array(item, must).min(1, must));

const BUDGET = 'be a number over 0 because no budget is guessed';
const EMAILS = 'list at least one mail address because an alarm that reaches nobody is none';
const CIDRS = 'list blocks of addresses, such as ["192.0.2.0/24"], because the Kubernetes API is reached from them';
const BASE = z.strictObject({
  aws: flag('the cloud is provisioned or it is not').default(false),
  createNamespaces: flag('the namespaces are made or are there already').default(true),
  secrets: texts('hold a text for each SECRET and KEY because Secrets are made of them').default({}),
  configMaps: texts('hold a text for each CONFIGMAP and KEY because ConfigMaps are made of them').default({}),
});
const CLOUD = z.object({
  environment: text('name the environment because everything is tagged with it'),
  costCentre: text('name who pays because everything is tagged with it'),
  monthlyBudgetUsd: z.string(BUDGET).transform(Number).pipe(z.number(BUDGET).positive(BUDGET)),
  alarmEmails: list(EMAILS, z.string(EMAILS).regex(/^\S+@\S+\.\S+$/, EMAILS)),
  publicAccessCidrs: list(CIDRS, text(CIDRS)).optional(),
  privateAccessCidrs: list(CIDRS, text(CIDRS)).optional(),
});
const WITHOUT_CLOUD = BASE.extend(CLOUD.partial().shape);
const WITH_CLOUD = BASE.extend(CLOUD.shape);

/**
 * Reads and checks the whole configuration of the stack.
 *
 * @throws RunError, of which Pulumi shows nothing but its message, that lists all that is wrong; it shows no secret
 */
export function readConfig({ keys, region }: Needs): StackConfig {
  const given = givenValues();
  const withCloud = given.aws === 'true';
  const { data, error } = (withCloud ? WITH_CLOUD : WITHOUT_CLOUD).safeParse(given);
  const values = (setting: 'secrets' | 'configMaps'): Values | undefined =>
    BASE.shape[setting].safeParse(given[setting]).data;
  const problems = [
    ...(error?.issues ?? []).flatMap((issue) => problemsOf(issue, given)),
    ...(withCloud ? regionProblems(region) : []),
    ...keyProblems('secrets', values('secrets'), keys(withCloud)),
    ...keyProblems('configMaps', values('configMaps'), keys(withCloud)),
  ];
  if (data === undefined || problems.length > 0) {
    throw new RunError(`the configuration of the stack is wrong:\n  ${problems.join('\n  ')}`);
  }
  return {
    createNamespaces: data.createNamespaces,
    ...(withCloud && { cloud: CLOUD.parse(given) }),
    valueOf: ({ kind, name, key }) =>
      secret((kind === 'Secret' ? data.secrets : data.configMaps)[name]?.[key] as string),
  };
}

/** What was set for this project; other prefixes belong to providers. */
function givenValues(): { readonly [key: string]: string } {
  const prefix = `${getProject()}:`;
  const own = Object.entries(runtime.allConfig()).filter(([key]) => key.startsWith(prefix));
  return Object.fromEntries(own.map(([key, value]) => [key.slice(prefix.length), value]));
}

function problemsOf(issue: z.core.$ZodIssue, given: { readonly [key: string]: string }): string[] {
  if (issue.code === 'unrecognized_keys') {
    const known = Object.keys(WITH_CLOUD.shape).join(', ');
    return issue.keys.map((key) => `'${key}' must not be given because the settings are ${known}`);
  }
  const [key = ''] = issue.path;
  const value = key === 'secrets' ? '' : ` (${given[String(key)]})`;
  return [`'${issue.path.join('.')}'${value} must ${issue.message}`];
}

function regionProblems(region: string): string[] {
  const given = runtime.allConfig()['aws:region'];
  return given === region
    ? []
    : [`'aws:region' (${given}) must be ${region} because the node pools of the hospital are there`];
}

/** What is missing among the values of one setting, and what nobody needs; nothing where they are wrong anyway. */
function keyProblems(
  setting: 'secrets' | 'configMaps',
  values: Values | undefined,
  needed: readonly NeededKey[],
): string[] {
  if (values === undefined) {
    return [];
  }
  const kind = setting === 'secrets' ? 'Secret' : 'ConfigMap';
  const pathOf = (name: string, key: string): string => `${setting}${part(name)}${part(key)}`;
  const given = Object.entries(values).flatMap(([name, keys]) => Object.keys(keys).map((key) => pathOf(name, key)));
  const wanted = new Set(needed.filter((key) => key.kind === kind).map(({ name, key }) => pathOf(name, key)));
  const hidden = setting === 'secrets' ? ' --secret' : '';
  return [
    ...[...wanted]
      .filter((path) => !given.includes(path))
      .map(
        (path) =>
          `'${path}' must be given because pods do not start without it; pulumi config set --path${hidden} '${path}'`,
      ),
    ...given.filter((path) => !wanted.has(path)).map((path) => `'${path}' must not be given because no pod needs it`),
  ];
}

/** A part of a path, as `pulumi config --path` takes it. */
function part(name: string): string {
  return /^[\w-]+$/.test(name) ? `.${name}` : `["${name}"]`;
}

function parseJson(value: string, must: string, context: z.RefinementCtx): unknown {
  try {
    return JSON.parse(value);
  } catch {
    context.addIssue({ code: 'custom', message: must });
    return z.NEVER;
  }
}
