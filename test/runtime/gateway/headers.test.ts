import { contentDigest, countOf, endToEnd, hasDirective } from '../../../runtime/gateway/headers';

describe('headers that go further', () => {
  test('none of one hop, none that Connection names, none of ours', () => {
    const raw = [
      ...['Host', 'model', 'Connection', 'keep-alive, X-Hop', 'X-Hop', '1', 'Keep-Alive', 'timeout=5'],
      ...['Transfer-Encoding', 'chunked', 'TE', 'trailers', 'Upgrade', 'h2c', 'Proxy-Authorization', 'x'],
      ...['X-Mediform-Priority', 'emergency', 'x-mediform-caller-secret', 's', 'Content-Length', '3'],
      ...['traceparent', '00-1', 'Set-Cookie', 'a', 'Set-Cookie', 'b', 'Expect', '100-continue'],
    ];
    expect(endToEnd(raw)).toEqual(['Host', 'model', 'traceparent', '00-1', 'Set-Cookie', 'a', 'Set-Cookie', 'b']);
  });

  test('Connection cannot take away the host', () => {
    expect(endToEnd(['Host', 'a', 'Connection', 'Host, close'])).toEqual(['Host', 'a']);
  });

  test('more can be left out', () => {
    expect(endToEnd(['Accept-Encoding', 'gzip', 'Accept', '*/*'], new Set(['accept-encoding']))).toEqual([
      'Accept',
      '*/*',
    ]);
  });
});

test('headers are counted whatever their case', () => {
  expect(countOf(['Host', 'a', 'HOST', 'b', 'Hosts', 'c'], 'host')).toBe(2);
});

test.each([
  ['no-store', true],
  ['public, No-Store', true],
  ['private="set-cookie"', true],
  ['max-age=3, public', false],
  ['x-no-store', false],
  [undefined, false],
])('%s says no-store or private: %s', (header, says) => {
  expect(hasDirective(header, 'no-store', 'private')).toBe(says);
});

describe('Content-Digest', () => {
  const base64 = Buffer.alloc(32, 7).toString('base64');
  test('SHA-256, beside others', () => {
    expect(contentDigest(`sha-512=:AAAA:, sha-256=:${base64}:`)).toEqual(Buffer.alloc(32, 7));
  });

  test.each([undefined, '', 'sha-512=:AAAA:', 'md5=:x:'])('%s states none', (header) => {
    expect(contentDigest(header)).toBeUndefined();
  });

  test.each(['sha-256=abc', 'sha-256=:abc:', `sha-256=:${base64}`, `sha-256=:${base64}:;x`])(
    '%s is malformed',
    (header) => {
      expect(contentDigest(header)).toBe('bad');
    },
  );
});
