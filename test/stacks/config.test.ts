/** The stack's configuration: read once, and all that is wrong with it told at once. */
import { Config, runtime, type Output } from '@pulumi/pulumi';
import { readConfig, type StackConfig } from '../../stacks/config';
import type { SecretKey } from '../../stacks/references';

const CACHE_KEY: SecretKey = { namespace: 'imaging', secret: 'image-diagnosis-keys', key: 'cache' };
const SECRETS = { imaging: { 'image-diagnosis-keys': { cache: 'hunter2' } } };

function read(settings: { readonly [key: string]: unknown }, needed: readonly SecretKey[] = []): StackConfig {
  const text = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
  const own = Object.entries(settings).map(([key, value]) => [`${new Config().name}:${key}`, text(value)] as const);
  runtime.setAllConfig({ ...Object.fromEntries(own), 'aws:region': 'eu-central-1' });
  return readConfig(needed);
}

function problems(settings: { readonly [key: string]: unknown }, needed?: readonly SecretKey[]): string[] {
  try {
    read(settings, needed);
    return [];
  } catch (error) {
    return (error as Error).message
      .split('\n')
      .slice(1)
      .map((line) => line.trim());
  }
}

it('has defaults for all that has no secret in it', () => {
  expect(read({})).toMatchObject({ aws: false, createNamespaces: true });
  expect(read({ aws: 'true', createNamespaces: 'false' })).toMatchObject({ aws: true, createNamespaces: false });
});

it('gives secrets as such', async () => {
  const value = read({ secrets: SECRETS }, [CACHE_KEY]).secretValue(CACHE_KEY) as Output<string> & {
    readonly isSecret: Promise<boolean>;
    readonly promise: () => Promise<string>;
  };
  expect([await value.isSecret, await value.promise()]).toEqual([true, 'hunter2']);
});

it('tells all that is wrong at once, without a secret', () => {
  const secrets = { imaging: { 'image-diagnosis-keys': { cahce: 'hunter2' } } };
  expect(problems({ aws: 'ja', createNamespaces: '1', namespace: 'x', secrets }, [CACHE_KEY])).toEqual([
    "'aws' (ja) must be true or false because the cloud is provisioned or it is not",
    "'createNamespaces' (1) must be true or false because the namespaces are made or are there already",
    "'namespace' must not be given because the settings are aws, createNamespaces, secrets",
    "'secrets.imaging.image-diagnosis-keys.cache' must be given because pods do not start without it; pulumi config set --path --secret secrets.imaging.image-diagnosis-keys.cache",
    "'secrets.imaging.image-diagnosis-keys.cahce' must not be given because no pod reads it",
  ]);
});

it.each([
  ['hunter2', 'secrets'],
  ['["hunter2"]', 'secrets'],
  ['{"imaging":"hunter2"}', 'secrets.imaging'],
  ['{"imaging":{"keys":{"cache":4711}}}', 'secrets.imaging.keys.cache'],
  ['{"imaging":{"keys":{"cache":""}}}', 'secrets.imaging.keys.cache'],
])('refuses secrets of another form: %s', (secrets, path) => {
  expect(problems({ secrets })).toEqual([
    `'${path}' must hold a text for each NAMESPACE, SECRET and KEY because Secrets are made of them`,
  ]);
});
