import { CLUSTER_BINARIES, whyNotBuildable, type BinaryName } from './binaries';

/** Enough for the first run on a machine, which builds the programs. */
export const BUILD_TIMEOUT_MS = 1_800_000;

/** A suite that needs a cluster, and other programs; it is reported as skipped, with the reason, where it cannot run. */
export function describeWithCluster(name: string, suite: () => void, otherPrograms: readonly BinaryName[] = []): void {
  describeUnless(whyNotBuildable([...CLUSTER_BINARIES, ...otherPrograms]), name, suite);
}

/** A suite that is reported as skipped, with the reason, where there is one. */
export function describeUnless(reason: string | undefined, name: string, suite: () => void): void {
  if (reason === undefined) {
    describe(name, suite);
  } else {
    console.warn(`SKIPPED: ${name}. ${reason}`);
    describe.skip(`${name} (skipped: ${reason})`, suite);
  }
}
