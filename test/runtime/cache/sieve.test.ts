import fc from 'fast-check';
import { Sieve } from '../../../runtime/cache/sieve';

/** What the paper says, without a thought for speed: the first is the newest. */
class Textbook {
  private queue: { readonly key: string; visited: boolean }[] = [];
  private hand: { readonly key: string } | undefined;

  constructor(private readonly capacity: number) {}

  request(key: string): boolean {
    const found = this.queue.find((entry) => entry.key === key);
    if (found !== undefined) {
      found.visited = true;
      return true;
    }
    if (this.queue.length === this.capacity) {
      let at =
        this.hand === undefined ? this.queue.length - 1 : this.queue.findIndex(({ key }) => key === this.hand?.key);
      while (this.queue[at]?.visited) {
        (this.queue[at] as { visited: boolean }).visited = false;
        at = at === 0 ? this.queue.length - 1 : at - 1;
      }
      this.hand = this.queue[at - 1];
      this.queue.splice(at, 1);
    }
    this.queue.unshift({ key, visited: false });
    return false;
  }
}

test('hits and misses exactly what the paper says', () => {
  const requests = fc.array(fc.integer({ min: 0, max: 12 }).map(String), { maxLength: 200 });
  fc.assert(
    fc.property(requests, fc.integer({ min: 1, max: 6 }), (keys, capacity) => {
      const textbook = new Textbook(capacity);
      const sieve = new Sieve<true>(capacity);
      for (const key of keys) {
        const hit = sieve.get(key) ?? false;
        if (!hit) {
          sieve.set(key, true, 1);
        }
        expect(hit).toBe(textbook.request(key));
      }
    }),
    { numRuns: 500 },
  );
});

test('never holds more bytes than it may, and gives back the last value or none', () => {
  const operation = fc.record({
    key: fc.integer({ min: 0, max: 9 }).map(String),
    bytes: fc.integer({ min: 0, max: 40 }),
    what: fc.constantFrom('set', 'get', 'delete', 'clear'),
  });
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 300 }), (operations) => {
      const last = new Map<string, number>();
      let removed = 0;
      const sieve = new Sieve<number>(100, (_, bytes) => (removed += bytes));
      let inserted = 0;
      operations.forEach(({ bytes, key, what }, index) => {
        if (what === 'set') {
          inserted += sieve.set(key, index, bytes) ? bytes : 0;
          last.set(key, index);
        } else if (what === 'get') {
          const value = sieve.get(key);
          expect(value === undefined || value === last.get(key)).toBe(true);
        } else if (what === 'delete') {
          sieve.delete(key);
          expect(sieve.get(key)).toBeUndefined();
        } else {
          sieve.clear();
        }
        expect(sieve.bytes).toBeLessThanOrEqual(100);
        // what is held is what came and did not go
        expect(sieve.bytes).toBe(inserted - removed);
      });
    }),
  );
});

test('refuses what alone is too large, and forgets what it replaced', () => {
  const sieve = new Sieve<string>(10);
  expect(sieve.set('a', 'small', 5)).toBe(true);
  expect(sieve.set('a', 'large', 11)).toBe(false);
  expect(sieve.get('a')).toBeUndefined();
});

test('a scan does not wash out what is asked for again and again', () => {
  const sieve = new Sieve<true>(10);
  for (let popular = 0; popular < 5; popular++) {
    sieve.set(`popular ${popular}`, true, 1);
    sieve.get(`popular ${popular}`);
  }
  for (let scanned = 0; scanned < 14; scanned++) {
    sieve.set(`scanned ${scanned}`, true, 1);
  }
  expect([0, 1, 2, 3, 4].filter((popular) => sieve.get(`popular ${popular}`))).toHaveLength(5);
});
