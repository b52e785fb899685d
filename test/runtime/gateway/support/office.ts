import type { AdmissionConfig } from '../../../../constructs/plan/gateway/config';
import { planAdmission, type AdmissionPlan } from '../../../../constructs/plan/gateway/defaults';
import { Admission } from '../../../../runtime/gateway/admission/admission';
import type { Ticket } from '../../../../runtime/gateway/admission/ticket';

/** An admission under a clock that the test moves, and what it told. */
export interface Office {
  readonly plan: AdmissionPlan;
  readonly clock: { now: number };
  readonly admission: Admission;
  readonly started: Ticket[];
  readonly rejected: string[];
}

/** Opens an office whose random numbers are always the same. */
export function office(config: AdmissionConfig, random = 0): Office {
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
