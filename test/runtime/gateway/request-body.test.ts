import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { PassThrough, Writable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { Budget, RequestBody } from '../../../runtime/gateway/request-body';

/** A body whose pieces the test sends, under a clock that it moves. */
function body({
  length,
  maxBytes = 1_000,
  budget = 1_000,
}: { length?: number; maxBytes?: number; budget?: number } = {}) {
  const stream = new PassThrough();
  const headers = length === undefined ? { 'transfer-encoding': 'chunked' } : { 'content-length': String(length) };
  const clock = { now: 0 };
  const bytes = new Budget(budget);
  const watched = new Set<RequestBody>();
  const bounds = { maxBytes, idleMs: 10_000, minBytesPerSecond: 10 };
  let invitations = 0;
  const reader = new RequestBody(
    Object.assign(stream, { headers }) as unknown as IncomingMessage,
    bounds,
    bytes,
    watched,
    () => clock.now,
    () => invitations++,
    true,
  );
  return { stream, clock, budget: bytes, watched, reader, invitations: () => invitations };
}

/** A sink that takes pieces when it is told to. */
function sink() {
  const pieces: string[] = [];
  const waiting: (() => void)[] = [];
  const writable = new Writable({
    highWaterMark: 1,
    write: (chunk: Buffer, _, done) => {
      pieces.push(chunk.toString());
      waiting.push(done);
    },
  });
  return { pieces, writable, drain: () => waiting.shift()?.() };
}

test('a body within the limit is held, hashed and given back', async () => {
  const { stream, reader, budget, invitations } = body();
  const held = reader.hold(10);
  stream.write('ab');
  stream.end('cd');
  expect(await held).toBe(true);
  expect(reader.held.toString()).toBe('abcd');
  expect(reader.sha256()).toEqual(createHash('sha256').update('abcd').digest());
  expect(budget.used).toBe(4);
  reader.release();
  expect(budget.used).toBe(0);
  expect(invitations()).toBe(1);
});

test.each([
  ['Content-Length: 0', { 'content-length': '0' }],
  ['no length at all', {}],
])('%s is a body that has come', async (_, headers) => {
  const { stream, budget, watched } = body();
  const request = Object.assign(stream, { headers }) as unknown as IncomingMessage;
  const bounds = { maxBytes: 1, idleMs: 1, minBytesPerSecond: 1 };
  const reader = new RequestBody(request, bounds, budget, watched, () => 0, undefined, false);
  expect(await reader.hold(1)).toBe(true);
  expect(reader.held.length).toBe(0);
});

test('a larger one is held in part, then streams, with its last piece held back', async () => {
  const { stream, reader, budget } = body();
  const held = reader.hold(3);
  stream.write('abcd');
  expect(await held).toBe(false);
  const { writable, pieces, drain } = sink();
  const last = reader.stream(writable, true);
  stream.write('ef');
  await turn();
  expect(pieces).toEqual(['abcd']);
  stream.end('gh');
  await turn();
  // the sink is full: nothing more is read until it has drained
  expect(pieces).toEqual(['abcd']);
  drain();
  await turn();
  drain();
  await turn();
  expect((await last)?.toString()).toBe('gh');
  expect(pieces).toEqual(['abcd', 'ef']);
  expect(reader.sha256()).toEqual(createHash('sha256').update('abcdefgh').digest());
  expect(budget.used).toBe(0);
});

test('where the memory of all is used up, no more is held', async () => {
  const { stream, reader } = body({ budget: 3 });
  const held = reader.hold(100);
  stream.write('abcd');
  expect(await held).toBe(false);
});

test('a body over its bound is refused', async () => {
  const { stream, reader } = body({ maxBytes: 3 });
  const held = reader.hold(100);
  stream.write('abcd');
  await expect(held).rejects.toMatchObject({ status: 413 });
});

test('a caller that leaves fails its body, now and later', async () => {
  const { stream, reader } = body();
  const held = reader.hold(100);
  stream.write('a');
  await turn();
  reader.leave();
  await expect(held).rejects.toThrow('the caller has left');
  await expect(reader.stream(undefined, false)).rejects.toThrow('the caller has left');
});

describe('time', () => {
  test('silence is refused', async () => {
    const { reader, clock } = body();
    const held = reader.hold(100);
    clock.now = 10_000;
    reader.check(clock.now);
    clock.now = 10_001;
    reader.check(clock.now);
    await expect(held).rejects.toMatchObject({ status: 408 });
  });

  test('a drip is refused, though it is never silent for long', async () => {
    const { stream, reader, clock } = body();
    const held = reader.hold(100);
    held.catch(() => undefined);
    for (let second = 1; second <= 11; second++) {
      clock.now = second * 1_000;
      stream.write('a');
      await turn();
      reader.check(clock.now);
    }
    await expect(held).rejects.toMatchObject({ status: 408 });
  });

  test('a slow body above the bound is taken', async () => {
    const { stream, reader, clock } = body();
    const held = reader.hold(1_000);
    for (let second = 1; second <= 30; second++) {
      clock.now = second * 1_000;
      stream.write('a'.repeat(11));
      await turn();
      reader.check(clock.now);
    }
    stream.end();
    expect(await held).toBe(true);
  });

  test('does not count while we make the caller wait', async () => {
    const { stream, reader, clock, watched } = body();
    const held = reader.hold(1);
    stream.write('abcd');
    await held;
    expect(watched.size).toBe(0);
    clock.now = 1_000_000;
    reader.check(clock.now);
    const rest = reader.stream(undefined, false);
    expect(watched.size).toBe(1);
    clock.now += 9_999;
    reader.check(clock.now);
    stream.end('e'.repeat(200));
    await rest;
    expect(watched.size).toBe(0);
  });
});
