/** The program as it runs in the cluster: bundled to one file, in a process of its own. */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { bundleGateway, GatewayProcess, type Bundle } from './support/gateway/bundle';
import { call, gatewayConfig, metric, type Answer, type TestConfig } from './support/gateway/gateway';
import { Model } from './support/gateway/model';
import { freePorts } from './support/ports';
import { waitFor } from './support/wait';

const MIB = 1024 * 1024;
/** What a ConfigMap may hold, less what else is in it. */
const MAX_STORED_BYTES = 250 * 1024;

let bundle: Bundle;
let model: Model;
const running: GatewayProcess[] = [];
beforeAll(async () => {
  bundle = await bundleGateway();
}, 180_000);
afterAll(() => bundle.remove());
beforeEach(async () => {
  model = await Model.start();
});
afterEach(async () => {
  const left = running.splice(0).filter(({ exitCode }) => exitCode === undefined);
  await Promise.all(left.map((gateway) => gateway.stop()));
  await model.stop();
});

async function start(config: TestConfig = {}): Promise<GatewayProcess> {
  const gateway = GatewayProcess.run(bundle, await gatewayConfig(model.port, config));
  running.push(gateway);
  await gateway.ready();
  return gateway;
}

test('fits into a ConfigMap', () => {
  expect(bundle.storedBytes).toBeLessThan(MAX_STORED_BYTES);
});

test.each([
  ['no configuration', {}, "'service' (undefined) must be of type string"],
  [
    'ports that collide',
    { service: 's', namespace: 'n', model: { name: 'm', version: '1' }, upstream: { port: 9081 } },
    "'listen.port' (9080) must differ from 'admin.port' (9081) and 'upstream.port' (9081)",
  ],
])('with %s it ends, and says why', async (_, config, why) => {
  const gateway = GatewayProcess.run(bundle, config);
  expect(await gateway.ended()).toBe(1);
  const { event, problems } = JSON.parse(gateway.errors) as { event: string; problems: string[] };
  expect(event).toBe('failed');
  expect(problems.join('\n')).toContain(why);
});

test('a body of 300 MB passes in flat memory, is hashed on its way, and found the next time', async () => {
  const gateway = await start({
    routes: [{ path: '/diagnose', cache: { kind: 'diagnosis' } }],
    logRequests: 'all',
  });
  const piece = randomBytes(MIB);
  const pieces = 300;
  const received: string[] = [];
  model.server.removeAllListeners('request');
  model.server.on('request', (request, response) => {
    const hash = createHash('sha256');
    request.on('data', (chunk: Buffer) => hash.update(chunk));
    request.on('error', () => undefined);
    request.on('end', () => {
      received.push(hash.digest('hex'));
      response.end('{"finding":"none"}');
    });
  });
  const idle = gateway.memory;
  let most = 0;
  const sent = createHash('sha256');
  const send = async (feed: (chunk: Buffer) => unknown): Promise<unknown> => {
    const headers = { 'Content-Length': pieces * MIB };
    const request = httpRequest(`${gateway.url}/diagnose`, { method: 'POST', headers, agent: false });
    for (let index = 0; index < pieces; index++) {
      feed(piece);
      if (!request.write(piece)) {
        await once(request, 'drain');
      }
      most = Math.max(most, gateway.memory);
    }
    request.end();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    await once(response.resume(), 'end');
    return response.headers['x-mediform-cache'];
  };
  expect(await send((chunk) => sent.update(chunk))).toBe('miss');
  expect(received).toEqual([sent.digest('hex')]);
  expect(await send(() => undefined)).toMatch(/^hit; tier=hot/);
  expect(received).toHaveLength(1);
  expect((most - idle) / MIB).toBeLessThan(100);
  expect(await metric(gateway.admin, 'mediform_buffered_bytes')).toBe(0);
}, 240_000);

/** Bytes of more than what systems hold in the buffers of a few connections. */
const IN_BUFFERS = 60 * MIB;

test('a model that reads nothing stops the caller, and not one byte more is held', async () => {
  const gateway = await start({ timeouts: { upstream: 60 } });
  model.server.removeAllListeners('request');
  let reading = (): void => undefined;
  let received = 0;
  model.server.on('request', (request, response) => {
    request.pause();
    reading = () => {
      request.on('data', (chunk: Buffer) => (received += chunk.length));
      request.on('end', () => response.end('read')).resume();
    };
  });
  const idle = gateway.memory;
  const headers = { 'Content-Length': 200 * MIB };
  const request = httpRequest(gateway.url, { method: 'POST', headers, agent: false });
  const answered = once(request, 'response');
  const piece = randomBytes(MIB);
  let pieces = 0;
  const feed = (): void => {
    while (pieces < 200 && request.write(piece)) {
      pieces++;
    }
    // the one that filled the buffer counts too
    pieces = Math.min(200, pieces + 1);
  };
  request.on('drain', feed);
  feed();
  await sleep(2_000);
  expect(pieces * MIB).toBeLessThan(IN_BUFFERS);
  expect(gateway.memory - idle).toBeLessThan(IN_BUFFERS);
  reading();
  await waitFor('all to be sent', () => pieces === 200);
  request.end();
  const [response] = (await answered) as [IncomingMessage];
  response.resume();
  expect([response.statusCode, received]).toEqual([200, 200 * MIB]);
}, 180_000);

test('a caller that reads slowly slows the model, and an answer of 200 MB is never held', async () => {
  const gateway = await start({ timeouts: { idle: 30 } });
  const piece = randomBytes(MIB);
  let sent = 0;
  model.behaviour = async (_, response) => {
    for (; sent < 200; sent++) {
      if (!response.write(piece)) {
        await once(response, 'drain');
      }
    }
    response.end();
  };
  const idle = gateway.memory;
  const request = httpRequest(gateway.url, { method: 'POST', agent: false }).end('x');
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  await sleep(2_000);
  expect(sent * MIB).toBeLessThan(IN_BUFFERS);
  expect(gateway.memory - idle).toBeLessThan(IN_BUFFERS);
  let received = 0;
  response.on('data', (chunk: Buffer) => (received += chunk.length));
  await once(response, 'end');
  expect(received).toBe(200 * MIB);
}, 180_000);

describe('on SIGTERM', () => {
  test('under load, all that was taken is answered, and it ends with 0 before its time', async () => {
    const gateway = await start({ admission: { concurrency: 4 }, drain: { timeout: 20 } });
    let held = Promise.resolve();
    let release = (): void => undefined;
    model.behaviour = async (_, response) => {
      await Promise.all([held, sleep(100)]);
      response.end('done');
    };
    let stopping = false;
    const answers: Answer[] = [];
    let refused = 0;
    const caller = async (): Promise<void> => {
      while (!stopping || refused === 0) {
        try {
          answers.push(await call(gateway.url, { body: 'x' }));
        } catch (error) {
          // only who comes when the door is closed, or stands before it in the system's queue as it closes
          expect(['ECONNREFUSED', 'ECONNRESET']).toContain((error as NodeJS.ErrnoException).code);
          refused++;
          return;
        }
      }
    };
    const callers = Array.from({ length: 30 }, caller);
    const waiting = call(`${gateway.admin}/drained`);
    await waitFor('load', () => answers.length > 30);
    // nothing is finished before everybody has seen that it drains
    held = new Promise((resolve) => (release = resolve));
    gateway.signal('SIGTERM');
    stopping = true;
    await waitFor('not ready', async () => (await call(`${gateway.admin}/readyz`)).status === 503, { pauseMs: 5 });
    release();
    await Promise.all(callers);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(await waiting).toMatchObject({ status: 200, text: 'drained\n' });
    // with 1 where its time is up
    expect(await gateway.ended()).toBe(0);
    expect(model.asked.length).toBe(answers.length);
    expect(gateway.output).toMatch(/"event":"drained".*"cutOff":0/);
  }, 180_000);

  test('the model’s hook is told when the last request has been, and no sooner', async () => {
    const gateway = await start({ drain: { timeout: 20 } });
    let go = (): void => undefined;
    model.behaviour = async (_, response) => {
      await new Promise<void>((resolve) => (go = resolve));
      response.end();
    };
    const order: string[] = [];
    const answer = call(gateway.url, { body: 'x' }).then(() => order.push('answered'));
    await waitFor('the model works', () => model.asked.length === 1);
    const hook = call(`${gateway.admin}/drained`).then(({ status }) => order.push(`drained ${status}`));
    gateway.signal('SIGTERM');
    await waitFor('not ready', async () => (await call(`${gateway.admin}/readyz`)).status === 503);
    await sleep(500);
    expect(order).toEqual([]);
    go();
    await Promise.all([answer, hook]);
    expect(order).toEqual(['answered', 'drained 200']);
    expect(await gateway.ended()).toBe(0);
  });

  test('what takes too long is cut off, and it ends with 1', async () => {
    const gateway = await start({ drain: { timeout: 0.5 } });
    model.behaviour = () => undefined;
    const answer = call(gateway.url, { body: 'x' });
    answer.catch(() => undefined);
    await waitFor('the model works', () => model.asked.length === 1);
    gateway.signal('SIGTERM');
    expect(await gateway.ended()).toBe(1);
    await expect(answer).rejects.toThrow();
    expect(gateway.output).toContain('"cutOff":1');
  });

  test('callers on kept connections are told to go', async () => {
    const gateway = await start({ drain: { timeout: 20 } });
    let go = (): void => undefined;
    model.behaviour = async (_, response) => {
      await new Promise<void>((resolve) => (go = resolve));
      response.end();
    };
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const request = httpRequest(gateway.url, { method: 'POST', agent }).end('x');
    await waitFor('the model works', () => model.asked.length === 1);
    gateway.signal('SIGTERM');
    await waitFor('not ready', async () => (await call(`${gateway.admin}/readyz`)).status === 503);
    go();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    response.resume();
    expect(response.statusCode).toBe(200);
    expect(await gateway.ended()).toBe(0);
    agent.destroy();
  });
});

test('the death of the model does not end it, and its return is enough', async () => {
  await model.stop();
  model = await Model.start((await freePorts(1))[0]);
  const gateway = await start();
  expect(await call(gateway.url, { body: 'x' })).toMatchObject({ status: 200 });
  const { port } = model;
  await model.stop();
  // nobody else may take the port meanwhile: it is not one that the system hands out
  expect(await call(gateway.url, { body: 'x' })).toMatchObject({ status: 503 });
  model = await Model.start(port);
  expect(await call(gateway.url, { body: 'x' })).toMatchObject({ status: 200 });
  await waitFor('ready', async () => (await call(`${gateway.admin}/readyz`)).status === 200);
});
