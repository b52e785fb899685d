/** What every tier must do, whatever keeps its entries. */
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';

/** A tier as the suite sees it. */
export interface TierUnderTest {
  get(keys: readonly string[]): Promise<Uint8Array | null | undefined>;
  set(key: string, value: Uint8Array, ttlMs: number, seq: number): Promise<void>;
  delete(keys: readonly string[]): Promise<void>;
  /** Lets time pass: a clock is turned, or really waited for. */
  pass(ms: number): Promise<void>;
}

export interface Conformance {
  /** Shortest lifetime that the tier can keep, in milliseconds. */
  readonly grainMs: number;
  /** Largest value to try. */
  readonly maxBytes: number;
}

let count = 0;
const newKey = (): string => `test:diagnosis:v1:${randomBytes(24).toString('base64url')}-${++count}`;
const LONG_MS = 60_000;

/**
 * Tests of one tier.
 *
 * @param open gives the tier; called once before all tests
 */
export function describeTier(
  name: string,
  open: () => Promise<TierUnderTest>,
  { grainMs, maxBytes }: Conformance,
): void {
  describe(`${name} as a tier`, () => {
    let tier: TierUnderTest;
    beforeAll(async () => {
      tier = await open();
    }, 60_000);

    const bytesAt = async (...keys: string[]): Promise<Buffer | undefined> => {
      const found = await tier.get(keys);
      return found === undefined || found === null ? undefined : Buffer.from(found);
    };

    test('gives back every byte', async () => {
      const value = fc.oneof(
        fc.uint8Array({ minLength: 1, maxLength: 200 }),
        // what a protocol of lines could stumble over
        fc
          .array(fc.constantFrom('\r\n', 'END\r\n', 'VA 3\r\n', '\0', '$-1\r\n'), { minLength: 1 })
          .map((parts) => Buffer.from(parts.join(''))),
      );
      await fc.assert(
        fc.asyncProperty(value, async (bytes) => {
          const key = newKey();
          await tier.set(key, bytes, LONG_MS, 0);
          expect(await bytesAt(key)).toEqual(Buffer.from(bytes));
        }),
        { numRuns: 100 },
      );
    });

    test('gives back large values, many at a time', async () => {
      const values = new Map([1, 1_000, 65_536, maxBytes].map((size) => [newKey(), randomBytes(size)]));
      await Promise.all([...values].map(([key, value]) => tier.set(key, value, LONG_MS, 0)));
      const found = await Promise.all([...values.keys()].map((key) => bytesAt(key)));
      expect(found.map((value, index) => value?.equals([...values.values()][index] as Buffer))).toEqual([
        true,
        true,
        true,
        true,
      ]);
    });

    test('has nothing under a key that was never set', async () => {
      expect(await bytesAt(newKey())).toBeUndefined();
    });

    test('gives the first of several keys that has something', async () => {
      const [none, second, third] = [newKey(), newKey(), newKey()];
      await tier.set(second, Buffer.from('second'), LONG_MS, 0);
      await tier.set(third, Buffer.from('third'), LONG_MS, 0);
      expect(String(await bytesAt(none, second, third))).toBe('second');
      expect(String(await bytesAt(third, none, second))).toBe('third');
      expect(await bytesAt(none, newKey())).toBeUndefined();
    });

    test('replaces', async () => {
      const key = newKey();
      await tier.set(key, Buffer.from('first'), LONG_MS, 1);
      await tier.set(key, Buffer.from('second'), LONG_MS, 1);
      expect(String(await bytesAt(key))).toBe('second');
    });

    test('deletes, also what is not there', async () => {
      const [key, other] = [newKey(), newKey()];
      await tier.set(key, Buffer.from('x'), LONG_MS, 0);
      await tier.set(other, Buffer.from('y'), LONG_MS, 0);
      await tier.delete([key, newKey()]);
      expect(await bytesAt(key)).toBeUndefined();
      expect(String(await bytesAt(other))).toBe('y');
    });

    test('lets go in time, never later', async () => {
      const [brief, long] = [newKey(), newKey()];
      await tier.set(brief, Buffer.from('x'), grainMs, 0);
      await tier.set(long, Buffer.from('y'), LONG_MS, 0);
      await tier.pass(grainMs + 50);
      expect(await bytesAt(brief)).toBeUndefined();
      expect(String(await bytesAt(long))).toBe('y');
    });

    test('a replacement has its own lifetime', async () => {
      const key = newKey();
      await tier.set(key, Buffer.from('x'), LONG_MS, 0);
      await tier.set(key, Buffer.from('y'), grainMs, 0);
      await tier.pass(grainMs + 50);
      expect(await bytesAt(key)).toBeUndefined();
    });
  });
}
