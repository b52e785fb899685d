import type { EC2NodeClass } from './imports/ec2-node-class';
import type { KarpenterNodePool } from './imports/node-pool';
import { unitsPerGpu } from './plan/gpu-sharing';
import { GPU_RESOURCE } from './plan/labels';
import type { DisruptionBudget, NodePoolSpec } from './plan/node-pools/spec';
import { nodeVolumes, type NodeVolume } from './plan/node-pools/volumes';

/** Tag by which Karpenter finds what belongs to a cluster: its subnets, security groups and capacity reservations. */
const DISCOVERY_TAG = 'karpenter.sh/discovery';

type Ec2Spec = NonNullable<EC2NodeClass['spec']>;
type VolumeMapping = NonNullable<Ec2Spec['blockDeviceMappings']>[number];

/**
 * Karpenter v1 NodePool of a pool. It refers to the EC2NodeClass of the same name.
 *
 * `limits["nvidia.com/gpu"]` counts what the nodes report, so for divided GPUs it is the pool's limit times the parts
 * of one GPU. Until the device plugin of a new node has reported, Karpenter counts its GPUs as whole: a burst of pods
 * can pass the limit for as long as that takes.
 */
export function karpenterNodePool(spec: NodePoolSpec): KarpenterNodePool {
  const { consolidationPolicy, consolidateAfterSeconds, budgets } = spec.disruption;
  const { expireAfterSeconds, terminationGracePeriodSeconds } = spec;
  return {
    apiVersion: 'karpenter.sh/v1',
    kind: 'NodePool',
    metadata: { name: spec.name },
    spec: {
      template: {
        metadata: { labels: { ...spec.labels } },
        spec: {
          nodeClassRef: { group: 'karpenter.k8s.aws', kind: 'EC2NodeClass', name: spec.name },
          ...(spec.taints.length === 0 ? {} : { taints: spec.taints.map((taint) => ({ ...taint })) }),
          requirements: spec.requirements.map(({ values, ...rest }) => ({ ...rest, values: [...values] })),
          expireAfter: expireAfterSeconds === 'Never' ? 'Never' : duration(expireAfterSeconds),
          ...(terminationGracePeriodSeconds === undefined
            ? {}
            : { terminationGracePeriod: duration(terminationGracePeriodSeconds) }),
        },
      },
      limits: limits(spec),
      ...(spec.weight === undefined ? {} : { weight: spec.weight }),
      disruption: {
        consolidationPolicy,
        consolidateAfter: duration(consolidateAfterSeconds),
        budgets: budgets.map(karpenterBudget),
      },
    },
  };
}

/**
 * Karpenter EC2NodeClass of a pool: encrypted gp3 volumes, and instance metadata that only IMDSv2 reads and no pod
 * reaches (hop limit 1).
 */
export function ec2NodeClass(spec: NodePoolSpec): EC2NodeClass {
  const { amiAlias, clusterName, nodeRole, tags } = spec.nodeClass;
  const discovery = { tags: { [DISCOVERY_TAG]: clusterName } };
  return {
    apiVersion: 'karpenter.k8s.aws/v1',
    kind: 'EC2NodeClass',
    metadata: { name: spec.name },
    spec: {
      amiSelectorTerms: [{ alias: amiAlias }],
      role: nodeRole,
      subnetSelectorTerms: [discovery],
      securityGroupSelectorTerms: [discovery],
      ...(spec.capacityTypes.includes('reserved') ? { capacityReservationSelectorTerms: [discovery] } : {}),
      blockDeviceMappings: nodeVolumes(spec.nodeClass).map(volume),
      metadataOptions: { httpEndpoint: 'enabled', httpTokens: 'required', httpPutResponseHopLimit: 1 },
      tags: { ...tags },
    },
  };
}

function limits({ limits: { gpus, cpu, memoryGiB }, sharing, accelerators }: NodePoolSpec): { [key: string]: string } {
  const parts = Math.min(...accelerators.map((accelerator) => unitsPerGpu(sharing, accelerator)));
  return {
    ...(gpus === undefined ? {} : { [GPU_RESOURCE]: String(gpus * parts) }),
    ...(cpu === undefined ? {} : { cpu: String(cpu) }),
    ...(memoryGiB === undefined ? {} : { memory: `${memoryGiB}Gi` }),
  };
}

function karpenterBudget({ nodes, reasons, schedule, durationMinutes }: DisruptionBudget): {
  nodes: string;
  reasons?: NonNullable<DisruptionBudget['reasons']>[number][];
  schedule?: string;
  duration?: string;
} {
  return {
    nodes,
    ...(reasons === undefined ? {} : { reasons: [...reasons] }),
    ...(schedule === undefined || durationMinutes === undefined
      ? {}
      : { schedule, duration: hoursAndMinutes(durationMinutes) }),
  };
}

function volume({ deviceName, sizeGiB }: NodeVolume): VolumeMapping {
  return {
    deviceName,
    ebs: { volumeType: 'gp3', volumeSize: `${sizeGiB}Gi`, encrypted: true, deleteOnTermination: true },
  };
}

/** Seconds in the largest unit that holds them as a whole number: `720h`, `10m`, `90s`. */
function duration(seconds: number): string {
  if (seconds > 0 && seconds % 3600 === 0) {
    return `${seconds / 3600}h`;
  }
  return seconds > 0 && seconds % 60 === 0 ? `${seconds / 60}m` : `${seconds}s`;
}

/** Minutes as budgets take them, which have no seconds: `13h`, `12h30m`, `45m`. */
function hoursAndMinutes(minutes: number): string {
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
  return `${hours > 0 ? `${hours}h` : ''}${rest > 0 ? `${rest}m` : ''}`;
}
