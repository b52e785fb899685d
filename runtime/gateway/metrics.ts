import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { DURATION_BUCKETS, type GatewayPlan } from '../../constructs/plan/gateway/defaults';
import { GatewayMetric, RejectionReason } from '../../constructs/plan/gateway/names';
import type { Priority } from '../../constructs/plan/priorities';
import { CLASSES, type Admission } from './admission/admission';

/** Codes whose series exist from the start: a rate sees nothing of a series that begins at 1. */
const FIRST_CODES = ['200', '500', '502', '503', '504'];

/** What a request on a route with a cache got. */
export type CacheResult = 'hit' | 'miss' | 'bypass';

/** The metrics of one gateway. All series exist from the start, so that a service nobody asks yet can scale in. */
export class GatewayMetrics {
  readonly registry = new Registry();
  readonly #requests: Counter;
  readonly #duration: Histogram;
  readonly #inference: Counter;
  readonly #tokens: Counter;
  readonly #admissions: Counter;
  readonly #rejections: Counter;
  readonly #wait: Histogram;
  readonly #cacheAnswers: Counter;
  readonly #stripped: Counter;
  readonly #malformed: Counter;

  constructor(plan: GatewayPlan) {
    const { registry } = this;
    const { name: model, version, preprocessingVersion } = plan.model;
    registry.setDefaultLabels({ service: plan.service, model });
    const buckets = [...DURATION_BUCKETS];
    const counter = (name: string, help: string, labelNames: string[]): Counter =>
      new Counter({ name, help, labelNames, registers: [registry] });
    const histogram = (name: string, help: string): Histogram =>
      new Histogram({ name, help, labelNames: ['priority'], buckets, registers: [registry] });
    this.#requests = counter(GatewayMetric.REQUESTS, 'Finished requests.', ['priority', 'code']);
    this.#duration = histogram(GatewayMetric.REQUEST_DURATION, 'Seconds from the head of a request to its answer.');
    this.#inference = counter(GatewayMetric.INFERENCE_SECONDS, 'Seconds that the model worked.', ['priority']);
    this.#tokens = counter(GatewayMetric.TOKENS, 'Tokens that the model reported.', ['direction']);
    this.#admissions = counter(GatewayMetric.ADMISSIONS, 'Requests let through to the model.', ['priority']);
    this.#rejections = counter(GatewayMetric.REJECTIONS, 'Requests not let through.', ['priority', 'reason']);
    this.#wait = histogram(GatewayMetric.QUEUE_WAIT, 'Seconds that admitted requests had waited.');
    this.#cacheAnswers = counter(GatewayMetric.CACHE_ANSWERS, 'Requests on routes with a cache.', ['result']);
    this.#stripped = counter(GatewayMetric.HEADERS_STRIPPED, 'Headers of untrusted callers.', ['header']);
    this.#malformed = counter(GatewayMetric.MALFORMED, 'Requests that are no HTTP.', ['code']);
    new Gauge({
      name: GatewayMetric.INFO,
      help: 'What runs.',
      labelNames: ['model_version', 'preprocessing_version'],
      registers: [registry],
    }).set({ model_version: version, preprocessing_version: preprocessingVersion ?? '' }, 1);
    for (const priority of CLASSES) {
      FIRST_CODES.forEach((code) => this.#requests.inc({ priority, code }, 0));
      Object.values(RejectionReason).forEach((reason) => this.#rejections.inc({ priority, reason }, 0));
      this.#inference.inc({ priority }, 0);
      this.#admissions.inc({ priority }, 0);
      this.#duration.zero({ priority });
      this.#wait.zero({ priority });
    }
    ['input', 'output'].forEach((direction) => this.#tokens.inc({ direction }, 0));
    ['hit', 'miss', 'bypass'].forEach((result) => this.#cacheAnswers.inc({ result }, 0));
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
    this.#requests.inc({ priority, code });
    if (seconds !== undefined) {
      this.#duration.observe({ priority }, seconds);
    }
  }

  admitted(priority: Priority, waitedSeconds: number): void {
    this.#admissions.inc({ priority });
    this.#wait.observe({ priority }, waitedSeconds);
  }

  rejected(priority: Priority, reason: RejectionReason): void {
    this.#rejections.inc({ priority, reason });
  }

  inference(priority: Priority, seconds: number): void {
    this.#inference.inc({ priority }, seconds);
  }

  tokens(input: number, output: number): void {
    this.#tokens.inc({ direction: 'input' }, input);
    this.#tokens.inc({ direction: 'output' }, output);
  }

  cacheAnswer(result: CacheResult): void {
    this.#cacheAnswers.inc({ result });
  }

  stripped(header: string): void {
    this.#stripped.inc({ header });
  }

  malformed(code: number): void {
    this.#malformed.inc({ code });
  }
}
