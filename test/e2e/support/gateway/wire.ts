import { connect, type Socket } from 'node:net';

/** What came back on a connection until it was closed, or nothing more came. */
export interface Wire {
  readonly text: string;
  /** Whether the other side closed it. */
  readonly closed: boolean;
}

/** Sends bytes on a connection of its own, and reads until the other side closes it or is silent for a while. */
export function send(port: number, bytes: string | Buffer, quietMs = 2_000): Promise<Wire> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    let quiet: NodeJS.Timeout;
    const end = (closed: boolean): void => {
      clearTimeout(quiet);
      socket.destroy();
      resolve({ text, closed });
    };
    const wait = (): void => {
      clearTimeout(quiet);
      quiet = setTimeout(() => end(false), quietMs);
    };
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      wait();
    });
    socket.on('close', () => end(true));
    socket.on('error', () => end(true));
    socket.write(bytes, 'latin1');
    wait();
  });
}

/** Resolves with the milliseconds until the other side closes a connection. */
export function untilClosed(socket: Socket): Promise<number> {
  const start = performance.now();
  return new Promise((resolve) => {
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(performance.now() - start));
    socket.resume();
  });
}

/** Numbers that look random and are the same each time: Mulberry32, uniform in [0, 1). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
