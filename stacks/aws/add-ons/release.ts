import { Release } from '@pulumi/kubernetes/helm/v3';
import type { Resource } from '@pulumi/pulumi';
import { CHARTS, type AddOn } from './charts';
import type { ChartValues } from './merge-values';

/** Time for a chart's pods to become ready, in seconds: images are large, and some nodes are new. */
const TIMEOUT_SECONDS = 900;

/** Installs an add-on, under its own name. */
export function helmRelease(
  name: string,
  addOn: AddOn,
  values: ChartValues,
  parent: Resource,
  dependsOn: Resource[] = [],
): Resource {
  const { chart, repository, version, namespace } = CHARTS[addOn];
  return new Release(
    `${name}-${addOn}`,
    {
      name: addOn,
      chart,
      version,
      namespace,
      createNamespace: namespace !== 'kube-system',
      ...(repository === undefined ? {} : { repositoryOpts: { repo: repository } }),
      values: { ...values },
      timeout: TIMEOUT_SECONDS,
      // Karpenter's CRDs are a chart of their own, so that they are upgraded
      skipCrds: addOn === 'karpenter',
      // its pods wait for a ConfigMap that comes with the app, which waits for this component
      skipAwait: addOn === 'prometheus-adapter',
    },
    { parent, dependsOn },
  );
}
