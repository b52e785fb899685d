import fc from 'fast-check';
import type { AdmissionConfig } from '../../../constructs/plan/gateway/config';
import type { AdmissionPlan } from '../../../constructs/plan/gateway/defaults';
import type { Priority } from '../../../constructs/plan/priorities';
import { CLASSES, type Admission } from '../../../runtime/gateway/admission/admission';
import type { Ticket } from '../../../runtime/gateway/admission/ticket';
import { office } from './support/office';

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
    .tuple(fc.integer({ min: 1, max: 4 }), fc.nat(5), fc.nat(), fc.nat(), fc.nat(), fc.integer({ min: 1, max: 30 }))
    .map(([concurrency, queueLength, r, n, b, batchAgeing]) => {
      const reserve = r % concurrency;
      const normal = 1 + (n % (concurrency - reserve));
      return {
        concurrency,
        reserve,
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
    readonly plan: AdmissionPlan;
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
        expect(running >= plan.concurrency - plan.reserve || lower === plan.classes.normal.concurrency).toBe(true);
      }
    });
  });

  test('others start only where the reserve stays free', () => {
    property(({ plan, tickets, before }) => {
      const started = of(tickets, 'running', 'normal', 'batch').filter(
        (ticket) => before.find((one) => one.ticket === ticket)?.state !== 'running',
      );
      if (started.length > 0) {
        expect(of(tickets, 'running').length).toBeLessThanOrEqual(plan.concurrency - plan.reserve);
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
