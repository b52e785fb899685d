import { whyNotBuildable, CLUSTER_BINARIES } from '../binaries';
import { describeUnless } from '../suite';
import { whyNoPulumi } from './cli';

/** A suite that needs a cluster and Pulumi's command line; skipped, counted and with the reason, where there is none. */
export function describeWithPulumi(name: string, suite: () => void): void {
  describeUnless(whyNotBuildable(CLUSTER_BINARIES) ?? whyNoPulumi(), name, suite);
}
