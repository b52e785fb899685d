import { execFile } from 'node:child_process';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Server } from '@grpc/grpc-js';
import type { Cluster } from '../cluster';
import { isInstalled, pulumiCommand } from './cli';
import { startLanguageHost } from './language-host';
import { ProviderDouble } from './provider';

const ROOT = join(__dirname, '../../../..');
/** What the program is made of. The folder is not the checkout: the stack's settings are written beside Pulumi.yaml. */
const PARTS = ['Pulumi.yaml', 'package.json', 'tsconfig.json', 'node_modules', 'constructs', 'examples', 'stacks'];

/** The project of Pulumi.yaml, driven by the command line as people do, on a cluster. */
export class TestProject {
  private constructor(
    private readonly command: string,
    private readonly options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
    readonly provider: ProviderDouble,
    private readonly languageHost: Server | undefined,
  ) {}

  static async start(cluster: Cluster): Promise<TestProject> {
    const folder = join(cluster.processes.folder, 'pulumi-project');
    const [cwd, state] = [join(folder, 'project'), join(folder, 'state')];
    [cwd, state].forEach((path) => mkdirSync(path, { recursive: true }));
    PARTS.forEach((part) => symlinkSync(join(ROOT, part), join(cwd, part)));
    const { command } = await pulumiCommand(folder);
    const { provider, port } = await ProviderDouble.start(cluster);
    const host = isInstalled() ? undefined : await startLanguageHost();
    const env = {
      ...process.env,
      PULUMI_HOME: join(folder, 'home'),
      PULUMI_BACKEND_URL: `file://${state}`,
      PULUMI_CONFIG_PASSPHRASE: 'test',
      PULUMI_SKIP_UPDATE_CHECK: 'true',
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: 'true',
      PULUMI_DEBUG_PROVIDERS: `kubernetes:${port}`,
      ...(host && { PULUMI_DEBUG_LANGUAGES: `nodejs:${host.port}` }),
    };
    return new TestProject(command, { cwd, env }, provider, host?.server);
  }

  /** Runs `pulumi ARGS`; what it prints, also where it fails. */
  async run(...args: readonly string[]): Promise<{ ok: boolean; output: string }> {
    const all = [...args, '--non-interactive', '--color=never'];
    try {
      const { stdout, stderr } = await promisify(execFile)(this.command, all, { ...this.options, maxBuffer: 2 ** 26 });
      return { ok: true, output: stdout + stderr };
    } catch (error) {
      const { stdout = '', stderr = '', message } = error as { stdout?: string; stderr?: string; message: string };
      return { ok: false, output: stdout + stderr || message };
    }
  }

  stop(): void {
    this.provider.stop();
    this.languageHost?.forceShutdown();
  }
}
