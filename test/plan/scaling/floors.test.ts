/** Proofs by random search that floors are reached in spite of the HPA's tolerance, and that errors add one step at a time. */
import fc from 'fast-check';
import { between, follow, MOST, RUNS, state, with_ } from './arbitraries';

describe('floors', () => {
  /** The step of the rules: the smallest number that the HPA does not take for the one it has. */
  const nextStep = (replicas: number): number => replicas + 1 + Math.floor(replicas / 10);

  it('a step is acted on from every number of replicas, and no smaller one would be', () => {
    const numbers = Array.from({ length: 5000 }, (_, index) => index + 1);
    const after = (step: (replicas: number) => number): number[] =>
      numbers.map((replicas) => follow({ replicas, minReplicas: 1, maxReplicas: 10_000 }, 1, step(replicas)));
    expect(after(nextStep)).toEqual(numbers.map(nextStep));
    expect(after((replicas) => nextStep(replicas) - 1)).toEqual(numbers);
  });

  it('errors add one step in each window, however long they last', () => {
    const ticks = fc.integer({ min: 4, max: 60 });
    fc.assert(
      fc.property(state, ticks, fc.array(fc.boolean(), { maxLength: 40 }), (at, window, failing) => {
        // the rules record the replicas, then take the fewest of the window; errors come and go at first, then stay
        const history = [at.replicas];
        for (let tick = 0; tick < 6 * window; tick++) {
          const replicas = history.at(-1) as number;
          const fewest = Math.min(...history.slice(-window));
          const floor = (failing[tick] ?? true) ? nextStep(fewest) : at.minReplicas;
          history.push(follow({ ...at, replicas }, 1, Math.max(at.minReplicas, floor)));
        }
        const wrong = history.filter((replicas, tick) => {
          const later = history[Math.min(tick + window, history.length - 1)] as number;
          return later < replicas || later > nextStep(replicas);
        });
        expect(wrong).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  it('errors reach the maximum step by step, and stop there', () => {
    const at = { minReplicas: 2, maxReplicas: 20 };
    const path = [2];
    while (path.length < 30) {
      const replicas = path.at(-1) as number;
      path.push(follow({ ...at, replicas }, 1, nextStep(replicas)));
    }
    expect(path.slice(0, 16)).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16, 18, 20, 20, 20]);
    expect(path.at(-1)).toBe(20);
  });

  it('a floor is reached from anywhere below it, missed by at most a tenth, and then kept', () => {
    const floors = with_(state, ({ maxReplicas }) => fc.integer({ min: 1, max: maxReplicas }));
    fc.assert(
      fc.property(floors, ([at, floor]) => {
        fc.pre(at.replicas < floor && at.minReplicas <= floor);
        const served = (replicas: number): number => (replicas < floor ? Math.max(floor, nextStep(replicas)) : floor);
        const reached = follow(at, 1, served(at.replicas));
        expect(reached).toBeGreaterThanOrEqual(floor);
        expect(reached - floor).toBeLessThanOrEqual(Math.floor(at.replicas / 10));
        expect(follow({ ...at, replicas: reached }, 1, served(reached))).toBe(reached);
      }),
      RUNS,
    );
  });

  it('a vote to scale in never goes under a floor', () => {
    fc.assert(
      fc.property(state, between(0, 1), fc.integer({ min: 1, max: MOST }), (at, pressure, floor) => {
        fc.pre(at.replicas >= floor);
        expect(follow(at, pressure, floor)).toBeGreaterThanOrEqual(Math.max(floor, at.minReplicas));
      }),
      RUNS,
    );
  });
});
