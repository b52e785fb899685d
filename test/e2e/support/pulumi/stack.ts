import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LocalWorkspace, type OpMap, type PulumiFn, type Stack } from '@pulumi/pulumi/automation';
import type { Cluster } from '../cluster';
import { pulumiCommand } from './cli';
import { ProviderDouble } from './provider';

const PROJECT = 'mediform';

/** What one run of the engine did. */
export interface Run {
  /** How often each was done, such as `{ create: 3, same: 1 }`. */
  readonly changes: OpMap;
  readonly output: string;
}

/** A Pulumi stack on a cluster, with the real engine, its state in a folder of its own, and a double of the provider. */
export class TestStack {
  private constructor(
    private readonly stack: Stack,
    private readonly folder: string,
    readonly provider: ProviderDouble,
  ) {}

  /** Its files are the cluster's, and go with it. */
  static async start(cluster: Cluster, stackName: string): Promise<TestStack> {
    const folder = join(cluster.processes.folder, `pulumi-${stackName}`);
    const state = join(folder, 'state');
    mkdirSync(state, { recursive: true });
    const { provider, port } = await ProviderDouble.start(cluster);
    const stack = await LocalWorkspace.createOrSelectStack(
      // each run brings its program
      { stackName, projectName: PROJECT, program: () => Promise.resolve() },
      {
        pulumiCommand: await pulumiCommand(folder),
        pulumiHome: join(folder, 'home'),
        envVars: {
          PULUMI_BACKEND_URL: `file://${state}`,
          PULUMI_CONFIG_PASSPHRASE: 'test',
          PULUMI_SKIP_UPDATE_CHECK: 'true',
          PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: 'true',
          PULUMI_DEBUG_PROVIDERS: `kubernetes:${port}`,
        },
      },
    );
    return new TestStack(stack, state, provider);
  }

  /** Deploys, without the preview that the command line does first. */
  async up(program: PulumiFn): Promise<Run> {
    const { summary, stdout } = await this.stack.up({ program, color: 'never' });
    return { changes: summary.resourceChanges ?? {}, output: stdout };
  }

  async preview(program: PulumiFn): Promise<Run> {
    const { changeSummary, stdout } = await this.stack.preview({ program, color: 'never' });
    return { changes: changeSummary, output: stdout };
  }

  /** Reads what is there into the state. */
  async refresh(): Promise<Run> {
    const { summary, stdout } = await this.stack.refresh({ color: 'never' });
    return { changes: summary.resourceChanges ?? {}, output: stdout };
  }

  async destroy(): Promise<Run> {
    const { summary, stdout } = await this.stack.destroy({ color: 'never' });
    return { changes: summary.resourceChanges ?? {}, output: stdout };
  }

  /** The state as it lies on the disk. */
  state(): string {
    return readFileSync(join(this.folder, `.pulumi/stacks/${PROJECT}/${this.stack.name}.json`), 'utf8');
  }

  stop(): void {
    this.provider.stop();
  }
}
