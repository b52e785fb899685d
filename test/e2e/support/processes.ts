import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, existsSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A server to run. */
export interface Server {
  /** Unique among the servers that run together; its log has this name. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** @default - nothing but PATH and a HOME in the folder */
  readonly env?: { readonly [variable: string]: string };
}

type Message =
  | { readonly event: 'ready' }
  | { readonly event: 'started'; readonly name: string; readonly pid: number }
  | { readonly event: 'ended'; readonly name: string; readonly how: string };

/**
 * Servers of a test, and a folder for their files. A process of its own supervises them: it kills them and removes the
 * folder at `stop()`, and also when this process ends without it, even by SIGKILL.
 */
export class Processes {
  private readonly running = new Map<string, number | undefined>();
  private readonly endings = new Map<string, string>();

  private constructor(
    readonly folder: string,
    private readonly supervisor: ChildProcess,
  ) {
    supervisor.on('message', (message: Message) => this.receive(message));
  }

  static async start(): Promise<Processes> {
    const folder = join(tmpdir(), `mediform-e2e-${randomBytes(6).toString('hex')}`);
    const supervisor = spawn(process.execPath, [require.resolve('./supervisor.mjs'), folder], {
      // out of reach of a Ctrl-C in the terminal, which is this process's to handle
      detached: true,
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const processes = new Processes(folder, supervisor);
    await once(supervisor, 'message');
    // a forgotten stop() must not keep this process alive
    supervisor.unref();
    supervisor.channel?.unref();
    return processes;
  }

  /** Starts a server; when it is ready is for the caller to see. */
  run({ name, command, args, env = {} }: Server): void {
    if (this.running.has(name)) {
      throw new Error(`${name} runs already`);
    }
    this.running.set(name, undefined);
    this.endings.delete(name);
    const base = { PATH: process.env.PATH ?? '', HOME: this.folder };
    this.supervisor.send({ start: { name, command, args, env: { ...base, ...env } } });
  }

  /** Ends one server at once. */
  async kill(name: string): Promise<void> {
    this.supervisor.send({ kill: name });
    while (this.running.has(name)) {
      await once(this.supervisor, 'message');
    }
    this.endings.delete(name);
  }

  /** Sends a signal to a server and its children, such as SIGSTOP to one that is to be slow. */
  signal(name: string, signal: NodeJS.Signals): void {
    const pid = this.running.get(name);
    if (pid === undefined) {
      throw new Error(`${name} does not run`);
    }
    process.kill(-pid, signal);
  }

  /** Throws with the end of its log where a server ended that nobody ended. */
  assertRunning(): void {
    const [ending] = this.endings;
    if (ending !== undefined) {
      const [name, how] = ending;
      throw new Error(`${name} has ended (${how}):\n${this.logTail(name)}`);
    }
    if (this.supervisor.exitCode !== null || this.supervisor.signalCode !== null) {
      throw new Error('the supervisor of the servers has ended');
    }
  }

  /** The last lines of a server's log. */
  logTail(name: string, lines = 20): string {
    const path = join(this.folder, 'logs', `${name}.log`);
    return existsSync(path) ? readFileSync(path, 'utf8').trimEnd().split('\n').slice(-lines).join('\n') : '(no log)';
  }

  /** Copies the logs out of the folder, which is about to go. */
  keepLogs(): string {
    const kept = `${this.folder}-logs`;
    cpSync(join(this.folder, 'logs'), kept, { recursive: true });
    return kept;
  }

  /** Ends everything and removes the folder. */
  async stop(): Promise<void> {
    if (this.supervisor.exitCode !== null || this.supervisor.signalCode !== null) {
      return;
    }
    this.supervisor.ref();
    const ended = once(this.supervisor, 'exit');
    if (this.supervisor.connected) {
      this.supervisor.send({ stop: true });
    }
    await ended;
  }

  private receive(message: Message): void {
    if (message.event === 'started') {
      this.running.set(message.name, message.pid);
    } else if (message.event === 'ended') {
      this.running.delete(message.name);
      this.endings.set(message.name, message.how);
    }
  }
}
