import fc from 'fast-check';
import { randomBytes } from 'node:crypto';
import { pack, unpack } from '../../../runtime/cache/codec';
import { decodeContent, encodeContent, type Entry } from '../../../runtime/cache/entry';
import { open, readHeader, seal } from '../../../runtime/cache/envelope';
import { keyRing, TenantKey, type KeyRing } from '../../../runtime/cache/key-ring';

const SECRET = randomBytes(32);
const KEY = 'test:diagnosis:v1:abc';

function ringOf(name = 'one', secret: Uint8Array = SECRET, namespace = 'test'): KeyRing {
  const key = new TenantKey(name, secret, namespace);
  return keyRing([key], key);
}

const time = fc.integer({ min: 0, max: 2 ** 48 - 1 });
const position = fc.record({
  incarnation: fc.integer({ min: 0, max: 2 ** 47 }),
  seq: fc.integer({ min: 0, max: 2 ** 40 }),
});
const facts = fc.record({
  computedAt: time,
  freshUntil: time,
  heldUntil: time,
  computeMs: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  positions: fc.tuple(position, position),
});
const bytes = fc.uint8Array({ maxLength: 300 });

test('what is sealed is opened, header and content', () => {
  fc.assert(
    fc.property(facts, bytes, (header, content) => {
      const sealed = seal(ringOf(), KEY, header, 0, content);
      const read = readHeader(sealed);
      expect(read).toEqual({ ...header, codec: 0, keyName: 'one' });
      expect(read && open(ringOf(), KEY, read, sealed)).toEqual(Buffer.from(content));
    }),
  );
});

test('one changed bit anywhere, or a missing end, and nothing is opened', () => {
  fc.assert(
    fc.property(facts, bytes, fc.nat(), fc.nat({ max: 7 }), fc.boolean(), (header, content, place, bit, cut) => {
      const whole = seal(ringOf(), KEY, header, 0, content);
      const sealed = cut ? whole.subarray(0, place % whole.length) : whole;
      if (!cut) {
        const at = place % sealed.length;
        sealed[at] = (sealed[at] as number) ^ (1 << bit);
      }
      const read = readHeader(sealed);
      const opened = read === undefined ? 'bad_format' : open(ringOf(), KEY, read, sealed);
      expect(['bad_format', 'unknown_key', 'not_authentic']).toContain(opened);
    }),
    { numRuns: 1_000 },
  );
});

test.each([
  ['under another key in the tier', ringOf(), 'test:diagnosis:v1:abd', 'not_authentic'],
  ['as another kind', ringOf(), 'test:knowledge:v1:abc', 'not_authentic'],
  ['as another version', ringOf(), 'test:diagnosis:v2:abc', 'not_authentic'],
  ['in another namespace with the same secret', ringOf('one', SECRET, 'other'), KEY, 'not_authentic'],
  ['with another secret of the same name', ringOf('one', randomBytes(32)), KEY, 'not_authentic'],
  ['without the key', ringOf('two'), KEY, 'unknown_key'],
])('an entry is not opened %s', (_, ring, key, reason) => {
  const header = { computedAt: 1, freshUntil: 2, heldUntil: 3, computeMs: 4, positions: [] };
  const sealed = seal(ringOf(), KEY, header, 0, Buffer.from('patient'));
  expect(sealed.includes('patient')).toBe(false);
  const read = readHeader(sealed);
  expect(read && open(ring, key, read, sealed)).toBe(reason);
});

test('the same content is sealed differently each time, and under a key of its own each day', () => {
  const ring = ringOf();
  const header = { computedAt: 0, freshUntil: 2, heldUntil: 3, computeMs: 4, positions: [] };
  expect(seal(ring, KEY, header, 0, Buffer.from('x'))).not.toEqual(seal(ring, KEY, header, 0, Buffer.from('x')));
  const day = 86_400_000;
  expect(ring.current.sealingKey(0).equals(ring.current.sealingKey(day - 1))).toBe(true);
  expect(ring.current.sealingKey(0).equals(ring.current.sealingKey(day))).toBe(false);
});

test('an entry is its content again', () => {
  const id = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((hash) => Buffer.from(hash).toString('base64url'));
  const optional = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
    fc.option(arbitrary, { nil: undefined });
  const value = fc
    .tuple(bytes, optional(fc.string()), optional(fc.dictionary(fc.string(), fc.string())))
    .map(([body, contentType, metadata]) => ({
      body: Buffer.from(body),
      ...(contentType !== undefined && { contentType }),
      ...(metadata !== undefined && { metadata: { ...metadata } }),
    }));
  fc.assert(
    fc.property(
      facts,
      optional(value),
      fc.string(),
      fc.array(id, { maxLength: 9 }),
      (times, held, modelVersion, ids) => {
        const entry: Entry = { kind: 'knowledge', ...times, modelVersion, value: held, ids };
        const { ids: readIds, ...read } = decodeContent('knowledge', times, encodeContent(entry));
        expect(readIds).toEqual(ids);
        expect(read.value).toEqual(held);
        expect(read).toMatchObject({ kind: 'knowledge', modelVersion, ...times });
      },
    ),
  );
});

test('what compresses is compressed, what does not is left, and both come back', async () => {
  const text = Buffer.from('{"finding":"none"}'.repeat(10_000));
  const noise = randomBytes(100_000);
  const packedText = await pack(text, 'application/json');
  const packedNoise = await pack(noise, 'application/octet-stream');
  expect(packedText.bytes.length).toBeLessThan(text.length / 10);
  expect(packedNoise).toEqual({ codec: 0, bytes: noise });
  expect((await pack(text, 'image/png')).codec).toBe(0);
  expect(await unpack(packedText.codec, Buffer.from(packedText.bytes), 1_000_000)).toEqual(text);
});

test('no more is compressed at a time than memory allows; the rest is left as it is', async () => {
  const text = Buffer.from('no finding. '.repeat(1_000));
  const compressed = async (contents: readonly Buffer[]): Promise<number> => {
    const packed = await Promise.all(contents.map((content) => pack(content, 'text/plain')));
    return packed.filter(({ codec }) => codec !== 0).length;
  };
  expect(await compressed(Array<Buffer>(200).fill(text))).toBe(64);
  const large = Buffer.alloc(20_000_000, text);
  expect(await compressed(Array<Buffer>(5).fill(large))).toBe(3);
  // and they make room again
  expect(await compressed(Array<Buffer>(64).fill(text))).toBe(64);
});

test('a bomb does not unpack, nor does an unknown codec', async () => {
  const { bytes: bomb, codec } = await pack(Buffer.alloc(10_000_000), undefined);
  expect(await unpack(codec, Buffer.from(bomb), 1_000_000)).toBeUndefined();
  expect(await unpack(99, Buffer.from('x'), 1_000_000)).toBeUndefined();
});
