import type { Problems } from '../../../constructs/plan/errors';
import type { NodePoolSpec, NodeRequirement } from '../../../constructs/plan/node-pools/spec';
import { instanceLabels, type InstanceShape } from '../../../constructs/plan/instance-types';
import { INSTANCE_TYPES } from './instance-types';

/** Label of the zone of a node. */
export const ZONE = 'topology.kubernetes.io/zone';
const CAPACITY_TYPE = 'karpenter.sh/capacity-type';
/** EKS API reference, CreateNodegroup. */
const MOST_TYPES = 20;

/** Instance types of a pool, smallest memory first; empty where something is wrong with them. */
export function uniformTypes(
  problems: Problems,
  spec: NodePoolSpec,
  nodeSize: string | undefined,
): readonly InstanceShape[] {
  const known = INSTANCE_TYPES.map((type) => ({ type, labels: instanceLabels(type) }));
  const keys = new Set([...known.flatMap(({ labels }) => Object.keys(labels)), CAPACITY_TYPE, ZONE]);
  const unknown = spec.requirements.filter(
    ({ key, operator }) => !keys.has(key) || (key === ZONE && operator !== 'In'),
  );
  for (const { key, operator } of unknown) {
    problems.check(false, `spec.requirements.${key}`, operator, 'not be given', 'EKS chooses nodes by type and zone');
  }
  const asked = spec.requirements.filter((one) => ![CAPACITY_TYPE, ZONE].includes(one.key) && !unknown.includes(one));
  const fitting = known.filter(({ labels }) =>
    asked.every((requirement) => holds(requirement, labels[requirement.key])),
  );
  const types = fitting
    .map(({ type }) => type)
    .filter(
      ({ instanceType, gpus }) =>
        (nodeSize === undefined || instanceType.endsWith(`.${nodeSize}`)) && gpus > 0 === spec.accelerators.length > 0,
    )
    .sort((a, b) => a.memoryMiB - b.memoryMiB);
  const found = problems.check(
    types.length > 0,
    nodeSize === undefined ? 'spec.requirements' : 'nodeSize',
    nodeSize ?? spec.requirements.map(({ key }) => key),
    nodeSize === undefined || fitting.length === 0
      ? 'fit an instance type'
      : `be one of ${sizes(fitting.map(({ type }) => type))}`,
    'a node group is made of instance types that this library knows',
  );
  if (!found) {
    return [];
  }
  const alike = (what: (type: InstanceShape) => string | number): boolean => new Set(types.map(what)).size === 1;
  const uniform =
    problems.check(
      alike(({ vcpus, gpus }) => `${vcpus} ${gpus}`),
      'nodeSize',
      nodeSize,
      `be one of ${sizes(types)}`,
      'the nodes of a group are alike, so that its limits and its scaling can count them',
    ) &&
    problems.check(
      alike(({ architecture }) => architecture),
      'spec.architectures',
      [...new Set(types.map(({ architecture }) => architecture))],
      'be one of amd64, arm64',
      'the machine image of a node group is for one',
    ) &&
    problems.check(
      types.length <= MOST_TYPES,
      'spec.requirements',
      types.map(({ instanceType }) => instanceType),
      `fit at most ${MOST_TYPES} instance types`,
      'EKS takes no more for a node group',
    );
  return uniform ? types : [];
}

function sizes(types: readonly InstanceShape[]): string {
  return [
    ...new Set([...types].sort((a, b) => a.vcpus - b.vcpus).map(({ instanceType }) => instanceType.split('.')[1])),
  ].join(', ');
}

/** Whether a node with this value of the label fits, by the rules of Kubernetes node affinity. */
function holds({ operator, values }: NodeRequirement, value: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'Gt':
      return value !== undefined && Number(value) > Number(values[0]);
    case 'Lt':
      return value !== undefined && Number(value) < Number(values[0]);
  }
}
