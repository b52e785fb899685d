import { whyNotBuildable, CLUSTER_BINARIES } from '../binaries';
import { BUILD_TIMEOUT_MS } from '../suite';
import { type ServiceSpec } from './manifests';
import { whyNoPrometheus } from './prometheus';
import { type ScaledService } from './scaled-service';
import { Stage } from './stage';

/** What happens to some services of a stage. */
type Play = (stage: Stage, ...services: ScaledService[]) => Promise<void>;

/** Where a suite writes down its scenarios. */
export interface Programme {
  /** A test that runs at the same time as all the others. */
  readonly scenario: (title: string, cast: ServiceSpec | readonly ServiceSpec[], play: Play) => void;
  /** A test that concerns all services, and therefore runs when all others are over. */
  readonly finale: (title: string, cast: ServiceSpec | readonly ServiceSpec[], play: Play) => void;
}

interface Act {
  readonly cast: readonly ServiceSpec[];
  readonly play: Play;
  readonly isFinale: boolean;
  result?: Promise<void>;
}

const TIMEOUT_MS = 480_000;

/** A suite of scenarios on one stage; it is reported as skipped, with the reason, where it cannot run. */
export function describeOnStage(name: string, suite: (programme: Programme) => void): void {
  const reason = whyNoPrometheus() ?? whyNotBuildable([...CLUSTER_BINARIES, 'prometheus-adapter']);
  if (reason !== undefined) {
    console.warn(`SKIPPED: ${name}. ${reason}`);
    describe.skip(`${name} (skipped: ${reason})`, () => suite(programmeOf([])));
    return;
  }
  describe(name, () => {
    const acts: Act[] = [];
    let stage: Stage | undefined;

    beforeAll(async () => {
      stage = await Stage.open(acts.flatMap(({ cast }) => cast));
      run(stage, acts);
    }, BUILD_TIMEOUT_MS);
    afterAll(() => stage?.close());

    suite(programmeOf(acts));
  });
}

function programmeOf(acts: Act[]): Programme {
  const add = (title: string, cast: ServiceSpec | readonly ServiceSpec[], play: Play, isFinale: boolean): void => {
    const act: Act = { cast: [cast].flat(), play, isFinale };
    acts.push(act);
    it(title, async () => act.result, TIMEOUT_MS);
  };
  return {
    scenario: (title, cast, play) => add(title, cast, play, false),
    finale: (title, cast, play) => add(title, cast, play, true),
  };
}

/** Starts all acts; each test then waits for the result of its own. */
function run(stage: Stage, acts: readonly Act[]): void {
  const start = ({ cast, play }: Act): Promise<void> =>
    play(stage, ...cast.map(({ name, namespace }) => stage.service(name, namespace)));
  let before: Promise<unknown> = Promise.allSettled(
    acts.filter(({ isFinale }) => !isFinale).map((act) => (act.result = start(act))),
  );
  for (const act of acts.filter(({ isFinale }) => isFinale)) {
    act.result = before.then(() => start(act));
    before = Promise.allSettled([act.result]);
  }
}
