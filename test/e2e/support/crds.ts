import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pinnedVersion } from './binaries';
import { CACHE, cacheKey, moduleFolder, withCacheLock } from './toolchain';

const SCHEMAS = join(__dirname, '..', '..', '..', 'schemas');
const PROMETHEUS_OPERATOR = 'example/prometheus-operator-crd/monitoring.coreos.com_';

/** Module, at the version that the strict schemas are from, and the files of it. */
const SOURCES: readonly (readonly [moduleAtVersion: string, files: readonly string[]])[] = [
  [
    moduleOfSchema('karpenter.sh_v1_NodePool'),
    [
      'pkg/apis/crds/karpenter.sh_nodepools.yaml',
      'pkg/apis/crds/karpenter.sh_nodeclaims.yaml',
      'pkg/apis/crds/karpenter.sh_nodeoverlays.yaml',
      'pkg/apis/crds/karpenter.k8s.aws_ec2nodeclasses.yaml',
    ],
  ],
  [
    `sigs.k8s.io/karpenter@${pinnedVersion('karpenter', 'sigs.k8s.io/karpenter')}`,
    ['kwok/apis/crds/karpenter.kwok.sh_kwoknodeclasses.yaml'],
  ],
  [
    moduleOfSchema('keda.sh_v1alpha1_ScaledObject'),
    [
      'config/crd/bases/keda.sh_scaledobjects.yaml',
      'config/crd/bases/keda.sh_triggerauthentications.yaml',
      'config/crd/bases/keda.sh_clustertriggerauthentications.yaml',
    ],
  ],
  [
    moduleOfSchema('monitoring.coreos.com_v1_PodMonitor'),
    [`${PROMETHEUS_OPERATOR}podmonitors.yaml`, `${PROMETHEUS_OPERATOR}prometheusrules.yaml`],
  ],
  [moduleOfSchema('autoscaling.k8s.io_v1_VerticalPodAutoscaler'), ['deploy/vpa-v1-crd-gen.yaml']],
  [moduleOfSchema('cert-manager.io_v1_Certificate'), ['deploy/crds/cert-manager.io_certificates.yaml']],
];

/** A YAML file of all CustomResourceDefinitions that mediform's objects and the tools of the tests need. */
export async function crdFile(): Promise<string> {
  const path = join(CACHE, 'crds', `${cacheKey(JSON.stringify(SOURCES))}.yaml`);
  if (!existsSync(path)) {
    await withCacheLock(() => collect(path));
  }
  return path;
}

async function collect(path: string): Promise<void> {
  const texts: string[] = [];
  for (const [module, files] of SOURCES) {
    const folder = await moduleFolder(module);
    texts.push(...files.map((file) => readFileSync(join(folder, file), 'utf8')));
  }
  mkdirSync(join(CACHE, 'crds'), { recursive: true });
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, texts.join('\n---\n'));
  renameSync(draft, path);
}

/** The schemas say where they are from. */
function moduleOfSchema(name: string): string {
  const { $comment } = JSON.parse(readFileSync(join(SCHEMAS, `${name}.json`), 'utf8')) as { $comment: string };
  return $comment.replace('From ', '');
}
