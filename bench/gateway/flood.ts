/** As many requests as a server can answer. */
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
