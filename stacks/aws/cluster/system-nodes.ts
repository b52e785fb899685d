import type { Problems } from '../../../constructs/plan/errors';
import { checkCount } from '../private-data';
import type { NodeGroupPlan } from '../node-pools/node-group-plan';

/** Nodes on which what serves the cluster itself runs: Karpenter, DNS, monitoring. */
export interface SystemNodesOptions {
  /**
   * EC2 instance types of amd64, alike in size; the first that is available is taken.
   *
   * @default ['m6i.xlarge', 'm6a.xlarge', 'm7i.xlarge']
   */
  readonly instanceTypes?: readonly string[];
  /**
   * How many nodes there are at least, and at first.
   *
   * @default 3
   */
  readonly minNodes?: number;
  /**
   * How many there may be.
   *
   * @default - twice `minNodes`
   */
  readonly maxNodes?: number;
  /**
   * GiB of each node's volume, 20 to 16,384.
   *
   * @default 50
   */
  readonly rootVolumeGiB?: number;
  /**
   * Release of the machine image, as EKS writes it: `1.34.2-20251112`.
   *
   * @default - the newest when the group is made
   */
  readonly releaseVersion?: string;
}

const MIN_NODES = 3;
const MOST_NODES = 450;

/** The managed node group of system nodes. */
export function planSystemNodes(options: SystemNodesOptions): NodeGroupPlan {
  const {
    instanceTypes = ['m6i.xlarge', 'm6a.xlarge', 'm7i.xlarge'],
    minNodes = MIN_NODES,
    rootVolumeGiB = 50,
  } = options;
  return {
    name: 'system',
    amiType: 'AL2023_x86_64_STANDARD',
    ...(options.releaseVersion === undefined ? {} : { releaseVersion: options.releaseVersion }),
    capacityType: 'ON_DEMAND',
    instanceTypes,
    labels: {},
    taints: [],
    minNodes,
    maxNodes: options.maxNodes ?? 2 * minNodes,
    maxUnavailable: { nodes: 1 },
    volumes: [{ deviceName: '/dev/xvda', sizeGiB: rootVolumeGiB }],
    tags: { 'mediform.io/node-pool': 'system' },
  };
}

/** Records what is wrong with system nodes. */
export function checkSystemNodes(problems: Problems, options: SystemNodesOptions): void {
  const { instanceTypes, minNodes = MIN_NODES, maxNodes, rootVolumeGiB, releaseVersion } = options;
  problems.check(
    instanceTypes === undefined ||
      (Array.isArray(instanceTypes) &&
        instanceTypes.length >= 1 &&
        instanceTypes.length <= 20 &&
        instanceTypes.every((type: unknown) => /^[a-z]\w*(-\w+)*\.[a-z0-9-]+$/.test(String(type)))),
    'systemNodes.instanceTypes',
    instanceTypes,
    'list 1 to 20 EC2 instance types such as m6i.xlarge',
    'EKS takes no others',
  );
  checkCount(
    problems,
    'systemNodes.minNodes',
    minNodes,
    [2, MOST_NODES],
    'DNS and Karpenter must outlive the loss of a node, and EKS takes no more',
  );
  checkCount(
    problems,
    'systemNodes.maxNodes',
    maxNodes,
    [minNodes, MOST_NODES],
    'there are at least minNodes, and EKS takes no more',
  );
  checkCount(
    problems,
    'systemNodes.rootVolumeGiB',
    rootVolumeGiB,
    [20, 16_384],
    'the machine image does not fit in less, and EBS has no larger volume',
  );
  problems.check(
    releaseVersion === undefined || /^\d+\.\d+\.\d+-\d{8}$/.test(releaseVersion),
    'systemNodes.releaseVersion',
    releaseVersion,
    'be a release such as 1.34.2-20251112',
    'EKS takes no other form',
  );
}
