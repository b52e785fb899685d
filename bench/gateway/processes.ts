/** The processes of a measurement: all in plain Node, each bundled to one file. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import type { GatewayConfig } from '../../constructs/plan/gateway/config';

/** Linux counts in hundredths of a second, whatever the processor. */
const TICKS_PER_SECOND = 100;

/** A server that is measured. */
export class Measured {
  constructor(
    readonly port: number,
    private readonly child: ChildProcess,
  ) {}

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Seconds of processor time so far. */
  get processorSeconds(): number {
    const fields = readFileSync(`/proc/${this.child.pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  }

  /** Resident memory in MiB. */
  get memoryMiB(): number {
    const status = readFileSync(`/proc/${this.child.pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) / 1024;
  }

  stop(): void {
    this.child.kill('SIGKILL');
  }
}

/** Starts and ends the processes of one run. */
export class Workshop {
  private readonly folder = mkdtempSync(join(tmpdir(), 'mediform-bench-'));
  private readonly started: Measured[] = [];

  async prepare(): Promise<void> {
    await build({
      entryPoints: {
        gateway: join(__dirname, '../../runtime/gateway/main.ts'),
        server: join(__dirname, 'server.ts'),
        crowd: join(__dirname, 'crowd.ts'),
      },
      outdir: this.folder,
      bundle: true,
      // as the program is bundled for a cluster
      minifySyntax: true,
      minifyWhitespace: true,
      platform: 'node',
      target: 'node20',
      external: ['pg-native'],
      logLevel: 'warning',
    });
  }

  /** @param what `bare` or `model`, as in server.ts */
  async server(what: 'bare' | 'model'): Promise<Measured> {
    const child = spawn(process.execPath, [join(this.folder, 'server.js'), what], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    return this.#keep(new Measured(Number(line), child));
  }

  /** Callers who are not emergencies, in a process of their own; gives how many were shed. */
  async crowd(url: string, perSecond: number, seconds: number, serviceMs: number): Promise<number> {
    const run = promisify(execFile);
    const { stdout } = await run(process.execPath, [
      join(this.folder, 'crowd.js'),
      ...[url, perSecond, seconds, serviceMs].map(String),
    ]);
    return Number(stdout);
  }

  /** A gateway before a model, with its log thrown away. */
  async gateway(config: Omit<GatewayConfig, 'service' | 'namespace' | 'listen' | 'admin'>): Promise<Measured> {
    const [port, adminPort] = [await freePort(), await freePort()];
    const host = '127.0.0.1';
    const whole: GatewayConfig = {
      service: 'ct',
      namespace: 'imaging',
      ...config,
      listen: { port, host },
      admin: { port: adminPort, host },
    };
    const file = join(this.folder, `config-${port}.json`);
    writeFileSync(file, JSON.stringify(whole));
    const child = spawn(process.execPath, [join(this.folder, 'gateway.js')], {
      env: { PATH: process.env.PATH, MEDIFORM_CONFIG: file },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const gateway = this.#keep(new Measured(port, child));
    for (let attempt = 0; attempt < 100; attempt++) {
      const up = await fetch(`http://127.0.0.1:${adminPort}/healthz`).then(
        ({ ok }) => ok,
        () => false,
      );
      if (up) {
        return gateway;
      }
      await sleep(50);
    }
    throw new Error('the gateway does not answer');
  }

  clear(): void {
    this.started.forEach((process) => process.stop());
    rmSync(this.folder, { recursive: true });
  }

  #keep(process: Measured): Measured {
    this.started.push(process);
    return process;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
