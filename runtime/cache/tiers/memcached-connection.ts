import { readFileSync } from 'node:fs';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';

/** The server said no. */
export class MemcachedRefusal extends Error {}

/** How to reach one server. */
export interface MemcachedServer {
  readonly host: string;
  readonly port: number;
  /** @default - no TLS */
  readonly tls?: {
    readonly ca?: string;
    /** Certificate that we show, with its key. */
    readonly certificateFile?: string;
    readonly keyFile?: string;
  };
  /** @default - no authentication */
  readonly login?: { readonly username: string; readonly password: string };
}

/** A reply of the meta protocol: `HD`, `EN`, `NF`, `NS`, or a value. */
interface Reply {
  readonly code: string;
  readonly value?: Buffer;
}

interface Waiter {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
}

/** A connection that answers nothing for so long is given up. */
const SILENCE_MS = 1_000;
const MAX_PAUSE_MS = 1_000;
const CRLF = Buffer.from('\r\n');

/**
 * One connection to a memcached, by the meta protocol (memcached 1.6). A client of our own, since of those that are kept
 * none has both TLS and values that are not text. Answers come in the order of the commands.
 */
export class MemcachedConnection {
  private socket: Socket | undefined;
  private ready = false;
  private closed = false;
  private failures = 0;
  private retry: NodeJS.Timeout | undefined;
  private readonly waiting: Waiter[] = [];
  private chunks: Buffer[] = [];
  private received = 0;
  /** Bytes without which there is no point in looking. */
  private needed = 0;

  constructor(private readonly server: MemcachedServer) {
    this.connect();
  }

  get connected(): boolean {
    return this.ready;
  }

  /** Sends a command that has one reply. Fails at once while there is no connection. */
  command(line: string, value?: Uint8Array): Promise<Reply> {
    if (!this.ready) {
      return Promise.reject(new Error('not connected'));
    }
    return this.send(line, value);
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.retry);
    this.lose(new Error('closed'));
  }

  private connect(): void {
    const { host, port, tls } = this.server;
    const socket =
      tls === undefined
        ? connectTcp({ host, port, noDelay: true })
        : connectTls({ host, port, ...(isIP(host) === 0 && { servername: host }), ...identities(tls) });
    this.socket = socket;
    socket.setNoDelay(true);
    socket.setTimeout(SILENCE_MS, () => {
      // silence is no fault where nothing was asked
      if (!this.ready || this.waiting.length > 0) {
        socket.destroy(new Error('silent for too long'));
      }
    });
    socket.on(tls === undefined ? 'connect' : 'secureConnect', () => this.login());
    socket.on('data', (data: Buffer) => this.receive(data));
    socket.on('error', (error: Error) => this.lose(error));
    socket.on('close', () => this.lose(new Error('connection closed')));
  }

  private login(): void {
    const { login } = this.server;
    const connected = (): void => {
      this.ready = true;
    };
    if (login === undefined) {
      connected();
      return;
    }
    const words = Buffer.from(`${login.username} ${login.password}`);
    this.send(`set auth 0 0 ${words.length}`, words).then(connected, (error: unknown) => this.lose(error as Error));
  }

  private send(line: string, value?: Uint8Array): Promise<Reply> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ resolve, reject });
      const { socket } = this;
      if (value === undefined) {
        socket?.write(`${line}\r\n`);
      } else {
        socket?.cork();
        socket?.write(`${line}\r\n`);
        socket?.write(value);
        socket?.write(CRLF);
        socket?.uncork();
      }
    });
  }

  private receive(data: Buffer): void {
    this.chunks.push(data);
    this.received += data.length;
    if (this.received < this.needed) {
      return;
    }
    let left = this.chunks.length === 1 ? data : Buffer.concat(this.chunks);
    this.needed = 0;
    for (;;) {
      const end = left.indexOf(CRLF);
      if (end < 0) {
        break;
      }
      const line = left.toString('latin1', 0, end);
      if (line.startsWith('VA ')) {
        const size = Number(line.split(' ')[1]);
        const after = end + 2 + size + 2;
        if (left.length < after) {
          this.needed = after;
          break;
        }
        // a copy, so that a small value does not hold on to what it came with
        this.answer({ code: 'VA', value: Buffer.from(left.subarray(end + 2, end + 2 + size)) });
        left = left.subarray(after);
      } else {
        this.reply(line);
        left = left.subarray(end + 2);
      }
    }
    this.chunks = left.length === 0 ? [] : [left];
    this.received = left.length;
  }

  private reply(line: string): void {
    const code = line.split(' ', 1)[0] ?? '';
    if (/^(SERVER_ERROR|CLIENT_ERROR|ERROR)$/.test(code)) {
      // the words of a server may quote what was sent to it
      this.waiting.shift()?.reject(new MemcachedRefusal(code));
    } else {
      this.answer({ code });
    }
  }

  private answer(reply: Reply): void {
    // who is not let in learns it only after the connection was made
    this.failures = 0;
    this.waiting.shift()?.resolve(reply);
  }

  private lose(error: Error): void {
    const { socket } = this;
    if (socket === undefined) {
      return;
    }
    this.socket = undefined;
    this.ready = false;
    this.chunks = [];
    this.received = 0;
    this.needed = 0;
    socket.removeAllListeners('data').destroy();
    this.waiting.splice(0).forEach(({ reject }) => reject(error));
    this.retryLater();
  }

  private reconnect(): void {
    try {
      this.connect();
    } catch {
      // the files of the certificate are not there, or not yet a pair
      this.retryLater();
    }
  }

  private retryLater(): void {
    if (!this.closed) {
      const pause = (0.5 + Math.random() / 2) * Math.min(MAX_PAUSE_MS, 50 * 2 ** this.failures++);
      this.retry = setTimeout(() => this.reconnect(), pause);
    }
  }
}

/** Read for each connection: certificates are renewed while we run. */
function identities({ ca, certificateFile, keyFile }: NonNullable<MemcachedServer['tls']>): ConnectionOptions {
  return {
    ...(ca !== undefined && { ca }),
    ...(certificateFile !== undefined && { cert: readFileSync(certificateFile) }),
    ...(keyFile !== undefined && { key: readFileSync(keyFile) }),
  };
}
