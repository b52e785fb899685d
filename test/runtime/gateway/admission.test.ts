import fc from 'fast-check';
import type { AdmissionConfig } from '../../../constructs/plan/gateway/config';
import { planAdmission } from '../../../constructs/plan/gateway/defaults';
import type { Priority } from '../../../constructs/plan/priorities';
import { Admission, CLASSES } from '../../../runtime/gateway/admission/admission';
import { Rejection, type Ticket } from '../../../runtime/gateway/admission/ticket';

/** An admission under a clock that the test moves, and what it told. */
function office(config: AdmissionConfig, random = 0) {
  const plan = planAdmission(config);
  const clock = { now: 0 };
  const started: Ticket[] = [];
  const rejected: string[] = [];
  const admission = new Admission(
    plan,
    () => clock.now,
    () => random,
    {
      admitted: (ticket) => started.push(ticket),
      rejected: (priority, reason) => rejected.push(`${priority} ${reason}`),
    },
  );
  return { plan, clock, admission, started, rejected };
}

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

describe('whatever comes', () => {
  type Step =
    | { readonly do: 'enter'; readonly priority: Priority }
    | { readonly do: 'leave' | 'promote'; readonly who: number; readonly priority: Priority }
    | { readonly do: 'pass'; readonly ms: number };
  const priority = fc.constantFrom<Priority>(...CLASSES);
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 7, arbitrary: fc.record({ do: fc.constant('enter' as const), priority }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('leave' as const), who: fc.nat(), priority }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('promote' as const), who: fc.nat(), priority }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 20_000 }) }) },
  );
  const limits = fc
    .tuple(fc.integer({ min: 1, max: 4 }), fc.nat(5), fc.nat(), fc.nat(), fc.integer({ min: 1, max: 30 }))
    .map(([concurrency, queueLength, n, b, batchAgeing]) => {
      const normal = 1 + (n % concurrency);
      return {
        concurrency,
        queueLength,
        batchAgeing,
        classes: { normal: { concurrency: normal }, batch: { concurrency: 1 + (b % normal), maxWait: 40 } },
      };
    });

  /** Plays steps, and gives all tickets to `check` after each. */
  function play(config: AdmissionConfig, steps: readonly Step[], check: (state: Played) => void): void {
    const { admission, clock, plan } = office(config);
    const tickets: Ticket[] = [];
    for (const next of steps) {
      const before = tickets.map((ticket) => ({ ticket, state: ticket.state, priority: ticket.priority }));
      const present = tickets.filter(({ state }) => state === 'waiting' || state === 'running');
      if (next.do === 'enter') {
        tickets.push(admission.enter(next.priority));
      } else if (next.do === 'pass') {
        clock.now += next.ms;
        admission.expire();
      } else if (present.length > 0) {
        const ticket = present[next.who % present.length] as Ticket;
        if (next.do === 'leave') {
          ticket.leave();
        } else {
          ticket.promote(next.priority);
        }
      }
      check({ admission, plan, tickets, before, now: clock.now, step: next });
    }
  }
  interface Played {
    readonly admission: Admission;
    readonly plan: ReturnType<typeof planAdmission>;
    readonly tickets: readonly Ticket[];
    readonly before: readonly { readonly ticket: Ticket; readonly state: Ticket['state'] }[];
    readonly now: number;
    readonly step: Step;
  }
  const of = (tickets: readonly Ticket[], state: Ticket['state'], ...classes: Priority[]) =>
    tickets.filter((ticket) => ticket.state === state && (classes.length === 0 || classes.includes(ticket.priority)));
  const due = (ticket: Ticket, plan: Played['plan']) =>
    ticket.priority === 'emergency'
      ? -Infinity
      : ticket.arrivedAt + (ticket.priority === 'batch' ? plan.batchAgeing * 1000 : 0);
  const property = (check: (state: Played) => void) =>
    fc.assert(
      fc.property(limits, fc.array(step, { maxLength: 120 }), (config, steps) => play(config, steps, check)),
      { numRuns: 400 },
    );

  test('limits hold, and what is counted is what there is', () => {
    property(({ admission, plan, tickets }) => {
      // a promoted ticket runs as what it was admitted as
      for (const priority of CLASSES) {
        expect(admission.running(priority)).toBe(of(tickets, 'running', priority).length);
        expect(admission.waiting(priority)).toBe(of(tickets, 'waiting', priority).length);
      }
      expect(of(tickets, 'running').length).toBeLessThanOrEqual(plan.concurrency);
      expect(of(tickets, 'running', 'normal', 'batch').length).toBeLessThanOrEqual(plan.classes.normal.concurrency);
      expect(of(tickets, 'running', 'batch').length).toBeLessThanOrEqual(plan.classes.batch.concurrency);
      expect(of(tickets, 'waiting').length).toBeLessThanOrEqual(plan.queueLength);
    });
  });

  test('no place stays free that somebody who waits may have', () => {
    property(({ plan, tickets }) => {
      const running = of(tickets, 'running').length;
      const lower = of(tickets, 'running', 'normal', 'batch').length;
      if (of(tickets, 'waiting', 'emergency').length > 0) {
        expect(running).toBe(plan.concurrency);
      }
      if (of(tickets, 'waiting', 'normal').length > 0) {
        expect(running === plan.concurrency || lower === plan.classes.normal.concurrency).toBe(true);
      }
    });
  });

  test('nothing starts before what is due earlier and may run', () => {
    property(({ plan, tickets, before }) => {
      const startedNow = tickets.filter(
        (ticket) => ticket.state === 'running' && before.find((one) => one.ticket === ticket)?.state !== 'running',
      );
      for (const ticket of startedNow) {
        for (const other of of(tickets, 'waiting').filter((one) => due(one, plan) < due(ticket, plan))) {
          // only the limit of batch may hold it back: all else that lets this one run lets the other run too
          expect([ticket.priority, other.priority]).toEqual(['normal', 'batch']);
          expect(of(tickets, 'running', 'batch').length).toBe(plan.classes.batch.concurrency);
        }
      }
    });
  });

  test('what is shed is due no earlier than all that stay', () => {
    property(({ plan, tickets, before, step: played }) => {
      if (played.do !== 'enter') {
        return;
      }
      const shed = tickets.filter(
        (ticket) => ticket.state === 'rejected' && before.find((one) => one.ticket === ticket)?.state === 'waiting',
      );
      expect(shed.length).toBeLessThanOrEqual(1);
      for (const ticket of shed) {
        expect(ticket.priority).not.toBe('emergency');
        for (const other of of(tickets, 'waiting')) {
          expect(due(other, plan)).toBeLessThanOrEqual(due(ticket, plan));
        }
      }
    });
  });

  test('nobody waits longer than allowed', () => {
    property(({ plan, tickets, now, step: played }) => {
      if (played.do === 'pass') {
        for (const ticket of of(tickets, 'waiting')) {
          expect(now - ticket.arrivedAt).toBeLessThan(plan.classes[ticket.priority].maxWait * 1000);
        }
      }
    });
  });

  test('a batch request is overtaken only by normal ones that came before it aged, however many come', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 100, max: 5_000 }), (batchAgeing, serviceMs) => {
        const queueLength = 10_000;
        const { admission, clock } = office({ concurrency: 1, queueLength, batchAgeing });
        const normal = [admission.enter('normal')];
        const batch = admission.enter('batch');
        // normal requests come faster than they are served, for ever
        let served = 0;
        while (batch.state === 'waiting' && served < 1_000) {
          normal.push(admission.enter('normal'), admission.enter('normal'));
          clock.now += serviceMs;
          of(normal, 'running')[0]?.leave();
          served++;
        }
        expect(batch.state).toBe('running');
        const overtakers = normal.filter(({ state }) => state === 'left').map(({ arrivedAt }) => arrivedAt);
        expect(Math.max(...overtakers)).toBeLessThanOrEqual(batchAgeing * 1000);
      }),
    );
  });
});
