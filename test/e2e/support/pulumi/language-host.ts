import { spawn } from 'node:child_process';
import type { Server } from '@grpc/grpc-js';
import { LanguageRuntimeService } from '@pulumi/pulumi/proto/language_grpc_pb';
import * as messages from '@pulumi/pulumi/proto/language_pb';
import { PluginInfo } from '@pulumi/pulumi/proto/plugin_pb';
import { servePlugin, unary } from './unary';

/** Exit code of a program that has told the engine itself what went wrong. */
const ALREADY_LOGGED = 32;

/**
 * A double of `pulumi-language-nodejs`, which comes with an installed Pulumi and is no Go module of its own. It runs the
 * program as that does: Node with the arguments of Pulumi.yaml, in the folder of the main file, on the SDK's own runner.
 */
export async function startLanguageHost(): Promise<{ server: Server; port: number }> {
  let engineAddress = '';
  return servePlugin(LanguageRuntimeService, {
    handshake: unary((request: messages.LanguageHandshakeRequest) => {
      engineAddress = request.getEngineAddress();
      return new messages.LanguageHandshakeResponse();
    }),
    getPluginInfo: unary(() => new PluginInfo().setVersion('3.0.0')),
    getRequiredPlugins: unary(() => new messages.GetRequiredPluginsResponse()),
    getRequiredPackages: unary(() => new messages.GetRequiredPackagesResponse()),
    run: unary((request: messages.RunRequest) => run(request, engineAddress)),
  });
}

function run(request: messages.RunRequest, engineAddress: string): Promise<messages.RunResponse> {
  const info = request.getInfo() as messages.ProgramInfo;
  const { nodeargs } = info.getOptions()?.toJavaScript() as { readonly nodeargs: string };
  const flags = Object.entries({
    monitor: request.getMonitorAddress(),
    engine: engineAddress,
    organization: request.getOrganization(),
    project: request.getProject(),
    stack: request.getStack(),
    pwd: info.getProgramDirectory(),
    parallel: request.getParallel(),
  }).flatMap(([flag, value]) => [`--${flag}`, String(value)]);
  const dryRun = request.getDryrun() ? ['--dry-run'] : [];
  const runner = require.resolve('@pulumi/pulumi/cmd/run');
  const env = {
    ...process.env,
    PULUMI_CONFIG: JSON.stringify(Object.fromEntries(request.getConfigMap().toArray())),
    PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(request.getConfigsecretkeysList()),
  };
  return new Promise((resolve, reject) => {
    const args = [...nodeargs.split(' '), runner, ...flags, ...dryRun, info.getEntryPoint()];
    const child = spawn(process.execPath, args, { cwd: info.getProgramDirectory(), env, stdio: 'pipe' });
    const output: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => output.push(chunk));
    child.on('error', reject);
    child.on('close', (code) => {
      const failed = (): string => `the program ended with ${code}: ${Buffer.concat(output).toString()}`;
      const response = new messages.RunResponse().setBail(code === ALREADY_LOGGED);
      resolve(code === 0 || code === ALREADY_LOGGED ? response : response.setError(failed()));
    });
  });
}
