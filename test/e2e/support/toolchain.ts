/** The Go toolchain, and the folder outside of the checkout that keeps what it made. */
import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, rmSync, statSync, utimesSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';

const execute = promisify(execFile);
const HEARTBEAT_MS = 3_000;

/** Settings of our own: neither the user's flags nor a newer toolchain may change what is built. */
export const GO_ENV = { ...process.env, GOTOOLCHAIN: 'local', CGO_ENABLED: '0', GOFLAGS: '', GOWORK: 'off' };

/** Where binaries and CRDs are kept from run to run; `MEDIFORM_E2E_CACHE` moves it. */
export const CACHE =
  process.env.MEDIFORM_E2E_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'mediform', 'e2e');

/** The toolchain's version, such as `go1.26.0`; undefined where there is none. */
export const goVersion = ((): string | undefined => {
  try {
    return execFileSync('go', ['env', 'GOVERSION'], { env: GO_ENV, encoding: 'utf8' }).trim();
  } catch {
    return undefined;
  }
})();

/** Folder of a Go module of a certain version, downloaded where needed. */
export async function moduleFolder(moduleAtVersion: string): Promise<string> {
  // outside of any module, so that nothing else has a say in the version
  const options = { cwd: tmpdir(), env: GO_ENV };
  const { stdout } = await execute('go', ['mod', 'download', '-json', moduleAtVersion], options);
  return (JSON.parse(stdout) as { Dir: string }).Dir;
}

/** A short name for all that something was made from. */
export function cacheKey(...inputs: readonly string[]): string {
  return createHash('sha256').update(inputs.join('\0')).digest('hex').slice(0, 16);
}

/** Lets one builder at a time work in the cache, among all processes of this machine. */
export async function withCacheLock<T>(work: () => Promise<T>): Promise<T> {
  const lock = join(CACHE, '.lock');
  mkdirSync(CACHE, { recursive: true });
  for (let waited = false; !takeLock(lock); waited = true) {
    if (!waited) {
      progress('waiting for another build');
    }
    await sleep(500);
  }
  const heartbeat = setInterval(() => utimesSync(lock, new Date(), new Date()), HEARTBEAT_MS);
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    rmSync(lock, { recursive: true, force: true });
  }
}

/** Whether the lock is ours now. One without a heartbeat is taken away: its owner was killed. */
function takeLock(lock: string): boolean {
  try {
    mkdirSync(lock);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
      throw error;
    }
  }
  const { mtimeMs = Infinity } = statSync(lock, { throwIfNoEntry: false }) ?? {};
  if (Date.now() - mtimeMs > 10 * HEARTBEAT_MS) {
    rmSync(lock, { recursive: true, force: true });
  }
  return false;
}

/** A line about work that takes a while. */
export function progress(line: string): void {
  process.stderr.write(`e2e: ${line}\n`);
}
