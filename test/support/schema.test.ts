import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Certificate } from '../../constructs/imports/certificate';
import type { ConfigMap } from '../../constructs/imports/config-map';
import type { CronJob } from '../../constructs/imports/cron-job';
import type { Deployment } from '../../constructs/imports/deployment';
import type { EC2NodeClass } from '../../constructs/imports/ec2-node-class';
import type { HorizontalPodAutoscaler } from '../../constructs/imports/horizontal-pod-autoscaler';
import type { Job } from '../../constructs/imports/job';
import type { Namespace } from '../../constructs/imports/namespace';
import type { NetworkPolicy } from '../../constructs/imports/network-policy';
import type { KarpenterNodePool } from '../../constructs/imports/node-pool';
import type { PersistentVolumeClaim } from '../../constructs/imports/persistent-volume-claim';
import type { PodDisruptionBudget } from '../../constructs/imports/pod-disruption-budget';
import type { PodMonitor } from '../../constructs/imports/pod-monitor';
import type { PriorityClass } from '../../constructs/imports/priority-class';
import type { PrometheusRule } from '../../constructs/imports/prometheus-rule';
import type { ScaledObject } from '../../constructs/imports/scaled-object';
import type { Service } from '../../constructs/imports/service';
import type { ServiceAccount } from '../../constructs/imports/service-account';
import type { StatefulSet } from '../../constructs/imports/stateful-set';
import type { VerticalPodAutoscaler } from '../../constructs/imports/vertical-pod-autoscaler';
import { schemaErrors } from './schema';

const metadata = { name: 'web' };
const labels = { app: 'web' };
const deploymentRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' };

const deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { ...metadata, namespace: 'shop', labels },
  spec: {
    replicas: 2,
    selector: { matchLabels: labels },
    strategy: { rollingUpdate: { maxSurge: '25%', maxUnavailable: 0 } },
    template: {
      metadata: { labels },
      spec: {
        containers: [
          {
            name: 'web',
            image: 'registry.example/web:1',
            imagePullPolicy: 'IfNotPresent',
            lifecycle: { preStop: { sleep: { seconds: 5 } } },
            ports: [{ name: 'http', containerPort: 8080 }],
            readinessProbe: { httpGet: { path: '/ready', port: 'http' } },
            resources: { requests: { cpu: 1, memory: '1Gi' } },
          },
        ],
      },
    },
  },
} satisfies Deployment;

const task = {
  template: { spec: { restartPolicy: 'Never', containers: [{ name: 'web', image: 'registry.example/web:1' }] } },
} satisfies Job['spec'];

const valid = {
  StatefulSet: {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata,
    spec: {
      replicas: 1,
      serviceName: 'web',
      selector: { matchLabels: labels },
      template: deployment.spec.template,
      volumeClaimTemplates: [
        {
          apiVersion: 'v1',
          kind: 'PersistentVolumeClaim',
          metadata: { name: 'data' },
          spec: { accessModes: ['ReadWriteOncePod'], resources: { requests: { storage: '1Gi' } } },
        },
      ],
    },
  } satisfies StatefulSet,
  Job: { apiVersion: 'batch/v1', kind: 'Job', metadata, spec: task } satisfies Job,
  CronJob: {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata,
    spec: { schedule: '0 5 * * *', timeZone: 'Etc/UTC', jobTemplate: { spec: task } },
  } satisfies CronJob,
  Certificate: {
    apiVersion: 'cert-manager.io/v1',
    kind: 'Certificate',
    metadata,
    spec: { secretName: 'web-tls', dnsNames: ['web.shop.svc'], issuerRef: { name: 'internal' } },
  } satisfies Certificate,
  Deployment: deployment,
  Service: {
    apiVersion: 'v1',
    kind: 'Service',
    metadata,
    spec: { ports: [{ port: 80, targetPort: 'http' }] },
  } satisfies Service,
  ServiceAccount: { apiVersion: 'v1', kind: 'ServiceAccount', metadata } satisfies ServiceAccount,
  ConfigMap: { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { key: 'value' } } satisfies ConfigMap,
  PersistentVolumeClaim: {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata,
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  } satisfies PersistentVolumeClaim,
  Namespace: { apiVersion: 'v1', kind: 'Namespace', metadata } satisfies Namespace,
  HorizontalPodAutoscaler: {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata,
    spec: { maxReplicas: 3, scaleTargetRef: deploymentRef },
  } satisfies HorizontalPodAutoscaler,
  PodDisruptionBudget: {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata,
    spec: { maxUnavailable: 1, selector: { matchLabels: labels } },
  } satisfies PodDisruptionBudget,
  NetworkPolicy: {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata,
    spec: { podSelector: {}, policyTypes: ['Egress'], egress: [{ ports: [{ port: 53, protocol: 'UDP' }] }] },
  } satisfies NetworkPolicy,
  PriorityClass: {
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    metadata,
    value: 1000,
  } satisfies PriorityClass,
  NodePool: {
    apiVersion: 'karpenter.sh/v1',
    kind: 'NodePool',
    metadata,
    spec: {
      disruption: { consolidateAfter: '30s', consolidationPolicy: 'WhenEmpty' },
      limits: { cpu: 100, memory: '1Ti' },
      template: {
        spec: {
          nodeClassRef: { group: 'karpenter.k8s.aws', kind: 'EC2NodeClass', name: 'web' },
          requirements: [{ key: 'karpenter.sh/capacity-type', operator: 'In', values: ['spot'] }],
        },
      },
    },
  } satisfies KarpenterNodePool,
  EC2NodeClass: {
    apiVersion: 'karpenter.k8s.aws/v1',
    kind: 'EC2NodeClass',
    metadata,
    spec: {
      amiSelectorTerms: [{ alias: 'al2023@v20250101' }],
      role: 'node',
      securityGroupSelectorTerms: [{ id: 'sg-0123456789abcdef0' }],
      subnetSelectorTerms: [{ tags: { tier: 'private' } }],
    },
  } satisfies EC2NodeClass,
  ScaledObject: {
    apiVersion: 'keda.sh/v1alpha1',
    kind: 'ScaledObject',
    metadata,
    spec: { scaleTargetRef: { name: 'web' }, triggers: [{ type: 'prometheus', metadata: { threshold: '5' } }] },
  } satisfies ScaledObject,
  PodMonitor: {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PodMonitor',
    metadata,
    spec: { podMetricsEndpoints: [{ port: 'http', interval: '30s' }], selector: { matchLabels: labels } },
  } satisfies PodMonitor,
  PrometheusRule: {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata,
    spec: { groups: [{ name: 'web', rules: [{ alert: 'Down', expr: 'up == 0', for: '5m' }] }] },
  } satisfies PrometheusRule,
  VerticalPodAutoscaler: {
    apiVersion: 'autoscaling.k8s.io/v1',
    kind: 'VerticalPodAutoscaler',
    metadata,
    spec: { targetRef: deploymentRef, updatePolicy: { updateMode: 'Off' } },
  } satisfies VerticalPodAutoscaler,
};

const schemaFiles = readdirSync(join(__dirname, '..', '..', 'schemas')).filter((file) => file.endsWith('.json'));

test.each(Object.entries(valid))('accepts a valid %s', (_, object) => {
  expect(schemaErrors(object)).toEqual([]);
});

test('every schema compiles and has an example here', () => {
  const files = Object.values(valid).map(({ apiVersion, kind }) => {
    const [version, group = 'core'] = apiVersion.split('/').reverse();
    return `${group}_${version}_${kind}.json`;
  });
  expect(files.sort()).toEqual(schemaFiles.sort());
});

test.each(Object.entries(valid))('a %s may hold nothing else, and needs a name', (kind, object) => {
  expect(schemaErrors({ ...object, extra: 1 })).toEqual([`${kind}/web: / must NOT have additional properties: extra`]);
  expect(schemaErrors({ ...object, metadata: { labels } })).toEqual([
    `${kind}/(none): /metadata must have required property 'name'`,
  ]);
});

/** The errors of the valid Deployment with a changed container. */
const containerErrors = (change: object): string[] => {
  const [container] = deployment.spec.template.spec.containers;
  const spec = { ...deployment.spec.template.spec, containers: [{ ...container, ...change }] };
  return schemaErrors({ ...deployment, spec: { ...deployment.spec, template: { spec } } });
};
const CONTAINER = 'Deployment/web: /spec/template/spec/containers/0';

test('names a misspelled field', () => {
  expect(containerErrors({ imagePullPolcy: 'Always' })).toEqual([
    `${CONTAINER} must NOT have additional properties: imagePullPolcy`,
  ]);
  // @ts-expect-error the generated types reject it too
  ({ apiVersion: 'v1', kind: 'ConfigMap', metadata, dta: {} }) satisfies ConfigMap;
});

test('lists the values an enum allows', () => {
  expect(containerErrors({ imagePullPolicy: 'Sometimes' })).toEqual([
    `${CONTAINER}/imagePullPolicy must be equal to one of the allowed values: Always, IfNotPresent, Never`,
  ]);
  // @ts-expect-error the generated types reject it too
  ({ ...valid.PriorityClass, preemptionPolicy: 'Sometimes' }) satisfies Pick<PriorityClass, 'preemptionPolicy'>;
});

test('names a missing field', () => {
  expect(schemaErrors({ ...deployment, spec: { template: deployment.spec.template } })).toEqual([
    "Deployment/web: /spec must have required property 'selector'",
  ]);
});

test('names the type that is expected', () => {
  expect(schemaErrors({ ...deployment, spec: { ...deployment.spec, replicas: '2' } })).toEqual([
    'Deployment/web: /spec/replicas must be integer',
  ]);
});

test('reports a union once', () => {
  const probe = (port: unknown): object => ({ readinessProbe: { httpGet: { port } } });
  expect(containerErrors(probe(true))).toEqual([`${CONTAINER}/readinessProbe/httpGet/port must be integer or string`]);
  expect(schemaErrors({ ...valid.NodePool, spec: { limits: { cpu: 'lots', memory: null } } })).toEqual([
    expect.stringMatching('^NodePool/web: /spec must have required property'),
    expect.stringMatching('^NodePool/web: /spec/limits/cpu must match pattern'),
    'NodePool/web: /spec/limits/memory must be integer or string',
  ]);
});

test('reports all errors', () => {
  expect(containerErrors({ image: 1, nmae: 'x', ports: [{}] })).toEqual([
    `${CONTAINER} must NOT have additional properties: nmae`,
    `${CONTAINER}/image must be string`,
    `${CONTAINER}/ports/0 must have required property 'containerPort'`,
  ]);
});

test.each([
  [{ apiVersion: 'v1', kind: 'Secret', metadata }, 'Secret/web: no schema for apiVersion v1, kind Secret'],
  [{ ...deployment, apiVersion: 'apps/v2' }, 'Deployment/web: no schema for apiVersion apps/v2, kind Deployment'],
  [{ kind: 'Service' }, 'Service/(none): no schema for apiVersion (none), kind Service'],
  [[], 'not a Kubernetes object: []'],
  [null, 'not a Kubernetes object: null'],
])('rejects what has no schema (%#)', (object, error) => {
  expect(schemaErrors(object)).toEqual([error]);
});
