import type { Problems } from '../../../constructs/plan/errors';

/** Core add-ons of every cluster, by EKS's own names. */
export const CORE_ADD_ONS = [
  'vpc-cni',
  'kube-proxy',
  'eks-pod-identity-agent',
  'coredns',
  'aws-ebs-csi-driver',
] as const;

/** One of the core add-ons. */
export type CoreAddOn = (typeof CORE_ADD_ONS)[number];

/** Versions of core add-ons, such as `v1.21.1-eksbuild.1`. */
export type AddOnVersions = { readonly [A in CoreAddOn]?: string };

/** Kubernetes version of a cluster that was given none. */
export const KUBERNETES_VERSION = '1.34';

/**
 * Versions that go with `KUBERNETES_VERSION`. Source: EKS user guide, the tables of each add-on's page;
 * `aws eks describe-addon-versions --kubernetes-version 1.34` lists the newer ones.
 */
export const ADD_ON_VERSIONS: { readonly [A in CoreAddOn]: string } = {
  'vpc-cni': 'v1.21.1-eksbuild.1',
  'kube-proxy': 'v1.34.1-eksbuild.2',
  'eks-pod-identity-agent': 'v1.3.10-eksbuild.1',
  coredns: 'v1.12.4-eksbuild.1',
  'aws-ebs-csi-driver': 'v1.54.0-eksbuild.1',
};

/** Records versions that cannot be, or do not go together. */
export function checkVersions(
  problems: Problems,
  version: string = KUBERNETES_VERSION,
  addOnVersions: AddOnVersions = {},
): void {
  problems.check(
    /^1\.\d{2}$/.test(version) && Number(version.slice(2)) >= 31,
    'version',
    version,
    `be 1.31 or newer, such as ${KUBERNETES_VERSION}`,
    "EKS no longer supports older ones, and the library's objects are not tried on them",
  );
  for (const [addOn, given] of Object.entries(addOnVersions)) {
    problems.check(
      (CORE_ADD_ONS as readonly string[]).includes(addOn) && /^v\d+\.\d+\.\d+-eksbuild\.\d+$/.test(given),
      `addOnVersions.${addOn}`,
      given,
      `be a version such as v1.21.1-eksbuild.1 of one of ${CORE_ADD_ONS.join(', ')}`,
      'EKS takes no others',
    );
  }
  const missing = CORE_ADD_ONS.filter((addOn) => addOnVersions[addOn] === undefined);
  problems.check(
    version === KUBERNETES_VERSION || missing.length === 0,
    'addOnVersions',
    addOnVersions,
    `give versions of ${missing.join(', ')}`,
    `those that this library knows go with Kubernetes ${KUBERNETES_VERSION}, not ${version}`,
  );
}
