/** Single callers, and how long they wait. */
import { type Agent, request as httpRequest } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** One answer to a caller on a kept connection. */
export interface Timed {
  readonly ms: number;
  readonly status: number;
}

/** Milliseconds until the end of an answer. */
export function time(
  url: string,
  agent: Agent,
  body: Buffer | string,
  headers: { readonly [name: string]: string } = {},
): Promise<Timed> {
  const start = performance.now();
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { method: 'POST', agent, headers }, (response) => {
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
