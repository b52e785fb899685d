/** The stack's configuration: read once, and all that is wrong with it told at once. */
import { Config, runtime, type Output } from '@pulumi/pulumi';
import { readConfig, type StackConfig } from '../../stacks/config';
import type { NeededKey } from '../../stacks/references';

const PASSWORD: NeededKey = { kind: 'Secret', namespace: 'imaging', name: 'results-redis', key: 'password' };
const AUTHORITY: NeededKey = { kind: 'ConfigMap', namespace: 'imaging', name: 'authorities', key: 'ca.pem' };
const CLOUD = {
  aws: 'true',
  environment: 'production',
  costCentre: 'radiology',
  monthlyBudgetUsd: '20000',
  alarmEmails: ['ops@hospital.example'],
};

function read(settings: object, needed: readonly NeededKey[] = [], region = 'eu-central-1'): StackConfig {
  const asText = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
  const own = Object.entries(settings).map(([key, value]) => [`${new Config().name}:${key}`, asText(value)] as const);
  runtime.setAllConfig({ ...Object.fromEntries(own), 'aws:region': region });
  // with the cloud comes the password
  const keys = (cloud: boolean): readonly NeededKey[] => needed.filter((key) => !cloud || key !== PASSWORD);
  return readConfig({ keys, region: 'eu-central-1' });
}

function problems(...args: Parameters<typeof read>): string[] {
  try {
    read(...args);
    return [];
  } catch (error) {
    const [title = '', ...lines] = (error as Error).message.split('\n');
    expect(title).toBe('the configuration of the stack is wrong:');
    return lines.map((line) => line.trim());
  }
}

it('has defaults for all that is neither a secret nor the cloud', () => {
  expect(read({})).toEqual({ createNamespaces: true, valueOf: expect.any(Function) as unknown });
  expect(read({ aws: 'false', createNamespaces: 'false' })).toMatchObject({ createNamespaces: false });
});

it('gives values as secrets, each by the kind and name of its object', async () => {
  const settings = {
    secrets: { 'results-redis': { password: 'hunter2' } },
    configMaps: { authorities: { 'ca.pem': 'PEM' } },
  };
  const { valueOf } = read(settings, [PASSWORD, AUTHORITY]);
  const values = [PASSWORD, AUTHORITY].map(valueOf) as (Output<string> & {
    readonly isSecret: Promise<boolean>;
    readonly promise: () => Promise<string>;
  })[];
  expect(await Promise.all(values.map((value) => value.promise()))).toEqual(['hunter2', 'PEM']);
  expect(await Promise.all(values.map((value) => value.isSecret))).toEqual([true, true]);
});

it('asks for each key once, whatever number of namespaces need it', () => {
  expect(problems({}, [PASSWORD, { ...PASSWORD, namespace: 'knowledge' }])).toHaveLength(1);
});

it('tells all that is wrong at once, without a secret', () => {
  const secrets = { 'results-redis': { pasword: 'hunter2' } };
  const settings = { aws: 'ja', createNamespaces: '1', namespace: 'x', monthlyBudgetUsd: 'much', secrets };
  expect(problems(settings, [PASSWORD, AUTHORITY])).toEqual([
    "'aws' (ja) must be true or false because the cloud is provisioned or it is not",
    "'createNamespaces' (1) must be true or false because the namespaces are made or are there already",
    "'monthlyBudgetUsd' (much) must be a number over 0 because no budget is guessed",
    expect.stringMatching(/^'namespace' must not be given because the settings are aws, createNamespaces, secrets,/),
    "'secrets.results-redis.password' must be given because pods do not start without it; pulumi config set --path --secret 'secrets.results-redis.password'",
    "'secrets.results-redis.pasword' must not be given because no pod needs it",
    `'configMaps.authorities["ca.pem"]' must be given because pods do not start without it; pulumi config set --path 'configMaps.authorities["ca.pem"]'`,
  ]);
});

it.each([
  ['hunter2', 'secrets'],
  ['["hunter2"]', 'secrets'],
  ['{"results-redis":"hunter2"}', 'secrets.results-redis'],
  ['{"results-redis":{"password":4711}}', 'secrets.results-redis.password'],
  ['{"results-redis":{"password":""}}', 'secrets.results-redis.password'],
])('refuses secrets of another form: %s', (secrets, path) => {
  expect(problems({ secrets }, [PASSWORD])).toEqual([
    `'${path}' must hold a text for each SECRET and KEY because Secrets are made of them`,
  ]);
});

describe('with the cloud', () => {
  it('takes what the cloud needs, and asks for no key that comes with it', () => {
    const cidrs = { privateAccessCidrs: ['10.9.0.0/16'] };
    expect(read({ ...CLOUD, ...cidrs }, [PASSWORD]).cloud).toEqual({
      environment: 'production',
      costCentre: 'radiology',
      monthlyBudgetUsd: 20000,
      alarmEmails: ['ops@hospital.example'],
      privateAccessCidrs: ['10.9.0.0/16'],
    });
  });

  it('tells all that is missing, and where the pools are', () => {
    expect(problems({ aws: 'true' }, [AUTHORITY], 'us-east-1').map((line) => /^'(.*?)'/.exec(line)?.[1])).toEqual([
      'environment',
      'costCentre',
      'monthlyBudgetUsd',
      'alarmEmails',
      'aws:region',
      'configMaps.authorities["ca.pem"]',
    ]);
    expect(problems({ ...CLOUD, alarmEmails: [] }, [], 'us-east-1')).toEqual([
      "'alarmEmails' ([]) must list at least one mail address because an alarm that reaches nobody is none",
      "'aws:region' (us-east-1) must be eu-central-1 because the node pools of the hospital are there",
    ]);
  });

  it('keeps the settings of the cloud for the day that it is turned on', () => {
    expect(read({ ...CLOUD, aws: 'false' }).cloud).toBeUndefined();
  });
});
