/** Hit ratios of SIEVE and LRU on the same requests: skewed as questions are, and with scans as batch work makes them. */
import { Sieve } from '../../runtime/cache/sieve';
import { measure } from './setting';

const OBJECTS = 100_000;
const REQUESTS = 2_000_000;
const CAPACITY = OBJECTS / 100;

/** Numbers in [0, 1) from a seed (mulberry32), so that every run sees the same requests. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Ranks by Zipf's law: the probability of rank r is proportional to r^-exponent. */
function zipf(exponent: number, random: () => number): () => number {
  const sums = new Float64Array(OBJECTS);
  let sum = 0;
  for (let rank = 0; rank < OBJECTS; rank++) {
    sum += (rank + 1) ** -exponent;
    sums[rank] = sum;
  }
  return () => {
    const wanted = random() * sum;
    let [low, high] = [0, OBJECTS - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sums[middle] as number) < wanted) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  };
}

function* skewed(): Generator<string> {
  const next = zipf(0.8, randomNumbers(1));
  for (let request = 0; request < REQUESTS; request++) {
    yield `object ${next()}`;
  }
}

/** After every 20,000 requests a batch job reads 2,000 objects that nobody asks for again. */
function* withScans(): Generator<string> {
  let request = 0;
  for (const key of skewed()) {
    yield key;
    if (++request % 20_000 === 0) {
      for (let scanned = 0; scanned < 2_000; scanned++) {
        yield `scan ${request} ${scanned}`;
      }
    }
  }
}

function sieve(keys: Iterable<string>): number {
  const cache = new Sieve<true>(CAPACITY);
  let [hits, requests] = [0, 0];
  for (const key of keys) {
    requests++;
    if (cache.get(key)) {
      hits++;
    } else {
      cache.set(key, true, 1);
    }
  }
  return hits / requests;
}

function lru(keys: Iterable<string>): number {
  const cache = new Set<string>();
  let [hits, requests] = [0, 0];
  for (const key of keys) {
    requests++;
    hits += cache.delete(key) ? 1 : 0;
    cache.add(key);
    if (cache.size > CAPACITY) {
      for (const oldest of cache) {
        cache.delete(oldest);
        break;
      }
    }
  }
  return hits / requests;
}

measure(() => {
  const figures = {
    sieveZipf: sieve(skewed()),
    lruZipf: lru(skewed()),
    sieveScan: sieve(withScans()),
    lruScan: lru(withScans()),
  };
  return Promise.resolve({
    ...figures,
    zipf: figures.sieveZipf / figures.lruZipf,
    scan: figures.sieveScan / figures.lruScan,
  });
});
