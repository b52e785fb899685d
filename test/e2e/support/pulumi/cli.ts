import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { PulumiCommand } from '@pulumi/pulumi/automation';
import { ensureBinaries, whyNotBuildable } from '../binaries';

/** Whether this machine has a Pulumi of its own, which is used then. */
export function isInstalled(): boolean {
  try {
    execFileSync('pulumi', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Why there is no Pulumi command line, and none can be built; undefined where there is one. */
export function whyNoPulumi(): string | undefined {
  return isInstalled() ? undefined : whyNotBuildable(['pulumi']);
}

/** The command line for the Automation API: the one on the PATH, or one that is built. */
export async function pulumiCommand(folder: string): Promise<PulumiCommand> {
  if (isInstalled()) {
    return PulumiCommand.get();
  }
  const { pulumi } = await ensureBinaries(['pulumi']);
  mkdirSync(join(folder, 'bin'), { recursive: true });
  symlinkSync(pulumi, join(folder, 'bin/pulumi'));
  return PulumiCommand.get({ root: folder });
}
