/** Answers of models that close the connection before they have read the question. */
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { Worker } from 'node:worker_threads';
import { Upstream } from '../../../runtime/gateway/upstream';

/** A model on a thread of its own: it answers as soon as something comes, resets the connection, and then raises the flag. */
const MODEL = `
  const { parentPort, workerData } = require('node:worker_threads');
  const { flag, answer } = workerData;
  const server = require('node:net').createServer((socket) => {
    socket.once('data', () => {
      socket.pause();
      socket.on('close', () => setTimeout(() => Atomics.notify(flag, 0, Atomics.store(flag, 0, 1)), 20));
      const reset = () => socket.resetAndDestroy();
      answer === '' ? reset() : socket.write(answer, reset);
    });
  });
  server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
`;

/** What comes of a question whose second half is written when the model has answered and gone. */
async function ask(answer: string): Promise<string> {
  const flag = new Int32Array(new SharedArrayBuffer(4));
  const model = new Worker(MODEL, { eval: true, workerData: { flag, answer } });
  const [port] = (await once(model, 'message')) as [number];
  const timeouts = { headers: 1, idle: 1, keepAlive: 1, connect: 1, upstream: 5 };
  const upstream = new Upstream({ port, host: '127.0.0.1', readinessPath: '/' }, timeouts, 1);
  try {
    const { request, answered } = upstream.start({ method: 'POST', target: '/', headers: ['Content-Length', '2000'] });
    await new Promise((resolve) => request.write('x'.repeat(1_000), resolve));
    // this thread reads nothing meanwhile
    Atomics.wait(flag, 0, 0);
    request.write('y'.repeat(1_000));
    const response = await answered;
    return `${response.statusCode} ${await text(response)}`;
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  } finally {
    upstream.close();
    await model.terminate();
  }
}

test('an answer is read though the rest of the question can no longer be written', async () => {
  expect(await ask('HTTP/1.1 413 Too Large\r\nContent-Length: 9\r\n\r\ntoo large')).toBe('413 too large');
});

test('without an answer the connection is lost', async () => {
  expect(await ask('')).toBe('ECONNRESET');
});

test('half an answer is none', async () => {
  expect(await ask('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf')).toBe('ECONNRESET');
});
