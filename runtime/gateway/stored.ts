import type { CacheValue } from '../cache/types';
import type { RouteCachePlan } from '../../constructs/plan/gateway/defaults';
import { hasDirective } from './headers';
import type { AnswerHead, ModelAnswer } from './model-answer';

/** Headers of an answer that are kept with it, besides those that a route names. */
const KEPT = ['content-language', 'content-disposition'];

/** Headers of requests that are in every key, and the one that the model never gets. */
const ALWAYS_IN_KEY = ['content-type', 'content-encoding', 'accept', 'accept-encoding'];
/** Headers without which a request is not looked up. */
const CREDENTIALS = ['authorization', 'cookie'];

/** Whether an answer may be kept: a success, for all who would find it, in one piece, to the whole question. */
export function isStorable({ status, message, early }: ModelAnswer, route: RouteCachePlan): boolean {
  const { headers } = message;
  return (
    status >= 200 &&
    status < 300 &&
    status !== 206 &&
    !early &&
    headers['set-cookie'] === undefined &&
    headers['content-encoding'] === undefined &&
    headers['content-type']?.startsWith('text/event-stream') !== true &&
    !hasDirective(headers['cache-control'], 'no-store', 'private') &&
    keyHas(headers.vary, route)
  );
}

/** Whether the key has all headers of the request that an answer depends on (RFC 9111, 4.1). */
function keyHas(vary: string | undefined, { headers, idHeaders, tenantHeader, credentials }: RouteCachePlan): boolean {
  if (vary === undefined) {
    return true;
  }
  const ofRoute = [...headers, ...idHeaders, ...(tenantHeader === undefined ? [] : [tenantHeader])];
  const inKey = [
    ...ALWAYS_IN_KEY,
    ...ofRoute.map((name) => name.toLowerCase()),
    ...(credentials === 'bypass' ? CREDENTIALS : []),
  ];
  return vary
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .every((name) => name === '' || inKey.includes(name));
}

/** What is kept of an answer. */
export function storedValue(answer: ModelAnswer, body: Buffer, route: RouteCachePlan): CacheValue {
  const kept: string[] = [];
  for (const name of [...KEPT, ...route.responseHeaders]) {
    const value = answer.message.headers[name.toLowerCase()];
    if (typeof value === 'string') {
      kept.push(name, value);
    }
  }
  return {
    body,
    contentType: answer.contentType,
    metadata: { status: String(answer.status), ...(kept.length > 0 ? { headers: JSON.stringify(kept) } : {}) },
  };
}

/** The head of an answer that was kept. */
export function storedHead({ contentType, metadata = {} }: CacheValue): AnswerHead {
  const kept = metadata.headers === undefined ? [] : (JSON.parse(metadata.headers) as string[]);
  return {
    status: Number(metadata.status ?? 200),
    headers: contentType === undefined ? kept : ['Content-Type', contentType, ...kept],
  };
}
