import type { IncomingMessage } from 'node:http';
import type { GatewayPlan, RoutePlan } from '../../constructs/plan/gateway/defaults';
import { GatewayHeader } from '../../constructs/plan/gateway/names';
import { PRIORITY_CLASSES, type Priority } from '../../constructs/plan/priorities';
import { Refusal } from './failures';
import { contentDigest, countOf } from './headers';
import type { GatewayMetrics } from './metrics';
import { normalizeTarget, Router, type Target } from './paths';
import type { Trust } from './trust';

/** What the head of a request says, checked. */
export interface Intake {
  readonly target: Target;
  readonly route: RoutePlan;
  readonly priority: Priority;
  /** SHA-256 of the body, as the caller states it. */
  readonly digest?: Buffer;
}

/** Reads heads of requests. */
export class HeadReader {
  readonly #router: Router;

  constructor(
    plan: GatewayPlan,
    private readonly trust: Trust,
    private readonly metrics: GatewayMetrics,
  ) {
    this.#router = new Router(plan.routes, plan.unmatched);
  }

  /** @throws Refusal */
  read(request: IncomingMessage): Intake {
    const { method = '', url = '', headers } = request;
    const target = normalizeTarget(url);
    if (target === undefined || countOf(request.rawHeaders, 'host') > 1) {
      throw new Refusal(400, 'ambiguous_target');
    }
    if (method === 'TRACE') {
      throw new Refusal(405, 'method_refused');
    }
    const route = this.#router.find(method, target.path);
    if (route === undefined) {
      throw new Refusal(404, 'no_route');
    }
    const priority = this.#priority(request, route);
    const coding = headers['transfer-encoding'];
    if (coding !== undefined && coding.toLowerCase() !== 'chunked') {
      throw new Refusal(501, 'transfer_coding_unknown');
    }
    if (Number(headers['content-length'] ?? 0) > route.maxBodyBytes) {
      throw new Refusal(413, 'body_too_large');
    }
    const digest = contentDigest(headers['content-digest'] as string | undefined);
    if (digest === 'bad') {
      throw new Refusal(400, 'digest_malformed');
    }
    return { target, route, priority, digest };
  }

  #priority(request: IncomingMessage, route: RoutePlan): Priority {
    const asked = request.headers[GatewayHeader.PRIORITY];
    if (asked === undefined) {
      return route.priority;
    }
    const allowed = this.trust.priorities(request);
    if (allowed === undefined) {
      this.metrics.stripped(GatewayHeader.PRIORITY);
      return route.priority;
    }
    if (typeof asked !== 'string' || !Object.hasOwn(PRIORITY_CLASSES, asked)) {
      throw new Refusal(400, 'priority_unknown');
    }
    if (!allowed.includes(asked as Priority)) {
      throw new Refusal(403, 'priority_not_allowed');
    }
    return asked as Priority;
  }
}
