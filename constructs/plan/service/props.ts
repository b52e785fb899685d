import type { NetworkPeer } from '../network';
import type { Priority } from '../priorities';
import type { ByteSize, TimeSpan } from '../quantities';
import type { ScalingProps } from '../scaling/props';
import type { MetricNames } from '../scaling/series';
import type { WorkloadNeeds } from '../scheduling';
import type { TieredCachePlan } from '../tiered-cache/plan';
import type { GatewayProps } from './gateway-props';
import type { VerticalScalingProps } from './vertical-scaling';

/** The model that a service runs. */
export interface ModelRef {
  /** Name, such as `resnet50`. Label characters only, at most 63. */
  readonly name: string;

  /** Version. Part of every cache key: a new version never answers with an old one's results. */
  readonly version: string;

  /**
   * Version of what is done to the input before the model sees it. Part of every cache key.
   *
   * @default - none; must be given where a route has a cache
   */
  readonly preprocessingVersion?: string;

  /**
   * Where the container loads the weights from, handed to it as `MODEL_SOURCE`. With an `s3://` or `https://` address
   * the NetworkPolicy lets HTTPS out.
   *
   * @default - the image holds them
   */
  readonly source?: string;
}

/** HTTP paths on the service's port that the kubelet asks. */
export interface ProbePaths {
  /** @default '/healthz' */
  readonly liveness?: string;
  /** @default '/readyz' */
  readonly readiness?: string;
}

/**
 * Where Prometheus finds the service's metrics. The gateway sends all that the rules need; the model is asked too where
 * `port`, `path` or `names` say what it sends.
 */
export interface MonitoringProps {
  /**
   * Port of the model's metrics.
   *
   * @default - the model's port
   */
  readonly port?: number;

  /** Path of the model's metrics. @default '/metrics' */
  readonly path?: string;

  /** @default 15 seconds */
  readonly interval?: TimeSpan;

  /**
   * Names of the metrics that the rules read.
   *
   * @default - as on `MetricNames`
   */
  readonly names?: MetricNames;

  /**
   * Labels by which your Prometheus chooses its PodMonitors and rules, such as `{ release: 'prometheus' }`.
   *
   * @default - none
   */
  readonly labels?: { readonly [label: string]: string };

  /**
   * Namespace that Prometheus runs in.
   *
   * @default 'monitoring'
   */
  readonly namespace?: string;
}

/** Who may talk to the service, and to whom it may talk. Nothing else passes. */
export interface NetworkProps {
  /** @default - all pods of the service's namespace */
  readonly callers?: readonly NetworkPeer[];

  /** @default - DNS only, and HTTPS where `model.source` needs it */
  readonly egress?: readonly NetworkPeer[];
}

/** How many pods a voluntary disruption may take at a time. */
export type DisruptionProps = { readonly maxUnavailable: number } | { readonly minAvailable: number };

/** Properties of `MedicalInferenceService`. */
export interface MedicalInferenceServiceProps extends WorkloadNeeds {
  /** Container image of the model server. */
  readonly image: string;

  /** The model it serves. */
  readonly model: ModelRef;

  /**
   * Name of the Deployment, Service and all else. A DNS label of at most 46 characters.
   *
   * @default - the construct's id, in lower case, `_` as `-`
   */
  readonly name?: string;

  /** @default - the chart's namespace; one of the two must be given */
  readonly namespace?: string;

  /** @default Priority.NORMAL */
  readonly priority?: Priority;

  /** @default 'model' */
  readonly containerName?: string;

  /** @default - the image's own */
  readonly command?: readonly string[];

  /** @default - the image's own */
  readonly args?: readonly string[];

  /**
   * Environment variables. Secrets do not belong here: see `secretEnv`.
   *
   * @default - none besides MODEL_NAME, MODEL_VERSION, MODEL_CACHE_DIR and MODEL_SOURCE
   */
  readonly env?: { readonly [name: string]: string };

  /**
   * Environment variables from Secrets of the same namespace.
   *
   * @default - none
   */
  readonly secretEnv?: { readonly [name: string]: { readonly secret: string; readonly key: string } };

  /**
   * The gateway before the model, or `'off'`: then callers reach the model itself, which must send the metrics that the
   * rules need.
   *
   * @default - as on `GatewayProps`
   */
  readonly gateway?: GatewayProps | 'off';

  /**
   * The cache that the gateway answers from: a `TieredCache`. `gateway.routes` say what is kept in it.
   *
   * @default - none; routes that keep answers keep them in the memory of each replica alone
   */
  readonly cache?: { readonly plan: TieredCachePlan };

  /** HTTP port of the model server. @default 8080 */
  readonly port?: number;

  /** @default - as on `ProbePaths` */
  readonly probes?: ProbePaths;

  /**
   * Longest time a healthy replica needs to load the model. The startup probe allows twice that; Karpenter (1.12 or
   * newer) leaves the pod alone meanwhile.
   *
   * @default 5 minutes
   */
  readonly modelLoadTime?: TimeSpan;

  /**
   * Longest time that one request may take. A replica that is told to stop finishes its requests first.
   *
   * @default 60 seconds
   */
  readonly slowestRequest?: TimeSpan;

  /**
   * Time between SIGTERM and SIGKILL, the drain included.
   *
   * @default - 10 s for the endpoints to forget the pod, `slowestRequest`, and 5 s more
   */
  readonly terminationGracePeriod?: TimeSpan;

  /**
   * Size of `/dev/shm`, which frameworks use between processes. Counts against the memory limit.
   *
   * @default - 1 GiB with GPUs, else 64 MiB
   */
  readonly sharedMemory?: ByteSize;

  /**
   * Size of the volume at `/var/cache/model` (MODEL_CACHE_DIR), on the node's disk.
   *
   * @default 20 GiB
   */
  readonly cacheVolume?: ByteSize;

  /**
   * User and group id of the process.
   *
   * @default 10001
   */
  readonly user?: number;

  /** @default - as on `ScalingProps` */
  readonly scaling?: ScalingProps;

  /**
   * Bounds of the VerticalPodAutoscaler, or `'off'`.
   *
   * @default - as on `VerticalScalingProps`
   */
  readonly verticalScaling?: VerticalScalingProps | 'off';

  /** @default - `{ maxUnavailable: 1 }` */
  readonly disruption?: DisruptionProps;

  /** @default - as on `NetworkProps` */
  readonly network?: NetworkProps;

  /** @default - as on `MonitoringProps` */
  readonly monitoring?: MonitoringProps;

  /**
   * Annotations of the ServiceAccount. EKS Pod Identity needs none.
   *
   * @default - none
   */
  readonly serviceAccountAnnotations?: { readonly [annotation: string]: string };

  /**
   * More labels for the pods.
   *
   * @default - none
   */
  readonly podLabels?: { readonly [label: string]: string };

  /**
   * More annotations for the pods.
   *
   * @default - none
   */
  readonly podAnnotations?: { readonly [annotation: string]: string };

  /**
   * More node labels that the pods insist on. Labels that the library sets itself cannot be overridden.
   *
   * @default - none
   */
  readonly nodeSelector?: { readonly [label: string]: string };

  /**
   * Whether a service must find node pools in its app that can run it. Turn it off where the pools of the cluster are
   * partly defined elsewhere.
   *
   * @default true
   */
  readonly checkNodePools?: boolean;
}
