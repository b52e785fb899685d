import { Chart } from 'cdk8s';
import type { IConstruct } from 'constructs';
import { AppFacts } from './app-facts';
import { kubeObject } from './kube-object';
import { clientCertificate } from './plan/tiered-cache/objects';
import type { TieredCachePlan } from './plan/tiered-cache/plan';

/** Puts the certificate that users show to Memcached into a namespace, once for all of them there. */
export function provideClientCertificate(scope: IConstruct, cache: TieredCachePlan, namespace: string): void {
  const manifest = clientCertificate(cache, namespace);
  // in its own namespace it is the cache's
  if (manifest === undefined || namespace === cache.namespace) {
    return;
  }
  const { clientCertificates } = AppFacts.of(scope);
  const { name } = manifest.metadata;
  const key = `${namespace}/${name}`;
  if (!clientCertificates.has(key)) {
    clientCertificates.add(key);
    kubeObject(Chart.of(scope), `${name}-${namespace}`, manifest);
  }
}
