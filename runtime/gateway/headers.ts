import type { IncomingMessage } from 'node:http';
import { GatewayHeader } from '../../constructs/plan/gateway/names';

/** Headers that belong to one connection (RFC 9110, 7.6.1), and those that the gateway answers for itself. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'expect',
  'content-length',
]);

/** Names and values in turn, as Node has them. */
export type RawHeaders = readonly string[];

/**
 * The headers of a message that go further: none of one hop, none of the gateway's own, none that `Connection` names.
 *
 * @param drop more names to leave out, in lower case
 */
export function endToEnd(raw: RawHeaders, drop: ReadonlySet<string> = new Set()): string[] {
  const named = connectionNames(raw);
  const kept: string[] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index] as string;
    const lower = name.toLowerCase();
    if (
      !HOP_BY_HOP.has(lower) &&
      !lower.startsWith(GatewayHeader.PREFIX) &&
      !drop.has(lower) &&
      named?.has(lower) !== true
    ) {
      kept.push(name, raw[index + 1] as string);
    }
  }
  return kept;
}

function connectionNames(raw: RawHeaders): ReadonlySet<string> | undefined {
  let names: Set<string> | undefined;
  for (let index = 0; index + 1 < raw.length; index += 2) {
    if ((raw[index] as string).length === 10 && (raw[index] as string).toLowerCase() === 'connection') {
      for (const name of (raw[index + 1] as string).split(',')) {
        const lower = name.trim().toLowerCase();
        // the two that every client sends, and one that decides who is meant
        if (lower !== 'keep-alive' && lower !== 'close' && lower !== 'host') {
          (names ??= new Set()).add(lower);
        }
      }
    }
  }
  return names;
}

/** How often a header occurs. */
export function countOf(raw: RawHeaders, lower: string): number {
  let count = 0;
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index] as string;
    if (name.length === lower.length && name.toLowerCase() === lower) {
      count++;
    }
  }
  return count;
}

/** One value of a header; undefined where it is absent or empty, and where it occurs more than once. */
export function single(request: IncomingMessage, lower: string): string | undefined {
  const value = request.headers[lower];
  return typeof value === 'string' && value !== '' && countOf(request.rawHeaders, lower) === 1 ? value : undefined;
}

/** Whether a list header such as Cache-Control has a directive, with or without a value. */
export function hasDirective(header: string | undefined, ...directives: readonly string[]): boolean {
  return (
    header
      ?.toLowerCase()
      .split(',')
      .some((part) => directives.includes((part.split('=')[0] as string).trim())) === true
  );
}

/**
 * SHA-256 of a body as its sender states it (RFC 9530).
 *
 * @returns undefined where there is none, `'bad'` where it is no SHA-256 in base64
 */
export function contentDigest(header: string | undefined): Buffer | 'bad' | undefined {
  const match = /(?:^|,)\s*sha-256=([^,]*)/.exec(header ?? '');
  if (match === null) {
    return undefined;
  }
  const base64 = /^:([A-Za-z0-9+/]{43}=):\s*$/.exec(match[1] as string);
  return base64 === null ? 'bad' : Buffer.from(base64[1] as string, 'base64');
}
