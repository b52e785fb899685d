/** Load on a server, and what came of it. */
import { type Agent, request as httpRequest } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import autocannon from 'autocannon';
import type { Measured } from './processes';

/** What many callers at a time got. */
export interface Throughput {
  readonly perSecond: number;
  /** Microseconds of the server's processor for each request. */
  readonly processorMicroseconds: number;
}

/** As many requests as a server can answer, from 20 callers that wait for each answer. */
export async function flood(server: Measured, path: string, body: Buffer, seconds: number): Promise<Throughput> {
  const before = server.processorSeconds;
  const result = await autocannon({
    url: server.url + path,
    method: 'POST',
    body,
    connections: 20,
    duration: seconds,
  });
  const { total } = result.requests;
  if (result.non2xx + result.errors > 0) {
    throw new Error(`${result.non2xx} answers were no successes, ${result.errors} requests failed`);
  }
  return {
    perSecond: total / result.duration,
    processorMicroseconds: ((server.processorSeconds - before) / total) * 1e6,
  };
}

/** One answer to a caller on a kept connection. */
export interface Timed {
  readonly ms: number;
  readonly status: number;
}

/** Milliseconds until the end of an answer. */
export function time(
  server: Measured,
  agent: Agent,
  path: string,
  body: Buffer | string,
  headers: { readonly [name: string]: string } = {},
): Promise<Timed> {
  const start = performance.now();
  return new Promise((resolve, reject) => {
    const request = httpRequest(server.url + path, { method: 'POST', agent, headers }, (response) => {
      response.resume();
      response.on('end', () => resolve({ ms: performance.now() - start, status: response.statusCode ?? 0 }));
      response.on('error', reject);
    });
    request.on('error', reject);
    request.end(body);
  });
}

/** Requests that come at even intervals, whether or not those before are answered. */
export async function stream(perSecond: number, seconds: number, ask: () => Promise<Timed>): Promise<Timed[]> {
  const answers: Promise<Timed>[] = [];
  const start = performance.now();
  for (let count = 0; count < perSecond * seconds; count++) {
    const due = start + (count * 1000) / perSecond;
    const early = due - performance.now();
    if (early > 1) {
      await sleep(early);
    }
    answers.push(ask());
  }
  return Promise.all(answers);
}

/** The value that so great a part of some numbers does not exceed. */
export function percentile(numbers: readonly number[], part: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? NaN;
}
