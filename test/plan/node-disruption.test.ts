import { planGpuNodePool, planNodePool } from '../../constructs/plan/node-pools/plan';
import { clinicHours, cpu, cpuProblems, gpu } from '../support/node-pools';

describe('disruption', () => {
  test('clinic hours block it by UTC schedules and turn off forceful expiry', () => {
    const spec = planGpuNodePool({ ...gpu, clinicHours });
    expect(spec.disruption.budgets).toEqual([
      { nodes: '10%' },
      { nodes: '0', schedule: '0 5 * * mon-fri', durationMinutes: 780 },
    ]);
    expect(spec.expireAfterSeconds).toBe('Never');
    expect(planNodePool({ ...cpu, clinicHours, expireAfterSeconds: 3600 }).expireAfterSeconds).toBe(3600);
  });

  test('takes all of it explicitly', () => {
    const budgets = [
      { nodes: '0', reasons: ['Drifted', 'Underutilized'] as const },
      { nodes: '0%', schedule: '@daily', durationMinutes: 600 },
      { nodes: '2' },
    ];
    const spec = planNodePool({
      ...cpu,
      consolidationPolicy: 'WhenEmpty',
      consolidateAfterSeconds: 0,
      budgets,
      expireAfterSeconds: 'Never',
      terminationGracePeriodSeconds: 120,
    });
    expect(spec).toMatchObject({
      disruption: { consolidationPolicy: 'WhenEmpty', consolidateAfterSeconds: 0, budgets },
      expireAfterSeconds: 'Never',
      terminationGracePeriodSeconds: 120,
    });
  });

  const blocked =
    'must leave some time or reason in which nodes may be disrupted because nodes would never be removed when idle nor get a security fix';
  test.each<[object[], 'WhenEmpty' | 'WhenEmptyOrUnderutilized', boolean]>([
    [[{ nodes: '0' }], 'WhenEmptyOrUnderutilized', false],
    [[{ nodes: '00%' }], 'WhenEmptyOrUnderutilized', false],
    [[{ nodes: '10%' }, { nodes: '0' }], 'WhenEmptyOrUnderutilized', false],
    [[{ nodes: '0', reasons: ['Empty', 'Drifted', 'Underutilized'] }], 'WhenEmptyOrUnderutilized', false],
    [
      [
        { nodes: '0', reasons: ['Empty', 'Drifted'] },
        { nodes: '0%', reasons: ['Underutilized'] },
      ],
      'WhenEmptyOrUnderutilized',
      false,
    ],
    [[{ nodes: '0', reasons: ['Empty', 'Drifted'] }], 'WhenEmptyOrUnderutilized', true],
    [[{ nodes: '0', reasons: ['Empty', 'Drifted'] }], 'WhenEmpty', false],
    [[{ nodes: '0', reasons: ['Drifted'] }], 'WhenEmpty', true],
    [[{ nodes: '0', schedule: '@daily', durationMinutes: 1440 }], 'WhenEmpty', false],
    [[{ nodes: '0', schedule: '0 9 * * *', durationMinutes: 1439 }], 'WhenEmpty', true],
    [[{ nodes: '0', schedule: '0 9 * * *', durationMinutes: 2000 }], 'WhenEmpty', false],
    [[{ nodes: '0', schedule: '@hourly', durationMinutes: 60 }], 'WhenEmpty', false],
    [[{ nodes: '0', schedule: '5 * * * *', durationMinutes: 59 }], 'WhenEmpty', true],
    [[{ nodes: '0', schedule: '0 0 * * mon', durationMinutes: 10_080 }], 'WhenEmpty', false],
    [[{ nodes: '0', schedule: '0 0 * * mon-fri', durationMinutes: 600 }], 'WhenEmpty', true],
  ])('budgets %j with %s: allowed is %s', (budgets, consolidationPolicy, allowed) => {
    expect(cpuProblems({ budgets, consolidationPolicy })).toEqual(
      allowed ? [] : [`'budgets' (${JSON.stringify(budgets)}) ${blocked}`],
    );
  });

  const nodesRule = `must be a string with a number of nodes or a percentage, such as '2' or '10%' because Karpenter reads nothing else`;
  const cronRule = 'must be five cron fields or a word such as @daily because Karpenter reads nothing else';
  const together = `must be given together with 'duration' because a budget is either always active or for a time after each hit`;
  const always = { start: '00:30', end: '24:00', timeZone: 'Europe/Berlin' };
  test.each<[object, string]>([
    [
      { budgets: [] },
      `'budgets' ([]) must list at least one budget because an empty list lets Karpenter disrupt all nodes at once`,
    ],
    [{ budgets: [{ nodes: '101%' }] }, `'budgets[0].nodes' (101%) ${nodesRule}`],
    [{ budgets: [{ nodes: 'half' }] }, `'budgets[0].nodes' (half) ${nodesRule}`],
    [{ budgets: [{ nodes: '-1' }] }, `'budgets[0].nodes' (-1) ${nodesRule}`],
    [{ budgets: [{ nodes: '1' }, { nodes: 5 }] }, `'budgets[1].nodes' (5) ${nodesRule}`],
    [
      { budgets: [{ nodes: '1', reasons: ['Expired'] }] },
      `'budgets[0].reasons' (["Expired"]) must list at least one of Underutilized, Empty, Drifted because Karpenter disrupts for no other reason`,
    ],
    [{ budgets: [{ nodes: '0', schedule: '@daily' }] }, `'budgets[0].schedule' (@daily) ${together}`],
    [{ budgets: [{ nodes: '0', durationMinutes: 5 }] }, `'budgets[0].schedule' (undefined) ${together}`],
    [{ budgets: [{ nodes: '0', schedule: 'noon', durationMinutes: 5 }] }, `'budgets[0].schedule' (noon) ${cronRule}`],
    [
      { budgets: [{ nodes: '0', schedule: '@daily', durationMinutes: 0.5 }] },
      `'budgets[0].duration' (0.5) must be a whole number of minutes above 0 because Karpenter counts budgets in minutes`,
    ],
    [
      { budgets: Array.from({ length: 50 }, () => ({ nodes: '1' })), clinicHours },
      `'budgets' (51 with clinicHours) must be at most 50 because Karpenter takes no more`,
    ],
    [
      { clinicHours: always },
      `'clinicHours' (${JSON.stringify(always)}) must leave some time of the week in which nodes may be disrupted, also with daylight saving because nodes would never be removed when idle nor get a security fix`,
    ],
    [
      { clinicHours: { ...clinicHours, timeZone: 'CEST+1' } },
      `'clinicHours.timeZone' (CEST+1) must be an IANA time zone such as Europe/Berlin, in its exact spelling because only a zone says when the clocks change`,
    ],
    [
      { consolidationPolicy: 'Always' },
      `'consolidationPolicy' (Always) must be one of WhenEmpty, WhenEmptyOrUnderutilized because Karpenter knows no other`,
    ],
    ...[-1, 0.5, NaN].map((consolidateAfterSeconds): [object, string] => [
      { consolidateAfterSeconds },
      `'consolidateAfter' (${consolidateAfterSeconds}) must be a whole number of seconds, 0 or more because a node cannot be removed before it is idle`,
    ]),
    [
      { expireAfterSeconds: 0 },
      `'expireAfter' (0) must be a whole number of seconds above 0, or 'Never' because it is the age at which a node is replaced`,
    ],
    [
      { expireAfterSeconds: 'never' },
      `'expireAfter' (never) must be a whole number of seconds above 0, or 'Never' because it is the age at which a node is replaced`,
    ],
    [
      { terminationGracePeriodSeconds: 0 },
      `'terminationGracePeriod' (0) must be a whole number of seconds above 0 because pods need some time to finish`,
    ],
    [
      { expireAfterSeconds: 60, terminationGracePeriodSeconds: 61 },
      `'expireAfter' (60 s) must be at least 'terminationGracePeriod' (61 s) because a node would drain for longer than it serves`,
    ],
  ])('refuses %j', (change, message) => {
    expect(cpuProblems(change)).toEqual([message]);
  });
});
