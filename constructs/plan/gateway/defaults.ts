import type { CacheConfig } from '../cache/config';
import { Priority } from '../priorities';
import type { AdmissionConfig, ClassLimits, GatewayConfig, RouteCacheConfig, RouteConfig } from './config';

/** What holds where a configuration says nothing, and why. */
export const GATEWAY_DEFAULTS = {
  listen: {
    port: 9080,
    host: '::',
    maxConnections: 4096,
    // Node's own default
    maxHeaderBytes: 16_384,
  },
  admin: { port: 9081, host: '::' },
  upstream: { host: '127.0.0.1', readinessPath: '/readyz' },
  defaultPriority: Priority.NORMAL,
  admission: {
    // a GPU server batches about this many; measure your own
    concurrency: 8,
    reserve: 1,
    // four times the queue at which the scaling rules add replicas (50): they need minutes to come
    queueLength: 200,
    batchAgeing: 30,
    // a caller's patience, as the load balancer of AWS has it
    maxWait: { emergency: 60, normal: 60, batch: 300 },
  },
  body: {
    // X-ray images of 1,024 × 1,024 at 16 bits; CT series are larger
    bufferBytes: 2 * 1024 * 1024,
    totalBufferBytes: 128 * 1024 * 1024,
    maxBytes: 2 * 1024 * 1024 * 1024,
    minBytesPerSecond: 1024,
  },
  cache: { maxResponseBytes: 1024 * 1024 },
  timeouts: {
    headers: 10,
    idle: 15,
    // over the 60 s idle timeout of AWS load balancers, which would else send on a connection that just closed
    keepAlive: 75,
    connect: 2,
    // `slowestRequest` of a service
    upstream: 60,
  },
  drain: { timeout: 60 },
  tokenUsage: {
    // OpenAI (also vLLM, TGI, SGLang); Anthropic and OpenAI's responses; Anthropic's streams; Ollama
    input: ['/usage/prompt_tokens', '/usage/input_tokens', '/message/usage/input_tokens', '/prompt_eval_count'],
    output: ['/usage/completion_tokens', '/usage/output_tokens', '/message/usage/output_tokens', '/eval_count'],
  },
} as const;

/** Upper bounds of the buckets of durations, in seconds. 5 is the bound of the scaling rule on response times. */
export const DURATION_BUCKETS = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 4, 5, 6, 7.5, 10, 20, 30, 60, 120,
] as const;

/** Everything in `T`, and nothing left out. */
type Complete<T> = { readonly [K in keyof T]-?: Exclude<T[K], undefined> };

/** A route with its defaults. */
export interface RoutePlan extends Omit<Complete<RouteConfig>, 'methods' | 'cache'> {
  readonly methods?: readonly string[];
  readonly cache?: RouteCachePlan;
}

/** The cache of a route with its defaults. */
export type RouteCachePlan = Complete<Omit<RouteCacheConfig, 'tenantHeader' | 'ttl'>> &
  Pick<RouteCacheConfig, 'tenantHeader' | 'ttl'>;

/** How requests are let through, with defaults. */
export interface AdmissionPlan extends Complete<Omit<AdmissionConfig, 'classes'>> {
  readonly classes: { readonly [P in Priority]: Complete<ClassLimits> };
}

/** A configuration with its defaults. */
export interface GatewayPlan extends Pick<GatewayConfig, 'service' | 'namespace' | 'model'> {
  readonly upstream: Complete<GatewayConfig['upstream']>;
  readonly listen: Omit<Complete<NonNullable<GatewayConfig['listen']>>, 'tls'> &
    Pick<NonNullable<GatewayConfig['listen']>, 'tls'>;
  readonly admin: Complete<NonNullable<GatewayConfig['admin']>>;
  readonly trustedCallers: NonNullable<GatewayConfig['trustedCallers']>;
  readonly defaultPriority: Priority;
  readonly admission: AdmissionPlan;
  readonly routes: readonly RoutePlan[];
  /** What is done with requests that no route matches; absent where they are refused. */
  readonly unmatched?: RoutePlan;
  readonly body: Complete<NonNullable<GatewayConfig['body']>>;
  readonly timeouts: Complete<NonNullable<GatewayConfig['timeouts']>>;
  readonly drain: Complete<NonNullable<GatewayConfig['drain']>>;
  readonly tokenUsage: Complete<NonNullable<GatewayConfig['tokenUsage']>>;
  readonly logRequests: NonNullable<GatewayConfig['logRequests']>;
  /** Given where a route has a cache. */
  readonly cache?: CacheConfig;
}

/** Name in logs of requests that no route matches. */
const UNMATCHED = 'unmatched';

/** Fills in the defaults of a configuration that `checkGateway` found nothing wrong with. */
export function planGateway(config: GatewayConfig): GatewayPlan {
  const defaults = GATEWAY_DEFAULTS;
  const body = { ...defaults.body, ...config.body };
  const defaultPriority = config.defaultPriority ?? defaults.defaultPriority;
  const route = (given: RouteConfig): RoutePlan => ({
    path: given.path,
    methods: given.methods,
    priority: given.priority ?? defaultPriority,
    maxBodyBytes: given.maxBodyBytes ?? body.maxBytes,
    cache: given.cache === undefined ? undefined : planRouteCache(given.cache),
  });
  const cached = (config.routes ?? []).some((given) => given.cache !== undefined);
  return {
    service: config.service,
    namespace: config.namespace,
    model: config.model,
    upstream: { ...defaults.upstream, ...config.upstream },
    listen: { ...defaults.listen, ...config.listen },
    admin: { ...defaults.admin, ...config.admin },
    trustedCallers: config.trustedCallers ?? [],
    defaultPriority,
    admission: planAdmission(config.admission ?? {}),
    routes: (config.routes ?? []).map(route),
    unmatched: config.unmatched === 'refuse' ? undefined : route({ path: UNMATCHED }),
    body,
    timeouts: { ...defaults.timeouts, ...config.timeouts },
    drain: { ...defaults.drain, ...config.drain },
    tokenUsage: { ...defaults.tokenUsage, ...config.tokenUsage },
    logRequests: config.logRequests ?? 'all',
    cache: config.cache ?? (cached ? { namespace: config.namespace } : undefined),
  };
}

/** Fills in the defaults of the admission. */
export function planAdmission(config: AdmissionConfig): AdmissionPlan {
  const defaults = GATEWAY_DEFAULTS.admission;
  const concurrency = config.concurrency ?? defaults.concurrency;
  const reserve = config.reserve ?? (concurrency > 1 ? defaults.reserve : 0);
  const queueLength = config.queueLength ?? defaults.queueLength;
  const others = concurrency - reserve;
  const shares = {
    emergency: { concurrency, queueLength },
    normal: { concurrency: others, queueLength },
    batch: {
      concurrency: Math.min(others, Math.max(1, Math.floor(concurrency / 2))),
      queueLength: Math.ceil(queueLength / 2),
    },
  };
  const limits = (priority: Priority): Complete<ClassLimits> => ({
    ...shares[priority],
    maxWait: defaults.maxWait[priority],
    ...config.classes?.[priority],
  });
  return {
    concurrency,
    reserve,
    queueLength,
    batchAgeing: config.batchAgeing ?? defaults.batchAgeing,
    classes: { emergency: limits('emergency'), normal: limits('normal'), batch: limits('batch') },
  };
}

function planRouteCache(config: RouteCacheConfig): RouteCachePlan {
  return {
    kind: config.kind,
    key: config.key ?? (config.kind === 'knowledge' ? 'json' : 'body'),
    textFields: config.textFields ?? [],
    headers: config.headers ?? [],
    tenantHeader: config.tenantHeader,
    idHeaders: config.idHeaders ?? [],
    credentials: config.credentials ?? 'bypass',
    ttl: config.ttl,
    responseHeaders: config.responseHeaders ?? [],
    maxResponseBytes: config.maxResponseBytes ?? GATEWAY_DEFAULTS.cache.maxResponseBytes,
  };
}
