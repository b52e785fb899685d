/** The program of the gateway: reads its configuration, runs until SIGTERM, drains, and ends. */
import { ConfigurationError } from '../../constructs/plan/errors';
import { CONFIG_PATH, CONFIG_VARIABLE } from '../../constructs/plan/gateway/names';
import { readGatewayConfig } from './config';
import { startGateway } from './gateway';

async function main(): Promise<void> {
  const gateway = await startGateway(readGatewayConfig(process.env[CONFIG_VARIABLE] ?? CONFIG_PATH));
  const stop = (): void => {
    gateway.drain().then((finished) => process.exit(finished ? 0 : 1), failed);
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}

/** Says what has gone wrong, and nothing of what it was about, which may be a request's. */
function failed(error: unknown): void {
  const facts =
    error instanceof ConfigurationError
      ? { problems: error.problems }
      : {
          name: (error as Error).name,
          code: (error as NodeJS.ErrnoException).code,
          at: (error as Error).stack?.split('\n').filter((line) => /^\s+at /.test(line)),
        };
  process.stderr.write(
    `${JSON.stringify({ time: new Date().toISOString(), level: 'error', event: 'failed', ...facts })}\n`,
  );
  process.exit(1);
}

process.on('uncaughtException', failed);
main().catch(failed);
