import type { RoutePlan } from '../../constructs/plan/gateway/defaults';

/** What needs no rewriting and is not ambiguous. */
const PLAIN = /^(\/[A-Za-z0-9\-._~!$&'()*+,;=:@]*)+$/;
const SEGMENTS_UP = /(^|\/)\.{1,2}(\/|$)/;
const UNRESERVED = /[A-Za-z0-9\-._~]/;
const ENCODED = /%([0-9A-Fa-f]{2})/g;

/** A request's target, in the form that is matched and forwarded. */
export interface Target {
  readonly path: string;
  /** With its `?`, or empty. As it came. */
  readonly query: string;
}

/**
 * Brings the target of a request into one form (RFC 3986, 6.2.2): unreserved characters plain, other percent-encodings in
 * capitals.
 *
 * @returns undefined where servers would disagree about what it means: dot segments, empty segments, encoded slashes,
 *   backslashes and NULs, bad encodings, fragments, absolute addresses
 */
export function normalizeTarget(url: string): Target | undefined {
  const mark = url.indexOf('?');
  const path = mark === -1 ? url : url.slice(0, mark);
  const query = mark === -1 ? '' : url.slice(mark);
  if (query.includes('#')) {
    return undefined;
  }
  const normal = PLAIN.test(path) ? path : normalizePath(path);
  if (normal === undefined || normal.includes('//') || (normal.includes('/.') && SEGMENTS_UP.test(normal))) {
    return undefined;
  }
  return { path: normal, query };
}

function normalizePath(path: string): string | undefined {
  // a half encoding next to a whole one would become a whole one
  if (/%(?![0-9A-Fa-f]{2})/.test(path)) {
    return undefined;
  }
  const normal = path.replace(ENCODED, (encoded, hex: string) => {
    const character = String.fromCharCode(parseInt(hex, 16));
    return UNRESERVED.test(character) ? character : encoded.toUpperCase();
  });
  const withoutEncodings = normal.replace(ENCODED, '');
  return PLAIN.test(withoutEncodings.startsWith('/') ? withoutEncodings : '') && !/%(2F|5C|00)/.test(normal)
    ? normal
    : undefined;
}

/** Finds the route of a request: the first whose path and method match. */
export class Router {
  readonly #routes: readonly { readonly pattern: RegExp; readonly route: RoutePlan }[];

  /** @param unmatched route of all other requests; without it they have none */
  constructor(
    routes: readonly RoutePlan[],
    private readonly unmatched: RoutePlan | undefined,
  ) {
    this.#routes = routes.map((route) => ({ pattern: patternOf(route.path), route }));
  }

  find(method: string, path: string): RoutePlan | undefined {
    for (const { pattern, route } of this.#routes) {
      if (pattern.test(path) && (route.methods === undefined || route.methods.includes(method))) {
        return route;
      }
    }
    return this.unmatched;
  }
}

function patternOf(path: string): RegExp {
  const segments = path.split('/').map((segment) => {
    switch (segment) {
      case '**':
        return '.*';
      case '*':
        return '[^/]+';
      default:
        return segment.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    }
  });
  return new RegExp(`^${segments.join('/')}$`);
}
