/** Prints what a synthesis made: services, node pools, and how many objects of each kind. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import Table from 'cli-table3';
import { parseAllDocuments } from 'yaml';

interface KubeObject {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  // the shapes differ by kind; each reader below knows its own
  readonly spec?: { readonly [field: string]: unknown };
}

const folder = process.argv[2] ?? 'dist';
const objects = readdirSync(folder)
  .filter((file) => file.endsWith('.yaml'))
  .sort()
  .flatMap((file) => parseAllDocuments(readFileSync(join(folder, file), 'utf8')))
  .map((document) => document.toJS() as KubeObject);

const ofKind = (kind: string): KubeObject[] => objects.filter((object) => object.kind === kind);
const print = (head: string[], rows: (string | number)[][]): void => {
  const table = new Table({ head, style: { head: [], border: [], compact: true } });
  table.push(...rows);
  console.log(table.toString());
};

print(
  ['service', 'priority', 'replicas', 'GPUs each', 'GPUs at most', 'nodes'],
  ofKind('Deployment').map((deployment) => {
    const { name, namespace } = deployment.metadata;
    const pod = (deployment.spec as { template: { spec: PodSpec } }).template.spec;
    const gpus = Number(pod.containers[0]?.resources.limits['nvidia.com/gpu'] ?? 0);
    const [min, max] = replicas(name, namespace);
    return [
      `${namespace}/${name}`,
      pod.priorityClassName.replace('-priority', ''),
      `${min}-${max}`,
      gpus || '-',
      gpus * max || '-',
      Object.values(pod.nodeSelector).join(', '),
    ];
  }),
);
const servers = ofKind('StatefulSet');
if (servers.length > 0) {
  print(
    ['cache server', 'priority', 'servers', 'memory each', 'nodes', 'used by'],
    servers.map(({ metadata, spec }) => {
      const { replicas: count, template } = spec as unknown as { replicas: number; template: { spec: PodSpec } };
      const { containers, nodeSelector, priorityClassName } = template.spec;
      return [
        `${metadata.namespace}/${metadata.name}`,
        priorityClassName.replace('-priority', ''),
        count,
        containers[0]?.resources.limits.memory ?? '-',
        Object.values(nodeSelector).join(', '),
        users(metadata.name, metadata.namespace),
      ];
    }),
  );
}
print(
  ['node pool', 'capacity', 'limit', 'for'],
  ofKind('NodePool').map(({ metadata, spec }) => {
    const pool = spec as unknown as NodePoolSpec;
    const values = (key: string): string =>
      pool.template.spec.requirements.find((requirement) => requirement.key === key)?.values?.join(', ') ?? '';
    const { labels } = pool.template.metadata;
    return [
      metadata.name,
      values('karpenter.sh/capacity-type'),
      Object.entries(pool.limits)
        .map(([resource, amount]) => `${amount} ${resource === 'nvidia.com/gpu' ? 'GPUs' : resource}`)
        .join(', '),
      [
        labels['mediform.io/workload'] ?? labels['mediform.io/reserved-for'] ?? '',
        gpuNames(values) || labels['node-type'],
      ]
        .filter(Boolean)
        .join(', '),
    ];
  }),
);
const kinds = new Map<string, number>();
objects.forEach(({ kind }) => kinds.set(kind, (kinds.get(kind) ?? 0) + 1));
console.log(
  [...kinds]
    .sort()
    .map(([kind, count]) => `${count} ${kind}`)
    .join(', '),
);
console.log(`${objects.length} objects in ${folder}/`);

interface PodSpec {
  readonly priorityClassName: string;
  readonly nodeSelector: { readonly [label: string]: string };
  readonly containers: readonly { readonly resources: { readonly limits: { readonly [resource: string]: string } } }[];
}

interface NodePoolSpec {
  readonly limits: { readonly [resource: string]: string | number };
  readonly template: {
    readonly metadata: { readonly labels: { readonly [label: string]: string } };
    readonly spec: { readonly requirements: readonly { readonly key: string; readonly values?: readonly string[] }[] };
  };
}

/** Whom the network policy of a server lets in. */
function users(name: string, namespace: string | undefined): string {
  const policy = ofKind('NetworkPolicy').find(
    ({ metadata }) => metadata.name === name && metadata.namespace === namespace,
  );
  const [rule] = (policy?.spec?.ingress ?? []) as {
    from?: { podSelector?: { matchLabels?: { readonly [label: string]: string } } }[];
  }[];
  return (rule?.from ?? []).flatMap(({ podSelector }) => Object.values(podSelector?.matchLabels ?? {})).join(', ');
}

function gpuNames(values: (key: string) => string): string {
  return values('karpenter.k8s.aws/instance-gpu-name');
}

function replicas(service: string, namespace: string | undefined): [number, number] {
  for (const { kind, metadata, spec } of objects) {
    const target = (spec as { scaleTargetRef?: { name: string } } | undefined)?.scaleTargetRef?.name;
    if (target === service && metadata.namespace === namespace) {
      return kind === 'ScaledObject'
        ? [Number(spec?.minReplicaCount), Number(spec?.maxReplicaCount)]
        : [Number(spec?.minReplicas), Number(spec?.maxReplicas)];
    }
  }
  return [1, 1];
}
