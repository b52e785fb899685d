/** HTTP headers of the gateway. What a caller sends under the prefix never reaches the model as it came. */
export const GatewayHeader = {
  /** Prefix of all of them, in lower case. */
  PREFIX: 'x-mediform-',
  /** Request: `emergency`, `normal` or `batch`; believed from trusted callers only. To the model: what was decided. */
  PRIORITY: 'x-mediform-priority',
  /** Request: what a trusted caller with a secret proves itself by. Never forwarded. */
  CALLER_SECRET: 'x-mediform-caller-secret',
  /** Request: tenant whose key the cache uses, unless a route names another header; from trusted callers only. */
  TENANT: 'x-mediform-tenant',
  /** Answer: `hit; tier=redis; age=12`, `miss`, or `bypass; reason=authorization`. */
  CACHE: 'x-mediform-cache',
  /** Answer: `resnet50; version=1.4.2`, the model that computed it. */
  MODEL: 'x-mediform-model',
} as const;

/** Paths on the admin port; none of them exists on the port of the model's routes. */
export const AdminPath = {
  /** 200 as long as the process works. */
  LIVENESS: '/healthz',
  /** 200 where the model is ready and the gateway does not drain, else 503. */
  READINESS: '/readyz',
  /** Prometheus text format. */
  METRICS: '/metrics',
  /** Answers when the gateway has drained: for a preStop hook of the model, which must outlive the gateway's requests. */
  DRAINED: '/drained',
} as const;

/** Environment variable that holds the path of the configuration. */
export const CONFIG_VARIABLE = 'MEDIFORM_CONFIG';

/** Where the configuration is mounted. */
export const CONFIG_PATH = '/etc/mediform/config.json';

/**
 * Metrics of the gateway. Those of the scaling rules (`constructs/plan/scaling/series.ts`) have no prefix, since any
 * other model server may send them too. Labels are `service`, `model` and those named here.
 */
export const GatewayMetric = {
  /** Gauge, `priority`: requests that wait for the model. */
  QUEUE_LENGTH: 'request_queue_length',
  /** Histogram, `priority`: seconds from the head of a request to the end of its answer; refused requests are not in it. */
  REQUEST_DURATION: 'request_duration_seconds',
  /** Counter, `priority`, `code`: finished requests. Code 499 where the caller left first. */
  REQUESTS: 'requests_total',
  /** Counter, `priority`: seconds that the model worked on requests. */
  INFERENCE_SECONDS: 'mediform_inference_seconds_total',
  /** Counter, `direction` (`input`, `output`): tokens that the model reported. */
  TOKENS: 'mediform_tokens_total',
  /** Counter, `priority`: requests that were let through to the model. */
  ADMISSIONS: 'mediform_admissions_total',
  /** Counter, `priority`, `reason`: requests that were not. */
  REJECTIONS: 'mediform_rejections_total',
  /** Histogram, `priority`: seconds that admitted requests had waited. */
  QUEUE_WAIT: 'mediform_queue_wait_seconds',
  /** Gauge, `priority`: requests that the model works on. */
  IN_FLIGHT: 'mediform_requests_in_flight',
  /** Counter, `result` (`hit`, `miss`, `bypass`): what requests on routes with a cache got. */
  CACHE_ANSWERS: 'mediform_cache_answers_total',
  /** Counter, `header`: headers of untrusted callers that were taken away. */
  HEADERS_STRIPPED: 'mediform_headers_stripped_total',
  /** Counter, `code`: what was no HTTP, and got this answer. */
  MALFORMED: 'mediform_malformed_requests_total',
  /** Gauge: bytes of bodies in memory. */
  BUFFERED_BYTES: 'mediform_buffered_bytes',
  /** Gauge, always 1, `model_version`, `preprocessing_version`: what runs. */
  INFO: 'mediform_gateway_info',
} as const;

/** Why a request was not let through: label `reason` of `GatewayMetric.REJECTIONS`. */
export const RejectionReason = {
  /** The queue was full and held nothing less urgent. */
  QUEUE_FULL: 'queue_full',
  /** A more urgent request needed its place. */
  SHED: 'shed',
  /** It waited longer than its class may. */
  WAIT_TOO_LONG: 'wait_too_long',
} as const;

/** One of the values of `RejectionReason`. */
export type RejectionReason = (typeof RejectionReason)[keyof typeof RejectionReason];
