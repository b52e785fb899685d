import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/** Below the range that the kernel takes outgoing connections' ports from. */
const FIRST = 20_000;
const LAST = 32_000;
const handedOut = new Set<number>();

/** Ports of the loopback interface that nobody listens on, each handed out once. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) {
    const port = randomInt(FIRST, LAST);
    if (!handedOut.has(port) && (await isFree(port))) {
      handedOut.add(port);
      ports.push(port);
    }
  }
  return ports;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}
