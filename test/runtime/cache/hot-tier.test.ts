import type { Entry } from '../../../runtime/cache/entry';
import { HotTier } from '../../../runtime/cache/hot-tier';
import { Clock } from '../../support/cache';
import { describeTier } from '../../support/tier-conformance';

function entry(body: Uint8Array, now: number, ttlMs: number): Entry {
  return {
    kind: 'diagnosis',
    value: { body },
    modelVersion: '1',
    computedAt: now,
    freshUntil: now + ttlMs,
    heldUntil: now + ttlMs,
    computeMs: 0,
    ids: [],
    positions: [],
  };
}

describeTier(
  'the hot tier',
  () => {
    const clock = new Clock();
    const hot = new HotTier();
    return Promise.resolve({
      get: (keys) => {
        const found = keys.map((key) => hot.get(key, clock.ms)).find((held) => held !== undefined);
        return Promise.resolve(found?.entry.value?.body);
      },
      set: (key, value, ttlMs) => {
        hot.set(key, entry(value, clock.ms, ttlMs), clock.ms, 0);
        return Promise.resolve();
      },
      delete: (keys) => {
        keys.forEach((key) => hot.delete(key));
        return Promise.resolve();
      },
      pass: (ms) => {
        clock.ms += ms;
        return Promise.resolve();
      },
    });
  },
  { grainMs: 1, maxBytes: 2_000_000 },
);

test('counts the bytes that it holds, by kind, and gives up some for room', () => {
  const hot = new HotTier({ maxBytes: 20_000, maxEntryBytes: 5_000 });
  for (let index = 0; index < 10; index++) {
    hot.set(`key ${index}`, entry(new Uint8Array(3_000), 0, 1_000), 0, 0);
  }
  const { diagnosis, knowledge } = hot.counts;
  expect(diagnosis.entries).toBe(4);
  expect(diagnosis.evictions.count).toBe(6);
  expect(diagnosis.bytes).toBe(hot.bytes);
  expect(knowledge.bytes).toBe(0);
});

test('leaves what is too large to the other tiers, and forgets what it replaces', () => {
  const hot = new HotTier({ maxBytes: 20_000, maxEntryBytes: 5_000 });
  hot.set('key', entry(new Uint8Array(10), 0, 1_000), 0, 0);
  hot.set('key', entry(new Uint8Array(6_000), 0, 1_000), 0, 0);
  expect(hot.get('key', 0)).toBeUndefined();
  expect(hot.bytes).toBe(0);
});

test('sweeps out what nobody asks for', () => {
  const hot = new HotTier();
  hot.set('soon', entry(new Uint8Array(10), 0, 1_000), 0, 0);
  hot.set('later', entry(new Uint8Array(10), 0, 2_000), 0, 0);
  hot.sweep(1_500);
  expect(hot.counts.diagnosis.entries).toBe(1);
});
