/** Deadlines under a real clock and a real event loop. */
import { trace } from '@opentelemetry/api';
import { stat } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Registry } from 'prom-client';
import { Breaker } from '../../../runtime/cache/breaker';
import { FAILED, Guard } from '../../../runtime/cache/guarded-tier';
import { HotTier } from '../../../runtime/cache/hot-tier';
import { CacheMetrics } from '../../../runtime/cache/metrics';

const DEADLINE_MS = 30;

function guard(): Guard {
  const metrics = new CacheMetrics(new Registry(), new HotTier().counts, () => ({}));
  const breaker = new Breaker(
    Date.now,
    () => 0,
    () => undefined,
  );
  return new Guard('redis', DEADLINE_MS, () => false, breaker, metrics, trace.getTracer('test'));
}

/** Keeps the whole process from running, as a paused container or a long collection of garbage does. */
function stall(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

test('a process that stood still does not hold it against the server: what has arrived meanwhile counts', async () => {
  const it = guard();
  const asked = it.run('get', 0, () => stat(__filename));
  await nextTurn();
  // answered by another thread long before the deadline, and read only after it
  stall(1_000);
  expect(await asked).not.toBe(FAILED);
});

test('a server that has not answered by then is not waited for', async () => {
  const it = guard();
  const asked = it.run('get', 0, () => new Promise(() => undefined));
  stall(DEADLINE_MS * 4);
  expect(await asked).toBe(FAILED);
});
