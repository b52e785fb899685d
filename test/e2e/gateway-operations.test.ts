/** What those who run the gateway rely on: limits at the model, figures, timeouts, and files that change under it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { setTimeout as sleep } from 'node:timers/promises';
import { CertificateAuthority } from './support/certificates';
import { DIAGNOSIS, call, gatewayConfig, how, metric, stage, type Answer, type Stage } from './support/gateway/gateway';
import { startGateway } from '../../runtime/gateway';
import { untilClosed } from './support/gateway/wire';
import { waitFor } from './support/wait';

type FakeableAPI = NonNullable<
  Extract<Parameters<typeof jest.useFakeTimers>[0], { doNotFake?: unknown }>['doNotFake']
>[number];

const LOOPBACK = { cidrs: ['127.0.0.0/8'] };

let current: Stage | undefined;
const start = async (...config: Parameters<typeof stage>): Promise<Stage> => (current = await stage(...config));
afterEach(async () => {
  jest.useRealTimers();
  await current?.stop();
  current = undefined;
});

const ask = (url: string, priority: string, body = priority): Promise<Answer> =>
  call(url, { body, headers: { 'X-Mediform-Priority': priority } });

describe('the model', () => {
  /** A model that answers when it is told to, and what it has had at a time. */
  async function held(...[config]: Parameters<typeof stage>) {
    const made = await start({ trustedCallers: [LOOPBACK], ...config });
    const open: { readonly priority: string; readonly answer: () => void }[] = [];
    made.model.behaviour = ({ body }, response) => {
      open.push({ priority: String(body), answer: () => response.end() });
    };
    return { ...made, open, working: () => open.map(({ priority }) => priority) };
  }

  test('has no more requests of a class at a time than the class may have, and emergencies find a place', async () => {
    const { url, admin, open, working } = await held({ admission: { concurrency: 4 } });
    const answers = Array.from({ length: 5 }, () => ask(url, 'batch'));
    const waiting = (priority: string, count: number): Promise<unknown> =>
      waitFor(priority, async () => (await metric(admin, 'request_queue_length', { priority })) === count);
    await waiting('batch', 3);
    expect(working()).toEqual(['batch', 'batch']);
    answers.push(...Array.from({ length: 3 }, () => ask(url, 'normal')));
    await waiting('normal', 2);
    expect(working()).toEqual(['batch', 'batch', 'normal']);
    answers.push(ask(url, 'emergency'));
    await waitFor('the emergency', () => open.length === 4);
    expect(working()[3]).toBe('emergency');
    expect(await metric(admin, 'mediform_requests_in_flight', { priority: 'emergency' })).toBe(1);
    for (let next = 0; next < answers.length; next++) {
      await waitFor('the next one', () => open.length > next);
      open[next]?.answer();
    }
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(working().slice(4)).toEqual(['normal', 'normal', 'batch', 'batch', 'batch']);
  });

  test('has a queue before it that is as long as it may be, and no longer', async () => {
    const { url, admin, open } = await held({ admission: { concurrency: 1, queueLength: 3 } });
    const first = ask(url, 'normal');
    await waitFor('the model works', () => open.length === 1);
    const queued = Array.from({ length: 3 }, () => ask(url, 'normal'));
    const length = (): Promise<number | undefined> => metric(admin, 'request_queue_length', { priority: 'normal' });
    await waitFor('the queue', async () => (await length()) === 3);
    const refused = await ask(url, 'normal');
    expect([refused.status, JSON.parse(refused.text)]).toMatchObject([503, { detail: 'queue_full' }]);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    expect(await length()).toBe(3);
    const rejections = { priority: 'normal', reason: 'queue_full' };
    expect(await metric(admin, 'mediform_rejections_total', rejections)).toBe(1);
    for (let next = 0; next < 4; next++) {
      await waitFor('the next one', () => open.length > next);
      open[next]?.answer();
    }
    await Promise.all([first, ...queued]);
  });

  test.each([
    [0.5, 'is', 1_000],
    [60, 'is not', 100],
  ])(
    'works on a batch request that waits for %d s: it %s served in spite of %3$d normal ones',
    async (batchAgeing, does, others) => {
      const admission = { concurrency: 1, batchAgeing };
      const { url, model } = await start({ trustedCallers: [LOOPBACK], admission });
      model.behaviour = async (_, response) => {
        await sleep(10);
        response.end();
      };
      let over = false;
      const workers = Array.from({ length: 8 }, async () => {
        while (!over) {
          await ask(url, 'normal');
        }
      });
      await waitFor('load', () => model.asked.length > 5);
      const batch = ask(url, 'batch').then(() => 'is');
      const before = model.asked.length;
      const passedBy = waitFor('the others', () => model.asked.length >= before + others && 'is not', { pauseMs: 10 });
      const served = await Promise.race([batch, passedBy]);
      over = true;
      await Promise.all([...workers, batch, passedBy.catch(() => undefined)]);
      expect(served).toBe(does);
    },
  );
});

describe('figures', () => {
  test('of the model’s work are by priority, and an answer from the cache is none of it', async () => {
    const { url, admin, model } = await start({ routes: [DIAGNOSIS], trustedCallers: [LOOPBACK] });
    model.behaviour = async (_, response) => {
      await sleep(200);
      response.writeHead(200, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify({ usage: { prompt_tokens: 7, completion_tokens: 3 } }));
    };
    const of = (name: string, labels: { [label: string]: string }): Promise<number | undefined> =>
      metric(admin, name, { service: 'ct', model: 'resnet50', ...labels });
    const seconds = async (): Promise<number> =>
      (await of('mediform_inference_seconds_total', { priority: 'emergency' })) ?? NaN;
    expect(how(await ask(`${url}/diagnose`, 'emergency', 'image'))).toBe('miss');
    const once = await seconds();
    expect(once).toBeGreaterThan(0.19);
    for (let time = 0; time < 2; time++) {
      expect(how(await ask(`${url}/diagnose`, 'emergency', 'image'))).toMatch(/^hit; tier=hot/);
    }
    expect(await seconds()).toBe(once);
    expect(await of('mediform_inference_seconds_total', { priority: 'normal' })).toBe(0);
    expect(await of('mediform_tokens_total', { direction: 'input' })).toBe(7);
    expect(await of('mediform_tokens_total', { direction: 'output' })).toBe(3);
    expect(await of('mediform_admissions_total', { priority: 'emergency' })).toBe(1);
    expect(await of('requests_total', { priority: 'emergency', code: '200' })).toBe(3);
    expect(await of('request_duration_seconds_count', { priority: 'emergency' })).toBe(3);
    expect(await of('mediform_queue_wait_seconds_count', { priority: 'emergency' })).toBe(1);
    expect(await of('mediform_cache_answers_total', { result: 'hit' })).toBe(2);
    expect(await of('mediform_cache_lookups_total', { kind: 'diagnosis', tier: 'hot', outcome: 'hit' })).toBe(2);
  });
});

describe('timeouts', () => {
  test('a model that falls silent in its answer has it cut, and gives up its place', async () => {
    const { url, admin, model } = await start({ timeouts: { upstream: 0.3 } });
    model.behaviour = (_, response) => {
      response.writeHead(200, { 'Content-Length': '1000' });
      response.write('half');
    };
    await expect(call(url, { body: 'x' })).rejects.toThrow(/cut|aborted|hang up/);
    await waitFor(
      '502',
      async () => (await metric(admin, 'requests_total', { code: '502', priority: 'normal' })) === 1,
    );
    expect(await metric(admin, 'mediform_requests_in_flight', { priority: 'normal' })).toBe(0);
  });

  test('a model that speaks now and then may take its time', async () => {
    const { url, model } = await start({ timeouts: { upstream: 2 } });
    model.behaviour = async (_, response) => {
      for (let piece = 0; piece < 5; piece++) {
        response.write('piece ');
        await sleep(500);
      }
      response.end('end');
    };
    expect(await call(url, { body: 'x' })).toMatchObject({ status: 200, text: `${'piece '.repeat(5)}end` });
  });

  test('a model whose machine takes no connections is 504', async () => {
    const deaf = await DeafServer.start();
    const config = await gatewayConfig(deaf.port, { timeouts: { connect: 0.3, upstream: 20 } });
    const gateway = await startGateway(config, { write: () => undefined });
    try {
      const begun = performance.now();
      const answer = await call(`http://127.0.0.1:${gateway.port}`, { body: 'x' });
      expect([answer.status, JSON.parse(answer.text)]).toMatchObject([504, { detail: 'model_too_slow' }]);
      // sooner than by the timeout of answers
      expect(performance.now() - begun).toBeLessThan(20_000);
    } finally {
      await gateway.drain();
      deaf.stop();
    }
  });

  test('an unused connection is kept for a while, and then closed', async () => {
    const { gateway } = await start({ timeouts: { keepAlive: 3 } });
    const socket = connect(gateway.port, '127.0.0.1');
    const closed = untilClosed(socket);
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    for (let time = 1; time <= 5; time++) {
      socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
      await waitFor('the answer', () => text.match(/HTTP\/1\.1 200/g)?.length === time);
      await sleep(800);
    }
    // later than if it were closed when it is so old, sooner than by default
    expect(await closed).toBeGreaterThan(4_000);
    expect(await closed).toBeLessThan(60_000);
  });
});

describe('files that change', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mediform-reload-'));
  const file = (name: string, content: string): string => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };
  afterAll(() => rmSync(folder, { recursive: true }));

  /** The minute that a mounted file takes passes at once; all else takes the time that it takes. */
  async function startWithClock(config: Parameters<typeof stage>[0]): Promise<Stage & { minute: () => void }> {
    const others = ['Date', 'hrtime', 'nextTick', 'performance', 'queueMicrotask', 'setImmediate', 'clearImmediate'];
    jest.useFakeTimers({ doNotFake: [...others, 'setTimeout', 'clearTimeout'] as FakeableAPI[] });
    const made = await start(config);
    return { ...made, minute: () => jest.advanceTimersByTime(60_000) };
  }

  test('a secret of callers is taken up, and the one before it no longer believed', async () => {
    const secretFile = file('secret', 'the secret of last year');
    const { url, model, minute, lines } = await startWithClock({ trustedCallers: [{ secretFile }] });
    const priority = async (secret: string): Promise<unknown> => {
      const headers = { 'X-Mediform-Priority': 'emergency', 'X-Mediform-Caller-Secret': secret };
      await call(url, { headers });
      return model.asked.at(-1)?.headers['x-mediform-priority'];
    };
    expect(await priority('the secret of last year')).toBe('emergency');
    file('secret', 'the secret of this year');
    minute();
    expect(await priority('the secret of this year')).toBe('emergency');
    expect(await priority('the secret of last year')).toBe('normal');
    // one that cannot be used is told of, and changes nothing
    file('secret', 'short');
    minute();
    expect(await priority('the secret of this year')).toBe('emergency');
    expect(lines('not reloaded')[0]).toMatchObject({ level: 'error' });
    expect(JSON.stringify(lines('not reloaded'))).not.toContain('short"');
  });

  test('a certificate is taken up without a restart', async () => {
    const authority = new CertificateAuthority('hospital');
    const issue = (host: string): void => {
      const { certificate, key } = authority.issue({ commonName: host, hosts: [host] });
      file('tls.crt', certificate);
      file('tls.key', key);
    };
    issue('old.example');
    const tls = { certificateFile: join(folder, 'tls.crt'), keyFile: join(folder, 'tls.key') };
    const { gateway, minute } = await startWithClock({ listen: { tls } });
    const greets = async (servername: string): Promise<boolean> => {
      const socket = connectTls({ host: '127.0.0.1', port: gateway.port, servername, ca: authority.certificate });
      const greeted = await once(socket, 'secureConnect').then(
        () => true,
        () => false,
      );
      socket.destroy();
      return greeted;
    };
    expect([await greets('old.example'), await greets('new.example')]).toEqual([true, false]);
    issue('new.example');
    minute();
    expect([await greets('old.example'), await greets('new.example')]).toEqual([false, true]);
  });
});

/** A server that listens and takes no more connections: its queue is full, and its process stands still. */
class DeafServer {
  private constructor(
    readonly port: number,
    private readonly child: ChildProcess,
    private readonly fillers: readonly Socket[],
  ) {}

  static async start(): Promise<DeafServer> {
    const script = `const s = require('node:net').createServer();
      s.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => console.log(s.address().port));`;
    const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [text] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
    const port = Number(text.toString());
    child.kill('SIGSTOP');
    const fillers = Array.from({ length: 8 }, () => connect(port, '127.0.0.1').on('error', () => undefined));
    await sleep(300);
    return new DeafServer(port, child, fillers);
  }

  stop(): void {
    this.fillers.forEach((socket) => socket.destroy());
    this.child.kill('SIGKILL');
  }
}
