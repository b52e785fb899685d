import type { CacheConfig } from '../cache/config';
import type { CacheKind } from '../cache/kinds';
import type { Priority } from '../priorities';

/**
 * Configuration of the inference gateway: plain JSON, mounted from a ConfigMap. Secrets are paths of files. Times are in
 * seconds and sizes in bytes. What is left out has the default of `GATEWAY_DEFAULTS`.
 */
export interface GatewayConfig {
  /** Name of the service, in labels of metrics and in cache keys. */
  readonly service: string;

  /** Namespace of the service. */
  readonly namespace: string;

  /** The model behind the gateway. */
  readonly model: GatewayModel;

  /** The server that answers: the model. */
  readonly upstream: UpstreamConfig;

  /** @default - as on `ListenConfig` */
  readonly listen?: ListenConfig;

  /** @default - as on `AdminConfig` */
  readonly admin?: AdminConfig;

  /**
   * Priority of requests whose route and caller say none.
   *
   * @default 'normal'
   */
  readonly defaultPriority?: Priority;

  /**
   * Callers whose priority and tenant headers are believed. From all others they are taken away.
   *
   * @default - none
   */
  readonly trustedCallers?: readonly TrustedCaller[];

  /** @default - as on `AdmissionConfig` */
  readonly admission?: AdmissionConfig;

  /**
   * The first route that matches counts.
   *
   * @default - none: everything is forwarded, nothing cached
   */
  readonly routes?: readonly RouteConfig[];

  /**
   * What happens to requests without a route: `forward` passes them on uncached, `refuse` answers 404.
   *
   * @default 'forward'
   */
  readonly unmatched?: 'forward' | 'refuse';

  /** @default - as on `BodyConfig` */
  readonly body?: BodyConfig;

  /** @default - as on `TimeoutConfig` */
  readonly timeouts?: TimeoutConfig;

  /** @default - as on `DrainConfig` */
  readonly drain?: DrainConfig;

  /** @default - as on `TokenUsageConfig` */
  readonly tokenUsage?: TokenUsageConfig;

  /**
   * Which requests get a line in the log.
   *
   * @default 'all'
   */
  readonly logRequests?: 'all' | 'failures' | 'none';

  /**
   * The tiers behind the routes that have a cache.
   *
   * @default - the hot tier alone, where a route has a cache
   */
  readonly cache?: CacheConfig;
}

/** The model behind the gateway. */
export interface GatewayModel {
  /** Name, such as `resnet50`. */
  readonly name: string;

  /** Version. Part of every cache key. */
  readonly version: string;

  /**
   * Version of what is done to the input before the model sees it. Part of every cache key.
   *
   * @default - none; must be given where a route has a cache
   */
  readonly preprocessingVersion?: string;
}

/** Where the gateway takes requests. */
export interface ListenConfig {
  /** @default 9080 */
  readonly port?: number;

  /** @default '::' (IPv6 and IPv4) */
  readonly host?: string;

  /**
   * PEM files, read again when they change.
   *
   * @default - plain HTTP
   */
  readonly tls?: {
    readonly certificateFile: string;
    readonly keyFile: string;
    /**
     * Authorities of callers' certificates. Who shows none is answered, but is not trusted by one.
     *
     * @default - callers are not asked for certificates
     */
    readonly clientAuthorityFile?: string;
  };

  /**
   * Connections at a time; more are closed at once.
   *
   * @default 4096
   */
  readonly maxConnections?: number;

  /**
   * Bytes of a request's head, all headers together; more get 431.
   *
   * @default 16384
   */
  readonly maxHeaderBytes?: number;
}

/** Where health and metrics are asked for; see `AdminPath`. */
export interface AdminConfig {
  /** @default 9081 */
  readonly port?: number;

  /** @default '::' (IPv6 and IPv4) */
  readonly host?: string;
}

/** The model's HTTP server. */
export interface UpstreamConfig {
  readonly port: number;

  /** @default '127.0.0.1' */
  readonly host?: string;

  /**
   * Path that tells whether the model is ready.
   *
   * @default '/readyz'
   */
  readonly readinessPath?: string;
}

/** A caller that may say how urgent a request is. All that is given must hold; at least one must be given. */
export interface TrustedCaller {
  /**
   * Addresses of the connection's other end, such as `10.0.12.0/24`. Behind a proxy that is the proxy.
   *
   * @default - any
   */
  readonly cidrs?: readonly string[];

  /**
   * File with a secret, or with one a line while it is rotated, that the caller must send in
   * `GatewayHeader.CALLER_SECRET`.
   *
   * @default - none needed
   */
  readonly secretFile?: string;

  /**
   * DNS names or URIs (SPIFFE ids) in the caller's client certificate, of which one must match exactly. Needs
   * `listen.tls.clientAuthorityFile`.
   *
   * @default - none needed
   */
  readonly certificateNames?: readonly string[];

  /**
   * Priorities that it may ask for.
   *
   * @default - all three
   */
  readonly priorities?: readonly Priority[];
}

/**
 * How requests are let through to the model.
 *
 * Emergency goes first, always. Normal goes before batch, except that a batch request which has waited for
 * `batchAgeing` is treated as a normal one that arrived then. Where the queue is full, the least urgent request goes.
 */
export interface AdmissionConfig {
  /**
   * Requests that the model works on at a time.
   *
   * @default 8
   */
  readonly concurrency?: number;

  /**
   * Places at the model that are free for an emergency, whatever runs: others start only where so many are left after
   * them. Fewer than `concurrency`.
   *
   * @default 1, and 0 where `concurrency` is 1
   */
  readonly reserve?: number;

  /**
   * Requests that may wait, over all classes.
   *
   * @default 200
   */
  readonly queueLength?: number;

  /**
   * Seconds after which a waiting batch request counts as a normal one.
   *
   * @default 30
   */
  readonly batchAgeing?: number;

  /** @default - as on `ClassLimits` */
  readonly classes?: { readonly [P in Priority]?: ClassLimits };
}

/** Limits of one class of requests. */
export interface ClassLimits {
  /**
   * Requests of this class *and of less urgent ones* that the model may work on at a time.
   *
   * @default - emergency: all; normal: all but `reserve`; batch: half of all, and no more than normal (at least 1)
   */
  readonly concurrency?: number;

  /**
   * Requests of this class that may wait.
   *
   * @default - emergency and normal: `admission.queueLength`; batch: half of it
   */
  readonly queueLength?: number;

  /**
   * Seconds that a request of this class may wait.
   *
   * @default - emergency and normal: 60; batch: 300
   */
  readonly maxWait?: number;
}

/** What one kind of request is, and whether its answers are kept. */
export interface RouteConfig {
  /**
   * Path: exact, or with `*` for one segment and a last `**` for all that follow. It stands in logs in place of the
   * request's own path.
   */
  readonly path: string;

  /** @default - all but CONNECT and TRACE, which are refused */
  readonly methods?: readonly string[];

  /**
   * Priority of requests whose caller says none.
   *
   * @default - `defaultPriority`
   */
  readonly priority?: Priority;

  /**
   * Bytes of a request's body; more get 413.
   *
   * @default - `body.maxBytes`
   */
  readonly maxBodyBytes?: number;

  /** @default - answers are not kept */
  readonly cache?: RouteCacheConfig;
}

/**
 * How answers of a route are kept. Method, path, query, Content-Type, Content-Encoding and Accept are always part of the
 * key, and so are the versions of model and preprocessing. Only answers with a 2xx status are kept, and none that says
 * `Set-Cookie`, `Cache-Control: no-store` or `private`, or by `Vary` that it depends on a header that the key has not.
 */
export interface RouteCacheConfig {
  /** Which lifetime and rules the answers have. */
  readonly kind: CacheKind;

  /**
   * What of the body makes the key: `body`, its very bytes; `json`, its JSON whatever the order of members and the
   * white space; `text`, the text in Unicode NFC, without white space at the ends and with single spaces inside.
   *
   * @default - knowledge: 'json', else 'body'
   */
  readonly key?: 'body' | 'json' | 'text';

  /**
   * With the key `json`: JSON pointers of strings that are normalised as `text` is.
   *
   * @default - none
   */
  readonly textFields?: readonly string[];

  /**
   * More request headers that the answer depends on.
   *
   * @default - none
   */
  readonly headers?: readonly string[];

  /**
   * Header that names the tenant; requests of callers that are not trusted, and those without it, are not cached.
   *
   * @default - all requests are of one tenant
   */
  readonly tenantHeader?: string;

  /**
   * Headers with identifiers, such as that of the study, by which an answer may be invalidated later. Kept as keyed
   * hashes.
   *
   * @default - none
   */
  readonly idHeaders?: readonly string[];

  /**
   * Requests with Authorization or Cookie: `bypass` forwards them always, since only the model can tell whether they are
   * allowed; `ignore` where something before the gateway has checked them.
   *
   * @default 'bypass'
   */
  readonly credentials?: 'bypass' | 'ignore';

  /**
   * Lifetime of an answer in seconds.
   *
   * @default - that of the kind
   */
  readonly ttl?: number;

  /**
   * More headers of the answer to keep, besides Content-Type, Content-Language and Content-Disposition.
   *
   * @default - none
   */
  readonly responseHeaders?: readonly string[];

  /**
   * Largest answer that is kept, in bytes.
   *
   * @default 1048576 (1 MiB)
   */
  readonly maxResponseBytes?: number;
}

/** How much of bodies is held in memory. */
export interface BodyConfig {
  /**
   * Largest body that is held; larger ones are hashed while they stream through.
   *
   * @default 2097152 (2 MiB)
   */
  readonly bufferBytes?: number;

  /**
   * Bytes held over all requests. Where they are used up, requests wait before their body is read.
   *
   * @default 134217728 (128 MiB)
   */
  readonly totalBufferBytes?: number;

  /**
   * Largest body; more get 413.
   *
   * @default 2147483648 (2 GiB)
   */
  readonly maxBytes?: number;

  /**
   * Slowest body in bytes a second, averaged over the time that it was awaited once that is over `timeouts.idle`.
   *
   * @default 1024
   */
  readonly minBytesPerSecond?: number;
}

/** Bounds in seconds. */
export interface TimeoutConfig {
  /**
   * From the first byte of a request to the end of its headers.
   *
   * @default 10
   */
  readonly headers?: number;

  /**
   * Silence of a caller whose body is awaited, or that does not read its answer.
   *
   * @default 15
   */
  readonly idle?: number;

  /**
   * An unused connection of a caller. More than a load balancer's, which must be the first to close.
   *
   * @default 75
   */
  readonly keepAlive?: number;

  /**
   * Connecting to the model.
   *
   * @default 2
   */
  readonly connect?: number;

  /**
   * From the end of a request to the head of the model's answer, and between two pieces of it.
   *
   * @default 60
   */
  readonly upstream?: number;
}

/** What happens on SIGTERM. */
export interface DrainConfig {
  /**
   * Longest time in seconds for requests in flight; what is left then is cut off.
   *
   * @default 60
   */
  readonly timeout?: number;
}

/** Where an answer of the model says how many tokens it took. JSON pointers, of which the first that leads anywhere counts. */
export interface TokenUsageConfig {
  /** @default - as OpenAI, Anthropic and Ollama have it */
  readonly input?: readonly string[];

  /** @default - as OpenAI, Anthropic and Ollama have it */
  readonly output?: readonly string[];
}
