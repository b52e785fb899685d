import { RunError, getProject, runtime, secret, type Output } from '@pulumi/pulumi';
import { z } from 'zod';
import { Problems } from '../constructs/plan/errors';
import type { SecretKey } from './references';

/** Settings of the stack: what `pulumi config` shows. */
export interface StackConfig {
  /**
   * Whether the cloud is provisioned too.
   *
   * @default false
   */
  readonly aws: boolean;

  /**
   * Whether the namespaces that services live in are made.
   *
   * @default true
   */
  readonly createNamespaces: boolean;

  /** Values of the Secrets that the services read, from `secrets.NAMESPACE.SECRET.KEY`. */
  readonly secretValue: (key: SecretKey) => Output<string>;
}

const flag = (because: string): z.ZodType<boolean, string> =>
  z.stringbool({ truthy: ['true'], falsy: ['false'], error: `be true or false because ${because}` });

const FORM = 'hold a text for each NAMESPACE, SECRET and KEY because Secrets are made of them';
const byName = <T extends z.ZodType>(value: T): z.ZodRecord<z.ZodString, T> => z.record(z.string(), value, FORM);

/** Values arrive as text, and those with parts as JSON. A message is what comes after "must". */
const SCHEMA = z.strictObject({
  aws: flag('the cloud is provisioned or it is not').default(false),
  createNamespaces: flag('the namespaces are made or are there already').default(true),
  secrets: z
    .string()
    .transform(parseJson)
    .pipe(byName(byName(byName(z.string(FORM).min(1, FORM)))))
    .default({}),
});
type Secrets = z.output<typeof SCHEMA>['secrets'];

/**
 * Reads and checks the whole configuration of the stack.
 *
 * @param needed keys of Secrets that the charts refer to
 * @throws RunError, of which Pulumi shows nothing but its message, that lists all that is wrong; it shows no secret
 */
export function readConfig(needed: readonly SecretKey[]): StackConfig {
  const given = givenValues();
  const problems = new Problems();
  const parsed = SCHEMA.safeParse(given);
  problems.add((parsed.error?.issues ?? []).flatMap((issue) => problemsOf(issue, given)));
  const { data: secrets } = SCHEMA.shape.secrets.safeParse(given.secrets);
  if (secrets !== undefined) {
    problems.add(secretProblems(secrets, needed));
  }
  if (problems.list.length > 0) {
    throw new RunError(`the configuration of the stack is wrong:\n  ${problems.list.join('\n  ')}`);
  }
  const { aws, createNamespaces } = parsed.data as z.output<typeof SCHEMA>;
  const secretValue: StackConfig['secretValue'] = (wanted) => secret(valueOf(secrets as Secrets, wanted) as string);
  return { aws, createNamespaces, secretValue };
}

/** What was set for this project; other prefixes belong to providers. */
function givenValues(): { readonly [key: string]: string } {
  const prefix = `${getProject()}:`;
  const own = Object.entries(runtime.allConfig()).filter(([key]) => key.startsWith(prefix));
  return Object.fromEntries(own.map(([key, value]) => [key.slice(prefix.length), value]));
}

function problemsOf(issue: z.core.$ZodIssue, given: { readonly [key: string]: string }): string[] {
  if (issue.code === 'unrecognized_keys') {
    const known = Object.keys(SCHEMA.shape).join(', ');
    return issue.keys.map((key) => `'${key}' must not be given because the settings are ${known}`);
  }
  const [key = ''] = issue.path;
  const value = key === 'secrets' ? '' : ` (${given[String(key)]})`;
  return [`'${issue.path.join('.')}'${value} must ${issue.message}`];
}

function secretProblems(secrets: Secrets, needed: readonly SecretKey[]): string[] {
  const pathOf = ({ namespace, secret: name, key }: SecretKey): string => `secrets.${namespace}.${name}.${key}`;
  const given = Object.entries(secrets).flatMap(([namespace, byName]) =>
    Object.entries(byName).flatMap(([name, keys]) =>
      Object.keys(keys).map((key) => ({ namespace, secret: name, key })),
    ),
  );
  const paths = new Set(needed.map(pathOf));
  const missing = [...paths].filter((path) => !given.map(pathOf).includes(path));
  return [
    ...missing.map(
      (path) =>
        `'${path}' must be given because pods do not start without it; pulumi config set --path --secret ${path}`,
    ),
    ...given
      .filter((key) => !paths.has(pathOf(key)))
      .map((key) => `'${pathOf(key)}' must not be given because no pod reads it`),
  ];
}

function valueOf(secrets: Secrets, { namespace, secret: name, key }: SecretKey): string | undefined {
  return secrets[namespace]?.[name]?.[key];
}

function parseJson(text: string, context: z.RefinementCtx): unknown {
  try {
    return JSON.parse(text);
  } catch {
    context.addIssue({ code: 'custom', message: FORM });
    return z.NEVER;
  }
}
