import type { ChartValues } from './merge-values';

/** What Karpenter is told of the cluster. */
export interface KarpenterOptions {
  /** Name of the EKS cluster. */
  readonly clusterName: string;
  /** Name of the SQS queue through which EC2 announces that instances will be taken back. */
  readonly interruptionQueue: string;
}

/** Service account of Karpenter's controller in `kube-system`, for its Pod Identity association. */
export const KARPENTER_SERVICE_ACCOUNT = 'karpenter';

/** Values of the chart `karpenter`. */
export function karpenterValues<Value>({
  clusterName,
  interruptionQueue,
}: {
  readonly [K in keyof KarpenterOptions]: Value;
}): ChartValues {
  return {
    settings: { clusterName, interruptionQueue },
    serviceAccount: { name: KARPENTER_SERVICE_ACCOUNT },
    // what its own guide asks for
    controller: { resources: { requests: { cpu: '1', memory: '1Gi' }, limits: { memory: '1Gi' } } },
  };
}
