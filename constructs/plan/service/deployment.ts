import type { Deployment } from '../../imports/deployment';
import type { Container, EnvVar, HTTPGetAction, LifecycleHandler, Probe } from '../../imports/k8s';
import type { PodDisruptionBudget } from '../../imports/pod-disruption-budget';
import { AdminPath } from '../gateway/names';
import { containerSecurity, podSecurity, reservedNodesFirst, spread } from '../pods';
import { Priority } from '../priorities';
import { memoryQuantity } from '../quantities';
import { gatewayContainer, gatewayVolumes } from './gateway';
import { DEREGISTRATION_SECONDS, type ServicePlan } from './plan';

/** Mount path of the model cache, also in MODEL_CACHE_DIR. */
const CACHE_PATH = '/var/cache/model';
/** Size of /tmp: the root file system is read-only. */
const TMP_MIB = 1024;
const PROBE_PERIOD_SECONDS = 10;
/** Time for Karpenter to bring up a GPU node and pull the image, before the model loads. */
const NODE_START_SECONDS = 600;

/**
 * The Deployment of a service. It has no `replicas`: those belong to the autoscaler.
 *
 * @param program ConfigMap with the gateway's program, where there is a gateway
 */
export function deployment(plan: ServicePlan, program: string | undefined): Deployment {
  const { props } = plan;
  const batch = plan.priority === Priority.BATCH;
  const startupSeconds = 2 * plan.modelLoadSeconds;
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: plan.name, namespace: plan.namespace, labels: { ...plan.labels } },
    spec: {
      revisionHistoryLimit: 5,
      progressDeadlineSeconds: NODE_START_SECONDS + startupSeconds,
      selector: { matchLabels: { ...plan.selectorLabels } },
      strategy: {
        type: 'RollingUpdate',
        // batch may lose a replica meanwhile, and then needs no spare GPU for the roll-out
        rollingUpdate: batch ? { maxSurge: 0, maxUnavailable: 1 } : { maxSurge: 1, maxUnavailable: 0 },
      },
      template: {
        metadata: {
          labels: { ...props.podLabels, ...plan.labels },
          annotations: {
            // Karpenter 1.12 and newer read a time; older ones know only "true" and leave the pod unprotected
            'karpenter.sh/do-not-disrupt': `${startupSeconds}s`,
            ...props.podAnnotations,
          },
        },
        spec: {
          serviceAccountName: plan.name,
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          priorityClassName: plan.schedule.priorityClassName,
          nodeSelector: { ...plan.nodeSelector },
          tolerations: plan.schedule.tolerations.map((toleration) => ({ ...toleration })),
          ...(batch ? {} : { affinity: reservedNodesFirst(plan.priority) }),
          topologySpreadConstraints: spread(plan.selectorLabels, 'pod-template-hash'),
          terminationGracePeriodSeconds: plan.terminationGraceSeconds,
          securityContext: podSecurity(props.user ?? 10001),
          containers: [
            container(plan, startupSeconds),
            ...(plan.gateway === undefined ? [] : [gatewayContainer(plan.gateway, DEREGISTRATION_SECONDS)]),
          ],
          volumes: [
            { name: 'shm', emptyDir: { medium: 'Memory', sizeLimit: memoryQuantity(plan.sharedMemoryMiB) } },
            { name: 'cache', emptyDir: { sizeLimit: memoryQuantity(plan.cacheVolumeMiB) } },
            { name: 'tmp', emptyDir: { sizeLimit: memoryQuantity(TMP_MIB) } },
            ...(plan.gateway === undefined || program === undefined ? [] : gatewayVolumes(plan.gateway, program)),
          ],
        },
      },
    },
  };
}

/** The PodDisruptionBudget of a service. Pods that are not ready never block a drain. */
export function podDisruptionBudget(plan: ServicePlan): PodDisruptionBudget {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: plan.name, namespace: plan.namespace, labels: { ...plan.labels } },
    spec: {
      ...(plan.props.disruption ?? { maxUnavailable: 1 }),
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
      selector: { matchLabels: { ...plan.selectorLabels } },
    },
  };
}

function container(plan: ServicePlan, startupSeconds: number): Container {
  const { props } = plan;
  const probe = (path: string, rest: Omit<Probe, 'httpGet'>): Probe => ({
    httpGet: { path, port: 'http' } satisfies HTTPGetAction,
    periodSeconds: PROBE_PERIOD_SECONDS,
    ...rest,
  });
  const liveness = props.probes?.liveness ?? '/healthz';
  const readiness = props.probes?.readiness ?? '/readyz';
  const diskMiB = plan.cacheVolumeMiB + TMP_MIB;
  return {
    name: plan.containerName,
    image: props.image,
    imagePullPolicy: 'IfNotPresent',
    ...(props.command === undefined ? {} : { command: [...props.command] }),
    ...(props.args === undefined ? {} : { args: [...props.args] }),
    env: environment(plan),
    ports: [
      { name: 'http', containerPort: plan.port, protocol: 'TCP' },
      ...(plan.metricsPort === undefined || plan.metricsPort === plan.port
        ? []
        : [{ name: 'metrics', containerPort: plan.metricsPort, protocol: 'TCP' as const }]),
    ],
    resources: {
      requests: { ...plan.schedule.requests, 'ephemeral-storage': memoryQuantity(diskMiB) },
      limits: { ...plan.schedule.limits, 'ephemeral-storage': memoryQuantity(diskMiB + TMP_MIB) },
    },
    // the model loads for minutes: until it has, only this probe speaks
    startupProbe: probe(readiness, { failureThreshold: Math.ceil(startupSeconds / PROBE_PERIOD_SECONDS) }),
    readinessProbe: probe(readiness, { timeoutSeconds: 3, failureThreshold: 2 }),
    livenessProbe: probe(liveness, { timeoutSeconds: 5, failureThreshold: 6 }),
    lifecycle: { preStop: beforeStop(plan) },
    securityContext: containerSecurity(),
    volumeMounts: [
      { name: 'shm', mountPath: '/dev/shm' },
      { name: 'cache', mountPath: CACHE_PATH },
      { name: 'tmp', mountPath: '/tmp' },
    ],
  };
}

/**
 * The model must outlive the requests that its gateway still lets through: the gateway answers this call when it has
 * drained. Where it is gone, the call fails and the model stops at once.
 */
function beforeStop({ gateway }: ServicePlan): LifecycleHandler {
  return gateway === undefined
    ? { sleep: { seconds: DEREGISTRATION_SECONDS } }
    : { httpGet: { path: AdminPath.DRAINED, port: gateway.adminPort } };
}

function environment(plan: ServicePlan): EnvVar[] {
  const { model, env = {}, secretEnv = {} } = plan.props;
  const plain = {
    MODEL_NAME: model.name,
    MODEL_VERSION: model.version,
    MODEL_CACHE_DIR: CACHE_PATH,
    ...(model.source === undefined ? {} : { MODEL_SOURCE: model.source }),
    ...env,
  };
  return [
    ...Object.entries(plain).map(([name, value]) => ({ name, value })),
    ...Object.entries(secretEnv).map(([name, { secret, key }]) => ({
      name,
      valueFrom: { secretKeyRef: { name: secret, key } },
    })),
  ];
}
