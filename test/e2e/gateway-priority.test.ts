/** Who may say how urgent a request is, and what that does under load. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request as tlsRequest, type RequestOptions } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TrustedCaller } from '../../constructs/plan/gateway/config';
import { CertificateAuthority } from './support/certificates';
import { call, metric, stage, type Answer, type Stage } from './support/gateway/gateway';
import { waitFor } from './support/wait';

const LOOPBACK: TrustedCaller = { cidrs: ['127.0.0.0/8'] };
const SECRET = 'a secret of the emergency room';

const folder = mkdtempSync(join(tmpdir(), 'mediform-priority-'));
const file = (name: string, content: string): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
afterAll(() => rmSync(folder, { recursive: true }));

let current: Stage;
const start = async (...config: Parameters<typeof stage>): Promise<Stage> => (current = await stage(...config));
afterEach(() => current.stop());

describe('the priority of a caller', () => {
  const secretFile = file('secret', `an older secret, still in use\n${SECRET}\n`);

  test.each<[string, TrustedCaller[], { [header: string]: string | string[] }, [number, string | undefined]]>([
    ['nobody is trusted', [], {}, [200, 'normal']],
    ['of a trusted address', [LOOPBACK], {}, [200, 'emergency']],
    ['of another address', [{ cidrs: ['10.0.0.0/8', '::2/128'] }], {}, [200, 'normal']],
    ['with the secret', [{ secretFile }], { 'X-Mediform-Caller-Secret': SECRET }, [200, 'emergency']],
    [
      'with the older secret',
      [{ secretFile }],
      { 'X-Mediform-Caller-Secret': 'an older secret, still in use' },
      [200, 'emergency'],
    ],
    ['without the secret', [{ secretFile }], {}, [200, 'normal']],
    ['with another secret', [{ secretFile }], { 'X-Mediform-Caller-Secret': `${SECRET}.` }, [200, 'normal']],
    ['with the secret twice', [{ secretFile }], { 'X-Mediform-Caller-Secret': [SECRET, SECRET] }, [200, 'normal']],
    [
      'with the secret from another address',
      [{ secretFile, cidrs: ['10.0.0.0/8'] }],
      { 'X-Mediform-Caller-Secret': SECRET },
      [200, 'normal'],
    ],
    ['that may not ask for it', [{ ...LOOPBACK, priorities: ['batch'] }], {}, [403, undefined]],
    [
      'that one rule allows and another does not',
      [{ ...LOOPBACK, priorities: ['batch'] }, LOOPBACK],
      {},
      [200, 'emergency'],
    ],
  ])('%s', async (_, trustedCallers, headers, [status, priority]) => {
    const { url, admin, model } = await start({ trustedCallers });
    const answer = await call(url, { headers: { 'X-Mediform-Priority': 'emergency', ...headers } });
    expect([answer.status, model.asked[0]?.headers['x-mediform-priority']]).toEqual([status, priority]);
    expect(model.asked[0]?.headers ?? {}).not.toHaveProperty('x-mediform-caller-secret');
    const stripped = await metric(admin, 'mediform_headers_stripped_total', { header: 'x-mediform-priority' });
    expect(stripped).toBe(priority === 'normal' ? 1 : undefined);
  });

  test.each([
    [['127.0.0.0/8'], 'emergency'],
    [['10.0.0.0/8'], 'normal'],
    [['::1/128'], 'normal'],
  ])('is that of the IPv4 address on the port of both families: %j', async (cidrs, priority) => {
    const { url, model } = await start({ listen: { host: '::' }, trustedCallers: [{ cidrs }] });
    await call(url, { headers: { 'X-Mediform-Priority': 'emergency' } });
    expect(model.asked[0]?.headers['x-mediform-priority']).toBe(priority);
  });

  test.each(['urgent', 'Emergency', '', 'emergency, batch', '__proto__'])('%p is never guessed', async (asked) => {
    const { url, model } = await start({ trustedCallers: [LOOPBACK] });
    const answer = await call(url, { headers: { 'X-Mediform-Priority': asked } });
    expect([answer.status, JSON.parse(answer.text)]).toMatchObject([400, { detail: 'priority_unknown' }]);
    expect(model.asked).toHaveLength(0);
  });

  test('is the route’s, else the service’s, where nobody says one', async () => {
    const { url, model } = await start({ defaultPriority: 'batch', routes: [{ path: '/er', priority: 'emergency' }] });
    await call(`${url}/er`);
    await call(`${url}/other`);
    expect(model.asked.map(({ headers }) => headers['x-mediform-priority'])).toEqual(['emergency', 'batch']);
  });

  test('is believed for a client certificate with the right name', async () => {
    const authority = new CertificateAuthority('hospital');
    const stranger = new CertificateAuthority('stranger');
    const server = authority.issue({ commonName: 'gateway', hosts: ['127.0.0.1'] });
    const tls = {
      certificateFile: file('tls.crt', server.certificate),
      keyFile: file('tls.key', server.key),
      clientAuthorityFile: file('ca.crt', authority.certificate),
    };
    const { gateway, model } = await start({
      listen: { tls },
      trustedCallers: [{ certificateNames: ['spiffe://hospital/pacs'] }],
    });
    const clients = [
      authority.issue({ commonName: 'x', uris: ['spiffe://hospital/pacs'] }),
      authority.issue({
        commonName: 'x',
        uris: ['spiffe://hospital/pacs2', 'http://x/, URI:spiffe://hospital/pacs, y'],
      }),
      stranger.issue({ commonName: 'x', uris: ['spiffe://hospital/pacs'] }),
      undefined,
    ];
    for (const client of clients) {
      const options: RequestOptions = {
        port: gateway.port,
        ca: authority.certificate,
        cert: client?.certificate,
        key: client?.key,
        headers: { 'X-Mediform-Priority': 'emergency' },
        agent: false,
      };
      await new Promise<void>((resolve, reject) => {
        const request = tlsRequest({ host: '127.0.0.1', ...options }, (response) =>
          response.resume().on('end', resolve),
        );
        request.on('error', reject).end();
      });
    }
    const priorities = model.asked.map(({ headers }) => headers['x-mediform-priority']);
    expect(priorities).toEqual(['emergency', 'normal', 'normal', 'normal']);
  });

  test('a secret that is not there, or too short, is an error at the start', async () => {
    await start();
    const caller = (secretFile: string): Promise<Stage> => stage({ trustedCallers: [{ secretFile }] });
    await expect(caller('/nowhere/secret')).rejects.toThrow('it cannot be read (ENOENT)');
    await expect(caller(file('short', 'hunter2'))).rejects.toThrow('shorter ones can be guessed');
  });
});

describe('under overload', () => {
  /** Asks with a priority; the model takes two at a time, and as long as the test wants. */
  const admission = { concurrency: 2, queueLength: 20 };
  const ask = (url: string, priority: string): Promise<Answer> =>
    call(url, { body: priority, headers: { 'X-Mediform-Priority': priority } });

  async function held(): Promise<Stage & { readonly order: string[]; readonly release: () => void }> {
    const made = await start({ trustedCallers: [LOOPBACK], admission });
    const order: string[] = [];
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    made.model.behaviour = async ({ body }, response) => {
      order.push(String(body));
      await released;
      response.end();
    };
    return { ...made, order, release };
  }

  test('emergencies are all served, at once, and batch is what goes first', async () => {
    const { url, admin, order, release } = await held();
    const waiting = (priority: string, count: number): Promise<unknown> =>
      waitFor(
        `${count} ${priority} requests to wait`,
        async () => (await metric(admin, 'request_queue_length', { priority })) === count,
      );
    const batch = Array.from({ length: 30 }, () => ask(url, 'batch'));
    // half of the queue is what batch may have
    await waiting('batch', 10);
    const normal = Array.from({ length: 15 }, () => ask(url, 'normal'));
    await waiting('normal', 15);
    await waiting('batch', 5);
    const emergencies = Array.from({ length: 8 }, () => ask(url, 'emergency'));
    await waiting('emergency', 7);
    await waiting('batch', 0);
    await waiting('normal', 13);
    expect(order).toEqual(['batch', 'emergency']);
    release();
    expect((await Promise.all(emergencies)).map(({ status }) => status)).toEqual(Array(8).fill(200));
    // the model had nothing else to do between
    expect(order.slice(1, 9)).toEqual(Array(8).fill('emergency'));
    const refused = (await Promise.all(batch)).filter(({ status }) => status === 503);
    expect(refused).toHaveLength(29);
    for (const { headers, text } of refused) {
      expect(Number(headers['retry-after'])).toBeGreaterThanOrEqual(1);
      expect(['shed', 'queue_full']).toContain((JSON.parse(text) as { detail: string }).detail);
    }
    expect((await Promise.all(normal)).filter(({ status }) => status === 200)).toHaveLength(13);
    expect(await metric(admin, 'requests_total', { priority: 'batch', code: '503' })).toBe(refused.length);
    // refusals are no response times
    const timed = (await metric(admin, 'request_duration_seconds_count', { priority: 'batch' })) ?? NaN;
    expect(timed).toBe(30 - refused.length);
  });

  test('who leaves the queue makes room', async () => {
    const { url, admin, model } = await start({ admission: { concurrency: 1 } });
    const answers: (() => void)[] = [];
    model.behaviour = (_, response) => answers.push(() => response.end());
    const waiting = (count: number): Promise<unknown> =>
      waitFor('waiting', async () => (await metric(admin, 'request_queue_length', { priority: 'normal' })) === count);
    const first = call(url, { body: 'first' });
    await waitFor('the model works', () => answers.length === 1);
    const leaving = new AbortController();
    const others = Array.from({ length: 5 }, () => call(url, { body: 'other', signal: leaving.signal }));
    await waiting(5);
    const last = call(url, { body: 'last' });
    await waiting(6);
    leaving.abort();
    await Promise.allSettled(others);
    await waiting(1);
    answers[0]?.();
    await waitFor('the last one', () => answers.length === 2);
    answers[1]?.();
    expect(await Promise.all([first, last])).toMatchObject([{ status: 200 }, { status: 200 }]);
    expect(model.asked.map(({ body }) => String(body))).toEqual(['first', 'last']);
  });

  test('nobody waits longer than the class may', async () => {
    const { url, model } = await start({ admission: { concurrency: 1, classes: { normal: { maxWait: 0.2 } } } });
    let go = (): void => undefined;
    model.behaviour = async (_, response) => {
      await new Promise<void>((resolve) => (go = resolve));
      response.end();
    };
    const first = call(url, { body: 'x' });
    await waitFor('the model works', () => model.asked.length === 1);
    const second = await call(url, { body: 'x' });
    expect([second.status, JSON.parse(second.text)]).toMatchObject([503, { detail: 'wait_too_long' }]);
    go();
    expect(await first).toMatchObject({ status: 200 });
  });
});
