import type {
  EstimatedPool,
  EstimatedStack,
  EstimatedVolume,
  EstimatedWorkload,
} from '../../../constructs/plan/cost/estimate/stack';
import { parseSharingKey } from '../../../constructs/plan/cost/gpu-share';
import { unitsPerGpu } from '../../../constructs/plan/gpu-sharing';
import { ACCELERATORS, type Accelerator } from '../../../constructs/plan/accelerators';
import { GPU_RESOURCE, NodeLabel } from '../../../constructs/plan/labels';
import { LedgerError } from '../ledger/errors';
import { fullName, replicasOf, type Manifest } from './read';

const WORKLOADS = ['Deployment', 'StatefulSet'];

interface WorkloadSpec {
  readonly template: {
    readonly spec: {
      readonly nodeSelector?: { readonly [label: string]: string };
      readonly tolerations?: EstimatedWorkload['tolerations'];
      readonly containers: readonly Container[];
      readonly initContainers?: readonly (Container & { readonly restartPolicy?: string })[];
    };
  };
  readonly volumeClaimTemplates?: readonly { readonly spec: ClaimSpec }[];
}

interface ClaimSpec {
  readonly storageClassName?: string;
  readonly resources: { readonly requests: { readonly storage: string } };
}

interface Container {
  readonly resources?: { readonly requests?: { readonly [resource: string]: string | number } };
}

interface PoolSpec {
  readonly weight?: number;
  readonly limits?: { readonly [resource: string]: string | number };
  readonly template: {
    readonly metadata?: { readonly labels?: { readonly [label: string]: string } };
    readonly spec: {
      readonly taints?: EstimatedPool['taints'];
      readonly requirements: EstimatedPool['requirements'];
      readonly nodeClassRef: { readonly name: string };
    };
  };
}

interface ClassSpec {
  readonly blockDeviceMappings?: readonly {
    readonly ebs?: { readonly volumeSize?: string; readonly volumeType?: string };
  }[];
}

/** What of some manifests costs something: pods that stay, node pools, volumes. */
export function stackOf(objects: readonly Manifest[]): EstimatedStack {
  const classes = new Map(
    objects.filter(({ kind }) => kind === 'EC2NodeClass').map((each) => [each.metadata.name, each]),
  );
  return {
    workloads: objects.filter(({ kind }) => WORKLOADS.includes(kind)).map((object) => workloadOf(object, objects)),
    pools: objects.filter(({ kind }) => kind === 'NodePool').map((object) => poolOf(object, classes)),
    claims: objects
      .filter(({ kind }) => kind === 'PersistentVolumeClaim')
      .map((object) => ({ name: fullName(object), ...volumeOf(object.spec as ClaimSpec) })),
    jobs: objects.filter(({ kind }) => kind === 'CronJob' || kind === 'Job').map(fullName),
  };
}

function workloadOf(object: Manifest, objects: readonly Manifest[]): EstimatedWorkload {
  const { template, volumeClaimTemplates = [] } = object.spec as WorkloadSpec;
  const { nodeSelector = {}, tolerations = [], containers, initContainers = [] } = template.spec;
  // an init container that restarts is a sidecar, and stays
  const all = [...containers, ...initContainers.filter(({ restartPolicy }) => restartPolicy === 'Always')];
  const requested = (resource: string, read: (quantity: string) => number): number =>
    all.reduce((total, { resources }) => total + read(String(resources?.requests?.[resource] ?? '0')), 0);
  const { min, max } = replicasOf(object, objects);
  return {
    name: fullName(object),
    minReplicas: min,
    maxReplicas: max,
    cpu: requested('cpu', amountOf),
    memoryMiB: requested('memory', mebibytes),
    gpus: requested(GPU_RESOURCE, amountOf),
    nodeSelector,
    tolerations,
    volumes: volumeClaimTemplates.map(({ spec }) => volumeOf(spec)),
  };
}

function volumeOf({ storageClassName, resources }: ClaimSpec): EstimatedVolume {
  return {
    gib: mebibytes(resources.requests.storage) / 1024,
    ...(storageClassName === undefined ? {} : { storageClass: storageClassName }),
  };
}

function poolOf({ metadata, spec }: Manifest, classes: ReadonlyMap<string, Manifest>): EstimatedPool {
  const { weight = 0, limits = {}, template } = spec as PoolSpec;
  const labels = template.metadata?.labels ?? {};
  const { taints = [], requirements, nodeClassRef } = template.spec;
  const { blockDeviceMappings = [] } = (classes.get(nodeClassRef.name)?.spec ?? {}) as ClassSpec;
  const sharing = parseSharingKey(labels[NodeLabel.GPU_SHARING] ?? '');
  const names = requirements.find(({ key }) => key === NodeLabel.GPU_NAME)?.values ?? [];
  const accelerators = (Object.keys(ACCELERATORS) as Accelerator[]).filter((name) =>
    names.includes(ACCELERATORS[name].gpuName),
  );
  return {
    name: metadata.name,
    labels,
    taints,
    requirements,
    weight,
    limits: {
      ...(limits[GPU_RESOURCE] === undefined ? {} : { gpus: Number(limits[GPU_RESOURCE]) }),
      ...(limits.cpu === undefined ? {} : { cpu: amountOf(String(limits.cpu)) }),
      ...(limits.memory === undefined ? {} : { memoryMiB: mebibytes(String(limits.memory)) }),
    },
    nodeVolumes: blockDeviceMappings.flatMap(({ ebs }) =>
      ebs?.volumeSize === undefined
        ? []
        : [{ gib: mebibytes(ebs.volumeSize) / 1024, volumeType: ebs.volumeType ?? 'gp3' }],
    ),
    unitsPerGpu: accelerators.length === 0 ? 1 : Math.min(...accelerators.map((name) => unitsPerGpu(sharing, name))),
  };
}

/** MiB of a quantity: `8Gi`, `512Mi`, `1e9`. */
function mebibytes(quantity: string): number {
  return amountOf(quantity) / 2 ** 20;
}

/** What the suffixes of quantities stand for; an exponent is part of the number. */
const SUFFIXES: { readonly [suffix: string]: number } = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/**
 * What a quantity amounts to: `2`, `2500m`, `8Gi`.
 *
 * @throws LedgerError where it is no quantity: a part of an estimate that is no number would be none at all
 */
function amountOf(quantity: string): number {
  const [, number = '', suffix = ''] = /^([+-]?[\d.]+(?:[eE][+-]?\d+)?)([A-Za-z]*)$/.exec(quantity) ?? [];
  const amount = number === '' ? NaN : Number(number) * (SUFFIXES[suffix] ?? NaN);
  if (!Number.isFinite(amount)) {
    throw new LedgerError(`'${quantity}' is no quantity as Kubernetes writes them, such as 500m or 8Gi`);
  }
  return amount;
}
