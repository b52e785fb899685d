import fc from 'fast-check';
import { canonicalJson, canonicalText } from '../../../runtime/gateway/canonical-json';

test('members in order, no white space, the shortest escapes', () => {
  expect(canonicalJson(' { "b" : [ 1 , true , null ] , "a" : "\\u0041\\/\\n" } ')).toBe(
    '{"a":"A/\\n","b":[1,true,null]}',
  );
});

test('numbers stay as they are written: a server may tell 1 from 1.0', () => {
  expect(canonicalJson('[1,1.0,1e0,12345678901234567890]')).toBe('[1,1.0,1e0,12345678901234567890]');
});

test.each([
  ['two members of one name', '{"a":1,"a":2}'],
  ['two members of one name, written differently', '{"a":1,"\\u0061":2}'],
  ['a comma too many', '[1,]'],
  ['a comment', '{} // x'],
  ['single quotes', "{'a':1}"],
  ['NaN', 'NaN'],
  ['a leading zero', '01'],
  ['a control character', '"a\nb"'],
  ['a byte order mark', '\ufeff{}'],
  ['nothing', ''],
  ['two values', '{}{}'],
  ['no end', '{"a":"b'],
  ['too deep', '['.repeat(100) + ']'.repeat(100)],
])('%s has no canonical form', (_, text) => {
  expect(canonicalJson(text)).toBeUndefined();
});

test('texts are normalised where a pointer says so, and nowhere else', () => {
  const text = JSON.stringify({ query: ' chest  pain ', other: ' a  b ', 'a/b': ' x ', list: [' y '] });
  expect(canonicalJson(text, ['/query', '/a~1b', '/list/0'])).toBe(
    '{"a/b":"x","list":["y"],"other":" a  b ","query":"chest pain"}',
  );
});

test('a text in Unicode NFC with single spaces', () => {
  expect(canonicalText('\u00a0Mu\u0308ller\t\n MS ')).toBe('M\u00fcller MS');
});

test('what JSON means is not changed, whatever comes', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(undefined, 1, '\t'), (value, space) => {
      const text = JSON.stringify(value, undefined, space);
      const canonical = canonicalJson(text);
      expect(canonical).toBeDefined();
      expect(JSON.parse(canonical as string)).toEqual(JSON.parse(text));
      expect(canonicalJson(canonical as string)).toBe(canonical);
    }),
  );
});

test('the order of members does not matter, and their values do', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 }), (members) => {
      const entries = Object.entries(members);
      const reversed = `{${entries
        .reverse()
        .map(([name, value]) => `${JSON.stringify(name)}: ${JSON.stringify(value)}`)
        .join(' , ')}}`;
      expect(canonicalJson(reversed)).toBe(canonicalJson(JSON.stringify(members)));
      const [name = ''] = Object.keys(members);
      const others = { ...members, [name]: 'another' };
      expect(canonicalJson(JSON.stringify(others)) === canonicalJson(JSON.stringify(members))).toBe(
        members[name] === 'another',
      );
    }),
  );
});

test('whatever is no JSON has no canonical form, and whatever is may only have one that means the same', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'{}[]",:\\u0aE1.-+ tnfe'.split('')), maxLength: 20 }), (text) => {
      let meant: unknown;
      let isJson = true;
      try {
        meant = JSON.parse(text);
      } catch {
        isJson = false;
      }
      const canonical = canonicalJson(text);
      expect(canonical === undefined || isJson).toBe(true);
      if (canonical !== undefined) {
        expect(JSON.parse(canonical)).toEqual(meant);
      }
    }),
    { numRuns: 5_000 },
  );
});
