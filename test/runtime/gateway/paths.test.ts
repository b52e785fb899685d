import fc from 'fast-check';
import { planGateway } from '../../../constructs/plan/gateway/defaults';
import type { RouteConfig } from '../../../constructs/plan/gateway/config';
import { normalizeTarget, Router } from '../../../runtime/gateway/paths';

test.each([
  ['/', '/'],
  ['/v1/infer', '/v1/infer'],
  ['/v1/%64iagnose', '/v1/diagnose'],
  ['/v1/a%c3%a4', '/v1/a%C3%A4'],
  ['/v1/a%20b', '/v1/a%20b'],
  ['/v1/.well-known', '/v1/.well-known'],
  ['/v1/a..b', '/v1/a..b'],
  ['/trailing/', '/trailing/'],
])('%s is matched and forwarded as %s', (url, path) => {
  expect(normalizeTarget(`${url}?q=%2e%2e/%2F`)).toEqual({ path, query: '?q=%2e%2e/%2F' });
});

test.each([
  '',
  '*',
  'http://other/',
  '//other/x',
  '/a//b',
  '/a/../b',
  '/a/%2e%2E/b',
  '/a/./b',
  '/a/..',
  '/a/%2fb',
  '/a%5cb',
  '/a\\b',
  '/a%00',
  '/a%zz',
  '/a%2',
  '/a#b',
  '/a?b#c',
  '/a b',
  '/ä',
])('%s is refused, since servers would disagree about it', (url) => {
  expect(normalizeTarget(url)).toBeUndefined();
});

test('what is normal stays as it is, whatever comes', () => {
  const parts = fc.constantFrom('a', '/', '.', '..', '%2e', '%2F', '%41', '%c3', '//', '\\', '?', '#', '%', ';', '@');
  fc.assert(
    fc.property(fc.array(parts, { maxLength: 12 }), (pieces) => {
      const url = `/${pieces.join('')}`;
      const target = normalizeTarget(url);
      if (target !== undefined) {
        expect(normalizeTarget(target.path + target.query)).toEqual(target);
        // a server that resolves it comes to the same path
        expect(new URL(target.path, 'http://model').pathname).toBe(target.path);
      }
    }),
    { numRuns: 2_000 },
  );
});

describe('routes', () => {
  const router = (routes: RouteConfig[], unmatched: 'forward' | 'refuse' = 'refuse'): Router => {
    const model = { name: 'm', version: '1' };
    const plan = planGateway({ service: 's', namespace: 'n', model, upstream: { port: 8080 }, routes, unmatched });
    return new Router(plan.routes, plan.unmatched);
  };

  test.each([
    ['/v1/diagnose', '/v1/diagnose', true],
    ['/v1/diagnose', '/v1/diagnose/', false],
    ['/v1/diagnose', '/v1/diagnose/x', false],
    ['/v1/*/infer', '/v1/ct/infer', true],
    ['/v1/*/infer', '/v1/ct/a/infer', false],
    ['/v1/*/infer', '/v1//infer', false],
    ['/v1/**', '/v1/a/b', true],
    ['/v1/**', '/v2/a', false],
    ['/v1.0/x', '/v1a0/x', false],
    ['/a+b', '/a+b', true],
  ])('%s and %s: %s', (path, asked, found) => {
    expect(router([{ path }]).find('GET', asked)?.path).toBe(found ? path : undefined);
  });

  test('the first one with the path and the method counts', () => {
    const routes = router([{ path: '/x', methods: ['POST'] }, { path: '/**' }]);
    expect(routes.find('POST', '/x')?.path).toBe('/x');
    expect(routes.find('GET', '/x')?.path).toBe('/**');
  });

  test('what has no route is forwarded, unless it is refused', () => {
    expect(router([], 'forward').find('GET', '/x')?.path).toBe('unmatched');
    expect(router([]).find('GET', '/x')).toBeUndefined();
  });
});
