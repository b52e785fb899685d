import { type KubeObject } from './kube-object';

export interface Taint {
  readonly key: string;
  readonly value?: string;
  readonly effect: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute';
}

/** A simulated node: KWOK keeps it ready, and pods that are scheduled to it become ready at once. */
export interface NodeShape {
  readonly name: string;
  /** @default - the host name alone */
  readonly labels?: { readonly [label: string]: string };
  /** @default - none */
  readonly taints?: readonly Taint[];
  /** @default - added to 96 CPUs, 768 GiB of memory, 2 TiB of disk and 110 pods */
  readonly allocatable?: { readonly [resource: string]: string };
}

const ALLOCATABLE = { cpu: '96', memory: '768Gi', 'ephemeral-storage': '2Ti', pods: '110' };

export interface Node extends KubeObject {
  readonly spec: { readonly taints?: readonly Taint[] };
  readonly status: {
    readonly allocatable: { readonly [resource: string]: string };
    readonly capacity: { readonly [resource: string]: string };
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

export function nodeOf({ name, labels = {}, taints = [], allocatable = {} }: NodeShape): Node {
  const resources = { ...ALLOCATABLE, ...allocatable };
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { 'kubernetes.io/hostname': name, ...labels } },
    spec: { taints },
    status: { allocatable: resources, capacity: resources },
  };
}

/** Ready, and without the taint that every node starts with. */
export function isSchedulable({ spec, status }: Node): boolean {
  const ready = status.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True');
  return ready === true && !spec.taints?.some(({ key }) => key.startsWith('node.kubernetes.io/'));
}

/** What of a Karpenter NodePool says how its nodes look. */
export interface NodePool extends KubeObject {
  readonly spec: {
    readonly template: {
      readonly metadata?: { readonly labels?: { readonly [label: string]: string } };
      readonly spec: { readonly requirements: readonly Requirement[]; readonly taints?: readonly Taint[] };
    };
  };
}

interface Requirement {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[];
}

const GPU_NAME = 'karpenter.k8s.aws/instance-gpu-name';
/** Of these, a pool has nodes of each value; of others, one is as good as another. */
const VARIED = [GPU_NAME, 'topology.kubernetes.io/zone'];

/** Nodes as Karpenter would make them for a pool: its labels, its taints, and labels that meet its requirements. */
export function nodesOfPool({ metadata, spec }: NodePool): NodeShape[] {
  const { metadata: templateMetadata = {}, spec: template } = spec.template;
  const fixed = { 'karpenter.sh/nodepool': metadata.name, ...templateMetadata.labels };
  const variants = template.requirements.reduce<{ readonly [label: string]: string }[]>(
    (shapes, { key, ...requirement }) =>
      shapes.flatMap((labels) =>
        candidates(requirement)
          .slice(0, VARIED.includes(key) ? undefined : 1)
          .map((value) => ({ ...labels, [key]: value })),
      ),
    [fixed],
  );
  return variants.map((labels, index) => ({
    name: `${metadata.name}-${index + 1}`,
    labels,
    ...(template.taints && { taints: template.taints }),
    ...(GPU_NAME in labels && { allocatable: { 'nvidia.com/gpu': '8' } }),
  }));
}

function candidates({ operator, values = [] }: Omit<Requirement, 'key'>): readonly string[] {
  switch (operator) {
    case 'In':
      return values;
    case 'Gt':
      return [String(Number(values[0]) + 1)];
    default:
      throw new Error(`no label is known that meets the operator ${operator}`);
  }
}
