import { Buffer } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import type { CacheQuery, KindCache, MedicalCache } from '../cache/types';
import type { GatewayPlan, RouteCachePlan } from '../../constructs/plan/gateway/defaults';
import { canonicalJson } from './canonical-json';
import { hasDirective, single } from './headers';
import type { Intake } from './intake';
import type { RequestBody } from './request-body';
import type { Trust } from './trust';

/** What is looked up for a request, but for its body. */
export interface Lookup {
  readonly kind: KindCache;
  readonly route: RouteCachePlan;
  /** Whether the caller wants no answer from the cache; the new one is kept. */
  readonly fresh: boolean;
  /** The query for some content of the body. */
  readonly query: (content: CacheQuery['content']) => CacheQuery;
}

/** Why a request on a route with a cache does without it. */
export interface Bypass {
  readonly bypass: 'method' | 'range' | 'no-store' | 'credentials' | 'tenant';
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Decides what is looked up for a request. */
export class Lookups {
  readonly #preprocessingVersion: string;

  constructor(
    private readonly plan: GatewayPlan,
    private readonly cache: MedicalCache,
    private readonly trust: Trust,
  ) {
    this.#preprocessingVersion = plan.model.preprocessingVersion ?? '';
  }

  /** @returns undefined where the route has no cache */
  of(request: IncomingMessage, { route: { cache: route }, target }: Intake): Lookup | Bypass | undefined {
    if (route === undefined) {
      return undefined;
    }
    const { method, headers } = request;
    if (method !== 'GET' && method !== 'POST') {
      return { bypass: 'method' };
    }
    if (headers.range !== undefined) {
      return { bypass: 'range' };
    }
    if (hasDirective(headers['cache-control'], 'no-store')) {
      return { bypass: 'no-store' };
    }
    if (route.credentials === 'bypass' && (headers.authorization !== undefined || headers.cookie !== undefined)) {
      return { bypass: 'credentials' };
    }
    const tenant = route.tenantHeader === undefined ? '' : single(request, route.tenantHeader.toLowerCase());
    if (tenant === undefined || (route.tenantHeader !== undefined && this.trust.priorities(request) === undefined)) {
      return { bypass: 'tenant' };
    }
    const { 'content-type': type, 'content-encoding': coding, accept } = headers;
    const others = route.headers.map((name) => headers[name.toLowerCase()] ?? null);
    // what a query holds becomes a keyed hash: none of it is ever stored or told
    const variant = JSON.stringify([method, target.path, target.query, type, coding, accept, tenant, others]);
    const ids = route.idHeaders.flatMap((name) => single(request, name.toLowerCase()) ?? []);
    return {
      kind: this.cache.of(route.kind),
      route,
      fresh: hasDirective(headers['cache-control'], 'no-cache', 'max-age'),
      query: (content) => ({
        content,
        model: this.plan.model.name,
        modelVersion: this.plan.model.version,
        preprocessingVersion: this.#preprocessingVersion,
        variant,
        ids,
      }),
    };
  }
}

/** What of a body that is held makes the key. */
export function contentOf(body: RequestBody, route: RouteCachePlan): CacheQuery['content'] {
  const { held } = body;
  if (route.key === 'body') {
    return body.isHashed ? { sha256: body.sha256() } : held;
  }
  let text: string;
  try {
    text = utf8.decode(held);
  } catch {
    // no text: its bytes are what counts
    return held;
  }
  return route.key === 'text' ? text : (jsonContent(text, route) ?? held);
}

/** As bytes, since the cache would collapse white space in a text. */
function jsonContent(text: string, { textFields }: RouteCachePlan): Buffer | undefined {
  const canonical = canonicalJson(text, textFields);
  return canonical === undefined ? undefined : Buffer.from(canonical);
}
