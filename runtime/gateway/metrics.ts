import { Counter, Gauge, Registry } from 'prom-client';
import { DistributionHistogram, TallyCounter, type Distribution, type Tally } from '../cache/tallies';
import { DURATION_BUCKETS, type GatewayPlan } from '../../constructs/plan/gateway/defaults';
import { GatewayMetric, RejectionReason } from '../../constructs/plan/gateway/names';
import type { Priority } from '../../constructs/plan/priorities';
import { CLASSES, type Admission } from './admission/admission';

/** Codes whose series exist from the start: a rate sees nothing of a series that begins at 1. */
const FIRST_CODES = [200, 500, 502, 503, 504];

/** What a request on a route with a cache got. */
export type CacheResult = 'hit' | 'miss' | 'bypass';

/** Series of one class; finding a series by its labels costs more than what is counted. */
interface ClassSeries {
  readonly codes: Map<number, Tally>;
  readonly duration: Distribution;
  readonly wait: Distribution;
  readonly admissions: Tally;
  readonly inference: Tally;
}

/** The metrics of one gateway. All series exist from the start, so that a service nobody asks yet can scale in. */
export class GatewayMetrics {
  readonly registry = new Registry();
  readonly #requests: TallyCounter<'priority' | 'code'>;
  readonly #classes: { readonly [P in Priority]: ClassSeries };
  readonly #cacheAnswers: { readonly [R in CacheResult]: Tally };
  readonly #rejections: Counter<'priority' | 'reason'>;
  readonly #tokens: Counter<'direction'>;
  readonly #stripped: Counter<'header'>;
  readonly #malformed: Counter<'code'>;

  constructor(plan: GatewayPlan) {
    const { registry } = this;
    const { name: model, version, preprocessingVersion } = plan.model;
    registry.setDefaultLabels({ service: plan.service, model });
    const tally = <L extends string>(name: string, help: string, ...labelNames: L[]): TallyCounter<L> =>
      new TallyCounter(registry, { name, help, labelNames });
    const counter = <L extends string>(name: string, help: string, ...labelNames: L[]): Counter<L> =>
      new Counter({ name, help, labelNames, registers: [registry] });
    const histogram = (name: string, help: string): DistributionHistogram<'priority'> =>
      new DistributionHistogram(registry, { name, help, labelNames: ['priority'] }, DURATION_BUCKETS);

    this.#requests = tally(GatewayMetric.REQUESTS, 'Finished requests.', 'priority', 'code');
    const duration = histogram(GatewayMetric.REQUEST_DURATION, 'Seconds from the head of a request to its answer.');
    const wait = histogram(GatewayMetric.QUEUE_WAIT, 'Seconds that admitted requests had waited.');
    const admissions = tally(GatewayMetric.ADMISSIONS, 'Requests let through to the model.', 'priority');
    const inference = tally(GatewayMetric.INFERENCE_SECONDS, 'Seconds that the model worked.', 'priority');
    const series = (priority: Priority): ClassSeries => ({
      codes: new Map(FIRST_CODES.map((code) => [code, this.#begin(priority, code)])),
      duration: duration.begin({ priority }),
      wait: wait.begin({ priority }),
      admissions: admissions.begin({ priority }, { count: 0 }),
      inference: inference.begin({ priority }, { count: 0 }),
    });
    this.#classes = { emergency: series('emergency'), normal: series('normal'), batch: series('batch') };
    const answers = tally(GatewayMetric.CACHE_ANSWERS, 'Requests on routes with a cache.', 'result');
    const answer = (result: CacheResult): Tally => answers.begin({ result }, { count: 0 });
    this.#cacheAnswers = { hit: answer('hit'), miss: answer('miss'), bypass: answer('bypass') };
    this.#tokens = counter(GatewayMetric.TOKENS, 'Tokens that the model reported.', 'direction');
    this.#rejections = counter(GatewayMetric.REJECTIONS, 'Requests not let through.', 'priority', 'reason');
    this.#stripped = counter(GatewayMetric.HEADERS_STRIPPED, 'Headers of untrusted callers.', 'header');
    this.#malformed = counter(GatewayMetric.MALFORMED, 'Requests that are no HTTP.', 'code');
    new Gauge({
      name: GatewayMetric.INFO,
      help: 'What runs.',
      labelNames: ['model_version', 'preprocessing_version'],
      registers: [registry],
    }).set({ model_version: version, preprocessing_version: preprocessingVersion ?? '' }, 1);
    for (const priority of CLASSES) {
      Object.values(RejectionReason).forEach((reason) => this.#rejections.inc({ priority, reason }, 0));
    }
    ['input', 'output'].forEach((direction) => this.#tokens.inc({ direction }, 0));
  }

  /** Gauges that are read when somebody asks. */
  watch(admission: Admission, bufferedBytes: () => number): void {
    const perClass = (name: string, help: string, value: (priority: Priority) => number): void => {
      new Gauge({
        name,
        help,
        labelNames: ['priority'],
        registers: [this.registry],
        collect() {
          CLASSES.forEach((priority) => this.set({ priority }, value(priority)));
        },
      });
    };
    perClass(GatewayMetric.QUEUE_LENGTH, 'Requests that wait.', (priority) => admission.waiting(priority));
    perClass(GatewayMetric.IN_FLIGHT, 'Requests the model works on.', (priority) => admission.running(priority));
    new Gauge({
      name: GatewayMetric.BUFFERED_BYTES,
      help: 'Bytes of bodies in memory.',
      registers: [this.registry],
      collect() {
        this.set(bufferedBytes());
      },
    });
  }

  /**
   * A request is over.
   *
   * @param seconds undefined where it was refused: how fast that went says nothing about the service
   */
  finished(priority: Priority, code: number, seconds: number | undefined): void {
    const { codes, duration } = this.#classes[priority];
    let tally = codes.get(code);
    if (tally === undefined) {
      tally = this.#begin(priority, code);
      codes.set(code, tally);
    }
    tally.count++;
    if (seconds !== undefined) {
      duration.observe(seconds);
    }
  }

  admitted(priority: Priority, waitedSeconds: number): void {
    const { admissions, wait } = this.#classes[priority];
    admissions.count++;
    wait.observe(waitedSeconds);
  }

  rejected(priority: Priority, reason: RejectionReason): void {
    this.#rejections.inc({ priority, reason });
  }

  inference(priority: Priority, seconds: number): void {
    this.#classes[priority].inference.count += seconds;
  }

  tokens(input: number, output: number): void {
    this.#tokens.inc({ direction: 'input' }, input);
    this.#tokens.inc({ direction: 'output' }, output);
  }

  cacheAnswer(result: CacheResult): void {
    this.#cacheAnswers[result].count++;
  }

  stripped(header: string): void {
    this.#stripped.inc({ header });
  }

  malformed(code: number): void {
    this.#malformed.inc({ code });
  }

  #begin(priority: Priority, code: number): Tally {
    return this.#requests.begin({ priority, code: String(code) }, { count: 0 });
  }
}
