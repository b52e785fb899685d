/** One computation for callers who ask the same at a time, and bodies too large to hold. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  DIAGNOSIS,
  KNOWLEDGE,
  MISS_HIT,
  call,
  how,
  metric,
  stage,
  twice,
  type Answer,
  type Call,
  type Stage,
} from './support/gateway/gateway';
import { waitFor } from './support/wait';

const SMALL = { bufferBytes: 1_000, totalBufferBytes: 100_000 };

let current: Stage;
const start = async (...config: Parameters<typeof stage>): Promise<Stage> => (current = await stage(...config));
afterEach(() => current.stop());

describe('callers who ask the same at a time', () => {
  test('share one computation', async () => {
    const { url, model } = await start({ routes: [DIAGNOSIS] });
    model.behaviour = async (_, response) => {
      await sleep(200);
      response.end('once');
    };
    const answers = await Promise.all(Array.from({ length: 20 }, () => call(`${url}/diagnose`, { body: 'image' })));
    expect(answers.map(({ text }) => text)).toEqual(answers.map(() => 'once'));
    expect(model.asked).toHaveLength(1);
  });

  test('share what the model failed with, and nothing that is for one alone', async () => {
    const { url, model } = await start({ routes: [DIAGNOSIS] });
    const ask = (): Promise<Answer[]> =>
      Promise.all(Array.from({ length: 5 }, () => call(`${url}/diagnose`, { body: 'image' })));
    model.behaviour = async (_, response) => {
      // failures are not kept: who comes after it is not among those who share it
      await sleep(2_000);
      response.writeHead(500).end('failed');
    };
    expect((await ask()).map(({ status, text }) => [status, text])).toEqual(Array(5).fill([500, 'failed']));
    expect(model.asked).toHaveLength(1);
    model.behaviour = async (_, response) => {
      const { length } = model.asked;
      await sleep(200);
      response.writeHead(200, { 'Set-Cookie': `session=${length}` }).end();
    };
    const cookies = (await ask()).map(({ headers }) => headers['set-cookie']?.[0]);
    expect(new Set(cookies).size).toBe(5);
  });

  test('let the first one leave', async () => {
    const { url, model } = await start({ routes: [DIAGNOSIS] });
    let go = (): void => undefined;
    model.behaviour = (_, response) => (go = () => response.end('done'));
    const leaving = new AbortController();
    const first = call(`${url}/diagnose`, { body: 'image', signal: leaving.signal });
    await waitFor('the model works', () => model.asked.length === 1);
    const second = call(`${url}/diagnose`, { body: 'image' });
    await sleep(50);
    leaving.abort();
    await expect(first).rejects.toThrow();
    go();
    expect(await second).toMatchObject({ status: 200, text: 'done' });
    expect(model.asked).toHaveLength(1);
  });

  test('what the model has begun is kept, though everybody left', async () => {
    const { url, admin, model } = await start({ routes: [DIAGNOSIS] });
    let go = (): void => undefined;
    model.behaviour = (_, response) => (go = () => response.end('done'));
    const leaving = new AbortController();
    const only = call(`${url}/diagnose`, { body: 'image', signal: leaving.signal });
    await waitFor('the model works', () => model.asked.length === 1);
    leaving.abort();
    await expect(only).rejects.toThrow();
    await waitFor('499', async () => (await metric(admin, 'requests_total', { code: '499' })) === 1);
    go();
    const entries = (): Promise<number | undefined> => metric(admin, 'mediform_cache_entries', { tier: 'hot' });
    await waitFor('the answer to be kept', async () => (await entries()) === 1);
    expect(how(await call(`${url}/diagnose`, { body: 'image' }))).toEqual(MISS_HIT[1]);
    expect(model.asked).toHaveLength(1);
  });

  test('an emergency takes the place of the batch request that it shares a computation with', async () => {
    const { url, admin, model } = await start({
      routes: [DIAGNOSIS],
      trustedCallers: [{ cidrs: ['127.0.0.0/8'] }],
      admission: { concurrency: 1 },
    });
    const order: string[] = [];
    let go = (): void => undefined;
    model.behaviour = async ({ body }, response) => {
      order.push(String(body));
      await (order.length === 1 ? new Promise<void>((resolve) => (go = resolve)) : undefined);
      response.end();
    };
    const ask = (body: string, priority: string): Promise<Answer> =>
      call(`${url}/diagnose`, { body, headers: { 'X-Mediform-Priority': priority } });
    const waiting = (priority: string, count: number): Promise<unknown> =>
      waitFor(priority, async () => (await metric(admin, 'request_queue_length', { priority })) === count);
    const all = [ask('first', 'normal')];
    await waitFor('the model works', () => order.length === 1);
    all.push(ask('shared', 'batch'));
    await waiting('batch', 1);
    all.push(ask('second', 'normal'));
    await waiting('normal', 1);
    all.push(ask('shared', 'emergency'));
    await waiting('emergency', 1);
    await waiting('batch', 0);
    go();
    await Promise.all(all);
    expect(order).toEqual(['first', 'shared', 'second']);
  });
});

describe('a body too large to hold', () => {
  const large = Buffer.alloc(1_000_000, 'image ');
  const digest = `sha-256=:${createHash('sha256').update(large).digest('base64')}:`;

  test.each([
    ['with a length', (): Call => ({ body: large })],
    ['in chunks', (): Call => ({ body: Readable.from([large]) })],
    ['with its digest', (): Call => ({ body: large, headers: { 'Content-Digest': digest } })],
  ])('is found, %s, and the model computes nothing', async (_, request) => {
    const { url, admin, model } = await start({ routes: [DIAGNOSIS], body: SMALL });
    const first = await call(`${url}/diagnose`, request());
    const second = await call(`${url}/diagnose`, request());
    expect([how(first), how(second), second.text]).toEqual([...MISS_HIT, first.text]);
    expect(model.asked.map(({ headers }) => headers['x-bytes'])).toEqual(['1000000']);
    await waitFor(
      'the place is free',
      async () => (await metric(admin, 'mediform_requests_in_flight', { priority: 'normal' })) === 0,
    );
    expect(await metric(admin, 'mediform_buffered_bytes')).toBe(0);
  });

  test('with its digest, the model is not even connected to on a hit', async () => {
    const { url, admin, model } = await start({ routes: [DIAGNOSIS], body: SMALL });
    const request = { body: large, headers: { 'Content-Digest': digest } };
    await call(`${url}/diagnose`, request);
    await call(`${url}/diagnose`, request);
    expect(model.cut).toHaveLength(0);
    expect(await metric(admin, 'mediform_admissions_total', { priority: 'normal' })).toBe(1);
    // without, it begins and is cut off before the end
    await call(`${url}/diagnose`, { body: large });
    await waitFor('the model was cut off', () => model.cut.length === 1);
    expect(model.asked).toHaveLength(1);
  });

  test('gets no answer by the digest of another: who has not the image learns nothing', async () => {
    const { url, model } = await start({ routes: [DIAGNOSIS], body: SMALL });
    const secret = await call(`${url}/diagnose`, { body: large });
    for (const length of [999, 1_000_000]) {
      const body = Buffer.alloc(length, 'x');
      const forged = await call(`${url}/diagnose`, { body, headers: { 'Content-Digest': digest } });
      expect([forged.status, JSON.parse(forged.text)]).toMatchObject([400, { detail: 'digest_mismatch' }]);
      expect(forged.text).not.toContain(secret.text);
      expect(how(forged)).toBeUndefined();
    }
    expect(model.asked).toHaveLength(1);
  });

  test('damaged on its way never reaches the model whole, on routes without a cache too', async () => {
    const { url, model } = await start({ body: SMALL });
    const damaged = Buffer.from(large);
    damaged[999_999] = 0;
    expect(await call(url, { body: damaged, headers: { 'Content-Digest': digest } })).toMatchObject({ status: 400 });
    await waitFor('the model was cut off', () => model.cut.length === 1);
    expect(model.asked).toHaveLength(0);
    expect(await call(url, { body: large, headers: { 'Content-Digest': digest } })).toMatchObject({ status: 200 });
  });

  test('and one that is small enough have the same key', async () => {
    const { url } = await start({ routes: [DIAGNOSIS], body: { bufferBytes: 1_000, totalBufferBytes: 1_000 } });
    const body = Buffer.alloc(1_000, 'a');
    expect(
      await twice(`${url}/diagnose`, { body }, { body: Readable.from([body.subarray(0, 10), body.subarray(10)]) }),
    ).toEqual(MISS_HIT);
  });

  test('of knowledge is not looked up', async () => {
    const { url } = await start({ routes: [KNOWLEDGE], body: SMALL });
    const bypass = 'bypass; reason=body-too-large';
    expect(await twice(`${url}/ask`, { body: large })).toEqual([bypass, bypass]);
  });
});
