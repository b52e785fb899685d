import type { ConfigMap } from '../../imports/config-map';
import type { CronJob } from '../../imports/cron-job';
import type { Job } from '../../imports/job';
import type { JobSpec } from '../../imports/k8s';
import type { NetworkPolicy } from '../../imports/network-policy';
import { CACHE_PATHS } from '../cache/config';
import { CACHE_MIGRATIONS } from '../cache/database';
import type { MigrationConfig } from '../cache/jobs';
import { contentHash } from '../content-hash';
import { CONFIG_VARIABLE } from '../gateway/names';
import { jsonFile } from '../json';
import { ServiceLabel } from '../labels';
import { projectedVolume, type MountedFile } from '../mounts';
import { ANYWHERE, dns, egressRule, type NetworkPeer } from '../network';
import { containerSecurity, podSecurity } from '../pods';
import { programCommand, programVolume, PROGRAM_MOUNT } from '../programs';
import { MOUNT, address, authorityPath, database, passwordPath } from './client';
import type { TieredCachePlan } from './plan';
import type { CacheDatabaseProps } from './props';

/** Something that runs to its end. */
type Task = 'migrate' | 'warm-up';

const USER = 10_001;
/** Longest that a migration may take, waiting for others that run at the same time included. */
const MIGRATION_SECONDS = 600;
const WARM_UP_SECONDS = 900;
/** Files of the owner: the users' pods have none of them. */
const OWNER_PASSWORD = `${MOUNT}/cache/owner/password`;

/** Labels of the pods of the Jobs, which no other pods have. */
export function maintenanceLabels(cache: TieredCachePlan): { readonly [label: string]: string } {
  return { [ServiceLabel.NAME]: `${cache.name}-maintenance` };
}

/** Whether the shared tiers are filled from the database on a schedule. */
export function warmsUp({ props: { warmUp, redis, memcached, database: base } }: TieredCachePlan): boolean {
  return warmUp !== 'off' && base !== undefined && (redis !== undefined || memcached !== undefined);
}

/** The ConfigMap of the Jobs. */
export function maintenanceConfig(cache: TieredCachePlan): ConfigMap {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: `${cache.name}-maintenance`, namespace: cache.namespace, labels: { ...cache.labels } },
    data: {
      'migrate.json': jsonFile(migrationConfig(cache.props.database as CacheDatabaseProps)),
      'warm-up.json': jsonFile(cache.config),
    },
  };
}

/**
 * The Job that makes the tables of the database tier. It is named after all that it does, so that a new version of the
 * tables is a new Job; to run it again changes nothing.
 */
export function migrationJob(cache: TieredCachePlan, program: string): Job {
  const props = cache.props.database as CacheDatabaseProps;
  const config = JSON.stringify(migrationConfig(props));
  const name = `${cache.name}-migrate-${contentHash(config, cache.maintenance.image, program, ...CACHE_MIGRATIONS)}`;
  const { authority, owner } = props;
  const files: MountedFile[] = [
    { path: owner === undefined ? passwordPath('database') : OWNER_PASSWORD, from: (owner ?? props).password },
    ...(authority === undefined ? [] : [{ path: authorityPath('database'), from: authority }]),
  ];
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, namespace: cache.namespace, labels: { ...cache.labels } },
    spec: { ...jobSpec(cache, 'migrate', program, files), backoffLimit: 6, activeDeadlineSeconds: MIGRATION_SECONDS },
  };
}

/** The CronJob that fills the shared tiers from the database. */
export function warmUpCronJob(cache: TieredCachePlan, program: string): CronJob {
  const { warmUp } = cache.props;
  const { schedule = '17 * * * *', timeZone = 'Etc/UTC' } = warmUp === 'off' || warmUp === undefined ? {} : warmUp;
  return {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name: `${cache.name}-warm-up`, namespace: cache.namespace, labels: { ...cache.labels } },
    spec: {
      schedule,
      timeZone,
      concurrencyPolicy: 'Forbid',
      startingDeadlineSeconds: 600,
      successfulJobsHistoryLimit: 1,
      failedJobsHistoryLimit: 3,
      jobTemplate: {
        metadata: { labels: { ...cache.labels } },
        spec: {
          ...jobSpec(cache, 'warm-up', program, cache.files),
          backoffLimit: 1,
          activeDeadlineSeconds: WARM_UP_SECONDS,
        },
      },
    },
  };
}

/** The NetworkPolicy of the Jobs: DNS and the tiers. */
export function maintenanceNetworkPolicy(cache: TieredCachePlan): NetworkPolicy {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: `${cache.name}-maintenance`, namespace: cache.namespace, labels: { ...cache.labels } },
    spec: {
      podSelector: { matchLabels: { ...maintenanceLabels(cache) } },
      policyTypes: ['Ingress', 'Egress'],
      egress: [dns(), ...tierPeers(cache).map(egressRule)],
    },
  };
}

/** Where the tiers are, for the network policies of those who use them. */
export function tierPeers(cache: TieredCachePlan): readonly NetworkPeer[] {
  const { props, namespace } = cache;
  const servers = [cache.redis, cache.memcached].flatMap((server) =>
    server === undefined ? [] : [{ namespace, podLabels: server.selectorLabels, ports: [portOf(server.tier)] }],
  );
  const { redis, memcached, database: base } = props;
  const elsewhere = (endpoints: readonly string[], tier: 'redis' | 'memcached', cidr = ANYWHERE): NetworkPeer => ({
    cidr,
    ports: [...new Set(endpoints.map((endpoint) => address(endpoint, tier).port))],
  });
  return [
    ...servers,
    ...(redis !== undefined && 'endpoint' in redis ? [elsewhere([redis.endpoint], 'redis', redis.cidr)] : []),
    ...(memcached !== undefined && 'endpoints' in memcached
      ? [elsewhere(memcached.endpoints, 'memcached', memcached.cidr)]
      : []),
    ...(base === undefined ? [] : [{ cidr: base.cidr ?? ANYWHERE, ports: [base.port ?? portOf('database')] }]),
  ];
}

function portOf(tier: 'redis' | 'memcached' | 'database'): number {
  return address('', tier).port;
}

function migrationConfig(props: CacheDatabaseProps): MigrationConfig {
  const { owner } = props;
  return owner === undefined
    ? { database: database(props, props.user, passwordPath('database')) }
    : { database: database(props, owner.user, OWNER_PASSWORD), grantTo: props.user };
}

function jobSpec(cache: TieredCachePlan, task: Task, program: string, files: readonly MountedFile[]): JobSpec {
  const { schedule, image } = cache.maintenance;
  const config = { path: CACHE_PATHS.config, from: { configMap: `${cache.name}-maintenance`, key: `${task}.json` } };
  return {
    template: {
      metadata: { labels: { ...cache.labels, ...maintenanceLabels(cache) } },
      spec: {
        restartPolicy: 'Never',
        serviceAccountName: cache.name,
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        priorityClassName: schedule.priorityClassName,
        nodeSelector: { ...schedule.nodeSelector },
        tolerations: schedule.tolerations.map((toleration) => ({ ...toleration })),
        securityContext: podSecurity(USER),
        containers: [
          {
            name: task,
            image,
            imagePullPolicy: 'IfNotPresent',
            command: [...programCommand(), task],
            env: [{ name: CONFIG_VARIABLE, value: CACHE_PATHS.config }],
            resources: {
              requests: { ...schedule.requests, 'ephemeral-storage': '64Mi' },
              limits: { ...schedule.limits, 'ephemeral-storage': '128Mi' },
            },
            securityContext: containerSecurity(),
            volumeMounts: [
              { name: 'program', mountPath: PROGRAM_MOUNT, readOnly: true },
              { name: 'config', mountPath: MOUNT, readOnly: true },
            ],
          },
        ],
        volumes: [programVolume(program), projectedVolume('config', MOUNT, [config, ...files])],
      },
    },
  };
}
