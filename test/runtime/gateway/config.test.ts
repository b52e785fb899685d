import { writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigurationError } from '../../../constructs/plan/errors';
import { parseGatewayConfig, readGatewayConfig } from '../../../runtime/gateway';

const LEAST = {
  service: 'ct',
  namespace: 'imaging',
  model: { name: 'resnet50', version: '1' },
  upstream: { port: 8080 },
};

/** What is wrong with a configuration. */
function problems(config: unknown): readonly string[] {
  try {
    parseGatewayConfig(config);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigurationError);
    return (error as ConfigurationError).problems;
  }
  return [];
}

test('little is needed', () => {
  expect(problems(LEAST)).toEqual([]);
});

test('everything can be given', () => {
  const limits = { concurrency: 2, queueLength: 10, maxWait: 5 };
  const config = {
    ...LEAST,
    model: { ...LEAST.model, preprocessingVersion: '3' },
    upstream: { port: 8080, host: '127.0.0.1', readinessPath: '/ready' },
    listen: {
      port: 9443,
      host: '::',
      maxConnections: 10,
      maxHeaderBytes: 8192,
      tls: { certificateFile: '/tls/crt', keyFile: '/tls/key', clientAuthorityFile: '/tls/ca' },
    },
    admin: { port: 9444, host: '::' },
    defaultPriority: 'batch',
    trustedCallers: [
      { cidrs: ['10.0.0.0/8', 'fd00::/8'], secretFile: '/secret', priorities: ['emergency'] },
      { certificateNames: ['spiffe://hospital/pacs'] },
    ],
    admission: {
      concurrency: 4,
      reserve: 2,
      queueLength: 20,
      batchAgeing: 5,
      classes: { emergency: { maxWait: 2 }, normal: limits },
    },
    routes: [
      {
        path: '/v1/*/infer',
        methods: ['POST'],
        priority: 'normal',
        maxBodyBytes: 1000,
        cache: {
          kind: 'knowledge',
          key: 'json',
          textFields: ['/query'],
          headers: ['Accept-Language'],
          tenantHeader: 'X-Mediform-Tenant',
          idHeaders: ['X-Study'],
          credentials: 'ignore',
          ttl: 60,
          responseHeaders: ['X-Score'],
          maxResponseBytes: 1000,
        },
      },
    ],
    unmatched: 'refuse',
    body: { bufferBytes: 1000, totalBufferBytes: 10_000, maxBytes: 100_000, minBytesPerSecond: 10 },
    timeouts: { headers: 1, idle: 1, keepAlive: 1, connect: 1, upstream: 1 },
    drain: { timeout: 1 },
    tokenUsage: { input: ['/usage/in'], output: ['/usage/out'] },
    logRequests: 'failures',
    cache: { namespace: 'production.imaging' },
  };
  expect(problems(config)).toEqual([]);
});

test('all that is wrong with the shape is told at once', () => {
  expect(
    problems({
      ...LEAST,
      service: 7,
      upstream: {},
      listen: { prot: 1 },
      routes: [{ path: '/x', cache: { kind: 'diagnoses' } }],
    }),
  ).toEqual([
    "'service' (7) must be of type string because the gateway reads it as that",
    "'upstream.port' (undefined) must be of type number because the gateway reads it as that",
    "'listen.prot' (1) must not be given because there is no such property",
    "'routes[0].cache.kind' (diagnoses) must be one of diagnosis, knowledge, model_output because nothing else has a meaning",
  ]);
});

test.each<[string, object, string[]]>([
  ['ports that collide', { listen: { port: 8080 } }, ['listen.port']],
  ['the default ports taken by the model', { upstream: { port: 9081 } }, ['listen.port']],
  ['a port without privileges', { listen: { port: 80 } }, ['listen.port']],
  ['no concurrency', { admission: { concurrency: 0 } }, ['admission.concurrency']],
  [
    'batch over normal',
    { admission: { concurrency: 8, classes: { normal: { concurrency: 2 }, batch: { concurrency: 3 } } } },
    ['admission.classes.batch.concurrency'],
  ],
  ['a reserve of all places', { admission: { concurrency: 4, reserve: 4 } }, ['admission.reserve']],
  ['half a place in reserve', { admission: { reserve: 0.5 } }, ['admission.reserve']],
  [
    'the reserve given to normal requests',
    { admission: { concurrency: 4, classes: { normal: { concurrency: 4 } } } },
    ['admission.classes.normal.concurrency'],
  ],
  ['batch that never ages', { admission: { batchAgeing: 0 } }, ['admission.batchAgeing']],
  ['trust in everybody', { trustedCallers: [{ priorities: ['emergency'] }] }, ['trustedCallers[0]']],
  ['no address', { trustedCallers: [{ cidrs: ['10.0.0.0'] }] }, ['trustedCallers[0].cidrs']],
  ['a secret by value', { trustedCallers: [{ secretFile: 'hunter2' }] }, ['trustedCallers[0].secretFile']],
  ['certificates of nobody', { trustedCallers: [{ certificateNames: ['x'] }] }, ['trustedCallers[0].certificateNames']],
  ['a path that is none', { routes: [{ path: 'x' }] }, ['routes[0].path']],
  ['a star inside a segment', { routes: [{ path: '/v1/a*' }] }, ['routes[0].path']],
  ['two stars before the end', { routes: [{ path: '/**/x' }] }, ['routes[0].path']],
  ['an encoded path', { routes: [{ path: '/%61' }] }, ['routes[0].path']],
  ['a path that is never matched', { routes: [{ path: '/a/../b' }] }, ['routes[0].path']],
  ['a method in small letters', { routes: [{ path: '/x', methods: ['post'] }] }, ['routes[0].methods']],
  [
    'a cache without a preprocessing version',
    { routes: [{ path: '/x', cache: { kind: 'diagnosis' } }] },
    ['model.preprocessingVersion'],
  ],
  ['a cache that nothing asks', { cache: { namespace: 'x' } }, ['cache']],
  ['less memory than one body', { body: { totalBufferBytes: 10 } }, ['body.totalBufferBytes']],
  ['a bound of nothing', { timeouts: { idle: 0 } }, ['timeouts.idle']],
  ['a pointer that is none', { tokenUsage: { input: ['usage'] } }, ['tokenUsage.input']],
])('%s', (_, config, properties) => {
  const found = problems({ ...LEAST, ...config });
  expect(found.map((line) => /^'([^']+)'/.exec(line)?.[1])).toEqual(properties);
});

test('text fields need a JSON', () => {
  const model = { ...LEAST.model, preprocessingVersion: '1' };
  const cache = { kind: 'diagnosis', textFields: ['/q'] };
  expect(problems({ ...LEAST, model, routes: [{ path: '/x', cache }] })).toEqual([
    `'routes[0].cache.textFields' (["/q"]) must not be given unless the key is 'json' because they are strings of a JSON body`,
  ]);
});

describe('a file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mediform-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  test('is read', () => {
    writeFileSync(join(folder, 'config.json'), JSON.stringify(LEAST));
    expect(readGatewayConfig(join(folder, 'config.json'))).toEqual(LEAST);
  });

  test('that is not there, or no JSON, is an error that says so', () => {
    writeFileSync(join(folder, 'broken.json'), '{');
    expect(() => readGatewayConfig(join(folder, 'none.json'))).toThrow('it cannot be read (ENOENT)');
    expect(() => readGatewayConfig(join(folder, 'broken.json'))).toThrow('it is no JSON');
  });
});
