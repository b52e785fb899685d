import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createMedicalCache, type MedicalCache } from '../cache';
import type { GatewayConfig } from '../../constructs/plan/gateway/config';
import { planGateway } from '../../constructs/plan/gateway/defaults';
import { adminServer } from './admin';
import { Admission } from './admission/admission';
import { Handler } from './handler';
import { Log } from './log';
import { GatewayMetrics } from './metrics';
import { callerServer } from './server';
import { Trust } from './trust';
import { Upstream } from './upstream';

/** How often waiting requests and bodies are looked at. */
const CHECK_MS = 100;
/** How often secrets and certificates are read again: Kubernetes swaps mounted files within about a minute. */
const RELOAD_MS = 30_000;

/** What the gateway takes from its surroundings. */
export interface GatewayDeps {
  /** Takes whole lines of the log. @default - standard output */
  readonly write?: (lines: string) => void;
  /** @default - made from the configuration */
  readonly cache?: MedicalCache;
  /** Milliseconds of a clock that never goes back. @default performance.now */
  readonly now?: () => number;
  /** Uniform in [0, 1). @default Math.random */
  readonly random?: () => number;
}

/** A gateway that runs. */
export interface Gateway {
  readonly port: number;
  readonly adminPort: number;
  /**
   * Takes no more connections, says so at `/readyz`, finishes what is in flight, and ends.
   *
   * @returns whether everything was finished in time
   */
  drain(): Promise<boolean>;
}

/**
 * Starts the gateway.
 *
 * @param config one that `parseGatewayConfig` has checked
 * @throws ConfigurationError where a secret, a certificate or the cache's configuration is wrong
 */
export async function startGateway(config: GatewayConfig, deps: GatewayDeps = {}): Promise<Gateway> {
  const plan = planGateway(config);
  const { write = toStandardOutput, now = () => performance.now(), random = Math.random } = deps;
  const log = new Log(write, { service: plan.service, model: plan.model.name });
  const metrics = new GatewayMetrics(plan);
  const trust = new Trust(plan.trustedCallers);
  const admission = new Admission(plan.admission, now, random, {
    admitted: (ticket) => metrics.admitted(ticket.priority, ticket.waitedMs / 1000),
    rejected: (priority, reason) => metrics.rejected(priority, reason),
  });
  const upstream = new Upstream(plan.upstream, plan.timeouts, plan.admission.concurrency);
  const cache =
    deps.cache ??
    (plan.cache &&
      (await createMedicalCache(plan.cache, {
        registry: metrics.registry,
        log: (level, event, facts) => log.line(level, `cache ${event}`, facts),
      })));
  const handler = new Handler({ plan, admission, upstream, trust, metrics, log, cache, now });
  metrics.watch(admission, () => handler.budget.used);

  const callers = callerServer(plan, handler, metrics);
  let finish = (): void => undefined;
  const drained = new Promise<void>((resolve) => (finish = resolve));
  const admin = adminServer({
    registry: metrics.registry,
    modelReady: () => upstream.ready(),
    draining: () => handler.draining,
    drained,
  });
  let port: number;
  let adminPort: number;
  try {
    port = await listen(callers.server, plan.listen);
    adminPort = await listen(admin, plan.admin);
  } catch (error) {
    callers.server.close();
    await cache?.close();
    throw error;
  }

  const checking = setInterval(() => {
    admission.expire();
    handler.check();
  }, CHECK_MS);
  const reloading = setInterval(() => {
    try {
      trust.reload();
      callers.reload();
    } catch (error) {
      log.line('error', 'not reloaded', { why: (error as Error).message });
    }
  }, RELOAD_MS);
  log.line('info', 'started', { port, adminPort, modelVersion: plan.model.version });
  // what was asked for before this replica came
  cache?.optimizer.warmUp().catch(() => undefined);

  const drain = async (): Promise<boolean> => {
    handler.draining = true;
    log.line('info', 'draining', { open: handler.open });
    callers.server.close();
    const finished = await handler.finished(plan.drain.timeout * 1000);
    callers.server.closeAllConnections();
    log.line(finished ? 'info' : 'error', 'drained', { cutOff: handler.open });
    finish();
    clearInterval(checking);
    clearInterval(reloading);
    // who waits for the end of the drain gets its answer first
    admin.close();
    admin.closeIdleConnections();
    upstream.close();
    await cache?.close();
    log.flush();
    return finished;
  };
  let draining: Promise<boolean> | undefined;
  return { port, adminPort, drain: () => (draining ??= drain()) };
}

async function listen(server: Server, { port, host }: { port: number; host: string }): Promise<number> {
  server.listen({ port, host });
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

function toStandardOutput(lines: string): void {
  process.stdout.write(lines);
}
