/** Answers from the cache, by the rules of each route. The tiers are real in gateway-stores.test.ts. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { RouteConfig } from '../../constructs/plan/gateway/config';
import {
  DIAGNOSIS,
  KNOWLEDGE,
  MISS_HIT,
  call,
  how,
  metric,
  stage,
  twice,
  type Call,
  type Stage,
} from './support/gateway/gateway';

let current: Stage;
const start = async (...config: Parameters<typeof stage>): Promise<Stage> => (current = await stage(...config));
afterEach(() => current.stop());

describe('a diagnosis', () => {
  test('of the same image is answered from the cache, byte by byte, with its type', async () => {
    const { url, model } = await start({ routes: [DIAGNOSIS] });
    model.behaviour = (_, response) => {
      response.writeHead(201, { 'Content-Type': 'application/dicom+json', 'Content-Language': 'de', 'X-Other': 'x' });
      response.end(Buffer.from([0, 255, 1]));
    };
    const answers = [
      await call(`${url}/diagnose`, { body: 'image' }),
      await call(`${url}/diagnose`, { body: 'image' }),
    ];
    expect(answers.map(how)).toEqual(MISS_HIT);
    for (const { status, headers, body } of answers) {
      expect([status, [...body]]).toEqual([201, [0, 255, 1]]);
      expect(headers).toMatchObject({
        'content-type': 'application/dicom+json',
        'content-language': 'de',
        'x-mediform-model': 'resnet50; version=1.4.2',
      });
    }
    expect(answers.map(({ headers }) => headers['x-other'])).toEqual(['x', undefined]);
    expect(model.asked).toHaveLength(1);
  });

  const image: Call = { body: 'image', headers: { 'Content-Type': 'image/png', Accept: 'application/json' } };
  const other = (headers: { [name: string]: string }): Call => ({
    body: 'image',
    headers: { ...image.headers, ...headers },
  });
  test.each<[string, string, Call]>([
    ['another image', '/diagnose', { ...image, body: 'imagf' }],
    ['another path', '/diagnose2', image],
    ['another query', '/diagnose?threshold=0.5', image],
    ['another type of the image', '/diagnose', other({ 'Content-Type': 'image/jpeg' })],
    ['another coding of the image', '/diagnose', other({ 'Content-Encoding': 'gzip' })],
    ['another type of the answer', '/diagnose', other({ Accept: 'text/plain' })],
    ['another header that the route names', '/diagnose', other({ 'Accept-Language': 'fr' })],
    ['another identifier', '/diagnose', other({ 'X-Study': '2' })],
  ])('is not answered from that of %s', async (_, path, second) => {
    const cache = { kind: 'diagnosis', headers: ['accept-language'], idHeaders: ['x-study'] } as const;
    const { url, model } = await start({
      routes: [
        { path: '/diagnose', cache },
        { path: '/diagnose2', cache },
      ],
    });
    await call(`${url}/diagnose`, image);
    expect(how(await call(url + path, second))).toBe('miss');
    expect(model.asked).toHaveLength(2);
  });

  test.each([
    ['a failure of the caller', 400, {}],
    ['a failure of the model', 500, {}],
    ['a part', 206, {}],
    ['an answer that sets a cookie', 200, { 'Set-Cookie': 'a=1' }],
    ['an answer that forbids it', 200, { 'Cache-Control': 'no-store' }],
    ['an answer for one caller', 200, { 'Cache-Control': 'max-age=60, private' }],
    ['an answer that depends on everything', 200, { Vary: '*' }],
    ['an answer in a coding', 200, { 'Content-Encoding': 'gzip' }],
    ['a stream', 200, { 'Content-Type': 'text/event-stream' }],
  ])('%s (%d) is not kept', async (_, status, headers) => {
    const { url, model } = await start({ routes: [DIAGNOSIS] });
    model.behaviour = (_asked, response) => response.writeHead(status, headers).end('answer');
    const answers = [
      await call(`${url}/diagnose`, { body: 'image' }),
      await call(`${url}/diagnose`, { body: 'image' }),
    ];
    expect(answers.map((answer) => [answer.status, answer.text, how(answer)])).toEqual([
      [status, 'answer', 'miss'],
      [status, 'answer', 'miss'],
    ]);
    expect(model.asked).toHaveLength(2);
  });

  test.each([
    ['Accept-Language', {}, 'miss'],
    ['Accept, ACCEPT-LANGUAGE', {}, 'miss'],
    ['Origin', {}, 'miss'],
    ['Accept-Language', { headers: ['accept-language'] }, 'hit'],
    ['X-Study', { idHeaders: ['x-study'] }, 'hit'],
    ['Accept-Encoding, Accept, Content-Type', {}, 'hit'],
    // without them there is nothing that it could depend on
    ['Cookie, Authorization', {}, 'hit'],
    ['Cookie', { credentials: 'ignore' }, 'miss'],
  ] as const)('that depends on %s is kept where the key has it (%p): then %s', async (vary, more, then) => {
    const { url, model } = await start({ routes: [{ path: '/diagnose', cache: { kind: 'diagnosis', ...more } }] });
    model.behaviour = (asked, response) => {
      response.writeHead(200, { Vary: vary }).end(`for ${asked.headers['accept-language']}`);
    };
    const speaking = (language: string): Call => ({ body: 'image', headers: { 'Accept-Language': language } });
    const first = await call(`${url}/diagnose`, speaking('de'));
    expect([how(first), first.text]).toEqual(['miss', 'for de']);
    expect(String(how(await call(`${url}/diagnose`, speaking('de')))).split(';')[0]).toBe(then);
    if (vary.toLowerCase().includes('language')) {
      expect((await call(`${url}/diagnose`, speaking('fr'))).text).toBe('for fr');
    }
  });

  test('an answer larger than the route keeps passes whole, and is not kept', async () => {
    const cache = { kind: 'diagnosis', maxResponseBytes: 100_000 } as const;
    const { url, model } = await start({ routes: [{ path: '/diagnose', cache }] });
    const large = Buffer.alloc(1_000_000, 'a');
    for (const stated of [true, false]) {
      model.behaviour = (_, response) => {
        if (stated) {
          response.setHeader('Content-Length', large.length);
        }
        response.write(large);
        response.end();
      };
      for (let time = 0; time < 2; time++) {
        const answer = await call(`${url}/diagnose`, { body: `image ${stated}` });
        expect([how(answer), answer.body.equals(large)]).toEqual(['miss', true]);
      }
    }
  });

  test.each<[string, Call, string]>([
    ['with credentials', { headers: { Authorization: 'Bearer x' } }, 'credentials'],
    ['with a cookie', { headers: { Cookie: 'a=1' } }, 'credentials'],
    ['that forbids it', { headers: { 'Cache-Control': 'no-store' } }, 'no-store'],
    ['for a part', { headers: { Range: 'bytes=0-1' } }, 'range'],
    ['by another method', { method: 'PUT' }, 'method'],
  ])('is not looked up for a request %s', async (_, given, reason) => {
    const { url, admin, model } = await start({ routes: [DIAGNOSIS] });
    const bypass = `bypass; reason=${reason}`;
    expect(await twice(`${url}/diagnose`, { body: 'image', ...given })).toEqual([bypass, bypass]);
    expect(model.asked).toHaveLength(2);
    expect(await metric(admin, 'mediform_cache_answers_total', { result: 'bypass' })).toBe(2);
  });

  test('is looked up despite credentials where the route says that they were checked before', async () => {
    const cache = { kind: 'diagnosis', credentials: 'ignore' } as const;
    const { url } = await start({ routes: [{ path: '/diagnose', cache }] });
    expect(await twice(`${url}/diagnose`, { body: 'image', headers: { Authorization: 'x' } })).toEqual(MISS_HIT);
  });

  test('is computed anew for a caller that wants it so, and then kept', async () => {
    const { url, model } = await start({ routes: [DIAGNOSIS] });
    const fresh: Call = { body: 'image', headers: { 'Cache-Control': 'no-cache' } };
    await call(`${url}/diagnose`, { body: 'image' });
    const anew = await call(`${url}/diagnose`, fresh);
    expect(how(anew)).toBe('miss');
    const later = await call(`${url}/diagnose`, { body: 'image' });
    expect([how(later), later.text]).toEqual([MISS_HIT[1], anew.text]);
    expect(model.asked).toHaveLength(2);
  });
});

describe('tenants', () => {
  const cache = { kind: 'diagnosis', tenantHeader: 'X-Mediform-Tenant' } as const;
  const routes: RouteConfig[] = [{ path: '/diagnose', cache }];
  const of = (tenant: string): Call => ({ body: 'image', headers: { 'X-Mediform-Tenant': tenant } });

  test('share no answers', async () => {
    const { url } = await start({ routes, trustedCallers: [{ cidrs: ['127.0.0.0/8'] }] });
    expect(await twice(`${url}/diagnose`, of('a'), of('b'))).toEqual(['miss', 'miss']);
    expect(await twice(`${url}/diagnose`, of('a'), of('b'))).toEqual([MISS_HIT[1], MISS_HIT[1]]);
  });

  test('are not guessed, and not believed from anybody', async () => {
    const trusting = await start({ routes, trustedCallers: [{ cidrs: ['127.0.0.0/8'] }] });
    const bypass = 'bypass; reason=tenant';
    expect(await twice(`${trusting.url}/diagnose`, { body: 'image' })).toEqual([bypass, bypass]);
    await trusting.stop();
    const { url } = await start({ routes, trustedCallers: [{ cidrs: ['10.0.0.0/8'] }] });
    expect(await twice(`${url}/diagnose`, of('a'))).toEqual([bypass, bypass]);
  });
});

describe('knowledge', () => {
  test('is found however the same question is written, and the model gets it as it was written', async () => {
    const { url, model } = await start({ routes: [KNOWLEDGE] });
    const first = '{"query":"chest  pain ","k":5}';
    expect(await twice(`${url}/ask`, { body: first }, { body: '{ "k": 5, "query": "chest pain" }' })).toEqual(MISS_HIT);
    expect(model.asked[0]?.body?.toString()).toBe(first);
  });

  test.each([
    ['{"query":"MS"}', '{"query":"ms"}'],
    ['{"query":"a","k":1}', '{"query":"a","k":1.0}'],
    ['{"query":"a","query":"b"}', '{"query":"b"}'],
    ['{"query":"a","query":"b"}', '{"query":"a"}'],
  ])('%s and %s are different questions', async (first, second) => {
    const { url } = await start({ routes: [KNOWLEDGE] });
    expect(await twice(`${url}/ask`, { body: first }, { body: second })).toEqual(['miss', 'miss']);
  });

  test('as a text', async () => {
    const { url } = await start({ routes: [{ path: '/ask', cache: { kind: 'knowledge', key: 'text' } }] });
    expect(await twice(`${url}/ask`, { body: ' chest\n pain' }, { body: 'chest pain' })).toEqual(MISS_HIT);
    const broken = [Buffer.from([0xff]), Buffer.from([0xfe])] as const;
    expect(await twice(`${url}/ask`, { body: broken[0] }, { body: broken[1] })).toEqual(['miss', 'miss']);
  });

  test('by GET, in the query', async () => {
    const { url } = await start({ routes: [KNOWLEDGE] });
    expect(await twice(`${url}/ask?q=a`, {})).toEqual(MISS_HIT);
    expect(await twice(`${url}/ask?q=b`, {}, {})).toEqual(MISS_HIT);
  });

  test.each(['normal', 'emergency'] as const)('that is old is served where the model fails (%s)', async (priority) => {
    const { url, model } = await start({
      routes: [{ ...KNOWLEDGE, priority, cache: { kind: 'knowledge', ttl: 1 } }],
    });
    const question: Call = { body: '{"query":"a"}' };
    const { text } = await call(`${url}/ask`, question);
    await sleep(1_100);
    model.behaviour = (_, response) => response.writeHead(500).end('failed');
    const old = await call(`${url}/ask`, question);
    expect([old.status, old.text]).toEqual([200, text]);
    expect(how(old)).toMatch(/^hit; tier=hot; age=1; stale$/);
    // a question that was never answered has no older answer
    expect(await call(`${url}/ask`, { body: '{"query":"b"}' })).toMatchObject({ status: 500, text: 'failed' });
  });

  test('a diagnosis that is old is never served', async () => {
    const { url, model } = await start({ routes: [{ path: '/d', cache: { kind: 'diagnosis', ttl: 1 } }] });
    await call(`${url}/d`, { body: 'image' });
    await sleep(1_100);
    model.behaviour = (_, response) => response.writeHead(500).end('failed');
    expect(await call(`${url}/d`, { body: 'image' })).toMatchObject({ status: 500, text: 'failed' });
  });
});
