import { ConfigurationError, Problems } from '../errors';
import { ServiceLabel } from '../labels';
import { Priority } from '../priorities';
import { planScaling } from '../scaling/plan';
import type { ScalingPlan } from '../scaling/props';
import { scheduleWorkload, type WorkloadSchedule } from '../scheduling';
import type { MedicalInferenceServiceProps } from './props';
import { planVerticalScaling, type VerticalScalingPlan } from './vertical-scaling';

/** Everything about one service, checked and with defaults. Times in seconds, memory in MiB. */
export interface ServicePlan {
  readonly props: MedicalInferenceServiceProps;
  readonly name: string;
  readonly namespace: string;
  readonly priority: Priority;
  readonly containerName: string;
  readonly port: number;
  readonly metricsPort: number;
  readonly schedule: WorkloadSchedule;
  readonly nodeSelector: { readonly [label: string]: string };
  readonly scaling: ScalingPlan;
  readonly verticalScaling?: VerticalScalingPlan;
  readonly modelLoadSeconds: number;
  readonly terminationGraceSeconds: number;
  readonly sharedMemoryMiB: number;
  readonly cacheVolumeMiB: number;
  /** Labels that choose the service's pods; they never change over its life. */
  readonly selectorLabels: { readonly [label: string]: string };
  /** Labels of every object of the service. */
  readonly labels: { readonly [label: string]: string };
}

/** Seconds that a stopping pod goes on serving, until every endpoint has forgotten it. */
export const DEREGISTRATION_SECONDS = 10;
/** Seconds between the last answer and SIGKILL. */
const EXIT_MARGIN_SECONDS = 5;
/**
 * Pod names are the Deployment's name and 17 generated characters; over 63 in all, Kubernetes cuts the name short and
 * the rules would no longer find the service's pods.
 */
const MAX_NAME_LENGTH = 46;
const DNS_LABEL = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const LABEL_VALUE = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;

/**
 * Plans one service.
 *
 * @param id the construct's id, from which the name is made where none is given
 * @param chartNamespace namespace of the chart, where it has one
 * @throws ConfigurationError that lists all that is wrong
 */
export function planService(
  id: string,
  props: MedicalInferenceServiceProps,
  chartNamespace: string | undefined,
): ServicePlan {
  const problems = new Problems();
  const name = props.name ?? id.toLowerCase().replaceAll('_', '-');
  const namespace = props.namespace ?? chartNamespace;
  checkNames(problems, name, namespace, props);

  const priority = props.priority ?? Priority.NORMAL;
  const schedule = collect(problems, () => scheduleWorkload(props, priority));
  const modelLoadSeconds = props.modelLoadTime?.toSeconds() ?? 300;
  problems.check(
    modelLoadSeconds > 0 && modelLoadSeconds <= 3600,
    'modelLoadTime',
    `${modelLoadSeconds} s`,
    'be over 0 and at most 3600 s',
    'the autoscaler can wait no longer for a replica that loads',
  );
  const scaling = planScaling(problems, props.scaling ?? {}, { serviceName: name, gpu: props.gpu, modelLoadSeconds });
  checkDisruption(problems, props, scaling.minReplicas);
  const verticalScaling =
    props.verticalScaling === 'off' || schedule === undefined
      ? undefined
      : planVerticalScaling(problems, props.verticalScaling ?? {}, name, schedule, scaling);
  const terminationGraceSeconds = planGrace(problems, props);
  const sharedMemoryMiB = props.sharedMemory?.toMebibytes() ?? (props.gpu === undefined ? 64 : 1024);
  if (schedule !== undefined) {
    problems.check(
      sharedMemoryMiB < schedule.memoryMiB,
      'sharedMemory',
      `${sharedMemoryMiB} MiB`,
      `be under 'memory' (${schedule.memoryMiB} MiB)`,
      '/dev/shm counts against the memory limit',
    );
  }
  const port = props.port ?? 8080;
  const metricsPort = props.monitoring?.port ?? port;
  checkPort(problems, 'port', port);
  checkPort(problems, 'monitoring.port', metricsPort);
  const user = props.user ?? 10001;
  problems.check(
    Number.isInteger(user) && user > 0,
    'user',
    user,
    'be a whole number over 0',
    'the Pod Security standard "restricted" forbids root',
  );
  problems.throwIfAny();
  // both are set where nothing was wrong
  const scheduled = schedule as WorkloadSchedule;
  const selectorLabels = { [ServiceLabel.NAME]: name };

  return {
    props,
    name,
    namespace: namespace as string,
    priority,
    containerName: props.containerName ?? 'model',
    port,
    metricsPort,
    schedule: scheduled,
    nodeSelector: { ...props.nodeSelector, ...scheduled.nodeSelector },
    scaling,
    verticalScaling,
    modelLoadSeconds,
    terminationGraceSeconds,
    sharedMemoryMiB,
    cacheVolumeMiB: props.cacheVolume?.toMebibytes() ?? 20 * 1024,
    selectorLabels,
    labels: {
      ...selectorLabels,
      [ServiceLabel.VERSION]: props.model.version,
      [ServiceLabel.MANAGED_BY]: 'mediform',
      [ServiceLabel.MODEL]: props.model.name,
      [ServiceLabel.PRIORITY]: priority,
    },
  };
}

/** Runs a plan of its own errors; what it finds joins the rest. */
function collect<T>(problems: Problems, plan: () => T): T | undefined {
  try {
    return plan();
  } catch (error) {
    if (!(error instanceof ConfigurationError)) {
      throw error;
    }
    problems.add(error.problems);
    return undefined;
  }
}

function checkNames(
  problems: Problems,
  name: string,
  namespace: string | undefined,
  props: MedicalInferenceServiceProps,
): void {
  problems.check(
    DNS_LABEL.test(name) && name.length <= MAX_NAME_LENGTH,
    'name',
    name,
    `be a DNS label of at most ${MAX_NAME_LENGTH} characters that starts with a letter`,
    'a Service and its pods are named after it',
  );
  problems.check(
    namespace !== undefined && DNS_LABEL.test(namespace),
    'namespace',
    namespace,
    'be given, here or on the chart, and be a DNS label',
    'the scaling rules name it in their queries',
  );
  problems.check(props.image !== '', 'image', props.image, 'name an image', 'there is nothing to run');
  const { name: model, version } = props.model;
  problems.check(LABEL_VALUE.test(model), 'model.name', model, 'be a label value', 'every object is labelled with it');
  problems.check(
    LABEL_VALUE.test(version),
    'model.version',
    version,
    'be a label value',
    'every object is labelled with it',
  );
  const own = ['accelerator', 'node-type'].filter((label) => props.nodeSelector?.[label] !== undefined);
  for (const label of own) {
    problems.check(
      false,
      `nodeSelector.${label}`,
      props.nodeSelector?.[label],
      'not be given',
      'it follows from gpu and memoryIntensive',
    );
  }
  const capacity = props.nodeSelector?.['karpenter.sh/capacity-type'];
  problems.check(
    capacity !== 'spot' || props.priority === Priority.BATCH,
    'nodeSelector.karpenter.sh/capacity-type',
    capacity,
    'not be spot',
    'Spot nodes vanish within two minutes: only batch work may run there',
  );
}

function checkDisruption(problems: Problems, props: MedicalInferenceServiceProps, minReplicas: number): void {
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

function planGrace(problems: Problems, props: MedicalInferenceServiceProps): number {
  const slowest = props.slowestRequest?.toSeconds() ?? 60;
  problems.check(
    slowest > 0 && slowest <= 3600,
    'slowestRequest',
    `${slowest} s`,
    'be over 0 and at most 3600 s',
    'a node cannot wait longer for one request',
  );
  const needed = DEREGISTRATION_SECONDS + slowest + EXIT_MARGIN_SECONDS;
  const grace = props.terminationGracePeriod?.toSeconds() ?? needed;
  problems.check(
    grace >= needed,
    'terminationGracePeriod',
    `${grace} s`,
    `be at least ${needed} s (${DEREGISTRATION_SECONDS} s + 'slowestRequest' + ${EXIT_MARGIN_SECONDS} s)`,
    'a request in flight would be cut off',
  );
  return grace;
}

function checkPort(problems: Problems, property: string, port: number): void {
  problems.check(
    Number.isInteger(port) && port >= 1024 && port <= 65_535,
    property,
    port,
    'be a whole number from 1024 to 65535',
    'a process without privileges cannot listen on lower ones',
  );
}
