/** Memory of a process under a load that fills the hot tier many times over, with invalidations in between. */
import { body, measure, openCache, query, type Setting } from './setting';

const QUERIES = 200_000;
const AT_A_TIME = 16;

measure(async (setting: Setting) => {
  const cache = await openCache(setting, { hot: { maxBytes: 16_777_216 } });
  const bodies = [800, 2_000, 8_000].map(body);
  const end = performance.now() + setting.seconds * 1000;
  const samples: { readonly at: number; readonly bytes: number }[] = [];
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
        samples.push({ at: last, bytes: process.memoryUsage().rss });
      }
    }
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));

  // peaks, since what matters is what a limit must allow
  const peak = (from: number, to: number): number =>
    Math.max(...samples.filter(({ at }) => at >= from && at <= to).map(({ bytes }) => bytes));
  const span = end - start;
  return { calls, growth: peak(start + 0.9 * span, Infinity) / peak(start + 0.1 * span, start + 0.3 * span) };
});
