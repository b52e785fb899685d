/** Memory of a process under a load that fills the hot tier many times over, with invalidations in between. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { InvalidationError } from 'mediform/cache';
import { body, measure, median, openCache, query, type Setting } from './setting';

const QUERIES = 200_000;
const AT_A_TIME = 16;

measure(async (setting: Setting) => {
  const cache = await openCache(setting, { hot: { maxBytes: 16_777_216 } });
  const bodies = [800, 2_000, 8_000].map(body);
  const end = performance.now() + setting.seconds * 1000;
  const samples: { readonly resident: number; readonly live: number }[] = [];
  let [calls, last, refused] = [0, 0, 0];

  const worker = async (): Promise<void> => {
    while (performance.now() < end) {
      const index = Math.floor(QUERIES * Math.random() ** 3);
      const value = { body: bodies[index % bodies.length] as Buffer, contentType: 'application/json' };
      const ids = [`patient ${index}`];
      await cache.diagnosis.getOrCompute({ ...query(index), ids }, async () => {
        // as a model does, it leaves others a turn: else nothing is heard of a store that is slow for a moment
        await nextTurn();
        return { value };
      });
      if (++calls % 500 === 0) {
        // refused where a busy machine has kept the log waiting; it is no less load
        await cache.invalidation.diagnosis(`patient ${index}`).catch((error: unknown) => {
          if (!(error instanceof InvalidationError)) {
            throw error;
          }
          refused++;
        });
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
  const [, middle, final] = [0, 1, 2].map((place) => samples.slice(place * third, (place + 1) * third));
  // the most that was resident is what a limit must allow; of what is live a single sample has what was just under way
  const resident = (of: typeof samples = []): number => Math.max(...of.map((sample) => sample.resident));
  const live = (of: typeof samples = []): number => median(of.map((sample) => sample.live));
  return {
    calls,
    refused,
    resident: resident(final) / resident(middle),
    live: live(final) / live(middle),
    residentMiB: resident(final) / 2 ** 20,
    liveMiB: live(final) / 2 ** 20,
  };
});
