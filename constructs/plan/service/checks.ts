import type { Problems } from '../errors';
import { NodeLabel, ServiceLabel } from '../labels';
import { splitAtPlaceholders } from '../late-values';
import { checkCidr } from '../network';
import { checkName, isDnsLabel } from '../names';
import { Priority } from '../priorities';
import type { MedicalInferenceServiceProps } from './props';

/**
 * Pod names are the Deployment's name and 17 generated characters; over 63 in all, Kubernetes cuts the name short and
 * the rules would no longer find the service's pods.
 */
const MAX_NAME_LENGTH = 46;
const LABEL_VALUE = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const CAPACITY_TYPE = 'karpenter.sh/capacity-type';

/** Checks what the service and its model are called. */
export function checkNames(
  problems: Problems,
  name: string,
  namespace: string | undefined,
  props: MedicalInferenceServiceProps,
): void {
  checkName(problems, name, namespace, {
    maxLength: MAX_NAME_LENGTH,
    name: 'a Service and its pods are named after it',
    namespace: 'the scaling rules name it in their queries',
  });
  problems.check(/^\S+$/.test(props.image), 'image', props.image, 'name an image', 'there is nothing to run');
  const { name: model, version } = props.model;
  problems.check(LABEL_VALUE.test(model), 'model.name', model, 'be a label value', 'every object is labelled with it');
  problems.check(
    LABEL_VALUE.test(version),
    'model.version',
    version,
    'be a label value',
    'every object is labelled with it',
  );
  const container = props.containerName ?? 'model';
  problems.check(isDnsLabel(container), 'containerName', container, 'be a DNS label', 'it names a container');
}

/** Checks what is added to the pods: nothing that the library sets itself, and nothing twice. */
export function checkPods(problems: Problems, props: MedicalInferenceServiceProps): void {
  for (const [label, value] of Object.entries(props.nodeSelector ?? {})) {
    problems.check(
      !(Object.values(NodeLabel) as string[]).includes(label),
      `nodeSelector.${label}`,
      value,
      'not be given',
      'it follows from gpu, memoryIntensive and priority',
    );
  }
  const capacity = props.nodeSelector?.[CAPACITY_TYPE];
  problems.check(
    capacity !== 'spot' || props.priority === Priority.BATCH,
    `nodeSelector.${CAPACITY_TYPE}`,
    capacity,
    'not be spot',
    'Spot nodes vanish within two minutes: only batch work may run there',
  );
  for (const [label, value] of Object.entries(props.podLabels ?? {})) {
    problems.check(
      !(Object.values(ServiceLabel) as string[]).includes(label),
      `podLabels.${label}`,
      value,
      'not be given',
      'it follows from the name, model and priority',
    );
  }
  for (const name of Object.keys(props.secretEnv ?? {})) {
    problems.check(
      props.env?.[name] === undefined,
      `secretEnv.${name}`,
      props.secretEnv?.[name],
      "not be in 'env' too",
      'a variable has one value',
    );
  }
  const { source } = props.model;
  problems.check(
    source === undefined || props.network?.egress !== undefined || splitAtPlaceholders(source)[0] !== '',
    'model.source',
    source,
    'begin with its scheme, such as s3://, or network.egress be given',
    'the network policy lets the pods reach it',
  );
  const { callers = [], egress = [] } = props.network ?? {};
  for (const { cidr } of [...callers, ...egress]) {
    if (cidr !== undefined) {
      checkCidr(problems, 'network.cidr', cidr);
    }
  }
}

/** Checks the disruption budget: there must always be a pod that may go. */
export function checkDisruption(problems: Problems, props: MedicalInferenceServiceProps, minReplicas: number): void {
  const { disruption } = props;
  if (disruption === undefined) {
    return;
  }
  if ('maxUnavailable' in disruption) {
    const { maxUnavailable } = disruption;
    problems.check(
      Number.isInteger(maxUnavailable) && maxUnavailable >= 1,
      'disruption.maxUnavailable',
      maxUnavailable,
      'be a whole number of at least 1',
      'with 0 no node could ever be drained',
    );
    return;
  }
  const { minAvailable } = disruption;
  problems.check(
    Number.isInteger(minAvailable) && minAvailable >= 1 && minAvailable < minReplicas,
    'disruption.minAvailable',
    minAvailable,
    `be a whole number of at least 1 and under 'scaling.minReplicas' (${minReplicas})`,
    'at minimum replicas no pod could ever be evicted, and no node drained',
  );
}

/** Checks a port that the process listens on. */
export function checkPort(problems: Problems, property: string, port: number): void {
  problems.check(
    Number.isInteger(port) && port >= 1024 && port <= 65_535,
    property,
    port,
    'be a whole number from 1024 to 65535',
    'a process without privileges cannot listen on lower ones',
  );
}
