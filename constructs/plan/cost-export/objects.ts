import type { ConfigMap } from '../../imports/config-map';
import type { CronJob } from '../../imports/cron-job';
import type { Container, Volume, VolumeMount } from '../../imports/k8s';
import type { NetworkPolicy } from '../../imports/network-policy';
import type { PersistentVolumeClaim } from '../../imports/persistent-volume-claim';
import type { ServiceAccount } from '../../imports/service-account';
import { CONFIG_VARIABLE } from '../gateway/names';
import { jsonFile } from '../json';
import { dns, egressRule } from '../network';
import { containerSecurity, podSecurity } from '../pods';
import { programCommand, programVolume, PROGRAM_MOUNT } from '../programs';
import { memoryQuantity } from '../quantities';
import { COST_EXPORT_PATHS } from './config';
import type { CostExportPlan } from './plan';

const USER = 10_001;
/** Tries after the first: Prometheus may be restarting. */
const RETRIES = 3;
/** How late a run may start: after that, the next one collects its day, too. */
const START_WITHIN_SECONDS = 6 * 3600;
const TMP_MIB = 512;
const CONFIG_FOLDER = '/etc/mediform/cost';

/** Identity of the pods, which the API server gives nothing. EKS Pod Identity knows it by name. */
export function costServiceAccount({ name, namespace, labels }: CostExportPlan): ServiceAccount {
  return {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name, namespace, labels: { ...labels } },
    automountServiceAccountToken: false,
  };
}

/** The configuration of the program. */
export function costConfigMap({ name, namespace, labels, config }: CostExportPlan): ConfigMap {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace, labels: { ...labels } },
    data: { 'config.json': jsonFile(config) },
  };
}

/** The prices. */
export function priceConfigMap({ name, namespace, labels, priceFiles }: CostExportPlan): ConfigMap {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: `${name}-prices`, namespace, labels: { ...labels } },
    data: { ...priceFiles },
  };
}

/** The volume of the ledger; undefined where it is not this construct's to make. */
export function ledgerClaim({
  name,
  namespace,
  labels,
  props: { ledger },
}: CostExportPlan): PersistentVolumeClaim | undefined {
  if (!('size' in ledger)) {
    return undefined;
  }
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name, namespace, labels: { ...labels } },
    spec: {
      accessModes: ['ReadWriteOnce'],
      ...(ledger.storageClass === undefined ? {} : { storageClassName: ledger.storageClass }),
      resources: { requests: { storage: memoryQuantity(ledger.size.toMebibytes()) } },
    },
  };
}

/** The NetworkPolicy of the job: nobody in; out to DNS, Prometheus, the Pushgateway and S3. */
export function costNetworkPolicy({ name, namespace, labels, egress }: CostExportPlan): NetworkPolicy {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name, namespace, labels: { ...labels } },
    spec: {
      podSelector: { matchLabels: { ...labels } },
      policyTypes: ['Ingress', 'Egress'],
      egress: [dns(), ...egress.map(egressRule)],
    },
  };
}

/** The CronJob. A day that could not be collected is one of those that the next run finds missing. */
export function costCronJob(plan: CostExportPlan, program: string): CronJob {
  const { name, namespace, labels, cron } = plan;
  return {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name, namespace, labels: { ...labels } },
    spec: {
      schedule: cron.schedule,
      timeZone: cron.timeZone,
      concurrencyPolicy: 'Forbid',
      startingDeadlineSeconds: START_WITHIN_SECONDS,
      successfulJobsHistoryLimit: 3,
      failedJobsHistoryLimit: 3,
      jobTemplate: {
        metadata: { labels: { ...labels } },
        spec: {
          backoffLimit: RETRIES,
          activeDeadlineSeconds: cron.deadlineSeconds,
          template: {
            metadata: {
              labels: { ...labels },
              // a run that is moved begins anew
              annotations: { 'karpenter.sh/do-not-disrupt': 'true' },
            },
            spec: {
              restartPolicy: 'Never',
              serviceAccountName: name,
              automountServiceAccountToken: false,
              enableServiceLinks: false,
              priorityClassName: plan.schedule.priorityClassName,
              nodeSelector: { ...plan.schedule.nodeSelector },
              tolerations: plan.schedule.tolerations.map((toleration) => ({ ...toleration })),
              securityContext: podSecurity(USER),
              containers: [container(plan)],
              volumes: volumes(plan, program),
            },
          },
        },
      },
    },
  };
}

function container({ image, schedule, config, claim }: CostExportPlan): Container {
  const mounts: VolumeMount[] = [
    { name: 'tmp', mountPath: '/tmp' },
    { name: 'program', mountPath: PROGRAM_MOUNT, readOnly: true },
    { name: 'config', mountPath: CONFIG_FOLDER, readOnly: true },
    ...(claim === undefined ? [] : [{ name: 'ledger', mountPath: COST_EXPORT_PATHS.ledger }]),
  ];
  return {
    name: 'cost',
    image,
    imagePullPolicy: 'IfNotPresent',
    command: [...programCommand()],
    env: [
      { name: CONFIG_VARIABLE, value: COST_EXPORT_PATHS.config },
      { name: 'AWS_REGION', value: config.cost.region },
    ],
    resources: {
      requests: { ...schedule.requests, 'ephemeral-storage': memoryQuantity(TMP_MIB) },
      limits: { ...schedule.limits, 'ephemeral-storage': memoryQuantity(2 * TMP_MIB) },
    },
    securityContext: containerSecurity(),
    volumeMounts: mounts,
  };
}

function volumes({ name, claim, priceFiles }: CostExportPlan, program: string): Volume[] {
  return [
    programVolume(program),
    {
      name: 'config',
      projected: {
        defaultMode: 0o444,
        sources: [
          { configMap: { name, items: [{ key: 'config.json', path: 'config.json' }] } },
          {
            configMap: {
              name: `${name}-prices`,
              items: Object.keys(priceFiles).map((key) => ({ key, path: `prices/${key}` })),
            },
          },
        ],
      },
    },
    { name: 'tmp', emptyDir: { sizeLimit: memoryQuantity(TMP_MIB) } },
    ...(claim === undefined ? [] : [{ name: 'ledger', persistentVolumeClaim: { claimName: claim } }]),
  ];
}
