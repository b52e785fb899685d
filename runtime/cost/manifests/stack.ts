import type { EstimatedPool, EstimatedStack, EstimatedWorkload } from '../../../constructs/plan/cost/estimate/stack';
import { parseSharingKey } from '../../../constructs/plan/cost/gpu-share';
import { unitsPerGpu } from '../../../constructs/plan/gpu-sharing';
import { ACCELERATORS, type Accelerator } from '../../../constructs/plan/accelerators';
import { GPU_RESOURCE, NodeLabel } from '../../../constructs/plan/labels';
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
  readonly volumeClaimTemplates?: readonly {
    readonly spec: {
      readonly storageClassName?: string;
      readonly resources: { readonly requests: { readonly storage: string } };
    };
  }[];
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
    cpu: requested('cpu', cores),
    memoryMiB: requested('memory', mebibytes),
    gpus: requested(GPU_RESOURCE, Number),
    nodeSelector,
    tolerations,
    volumes: volumeClaimTemplates.map(({ spec: { storageClassName, resources } }) => ({
      gib: mebibytes(resources.requests.storage) / 1024,
      ...(storageClassName === undefined ? {} : { storageClass: storageClassName }),
    })),
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
      ...(limits.cpu === undefined ? {} : { cpu: cores(String(limits.cpu)) }),
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

/** Cores of a quantity: `2`, `2500m`. */
function cores(quantity: string): number {
  return quantity.endsWith('m') ? Number(quantity.slice(0, -1)) / 1000 : Number(quantity);
}

const MIB: { readonly [suffix: string]: number } = {
  '': 1 / 2 ** 20,
  Ki: 1 / 1024,
  Mi: 1,
  Gi: 1024,
  Ti: 2 ** 20,
  M: 1e6 / 2 ** 20,
  G: 1e9 / 2 ** 20,
};

/** MiB of a quantity: `8Gi`, `512Mi`. */
function mebibytes(quantity: string): number {
  const [, number = '', suffix = ''] = /^([\d.]+)([A-Za-z]*)$/.exec(quantity) ?? [];
  return Number(number) * (MIB[suffix] ?? NaN);
}
