import fc from 'fast-check';
import { GATEWAY_DEFAULTS } from '../../../constructs/plan/gateway/defaults';
import { UsagePointers, UsageScanner, type TokenUsage } from '../../../runtime/gateway/usage';

const POINTERS = new UsagePointers(GATEWAY_DEFAULTS.tokenUsage);

/** What is found in an answer that comes in pieces. */
function scan(type: string, text: string, pieceLength = text.length): TokenUsage | undefined {
  const scanner = UsageScanner.for(type, POINTERS);
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += pieceLength) {
    scanner?.push(bytes.subarray(at, at + pieceLength));
  }
  return scanner?.end();
}

const openAi = { choices: [{ text: 'no finding' }], usage: { prompt_tokens: 12, completion_tokens: 5 } };
const stream = [
  'data: {"choices":[{"delta":{"content":"no"}}],"usage":null}',
  '',
  'data: {"choices":[],"usage":{"prompt_tokens":12,"completion_tokens":3}}',
  '',
  'data: {"choices":[],"usage":{"prompt_tokens":12,"completion_tokens":5}}',
  '',
  'data: [DONE]',
  '',
].join('\r\n');
const anthropic = [
  'event: message_start',
  'data: {"type":"message_start","message":{"usage":{"input_tokens":25,"output_tokens":1}}}',
  '',
  'event: message_delta',
  'data: {"type":"message_delta","usage":{"output_tokens":15}}',
  '',
].join('\n');

test.each([
  ['an answer in one piece', 'application/json; charset=utf-8', JSON.stringify(openAi), { input: 12, output: 5 }],
  ['a stream, of which the last report counts', 'text/event-stream', stream, { input: 12, output: 5 }],
  ['a stream that reports input first', 'text/event-stream', anthropic, { input: 25, output: 15 }],
  [
    'lines of JSON',
    'application/x-ndjson',
    '{"response":"a"}\n{"done":true,"prompt_eval_count":7,"eval_count":9}\n',
    { input: 7, output: 9 },
  ],
  ['a JSON of another type', 'application/problem+json', JSON.stringify(openAi), { input: 12, output: 5 }],
])('%s, however it is cut', (_, type, text, usage) => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: text.length }), (pieceLength) => {
      expect(scan(type, text, pieceLength)).toEqual(usage);
    }),
    { numRuns: 30 },
  );
});

test.each([
  ['no usage', 'application/json', '{"finding":"none"}'],
  ['no JSON', 'application/json', '{"usage":{"prompt_tokens":1'],
  ['a usage that is no number', 'application/json', '{"usage":{"prompt_tokens":"12"}}'],
  ['a negative one', 'application/json', '{"usage":{"prompt_tokens":-1}}'],
  ['a type that says nothing', 'application/dicom', JSON.stringify(openAi)],
])('%s counts nothing', (_, type, text) => {
  expect(scan(type, text)).toBeUndefined();
});

test('memory is bounded: an answer that is too long is not searched, and the next line of a stream is', () => {
  const long = 'x'.repeat(2 * 1024 * 1024);
  expect(scan('application/json', JSON.stringify({ ...openAi, long }), 65_536)).toBeUndefined();
  expect(scan('text/event-stream', `data: ${long}\n${stream}`, 65_536)).toEqual({ input: 12, output: 5 });
});
