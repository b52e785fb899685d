import type { CacheValue } from '../cache/types';
import type { RouteCachePlan } from '../../constructs/plan/gateway/defaults';
import { hasDirective } from './headers';
import type { AnswerHead, ModelAnswer } from './model-answer';

/** Headers of an answer that are kept with it, besides those that a route names. */
const KEPT = ['content-language', 'content-disposition'];

/** Whether an answer may be kept: a success, for everybody, in one piece, to the whole question. */
export function isStorable({ status, message, early }: ModelAnswer): boolean {
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
    headers.vary !== '*'
  );
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
