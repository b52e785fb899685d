import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { build } from 'esbuild';
import type { GatewayConfig } from '../../../../constructs/plan/gateway/config';
import { waitFor } from '../wait';
import { call } from './gateway';

/** The program as it runs in the cluster: one file. */
export interface Bundle {
  readonly path: string;
  /** Bytes of it, compressed and written as a ConfigMap stores them. */
  readonly storedBytes: number;
  remove(): void;
}

export async function bundleGateway(): Promise<Bundle> {
  const folder = mkdtempSync(join(tmpdir(), 'mediform-bundle-'));
  const path = join(folder, 'gateway.js');
  await build({
    entryPoints: [join(__dirname, '../../../../runtime/gateway/main.ts')],
    outfile: path,
    bundle: true,
    minify: true,
    keepNames: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    external: ['pg-native'],
    legalComments: 'none',
    logLevel: 'warning',
  });
  return {
    path,
    storedBytes: brotliCompressSync(readFileSync(path)).toString('base64').length,
    remove: () => rmSync(folder, { recursive: true }),
  };
}

/** The program, running. */
export class GatewayProcess {
  output = '';
  errors = '';
  /** Exit code; undefined as long as it runs, null where a signal ended it. */
  exitCode?: number | null;
  readonly #ended: Promise<unknown>;

  private constructor(
    private readonly child: ChildProcess,
    private readonly folder: string,
    readonly url: string,
    readonly admin: string,
  ) {
    child.stdout?.on('data', (text: Buffer) => (this.output += text.toString()));
    child.stderr?.on('data', (text: Buffer) => (this.errors += text.toString()));
    this.#ended = once(child, 'exit').then(([code]) => (this.exitCode = code as number | null));
  }

  /** @param config written to a file as it is, also where it is wrong */
  static run({ path }: Bundle, config: Partial<GatewayConfig>, nodeArgs: readonly string[] = []): GatewayProcess {
    const folder = mkdtempSync(join(tmpdir(), 'mediform-gateway-'));
    const file = join(folder, 'config.json');
    writeFileSync(file, JSON.stringify(config));
    const env = { PATH: process.env.PATH, MEDIFORM_CONFIG: file };
    const child = spawn(process.execPath, [...nodeArgs, path], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    const address = (port: number | undefined): string => `http://127.0.0.1:${port}`;
    return new GatewayProcess(child, folder, address(config.listen?.port), address(config.admin?.port));
  }

  get pid(): number {
    return this.child.pid as number;
  }

  /** Resident memory in bytes. */
  get memory(): number {
    const [, kib] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8')) ?? [];
    return Number(kib) * 1024;
  }

  ready(): Promise<unknown> {
    const guard = (): void => {
      if (this.exitCode !== undefined) {
        throw new Error(`the gateway has ended (${this.exitCode}): ${this.errors}`);
      }
    };
    return waitFor('the gateway', async () => (await call(`${this.admin}/healthz`)).status === 200, { guard });
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  /** Waits until it has ended, and cleans up. */
  async ended(): Promise<number | null | undefined> {
    await this.#ended;
    rmSync(this.folder, { recursive: true, force: true });
    return this.exitCode;
  }

  async stop(): Promise<void> {
    this.signal('SIGKILL');
    await this.ended();
  }
}
