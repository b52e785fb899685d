/** A TCP proxy on the loopback interface that can be cut: what a network does between servers that are well. */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { freePorts } from './ports';

export class Proxy {
  private readonly sockets = new Set<Socket>();
  private cut = false;
  private delayMs = 0;

  private constructor(
    readonly port: number,
    private readonly server: Server,
  ) {}

  /** A proxy before a port. */
  static async before(target: number): Promise<Proxy> {
    const [port = 0] = await freePorts(1);
    const server = createServer();
    const proxy = new Proxy(port, server);
    server.on('connection', (socket) => proxy.join(socket, connect(target, '127.0.0.1')));
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    return proxy;
  }

  /** Swallows everything without a word, as a broken network does; nobody's connection ends. */
  partition(): void {
    this.cut = true;
  }

  /** Holds back everything for some time, each way. */
  slowDown(delayMs: number): void {
    this.delayMs = delayMs;
  }

  /** Lets new connections through; those from before the partition are gone. */
  heal(): void {
    this.cut = false;
    this.reset();
  }

  /** Ends all connections. */
  reset(): void {
    this.sockets.forEach((socket) => socket.destroy());
  }

  async close(): Promise<void> {
    this.reset();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private join(client: Socket, target: Socket): void {
    for (const [from, to] of [
      [client, target],
      [target, client],
    ] as const) {
      this.sockets.add(from);
      from.setNoDelay(true);
      from.on('data', (data) => {
        if (this.delayMs > 0) {
          setTimeout(() => to.write(data), this.delayMs).unref();
        } else if (!this.cut) {
          to.write(data);
        }
      });
      from.on('error', () => undefined);
      from.on('close', () => {
        this.sockets.delete(from);
        to.destroy();
      });
    }
  }
}
