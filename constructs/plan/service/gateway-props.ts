import type { GatewayConfig, TimeoutConfig, TrustedCaller } from '../gateway/config';
import type { SecretKey } from '../mounts';
import type { ByteSize } from '../quantities';

/** A caller that may say how urgent a request is. All that is given must hold; at least one must be given. */
export interface GatewayCaller extends Omit<TrustedCaller, 'secretFile'> {
  /**
   * Secret of the service's namespace that the caller must send in the header `x-mediform-caller-secret`.
   *
   * @default - none needed
   */
  readonly secret?: SecretKey;
}

/**
 * The gateway before the model: it lets requests through by priority, answers from the cache, drains, and measures. Times
 * are in seconds and sizes in bytes, as in its own configuration.
 */
export interface GatewayProps extends Pick<
  GatewayConfig,
  'admission' | 'routes' | 'unmatched' | 'body' | 'tokenUsage' | 'logRequests'
> {
  /**
   * Priority of requests whose route and caller say none.
   *
   * @default - the service's
   */
  readonly defaultPriority?: GatewayConfig['defaultPriority'];

  /**
   * Callers whose priority and tenant headers are believed. From all others they are taken away.
   *
   * @default - none
   */
  readonly trustedCallers?: readonly GatewayCaller[];

  /**
   * Secret of the service's namespace with `tls.crt` and `tls.key`, and for `certificateNames` of callers `ca.crt`.
   *
   * @default - plain HTTP, as the model itself speaks it
   */
  readonly tls?: {
    readonly secret: string;
    /** Ask callers for certificates that lead to `ca.crt`. @default false */
    readonly askForCertificates?: boolean;
  };

  /** `upstream` is the service's `slowestRequest`. @default - as on `TimeoutConfig` */
  readonly timeouts?: Omit<TimeoutConfig, 'upstream'>;

  /** Port that takes the requests. @default 9080 */
  readonly port?: number;

  /** Port of health and metrics. @default 9081 */
  readonly adminPort?: number;

  /** Cores that are requested, besides the model's. @default 0.5 */
  readonly cpu?: number;

  /**
   * Memory, besides the model's.
   *
   * @default - 192 MiB, and 1.5 × what `body.totalBufferBytes` and the hot tier may take
   */
  readonly memory?: ByteSize;

  /** Image that the gateway's program runs on: Node 24 or newer. @default - the official image, pinned */
  readonly runtimeImage?: string;
}
