import type { Problems } from '../errors';
import { NodeLabel } from '../labels';
import type { DisruptionOptions } from './disruption';
import type { CapacityType, NodeClassSpec, NodeRequirement } from './spec';

/** Tag that says which pool an instance belongs to; activate it for cost allocation. */
const POOL_TAG = 'mediform.io/node-pool';

/** Largest gp3 volume that every instance type takes, in GiB. */
const MAX_VOLUME_GIB = 16_384;

/** Labels that say how the NVIDIA operator divides the GPUs of a node. */
export const SharingLabel = {
  /** Read by its MIG manager. */
  MIG: 'nvidia.com/mig.config',
  /** Read by its device plugin. */
  DEVICE_PLUGIN: 'nvidia.com/device-plugin.config',
} as const;

/** Label keys whose values follow from the other options. */
const OWN_LABELS: readonly string[] = [...Object.values(NodeLabel), ...Object.values(SharingLabel)];

const LABEL_KEY =
  /^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/)?[A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?$/;
const LABEL_VALUE = /^([A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?)?$/;
const RESTRICTED_LABEL_DOMAIN = /(kubernetes\.io|k8s\.io|karpenter\.sh|karpenter\.k8s\.aws)$/;
const NODE_LABEL_DOMAIN = /node(-restriction)?\.kubernetes\.io$/;
const RESTRICTED_TAG =
  /^(aws:|kubernetes\.io\/cluster|(eks:eks-cluster-name|karpenter\.sh\/nodepool|karpenter\.sh\/nodeclaim|karpenter\.k8s\.aws\/ec2nodeclass)$)/;

/** The EKS cluster that a pool belongs to. */
export interface NodePoolCluster {
  /** Name of the EKS cluster. Its subnets and security groups carry the tag `karpenter.sh/discovery` with this name. */
  readonly name: string;
  /**
   * Name (not ARN) of the IAM role of the nodes.
   *
   * @default - `KarpenterNodeRole-<name>`, as Karpenter's own setup guide calls it
   */
  readonly nodeRole?: string;
}

/** What every pool may be told. */
export interface NodePoolOptions extends DisruptionOptions {
  /** Name of the pool; a DNS label, unique in its cluster. */
  readonly name: string;
  /** The cluster that it belongs to. */
  readonly cluster: NodePoolCluster;
  /**
   * Availability zones, such as `eu-central-1a`.
   *
   * @default - all in which the cluster has subnets
   */
  readonly zones?: readonly string[];
  /**
   * Machine image, `al2023@version` or `bottlerocket@version`. Pin the version in production: `latest` replaces nodes
   * whenever AWS publishes an image.
   *
   * @default 'al2023@latest'
   */
  readonly amiAlias?: string;
  /**
   * Size of the volume for container images and logs, in whole GiB.
   *
   * @default - 200 with GPUs (images with CUDA are large), else 50
   */
  readonly rootVolumeGiB?: number;
  /**
   * 1 to 100. Of the pools that a pod fits, the one with the largest weight is used.
   *
   * @default - none, the same as 0
   */
  readonly weight?: number;
  /**
   * More labels of the nodes.
   *
   * @default - none
   */
  readonly labels?: { readonly [key: string]: string };
  /**
   * More EC2 tags of instances, volumes and network interfaces.
   *
   * @default - only `mediform.io/node-pool`, which cost reports can group by
   */
  readonly tags?: { readonly [key: string]: string };
}

/** Checks the options that all pools share, without disruption and machines. */
export function checkCommonOptions(problems: Problems, options: NodePoolOptions): void {
  const { name, zones, weight, labels = {} } = options;
  problems.check(
    typeof name === 'string' && /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name),
    'name',
    name,
    'be at most 63 lower-case letters, digits and inner hyphens',
    'it names Kubernetes objects and is the value of a node label',
  );
  problems.check(
    zones === undefined || (Array.isArray(zones) && zones.length > 0 && zones.every(isZone)),
    'zones',
    zones,
    'list at least one availability zone such as eu-central-1a',
    'no node could be launched anywhere else',
  );
  problems.check(
    weight === undefined || (Number.isInteger(weight) && weight >= 1 && weight <= 100),
    'weight',
    weight,
    'be a whole number from 1 to 100',
    'Karpenter takes no other',
  );
  const { capacityType } = options as { readonly capacityType?: unknown };
  problems.check(
    capacityType === undefined,
    'capacityType',
    capacityType,
    'not be given',
    'Spot capacity is only for batch work, in SpotBatchPool; all other pools are on-demand',
  );
  for (const [key, value] of Object.entries(labels)) {
    checkLabel(problems, key, value);
  }
}

/** Plans what the machines of a pool are made from, and records what EC2 or Karpenter would refuse. */
export function planNodeClass(problems: Problems, options: NodePoolOptions, hasGpus: boolean): NodeClassSpec {
  const { cluster, amiAlias = 'al2023@latest', rootVolumeGiB = hasGpus ? 200 : 50, tags = {} } = options;
  const clusterName: unknown = cluster?.name;
  const nodeRole = cluster?.nodeRole ?? `KarpenterNodeRole-${String(clusterName)}`;
  const named = problems.check(
    typeof clusterName === 'string' && /^[0-9A-Za-z][\w-]{0,99}$/.test(clusterName),
    'cluster.name',
    clusterName,
    'be the name of an EKS cluster',
    'subnets, security groups and the node role are found by it',
  );
  problems.check(
    !named || (typeof nodeRole === 'string' && /^[\w+=,.@-]{1,64}$/.test(nodeRole)),
    'cluster.nodeRole',
    nodeRole,
    'be the name of an IAM role, at most 64 characters',
    'Karpenter makes the instance profile from it',
  );
  problems.check(
    typeof amiAlias === 'string' &&
      amiAlias.length <= 30 &&
      /^(al2023|bottlerocket)@(latest|v?\d[\w.-]*)$/.test(amiAlias),
    'amiAlias',
    amiAlias,
    'be al2023 or bottlerocket, then @ and a version or latest',
    'only of these is the layout of the volumes known',
  );
  const least = hasGpus ? 50 : 20;
  problems.check(
    Number.isInteger(rootVolumeGiB) && rootVolumeGiB >= least && rootVolumeGiB <= MAX_VOLUME_GIB,
    'rootVolume',
    rootVolumeGiB,
    `be ${least} to ${MAX_VOLUME_GIB} whole GiB`,
    hasGpus ? 'container images with CUDA do not fit in less' : 'the machine image does not fit in less',
  );
  for (const [key, value] of Object.entries(tags)) {
    checkTag(problems, key, value);
  }
  return {
    amiAlias,
    clusterName: String(clusterName),
    nodeRole,
    rootVolumeGiB,
    tags: { ...tags, [POOL_TAG]: options.name },
  };
}

/** Requirements that all pools share. */
export function commonRequirements(
  options: NodePoolOptions,
  capacityTypes: readonly CapacityType[],
  architectures: readonly string[],
): NodeRequirement[] {
  return [
    requirement('karpenter.sh/capacity-type', 'In', capacityTypes),
    requirement('kubernetes.io/arch', 'In', architectures),
    requirement('kubernetes.io/os', 'In', ['linux']),
    ...(options.zones === undefined ? [] : [requirement('topology.kubernetes.io/zone', 'In', options.zones)]),
  ];
}

/** A requirement with sorted, distinct values; numbers are sorted as numbers. */
export function requirement(
  key: string,
  operator: NodeRequirement['operator'],
  values: readonly (string | number)[],
): NodeRequirement {
  const byValue = (a: string | number, b: string | number): number =>
    typeof a === 'number' && typeof b === 'number' ? a - b : a < b ? -1 : 1;
  return { key, operator, values: [...new Set(values)].sort(byValue).map(String) };
}

/** Checks a limit: a whole number of units of which a pool needs `least` to have any node at all. */
export function checkLimit(
  problems: Problems,
  property: string,
  value: number | undefined,
  least: number,
  because: string,
): void {
  problems.check(
    value === undefined || (Number.isInteger(value) && value >= least),
    property,
    value,
    `be a whole number of at least ${least}`,
    because,
  );
}

function isZone(zone: unknown): boolean {
  return typeof zone === 'string' && /^[a-z]{2}(-[a-z]+)+-\d+(-[a-z]+-\d+)?[a-z]$/.test(zone);
}

function checkLabel(problems: Problems, key: string, value: unknown): void {
  const property = `labels.${key}`;
  const domain = key.includes('/') ? key.slice(0, key.indexOf('/')) : '';
  const restricted = RESTRICTED_LABEL_DOMAIN.test(domain) && !NODE_LABEL_DOMAIN.test(domain);
  problems.check(
    LABEL_KEY.test(key) && typeof value === 'string' && LABEL_VALUE.test(value),
    property,
    value,
    'be a Kubernetes label: at most 63 letters, digits and inner - _ . in key and value',
    'Kubernetes refuses the node otherwise',
  );
  problems.check(
    !OWN_LABELS.includes(key) && !restricted,
    property,
    value,
    'not be given',
    restricted ? `Karpenter reserves labels of ${domain}` : 'its value follows from the other options of the pool',
  );
}

function checkTag(problems: Problems, key: string, value: unknown): void {
  problems.check(
    key.length > 0 && key.length <= 128 && typeof value === 'string' && value.length <= 256,
    `tags.${key}`,
    value,
    'have a key of 1 to 128 and a value of at most 256 characters',
    'EC2 takes no others',
  );
  problems.check(
    key !== POOL_TAG && !RESTRICTED_TAG.test(key),
    `tags.${key}`,
    value,
    'not be given',
    'AWS, Karpenter or this library sets it',
  );
}
