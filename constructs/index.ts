export { CostExport } from './cost-export';
export { GpuNodePool, type GpuNodePoolProps } from './gpu-node-pool';
export { MedicalInferenceService } from './medical-inference-service';
export { NodePool, type NodePoolProps } from './node-pool';
export type { DisruptionBudgetProps, NodePoolBaseProps } from './node-pool-props';
export { PriorityClasses } from './priority-classes';
export { PrometheusAdapterRules, type PrometheusAdapterRulesProps } from './prometheus-adapter-rules';
export { TieredCache, type CacheMaintenanceObjects, type CacheServerObjects } from './tiered-cache';
export { SpotBatchPool, type SpotBatchPoolProps } from './spot-batch-pool';

export { ACCELERATORS, Accelerator, type AcceleratorSpec } from './plan/accelerators';
export { adapterConfig, type AdapterConfig, type AdapterRule } from './plan/adapter-rules';
export type { CostConfig } from './plan/cost/config';
export type { Price, PriceFile } from './plan/cost/price-file';
export type { CostExportPlan } from './plan/cost-export/plan';
export type { CostExportProps, LedgerTarget, PushgatewayRef } from './plan/cost-export/props';
export { CostMetric } from './plan/cost-export/metrics';
export { ConfigurationError } from './plan/errors';
export { type GpuSharing } from './plan/gpu-sharing';
export type { CacheConfig } from './plan/cache/config';
export type { CacheKind } from './plan/cache/kinds';
export type { AdmissionConfig, BodyConfig, GatewayConfig, RouteCacheConfig, RouteConfig } from './plan/gateway/config';
export type { GpuOptions } from './plan/node-pools/gpus';
export type { NodePoolCluster, NodePoolOptions } from './plan/node-pools/options';
export type {
  CapacityType,
  ConsolidationPolicy,
  DisruptionBudget,
  DisruptionReason,
  DisruptionSpec,
  NodeClassSpec,
  NodePoolKind,
  NodePoolLimits,
  NodePoolSpec,
  NodeRequirement,
  NodeTaint,
} from './plan/node-pools/spec';
export {
  planGpuNodePool,
  planNodePool,
  planSpotBatchPool,
  type Architecture,
  type CpuNodePoolOptions,
  type GpuNodePoolOptions,
  type NodeType,
  type SpotBatchPoolOptions,
} from './plan/node-pools/plan';
export type { AuthorityRef, MountedFile, SecretKey } from './plan/mounts';
export type { NetworkPeer } from './plan/network';
export { PRIORITY_CLASSES, Priority, parsePriority, type PriorityClassSpec } from './plan/priorities';
export { type ByteSize, type TimeSpan } from './plan/quantities';
export type {
  BandRule,
  Forecast,
  PacePlan,
  PeakHours,
  PeakPlan,
  ScalingPace,
  ScalingPlan,
  ScalingPolicy,
  ScalingProps,
  ScalingRules,
  ScalingTargets,
  SignalPlan,
} from './plan/scaling/props';
export { AdapterMetric, Series, type MetricNames } from './plan/scaling/series';
export {
  scheduleWorkload,
  type GpuNeeds,
  type Toleration,
  type WorkloadNeeds,
  type WorkloadSchedule,
} from './plan/scheduling';
export type { GatewaySidecarPlan } from './plan/service/gateway';
export type { GatewayCaller, GatewayProps } from './plan/service/gateway-props';
export type { ServicePlan } from './plan/service/plan';
export type {
  DisruptionProps,
  MedicalInferenceServiceProps,
  ModelRef,
  MonitoringProps,
  NetworkProps,
  ProbePaths,
} from './plan/service/props';
export type { ResourceBounds, VerticalScalingPlan, VerticalScalingProps } from './plan/service/vertical-scaling';
export type { TieredCachePlan } from './plan/tiered-cache/plan';
export type {
  CacheDatabaseProps,
  CacheEndpointProps,
  CacheIssuer,
  CacheServerProps,
  CacheTierProps,
  CacheTlsProps,
  CacheWarmUpProps,
  EvictionPolicy,
  MemcachedEndpointProps,
  MemcachedServerProps,
  RedisEndpointProps,
  RedisServerProps,
  TieredCacheProps,
} from './plan/tiered-cache/props';
export type { CacheServerPlan } from './plan/tiered-cache/servers';
export { type Day, type WeeklyWindow } from './plan/weekly-window';
