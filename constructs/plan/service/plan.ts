import { ConfigurationError, Problems } from '../errors';
import { ServiceLabel } from '../labels';
import { Priority } from '../priorities';
import { planScaling } from '../scaling/plan';
import type { ScalingPlan } from '../scaling/props';
import { scheduleWorkload, type WorkloadSchedule } from '../scheduling';
import { checkDisruption, checkNames, checkPods, checkPort } from './checks';
import { planGatewaySidecar, type GatewaySidecarPlan } from './gateway';
import type { MedicalInferenceServiceProps } from './props';
import { planVerticalScaling, type VerticalScalingPlan } from './vertical-scaling';

/** Everything about one service, checked and with defaults. Times in seconds, memory in MiB. */
export interface ServicePlan {
  readonly props: MedicalInferenceServiceProps;
  readonly name: string;
  readonly namespace: string;
  readonly priority: Priority;
  readonly containerName: string;
  /** Port of the model. */
  readonly port: number;
  /** Port that callers reach: the gateway's, or the model's where there is none. */
  readonly servicePort: number;
  /** Port of the model's metrics; absent where only the gateway's are read. */
  readonly metricsPort?: number;
  /** The container before the model; absent where it is off. */
  readonly gateway?: GatewaySidecarPlan;
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
const DEFAULT_SLOWEST_SECONDS = 60;

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
  checkPods(problems, props);

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
  const scrapeSeconds = props.monitoring?.interval?.toSeconds() ?? 15;
  problems.check(
    scrapeSeconds > 0 && 4 * scrapeSeconds <= scaling.windowSeconds,
    'monitoring.interval',
    `${scrapeSeconds} s`,
    `be over 0 and at most a quarter of 'scaling.window' (${scaling.windowSeconds} s)`,
    'a rate over fewer samples comes and goes',
  );
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
  const cacheVolumeMiB = props.cacheVolume?.toMebibytes() ?? 20 * 1024;
  problems.check(
    cacheVolumeMiB >= 1,
    'cacheVolume',
    `${cacheVolumeMiB} MiB`,
    'be at least 1 MiB',
    'the model is kept there',
  );
  const port = props.port ?? 8080;
  checkPort(problems, 'port', port);
  const gateway = planGatewaySidecar(problems, props, {
    name,
    namespace: namespace ?? '',
    priority,
    port,
    slowestSeconds: props.slowestRequest?.toSeconds() ?? DEFAULT_SLOWEST_SECONDS,
  });
  const metricsPort = planMetricsPort(problems, props, port, gateway);
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
    servicePort: gateway?.port ?? port,
    metricsPort,
    gateway,
    schedule: scheduled,
    nodeSelector: { ...props.nodeSelector, ...scheduled.nodeSelector },
    scaling,
    verticalScaling,
    modelLoadSeconds,
    terminationGraceSeconds,
    sharedMemoryMiB,
    cacheVolumeMiB,
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

/** The model's metrics are read where it is said what it sends, and where nobody else sends any. */
function planMetricsPort(
  problems: Problems,
  { monitoring = {} }: MedicalInferenceServiceProps,
  port: number,
  gateway: GatewaySidecarPlan | undefined,
): number | undefined {
  const metricsPort = monitoring.port ?? port;
  checkPort(problems, 'monitoring.port', metricsPort);
  if (gateway === undefined) {
    return metricsPort;
  }
  problems.check(
    metricsPort !== gateway.port && metricsPort !== gateway.adminPort,
    'monitoring.port',
    metricsPort,
    `differ from 'gateway.port' (${gateway.port}) and 'gateway.adminPort' (${gateway.adminPort})`,
    'the containers of a pod share their ports',
  );
  const { port: own, path, names } = monitoring;
  return own === undefined && path === undefined && names === undefined ? undefined : metricsPort;
}

function planGrace(problems: Problems, props: MedicalInferenceServiceProps): number {
  const slowest = props.slowestRequest?.toSeconds() ?? DEFAULT_SLOWEST_SECONDS;
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
