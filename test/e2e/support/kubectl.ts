import { spawn } from 'node:child_process';

export interface KubectlOutput {
  readonly stdout: string;
  /** What the API server warned about. */
  readonly warnings: readonly string[];
}

/** kubectl has failed. */
export class KubectlError extends Error {
  constructor(
    args: readonly string[],
    /** What it said, warnings included. */
    readonly stderr: string,
  ) {
    super(`kubectl ${args.join(' ')}\n${stderr}`);
    this.name = 'KubectlError';
  }
}

/** Runs kubectl; rejects with a KubectlError where it fails. */
export function runKubectl(
  path: string,
  env: { readonly [variable: string]: string },
  args: readonly string[],
  stdin = '',
): Promise<KubectlOutput> {
  return new Promise((resolve, reject) => {
    const child = spawn(path, args, { env, stdio: 'pipe' });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    // it may end before it has read all of it, and then says why
    child.stdin.on('error', () => undefined);
    child.on('error', reject);
    child.on('close', (code) => {
      const errors = Buffer.concat(stderr).toString();
      if (code === 0) {
        resolve({ stdout: Buffer.concat(stdout).toString(), warnings: warningsIn(errors) });
      } else {
        reject(new KubectlError(args, errors.trim()));
      }
    });
    child.stdin.end(stdin);
  });
}

function warningsIn(stderr: string): string[] {
  return stderr.split('\n').flatMap((line) => (line.startsWith('Warning: ') ? [line.slice('Warning: '.length)] : []));
}
