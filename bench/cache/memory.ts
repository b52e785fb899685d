/** Memory of a process under a load that fills the hot tier many times over, with invalidations in between. */
import { body, measure, openCache, query, type Setting } from './setting';

const QUERIES = 200_000;
const AT_A_TIME = 16;

measure(async (setting: Setting) => {
  const cache = await openCache(setting, { hot: { maxBytes: 16_777_216 } });
  const bodies = [800, 2_000, 8_000].map(body);
  const end = performance.now() + setting.seconds * 1000;
  const samples: { readonly resident: number; readonly live: number }[] = [];
  let [calls, last] = [0, 0];

  const worker = async (): Promise<void> => {
    while (performance.now() < end) {
      const index = Math.floor(QUERIES * Math.random() ** 3);
      const value = { body: bodies[index % bodies.length] as Buffer, contentType: 'application/json' };
      const ids = [`patient ${index}`];
      await cache.diagnosis.getOrCompute({ ...query(index), ids }, () => Promise.resolve({ value }));
      if (++calls % 500 === 0) {
        await cache.invalidation.diagnosis(`patient ${index}`);
      }
      if (performance.now() - last > 500) {
        last = performance.now();
        global.gc?.();
        const { arrayBuffers, heapUsed, rss } = process.memoryUsage();
        samples.push({ resident: rss, live: heapUsed + arrayBuffers });
      }
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));

  // the first third fills what is bounded: the hot tier, and the allocator's and V8's own reserves
  const third = Math.floor(samples.length / 3);
  // peaks, since what matters is what a limit must allow
  const peak = (what: 'resident' | 'live', from: number): number =>
    Math.max(...samples.slice(from, from + third).map((sample) => sample[what]));
  const growth = (what: 'resident' | 'live'): number => peak(what, 2 * third) / peak(what, third);
  return {
    calls,
    resident: growth('resident'),
    live: growth('live'),
    residentMiB: peak('resident', 2 * third) / 2 ** 20,
  };
});
