/** Where a cluster is. */
export interface KubeconfigArgs {
  readonly clusterName: string;
  readonly region: string;
  readonly endpoint: string;
  /** Certificate authority, in base64. */
  readonly certificateAuthority: string;
}

/**
 * A kubeconfig, as JSON (which is YAML too). It holds no secret: `aws eks get-token` makes a token for whoever uses it, and
 * the access entries of the cluster say what they may do.
 */
export function kubeconfig({ clusterName, region, endpoint, certificateAuthority }: KubeconfigArgs): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name: clusterName, cluster: { server: endpoint, 'certificate-authority-data': certificateAuthority } },
    ],
    users: [
      {
        name: clusterName,
        user: {
          exec: {
            apiVersion: 'client.authentication.k8s.io/v1beta1',
            command: 'aws',
            args: ['eks', 'get-token', '--cluster-name', clusterName, '--region', region, '--output', 'json'],
            interactiveMode: 'IfAvailable',
          },
        },
      },
    ],
    contexts: [{ name: clusterName, context: { cluster: clusterName, user: clusterName } }],
    'current-context': clusterName,
  });
}
