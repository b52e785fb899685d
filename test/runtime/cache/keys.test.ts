import fc from 'fast-check';
import { createHash, randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import type { ConfigurationError } from '../../../constructs/plan/errors';
import { keyRing, parseKeyRing, TenantKey } from '../../../runtime/cache/key-ring';
import { EntryKey, type KeySpace } from '../../../runtime/cache/keys';
import type { CacheQuery } from '../../../runtime/cache/types';
import { imageQuery } from '../../support/cache';

const SPACE: KeySpace = { kind: 'diagnosis', namespace: 'test', version: 3 };
const [ONE, TWO] = ['one', 'two'].map((name) => new TenantKey(name, randomBytes(32), 'test')) as [TenantKey, TenantKey];
const RING = keyRing([ONE, TWO], ONE);

const keyOf = (query: Partial<CacheQuery> = {}, space: Partial<KeySpace> = {}): EntryKey =>
  new EntryKey(RING, { ...SPACE, ...space }, imageQuery(query));

test('a key is kind, version and HMAC, after the namespace', () => {
  const { id, primary } = keyOf();
  expect(id).toMatch(/^diagnosis:v3:[\w-]{43}$/);
  expect(primary).toBe(`test:${id}`);
});

test.each<[string, Partial<CacheQuery>, Partial<KeySpace>?]>([
  ['content', { content: Buffer.from('other pixels') }],
  ['model', { model: 'unet' }],
  ['model version', { modelVersion: '1.0.1' }],
  ['preprocessing version', { preprocessingVersion: '2' }],
  ['variant', { variant: 'fr' }],
  ['identifiers', { ids: ['study-4712'] }],
  ['kind', {}, { kind: 'model_output' }],
  ['version of the data', {}, { version: 4 }],
  ['namespace', {}, { namespace: 'other' }],
])('another %s is another key', (_, query, space = {}) => {
  expect(keyOf(query, space).primary).not.toBe(keyOf().primary);
});

test('fields cannot flow into each other', () => {
  const text = fc.string({ maxLength: 4 });
  const query = fc.record({
    content: text.map((content) => Buffer.from(content)),
    model: text,
    modelVersion: text,
    preprocessingVersion: text,
    variant: text,
    ids: fc.array(text, { maxLength: 2 }),
  });
  fc.assert(
    fc.property(query, query, (a, b) => {
      const same =
        JSON.stringify({ ...a, ids: [...a.ids].sort() }) === JSON.stringify({ ...b, ids: [...b.ids].sort() });
      expect(new EntryKey(RING, SPACE, a).id === new EntryKey(RING, SPACE, b).id).toBe(same);
    }),
  );
});

test('the order of identifiers does not matter', () => {
  expect(keyOf({ ids: ['a', 'b'] }).id).toBe(keyOf({ ids: ['b', 'a'] }).id);
});

test('a content that was hashed while it streamed by has the same key', () => {
  const sha256 = createHash('sha256').update('pixels').digest();
  expect(keyOf({ content: { sha256 } }).id).toBe(keyOf().id);
  expect(() => keyOf({ content: { sha256: sha256.subarray(1) } })).toThrow(
    /'content.sha256' \(31 bytes\) must be 32 bytes/,
  );
});

test('texts are the same in their canonical form, and keep their case', () => {
  const text = (content: string): string => keyOf({ content }).id;
  expect(text('  caf\u0065\u0301\n\tsign ')).toBe(text('caf\u00e9 sign'));
  expect(text('MS')).not.toBe(text('ms'));
});

test('every key of the ring has its own keys and ids, the current one first', () => {
  const key = keyOf();
  expect(key.all).toHaveLength(2);
  expect(key.all[0]).toBe(key.primary);
  const other = new EntryKey(keyRing([ONE, TWO], TWO), SPACE, imageQuery());
  expect(other.all).toEqual([...key.all].reverse());
  expect(other.ids.filter((id) => key.ids.includes(id))).toEqual([]);
});

test('nothing of a patient shows, however a key is printed', () => {
  const key = keyOf({ content: 'diabetes', ids: ['patient-0815'] });
  expect([...key.ids, ...key.all]).toHaveLength(5);
  const printed = inspect(key, { depth: 9, showHidden: true }) + JSON.stringify(key);
  expect(printed).not.toMatch(/diabetes|patient-/);
  expect(printed).not.toContain(createHash('sha256').update('diabetes').digest('base64url'));
});

describe('a key ring', () => {
  const good = randomBytes(32).toString('base64');
  const problems = (text: string): readonly string[] => {
    try {
      parseKeyRing(text, 'test');
      return [];
    } catch (error) {
      return (error as ConfigurationError).problems;
    }
  };

  test('has a current key and others', () => {
    const ring = parseKeyRing(JSON.stringify({ current: 'b', keys: { a: good, b: good } }), 'test');
    expect(ring.keys.map(({ name }) => name)).toEqual(['b', 'a']);
    expect(ring.named('a')?.name).toBe('a');
    expect(ring.named('c')).toBeUndefined();
  });

  test.each([
    ['no JSON', 'x'],
    ['a list', '[]'],
    ['null', 'null'],
    ['no keys', '{"current":"a"}'],
    ['keys that are no texts', '{"current":"a","keys":{"a":1}}'],
  ])('is not %s', (_, text) => {
    expect(problems(text)).toEqual([expect.stringContaining("'keyRingFile' (its content) must be such JSON")]);
  });

  test('tells all that is wrong at once, and never a key', () => {
    const short = randomBytes(16).toString('base64');
    const found = problems(JSON.stringify({ current: 'c', keys: { a: short, 'b!': good } }));
    expect(found).toEqual([
      expect.stringContaining("'keyRing.current' (c) must be one of the keys"),
      expect.stringContaining("'keyRing.keys.a' (16 bytes) must be 32 bytes in base64"),
      expect.stringContaining("'keyRing.keys' (b!) must match"),
    ]);
    expect(found.join()).not.toContain(short);
  });
});
