/** Callers that mean no good: smuggling, malformed requests, slow ones. All on raw sockets. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { call, metric, stage, type Stage } from './support/gateway/gateway';
import { seeded, send, untilClosed } from './support/gateway/wire';
import { waitFor } from './support/wait';

let current: Stage;
const start = async (...config: Parameters<typeof stage>): Promise<Stage> => (current = await stage(...config));
afterEach(() => current.stop());

describe('smuggling', () => {
  const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n';
  test.each([
    ['two lengths', 'Content-Length: 0\r\nContent-Length: 36', smuggled],
    ['two equal lengths', `Content-Length: 36\r\nContent-Length: 36`, smuggled],
    ['a list of lengths', 'Content-Length: 0, 36', smuggled],
    ['a length and chunks', 'Content-Length: 5\r\nTransfer-Encoding: chunked', `0\r\n\r\n${smuggled}`],
    ['chunks and a length', 'Transfer-Encoding: chunked\r\nContent-Length: 5', `0\r\n\r\n${smuggled}`],
    ['a coding after chunked', 'Transfer-Encoding: chunked, gzip', `0\r\n\r\n${smuggled}`],
    ['a coding before chunked', 'Transfer-Encoding: gzip, chunked', `0\r\n\r\n${smuggled}`],
    ['an unknown coding', 'Transfer-Encoding: xchunked', `0\r\n\r\n${smuggled}`],
    ['two codings', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity', `0\r\n\r\n${smuggled}`],
    ['a space before the colon', 'Transfer-Encoding : chunked', `0\r\n\r\n${smuggled}`],
    ['a folded header', 'Transfer-Encoding:\r\n chunked', `0\r\n\r\n${smuggled}`],
    ['a signed length', 'Content-Length: +36', smuggled],
    ['a length in hexadecimal', 'Content-Length: 0x24', smuggled],
    ['a negative length', 'Content-Length: -1', smuggled],
    ['a chunk length with a sign', 'Transfer-Encoding: chunked', `+0\r\n\r\n${smuggled}`],
    ['a chunk that ends early', 'Transfer-Encoding: chunked', `5\r\nab\r\n0\r\n\r\n${smuggled}`],
    ['lines that end in LF alone', 'Transfer-Encoding: chunked\nX: y', `0\r\n\r\n${smuggled}`],
    ['a bare CR', 'X: a\rTransfer-Encoding: chunked', `0\r\n\r\n${smuggled}`],
    ['two hosts', 'Host: y', ''],
  ])('by %s is refused, and the connection closed', async (_, headers, body) => {
    const { gateway, model } = await start();
    const { text } = await send(gateway.port, `POST /x HTTP/1.1\r\nHost: x\r\n${headers}\r\n\r\n${body}`);
    expect(text).toMatch(/^HTTP\/1\.1 (400|501) /);
    expect(model.asked).toHaveLength(0);
    expect(text.match(/HTTP\/1\.1/g)).toHaveLength(1);
  });

  test('no length of a body that is there is refused with 400, and one request is one', async () => {
    const { gateway, model } = await start();
    const { text } = await send(gateway.port, `POST /x HTTP/1.1\r\nHost: x\r\n\r\n${smuggled}`);
    // two requests, one after the other, as any server reads them
    expect(model.asked.map(({ url }) => url)).toEqual(['/x', '/smuggled']);
    expect(text.match(/HTTP\/1\.1 200/g)).toHaveLength(2);
  });

  test('what is held goes to the model with the one length that it has', async () => {
    const { gateway, model } = await start();
    const chunked = '5;ext="a"\r\nhello\r\n0\r\nX-Trailer: t\r\n\r\n';
    await send(gateway.port, `POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${chunked}`);
    expect(model.asked[0]?.headers).toMatchObject({ 'content-length': '5' });
    expect(model.asked[0]?.headers).not.toHaveProperty('transfer-encoding');
  });

  test.each([
    ['CONNECT model:80 HTTP/1.1\r\nHost: x\r\n\r\n', /^$/],
    ['TRACE / HTTP/1.1\r\nHost: x\r\n\r\n', /^HTTP\/1\.1 405 /],
    ['GET http://other/ HTTP/1.1\r\nHost: x\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['GET / HTTP/1.1\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['GET / HTTP/3.0\r\nHost: x\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', /^HTTP\/1\.1 400 /],
    ['POST / HTTP/1.1\r\nHost: x\r\nExpect: magic\r\n\r\n', /^HTTP\/1\.1 417 /],
  ])('%j is answered %p', async (request, answer) => {
    const { gateway, model } = await start();
    expect((await send(gateway.port, request)).text).toMatch(answer);
    expect(model.asked).toHaveLength(0);
  });

  test('headers beyond the bound are refused, and the next connection is served', async () => {
    const { gateway, url } = await start({ listen: { maxHeaderBytes: 4_096 } });
    const long = `GET / HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(5_000)}\r\n\r\n`;
    expect((await send(gateway.port, long)).text).toMatch(/^HTTP\/1\.1 431 /);
    expect(await call(url)).toMatchObject({ status: 200 });
  });
});

test('10,000 malformed requests: no crash, nothing left, and nothing of them in the log', async () => {
  const { gateway, url, admin, lines, log, model } = await start({
    routes: [{ path: '/diagnose', cache: { kind: 'diagnosis' } }],
    timeouts: { idle: 0.3, headers: 1 },
    body: { minBytesPerSecond: 1 },
  });
  const random = seeded(20_261_125);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
  // what must never be seen again but by the model
  const SECRET = 'Mustermann-Erika';
  const noise = (): string => String.fromCharCode(...Array.from({ length: 20 }, () => Math.floor(random() * 256)));
  const malformed = (): string => {
    const line = `${pick(['GET', 'POST', 'get', 'P\0ST', '', 'PATCH'])} ${pick(['/diagnose', `/${SECRET}`, '/a/../b', '/%zz', ''])}?q=${SECRET} ${pick(['HTTP/1.1', 'HTTP/1.0', 'HTTP/9', 'HTP', ''])}`;
    const headers = Array.from({ length: Math.floor(random() * 5) }, () =>
      pick([
        'Host: x',
        `X-Patient: ${SECRET}`,
        `Authorization: Bearer ${SECRET}`,
        `Cookie: ${SECRET}`,
        `traceparent: ${SECRET}`,
        `Content-Length: ${pick(['5', '-1', '99999999999999999999', 'x', '16'])}`,
        'Transfer-Encoding: chunked',
        'Transfer-Encoding: gzip',
        `Content-Digest: sha-256=:${SECRET}:`,
        'Expect: 100-continue',
        'Connection: close, host, content-length',
        `X-Mediform-Priority: ${SECRET}`,
        noise(),
      ]),
    );
    const body = pick(['', SECRET, `5\r\n${SECRET}\r\n0\r\n\r\n`, `zz\r\n${SECRET}`, noise()]);
    const whole = `${line}\r\n${headers.join(pick(['\r\n', '\r\n', '\n', '\r']))}\r\n\r\n${body}`;
    // cut somewhere, or with a byte changed
    const at = Math.floor(random() * whole.length);
    return pick([whole, whole.slice(0, at), whole.slice(0, at) + noise() + whole.slice(at + 1)]);
  };
  let sent = 0;
  const worker = async (): Promise<void> => {
    while (sent < 10_000) {
      sent++;
      await send(gateway.port, malformed(), 20);
    }
  };
  await Promise.all(Array.from({ length: 50 }, worker));
  expect(sent).toBeGreaterThanOrEqual(10_000);
  expect(await call(url, { body: 'image' })).toMatchObject({ status: 200 });
  await waitFor('all are over', async () => {
    const names = ['mediform_requests_in_flight', 'request_queue_length', 'mediform_buffered_bytes'];
    return (await Promise.all(names.map((name) => metric(admin, name)))).every((value) => value === 0);
  });
  const { text } = await call(`${admin}/metrics`);
  await waitFor('the log', () => lines('request').length > 20);
  // some got through to the model, or this would prove nothing
  expect(model.asked.some(({ body, url: asked }) => `${asked} ${String(body)}`.includes(SECRET))).toBe(true);
  expect(Number(/^mediform_malformed_requests_total\{code="400".* (\d+)$/m.exec(text)?.[1])).toBeGreaterThan(500);
  for (const [where, what] of Object.entries({ log: log(), metrics: text })) {
    expect([where, what.includes(SECRET), what.includes('Mustermann')]).toEqual([where, false, false]);
  }
  expect(log()).not.toContain('unexpected');
}, 240_000);

describe('slow callers', () => {
  /** The shortest default of a limit that these tests set, in milliseconds: without the limit nobody is let go sooner. */
  const WITHOUT_LIMIT_MS = 10_000;

  test('that never end their headers are let go', async () => {
    const { gateway } = await start({ timeouts: { headers: 1 } });
    const sockets = Array.from({ length: 50 }, () => connect(gateway.port, '127.0.0.1'));
    const closed = sockets.map(untilClosed);
    sockets.forEach((socket) => socket.write('GET / HTTP/1.1\r\nHost: x\r\n'));
    const drip = setInterval(() => sockets.forEach((socket) => socket.write('X: y\r\n')), 100);
    const times = await Promise.all(closed);
    clearInterval(drip);
    expect(Math.max(...times)).toBeLessThan(WITHOUT_LIMIT_MS);
  });

  test('that send nothing at all are let go', async () => {
    const { gateway } = await start({ timeouts: { headers: 1 } });
    expect(await untilClosed(connect(gateway.port, '127.0.0.1'))).toBeLessThan(WITHOUT_LIMIT_MS);
  });

  test.each([
    ['held', 10],
    ['streaming', 20_000],
  ])('whose body stalls (%s) get 408, and hold no place', async (_, first) => {
    const { gateway, url, admin } = await start({
      timeouts: { idle: 0.3 },
      admission: { concurrency: 1 },
      body: { bufferBytes: 10_000, totalBufferBytes: 10_000 },
    });
    const head = `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n${'a'.repeat(first)}`;
    const { text, closed } = await send(gateway.port, head, 10_000);
    expect(text).toMatch(/^HTTP\/1\.1 408 /);
    expect(closed).toBe(true);
    expect(await call(url, { body: 'x' })).toMatchObject({ status: 200 });
    expect(await metric(admin, 'mediform_buffered_bytes')).toBe(0);
  });

  test('that drip their body are refused too', async () => {
    const { gateway } = await start({ timeouts: { idle: 0.5 }, body: { minBytesPerSecond: 100 } });
    const socket = connect(gateway.port, '127.0.0.1');
    const closed = untilClosed(socket);
    socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n');
    const drip = setInterval(() => socket.write('a'), 50);
    expect(await closed).toBeLessThan(WITHOUT_LIMIT_MS);
    clearInterval(drip);
  });

  test('hold no place of the model while they send what can be held', async () => {
    const { gateway, url, admin } = await start({ admission: { concurrency: 1 } });
    const sockets = Array.from({ length: 20 }, () => connect(gateway.port, '127.0.0.1'));
    sockets.forEach((socket) => socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nhalf'));
    await waitFor(
      'all to be held',
      async () => (await metric(admin, 'mediform_buffered_bytes')) === 20 * 'half'.length,
    );
    expect(await call(url, { body: 'x' })).toMatchObject({ status: 200 });
    sockets.forEach((socket) => socket.destroy());
  });

  test.each(['from the model', 'from the cache'])('that do not read their answer (%s) are let go', async (from) => {
    const cache = { kind: 'diagnosis', maxResponseBytes: 50_000_000 } as const;
    const { gateway, url, admin, model } = await start({
      timeouts: { idle: 0.5 },
      routes: from === 'from the cache' ? [{ path: '/x', cache }] : [],
      cache: from === 'from the cache' ? { namespace: 'x', hot: { maxBytes: 500_000_000 } } : undefined,
    });
    model.behaviour = (_, response) => response.end(Buffer.alloc(40_000_000));
    if (from === 'from the cache') {
      await call(`${url}/x`, { body: 'x' });
    }
    const socket = connect(gateway.port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.pause();
    socket.write('POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx');
    await waitFor(
      'it is let go',
      async () => (await metric(admin, 'requests_total', { code: '499', priority: 'normal' })) === 1,
    );
    expect(await metric(admin, 'mediform_requests_in_flight', { priority: 'normal' })).toBe(0);
    socket.destroy();
  });

  test('no more connections than allowed are kept', async () => {
    const { gateway, url } = await start({ listen: { maxConnections: 5 } });
    const sockets = Array.from({ length: 5 }, () => connect(gateway.port, '127.0.0.1'));
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    await expect(call(url)).rejects.toThrow();
    sockets.forEach((socket) => socket.destroy());
    await waitFor('room again', async () => (await call(url)).status === 200);
  });
});
