import { fromHttp, type FromHttpOptions } from '@aws-sdk/credential-provider-http';

/** In the bundle, in place of all ways to credentials: those of EKS Pod Identity, which alone a pod has. */
export function defaultProvider(options: FromHttpOptions): ReturnType<typeof fromHttp> {
  return fromHttp(options);
}
