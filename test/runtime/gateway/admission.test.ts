import { Rejection, type Ticket } from '../../../runtime/gateway/admission/ticket';
import { office } from './support/office';

/** Why a ticket was rejected. */
async function rejection(ticket: Ticket): Promise<Rejection> {
  const error: unknown = await ticket.admitted().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(Rejection);
  return error as Rejection;
}

describe('order', () => {
  test('emergency goes first, then normal, then batch', () => {
    const { admission, started } = office({ concurrency: 1 });
    const running = admission.enter('normal');
    const batch = admission.enter('batch');
    const normal = admission.enter('normal');
    const emergency = admission.enter('emergency');
    for (const ticket of [running, emergency, normal]) {
      ticket.leave();
    }
    expect(started).toEqual([running, emergency, normal, batch]);
  });

  test('one place is kept free for emergencies', () => {
    const { admission } = office({ concurrency: 3 });
    const normal = [1, 2, 3].map(() => admission.enter('normal'));
    expect(normal.map(({ state }) => state)).toEqual(['running', 'running', 'waiting']);
    expect(admission.enter('emergency').state).toBe('running');
    expect(admission.enter('emergency').state).toBe('waiting');
  });

  test('the place is free again before others start: an emergency that uses it makes them wait', () => {
    const { admission } = office({ concurrency: 3 });
    const running = [1, 2].map(() => admission.enter('normal'));
    const emergency = admission.enter('emergency');
    const waiting = admission.enter('normal');
    running[0]?.leave();
    expect(waiting.state).toBe('waiting');
    expect(admission.enter('emergency').state).toBe('running');
    running[1]?.leave();
    expect(waiting.state).toBe('waiting');
    emergency.leave();
    expect(waiting.state).toBe('running');
  });

  test('as many places as wanted are kept free, or none', () => {
    const states = (reserve: number): string[] => {
      const { admission } = office({ concurrency: 4, reserve });
      return [1, 2, 3, 4].map(() => admission.enter('normal').state);
    };
    expect(states(0)).toEqual(['running', 'running', 'running', 'running']);
    expect(states(3)).toEqual(['running', 'waiting', 'waiting', 'waiting']);
  });

  test('batch gets half the places at most', () => {
    const { admission } = office({ concurrency: 4 });
    const batch = [1, 2, 3].map(() => admission.enter('batch'));
    expect(batch.map(({ state }) => state)).toEqual(['running', 'running', 'waiting']);
  });

  test('a batch request that has aged goes before normal ones that came after it', () => {
    const { admission, clock } = office({ concurrency: 1, batchAgeing: 10 });
    const running = admission.enter('normal');
    const batch = admission.enter('batch');
    clock.now = 9_999;
    const before = admission.enter('normal');
    clock.now = 10_001;
    const after = admission.enter('normal');
    running.leave();
    expect([before.state, batch.state, after.state]).toEqual(['running', 'waiting', 'waiting']);
    before.leave();
    expect([batch.state, after.state]).toEqual(['running', 'waiting']);
  });

  test('who leaves the queue frees the place', () => {
    const { admission } = office({ concurrency: 1 });
    const running = admission.enter('normal');
    const gone = admission.enter('normal');
    const next = admission.enter('normal');
    gone.leave();
    expect(admission.waiting('normal')).toBe(1);
    running.leave();
    running.leave();
    expect(next.state).toBe('running');
    expect(admission.running('normal')).toBe(1);
  });

  test('a promoted request goes with its new class, by its own arrival', () => {
    const { admission, clock } = office({ concurrency: 1 });
    const running = admission.enter('normal');
    const batch = admission.enter('batch');
    clock.now = 1;
    const emergency = admission.enter('emergency');
    batch.promote('emergency');
    batch.promote('normal');
    running.leave();
    expect([batch.state, batch.priority, emergency.state]).toEqual(['running', 'emergency', 'waiting']);
    batch.leave();
    expect([admission.running('batch'), admission.running('emergency')]).toEqual([0, 1]);
  });

  test('promotion uses the place that is kept for the new class', () => {
    const { admission } = office({ concurrency: 2 });
    admission.enter('normal');
    const waiting = admission.enter('normal');
    expect(waiting.state).toBe('waiting');
    waiting.promote('emergency');
    expect(waiting.state).toBe('running');
  });
});

describe('a full queue', () => {
  test('the last of the least urgent goes, for a more urgent one', async () => {
    const { admission, rejected } = office({ concurrency: 1, queueLength: 3, classes: { batch: { queueLength: 3 } } });
    admission.enter('normal');
    const [first, second] = [admission.enter('batch'), admission.enter('batch')];
    admission.enter('normal');
    const normal = admission.enter('normal');
    expect([first.state, second.state, normal.state]).toEqual(['waiting', 'rejected', 'waiting']);
    expect((await rejection(second)).reason).toBe('shed');
    admission.enter('emergency');
    expect(first.state).toBe('rejected');
    admission.enter('emergency');
    expect(normal.state).toBe('rejected');
    expect(rejected).toEqual(['batch shed', 'batch shed', 'normal shed']);
  });

  test('an arriving request that would be the last is refused', async () => {
    const { admission } = office({ concurrency: 1, queueLength: 1 });
    admission.enter('normal');
    admission.enter('normal');
    for (const priority of ['normal', 'batch'] as const) {
      expect((await rejection(admission.enter(priority))).reason).toBe('queue_full');
    }
    admission.enter('emergency');
    expect((await rejection(admission.enter('emergency'))).reason).toBe('queue_full');
  });

  test('an aged batch request is not shed for a normal one', () => {
    const { admission, clock } = office({ concurrency: 1, queueLength: 1, batchAgeing: 10 });
    admission.enter('normal');
    const batch = admission.enter('batch');
    clock.now = 10_001;
    expect(admission.enter('normal').state).toBe('rejected');
    expect(batch.state).toBe('waiting');
    admission.enter('emergency');
    expect(batch.state).toBe('rejected');
  });

  test('a class has no more places than its own', () => {
    const { admission } = office({ concurrency: 1, queueLength: 4 });
    admission.enter('normal');
    const batch = [1, 2, 3].map(() => admission.enter('batch'));
    expect(batch.map(({ state }) => state)).toEqual(['waiting', 'waiting', 'rejected']);
  });

  test('Retry-After follows the service time that was seen, and what is ahead', async () => {
    const { admission, clock } = office({ concurrency: 1, queueLength: 2 });
    const first = admission.enter('normal');
    clock.now = 4_000;
    first.leave();
    admission.enter('normal');
    admission.enter('normal');
    admission.enter('normal');
    // itself and two that wait, 4 s each
    expect((await rejection(admission.enter('normal'))).retryAfter).toBe(12);
  });

  test('Retry-After is spread, at least a second, and never longer than a class may wait', async () => {
    const spread = office({ concurrency: 1, queueLength: 0 }, 0.999);
    spread.admission.enter('normal');
    expect((await rejection(spread.admission.enter('normal'))).retryAfter).toBe(2);
    const slow = office({ concurrency: 1, queueLength: 0, classes: { normal: { maxWait: 7 } } });
    const long = slow.admission.enter('normal');
    slow.clock.now = 60_000;
    long.leave();
    slow.admission.enter('normal');
    expect((await rejection(slow.admission.enter('normal'))).retryAfter).toBe(7);
  });
});

test('nobody waits longer than the class may', async () => {
  const { admission, clock } = office({ concurrency: 1, classes: { normal: { maxWait: 5 }, batch: { maxWait: 9 } } });
  admission.enter('normal');
  const normal = admission.enter('normal');
  const batch = admission.enter('batch');
  clock.now = 4_999;
  admission.expire();
  expect(normal.state).toBe('waiting');
  clock.now = 5_000;
  admission.expire();
  expect((await rejection(normal)).reason).toBe('wait_too_long');
  expect(batch.state).toBe('waiting');
  clock.now = 9_000;
  admission.expire();
  expect(batch.state).toBe('rejected');
});
