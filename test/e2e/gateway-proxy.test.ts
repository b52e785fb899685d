/** What passes through the gateway, and what does not: real servers on both sides. */
import { once } from 'node:events';
import { createServer, request as httpRequest, type IncomingMessage } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { startGateway } from '../../runtime/gateway';
import { call, gatewayConfig, metric, stage, type Stage } from './support/gateway/gateway';
import { waitFor } from './support/wait';

let current: Stage;
const start = async (...config: Parameters<typeof stage>): Promise<Stage> => (current = await stage(...config));
afterEach(() => current.stop());

describe('a request', () => {
  test('reaches the model as it came, but for what belongs to the connection', async () => {
    const { url, model } = await start();
    const headers = {
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      tracestate: 'a=b',
      'X-Study': ['1', '2'],
      Connection: 'close, X-Hop',
      'X-Hop': 'x',
      'Accept-Encoding': 'gzip',
      'X-Mediform-Tenant': 'forged',
    };
    await call(`${url}/v1/%64o?a=%2e&b`, { method: 'PUT', headers, body: 'image' });
    const [asked] = model.asked;
    expect(asked).toMatchObject({ method: 'PUT', url: '/v1/do?a=%2e&b' });
    expect(asked?.body?.toString()).toBe('image');
    expect(asked?.headers).toMatchObject({
      traceparent: headers.traceparent,
      tracestate: 'a=b',
      'x-study': '1, 2',
      'content-length': '5',
      'x-mediform-priority': 'normal',
      host: new URL(url).host,
    });
    for (const name of ['x-hop', 'accept-encoding', 'x-mediform-tenant']) {
      expect(asked?.headers).not.toHaveProperty(name);
    }
  });

  test('without a body has none at the model either', async () => {
    const { url, model } = await start();
    await call(url, { method: 'GET' });
    await call(url, { method: 'POST' });
    expect(model.asked.map(({ headers }) => headers['content-length'])).toEqual([undefined, '0']);
  });

  test('in chunks of unknown length gets one where it is held, and stays in chunks where it streams', async () => {
    const { url, model } = await start({ body: { bufferBytes: 1_000, totalBufferBytes: 10_000 } });
    const send = async (bytes: number): Promise<void> => {
      const request = httpRequest(url, { method: 'POST', agent: false });
      request.write('a'.repeat(bytes));
      request.end('b');
      const [response] = (await once(request, 'response')) as [IncomingMessage];
      response.resume();
      await once(response, 'end');
    };
    await send(10);
    await send(5_000);
    expect(model.asked.map(({ headers }) => [headers['content-length'], headers['transfer-encoding']])).toEqual([
      ['11', undefined],
      [undefined, 'chunked'],
    ]);
    expect(model.asked.map(({ headers }) => headers['x-bytes'])).toEqual(['11', '5001']);
  });

  test('that waits to be invited is invited', async () => {
    const { url, model } = await start({ body: { bufferBytes: 1_000, totalBufferBytes: 10_000 } });
    for (const bytes of [10, 100_000]) {
      const headers = { Expect: '100-continue', 'Content-Length': bytes };
      const request = httpRequest(url, { method: 'POST', headers, agent: false });
      request.flushHeaders();
      await once(request, 'continue');
      request.end('a'.repeat(bytes));
      const [response] = (await once(request, 'response')) as [IncomingMessage];
      response.resume();
      expect(response.statusCode).toBe(200);
    }
    expect(model.asked).toHaveLength(2);
  });

  test('that is refused before it is invited is not read', async () => {
    const { url, model } = await start({ body: { maxBytes: 1_000, bufferBytes: 500, totalBufferBytes: 500 } });
    const headers = { Expect: '100-continue', 'Content-Length': '5000' };
    const answer = await call(url, { method: 'POST', headers });
    expect(answer.status).toBe(413);
    expect(answer.headers.connection).toBe('close');
    expect(model.asked).toHaveLength(0);
  });

  test.each([
    ['/a/../b', 400, 'ambiguous_target'],
    ['/a//b', 400, 'ambiguous_target'],
    ['/a%2fb', 400, 'ambiguous_target'],
    ['/other', 404, 'no_route'],
  ])('for %s is answered %d', async (path, status, detail) => {
    const { url, model } = await start({ routes: [{ path: '/infer' }], unmatched: 'refuse' });
    const answer = await new Promise<IncomingMessage>((resolve) => {
      const { hostname, port } = new URL(url);
      httpRequest({ hostname, port, path, agent: false }, resolve).end();
    });
    const [body] = (await once(answer, 'data')) as [Buffer];
    expect(answer.statusCode).toBe(status);
    expect(answer.headers['content-type']).toBe('application/problem+json');
    expect(JSON.parse(body.toString())).toMatchObject({ status, detail });
    expect(model.asked).toHaveLength(0);
  });
});

describe('an answer', () => {
  test('reaches the caller as it came, but for what belongs to the connection and what is ours', async () => {
    const { url, model } = await start();
    model.behaviour = (_, response) => {
      response.writeHead(418, [
        ...['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'X-Score', '0.9'],
        ...['X-Mediform-Cache', 'hit; tier=forged', 'Connection', 'X-Hop', 'X-Hop', '1'],
      ]);
      response.end('teapot');
    };
    const { status, headers, text } = await call(url);
    expect([status, text]).toEqual([418, 'teapot']);
    expect(headers).toMatchObject({ 'set-cookie': ['a=1', 'b=2'], 'x-score': '0.9' });
    expect(headers['x-mediform-model']).toBe('resnet50; version=1.4.2');
    expect(headers).not.toHaveProperty('x-mediform-cache');
    expect(headers).not.toHaveProperty('x-hop');
  });

  test('to HEAD, and one without a body, has none', async () => {
    const { url, model } = await start();
    expect(await call(url, { method: 'HEAD' })).toMatchObject({ status: 200, text: '' });
    model.behaviour = (_, response) => response.writeHead(204).end();
    expect(await call(url)).toMatchObject({ status: 204, text: '' });
  });

  test('that streams arrives piece by piece, and its tokens are counted', async () => {
    const { url, admin, model } = await start();
    let next = (): void => undefined;
    model.behaviour = async (_, response) => {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      response.write('data: {"choices":[{"delta":{"content":"no"}}]}\n\n');
      await new Promise<void>((resolve) => (next = resolve));
      response.end('data: {"usage":{"prompt_tokens":12,"completion_tokens":5}}\n\ndata: [DONE]\n\n');
    };
    const request = httpRequest(url, { method: 'POST', agent: false });
    request.end('{}');
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    const [first] = (await once(response, 'data')) as [Buffer];
    expect(first.toString()).toContain('"no"');
    expect(await metric(admin, 'mediform_requests_in_flight', { priority: 'normal' })).toBe(1);
    next();
    await once(response.resume(), 'end');
    expect(await metric(admin, 'mediform_tokens_total', { direction: 'input' })).toBe(12);
    expect(await metric(admin, 'mediform_tokens_total', { direction: 'output' })).toBe(5);
    expect(await metric(admin, 'mediform_requests_in_flight', { priority: 'normal' })).toBe(0);
  });

  test('is not lost where the model answers before it has read all', async () => {
    const { url, admin, model } = await start();
    model.server.removeAllListeners('request');
    model.server.on('request', (_, response) => {
      // who closes at once, with bytes unread, takes back what it has said: that is TCP
      response.writeHead(413).end('too large');
    });
    const answer = await call(url, { body: Buffer.alloc(20_000_000) });
    expect([answer.status, answer.text]).toEqual([413, 'too large']);
    await waitFor(
      'the place is free',
      async () => (await metric(admin, 'mediform_requests_in_flight', { priority: 'normal' })) === 0,
    );
  });
});

describe('a model that', () => {
  test('does not listen is 503, and its work is counted as failed', async () => {
    const { url, admin, model, lines } = await start();
    await model.stop();
    const answer = await call(url, { body: 'x' });
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '1']);
    expect(JSON.parse(answer.text)).toMatchObject({ detail: 'model_not_listening' });
    expect(await metric(admin, 'requests_total', { code: '503', priority: 'normal' })).toBe(1);
    await waitFor('the log', () => lines('request').length > 0);
    expect(lines('request')).toMatchObject([{ code: 503, reason: 'model_not_listening', level: 'warn' }]);
  });

  test('dies before it answers is 502', async () => {
    const { url, model } = await start();
    model.behaviour = (_, response) => response.socket?.destroy();
    expect(await call(url, { body: 'x' })).toMatchObject({ status: 502 });
  });

  test('dies in its answer cuts the answer, so that nobody takes it for whole', async () => {
    const { url, admin, model } = await start();
    model.behaviour = (_, response) => {
      response.writeHead(200, { 'Content-Length': '1000' });
      response.write('half', () => response.socket?.destroy());
    };
    await expect(call(url, { body: 'x' })).rejects.toThrow(/cut|aborted|hang up/);
    await waitFor(
      'the failure',
      async () => (await metric(admin, 'requests_total', { code: '502', priority: 'normal' })) === 1,
    );
    expect(await metric(admin, 'mediform_requests_in_flight', { priority: 'normal' })).toBe(0);
  });

  test('is silent for too long is 504', async () => {
    const { url, model } = await start({ timeouts: { upstream: 0.3 } });
    model.behaviour = () => undefined;
    expect(await call(url, { body: 'x' })).toMatchObject({ status: 504 });
  });

  test('speaks no HTTP is 502', async () => {
    const { url, model } = await start();
    model.behaviour = (_, response) => response.socket?.end('SSH-2.0-OpenSSH_9.2\r\n');
    const answer = await call(url, { body: 'x' });
    expect([answer.status, JSON.parse(answer.text)]).toMatchObject([502, { detail: 'model_speaks_no_http' }]);
  });

  test('closes an unused connection in the moment that it is used is asked again, where that is safe', async () => {
    const { url, model } = await start();
    const fresh = new WeakSet();
    model.server.removeAllListeners('request');
    // the second request on each connection meets a reset
    model.server.on('request', (request, response) => {
      if (fresh.has(request.socket)) {
        request.socket.resetAndDestroy();
      } else {
        fresh.add(request.socket);
        response.end('ok');
      }
    });
    expect(await call(url)).toMatchObject({ status: 200 });
    expect(await call(url)).toMatchObject({ status: 200 });
    expect(await call(url, { body: 'x' })).toMatchObject({ status: 502 });
  });

  test('is not ready makes the gateway not ready, and alive', async () => {
    const { admin, model } = await start();
    expect(await call(`${admin}/readyz`)).toMatchObject({ status: 200 });
    model.ready = false;
    await waitFor('not ready', async () => (await call(`${admin}/readyz`)).status === 503);
    await model.stop();
    await sleep(600);
    expect(await call(`${admin}/readyz`)).toMatchObject({ status: 503 });
    expect(await call(`${admin}/healthz`)).toMatchObject({ status: 200 });
  });
});

describe('a caller that', () => {
  test('leaves while the model works lets go of the model', async () => {
    const { url, admin, model } = await start();
    let closed = false;
    model.behaviour = (_, response) => response.once('close', () => (closed = true));
    const leaving = new AbortController();
    const answer = call(url, { body: 'x', signal: leaving.signal });
    await waitFor('the model works', () => model.asked.length === 1);
    leaving.abort();
    await expect(answer).rejects.toThrow();
    await waitFor('the model is let go', () => closed);
    await waitFor('499', async () => (await metric(admin, 'requests_total', { code: '499' })) === 1);
    expect(await metric(admin, 'mediform_requests_in_flight', { priority: 'normal' })).toBe(0);
    expect(await metric(admin, 'request_duration_seconds_count', { priority: 'normal' })).toBe(0);
  });

  test('leaves in the middle of its body leaves nothing behind', async () => {
    const { url, admin } = await start({ body: { bufferBytes: 1_000, totalBufferBytes: 10_000 } });
    for (const bytes of [10, 100_000]) {
      const socket = connect(Number(new URL(url).port), '127.0.0.1');
      const begun = `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n${'a'.repeat(bytes)}`;
      await new Promise((resolve) => socket.write(begun, resolve));
      socket.destroy();
    }
    await waitFor('both are over', async () => (await metric(admin, 'requests_total', { code: '499' })) === 2);
    for (const name of ['mediform_requests_in_flight', 'request_queue_length', 'mediform_buffered_bytes']) {
      expect(await metric(admin, name)).toBe(0);
    }
  });
});

test('metrics and health do not exist on the port of the model’s routes', async () => {
  const { url, model } = await start();
  const { text } = await call(`${url}/metrics`);
  expect(text).toContain('finding');
  expect(model.asked[0]?.url).toBe('/metrics');
});

test('an Upgrade is not made, and the request is answered', async () => {
  const { url, model } = await start();
  const headers = { Connection: 'Upgrade', Upgrade: 'websocket' };
  expect(await call(url, { headers })).toMatchObject({ status: 200 });
  expect(model.asked[0]?.headers).not.toHaveProperty('upgrade');
});

test('series exist before the first request, so that a service nobody asks yet can scale in', async () => {
  const { admin } = await start();
  for (const priority of ['emergency', 'normal', 'batch']) {
    expect(await metric(admin, 'request_queue_length', { priority, service: 'ct', model: 'resnet50' })).toBe(0);
    expect(await metric(admin, 'request_duration_seconds_bucket', { priority, le: '5' })).toBe(0);
    for (const code of ['200', '500', '502', '503', '504']) {
      expect(await metric(admin, 'requests_total', { priority, code })).toBe(0);
    }
  }
});

test.each(['listen', 'admin'] as const)('a port that is taken (%s) is an error, and nothing goes on', async (which) => {
  const { model } = await start();
  const server = createServer().listen({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const config = await gatewayConfig(model.port, { [which]: { port } });
  await expect(startGateway(config)).rejects.toThrow('EADDRINUSE');
  const other = which === 'listen' ? config.admin?.port : config.listen?.port;
  await expect(call(`http://127.0.0.1:${other}/healthz`)).rejects.toThrow('ECONNREFUSED');
  server.close();
});
