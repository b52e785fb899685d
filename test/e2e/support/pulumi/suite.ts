import { whyNotBuildable, CLUSTER_BINARIES } from '../binaries';
import { whyNoPulumi } from './cli';

/** A suite that needs a cluster and Pulumi's command line; skipped, counted and with the reason, where there is none. */
export function describeWithPulumi(name: string, suite: () => void): void {
  const reason = whyNotBuildable(CLUSTER_BINARIES) ?? whyNoPulumi();
  if (reason === undefined) {
    describe(name, suite);
  } else {
    console.warn(`SKIPPED: ${name}. ${reason}`);
    describe.skip(`${name} (skipped: ${reason})`, suite);
  }
}
