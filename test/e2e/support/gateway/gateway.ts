import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import type { GatewayConfig, RouteConfig } from '../../../../constructs/plan/gateway/config';
import { parseGatewayConfig, startGateway, type Gateway } from '../../../../runtime/gateway';
import { freePorts } from '../ports';
import { Model } from './model';

/** A configuration for tests but for its ports. */
export type TestConfig = Partial<GatewayConfig>;

/** A gateway in this process before a model, both real servers. */
export interface Stage {
  readonly model: Model;
  readonly gateway: Gateway;
  /** Lines of its log so far. */
  readonly log: () => string;
  /** Lines of its log as objects. */
  readonly lines: (event?: string) => { readonly [fact: string]: unknown }[];
  readonly url: string;
  readonly admin: string;
  readonly stop: () => Promise<void>;
}

/** The whole configuration of a gateway before a model. */
export async function gatewayConfig(modelPort: number, config: TestConfig = {}): Promise<GatewayConfig> {
  const [port, adminPort] = await freePorts(2);
  return parseGatewayConfig({
    service: 'ct',
    namespace: 'imaging',
    model: { name: 'resnet50', version: '1.4.2', preprocessingVersion: '3' },
    ...config,
    upstream: { port: modelPort, ...config.upstream },
    listen: { host: '127.0.0.1', port, ...config.listen },
    admin: { host: '127.0.0.1', port: adminPort, ...config.admin },
  });
}

export async function stage(config: TestConfig = {}): Promise<Stage> {
  const model = await Model.start();
  let text = '';
  const gateway = await gatewayConfig(model.port, config)
    .then((whole) => startGateway(whole, { write: (lines) => (text += lines) }))
    .catch(async (error: unknown) => {
      await model.stop();
      throw error;
    });
  const lines: Stage['lines'] = (event) =>
    text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as { readonly [fact: string]: unknown })
      .filter((line) => event === undefined || line.event === event);
  return {
    model,
    gateway,
    log: () => text,
    lines,
    url: `http://127.0.0.1:${gateway.port}`,
    admin: `http://127.0.0.1:${gateway.adminPort}`,
    stop: async () => {
      await model.stop();
      await gateway.drain();
    },
  };
}

/** An answer, read to its end. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly text: string;
}

export interface Call {
  /** @default 'POST' with a body, else 'GET' */
  readonly method?: string;
  readonly headers?: { readonly [name: string]: string | string[] };
  readonly body?: string | Buffer | Readable;
  readonly signal?: AbortSignal;
}

/** Calls a server on a connection of its own. */
export function call(url: string, { body, headers, method, signal }: Call = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { method: method ?? (body === undefined ? 'GET' : 'POST'), headers, agent: false, signal };
    const request = httpRequest(url, options as object, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('close', () => {
        const whole = Buffer.concat(chunks);
        if (response.complete) {
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: whole, text: whole.toString() });
        } else {
          reject(new Error(`cut after ${whole.length} bytes`));
        }
      });
    });
    request.on('error', reject);
    if (body === undefined || typeof body === 'string' || Buffer.isBuffer(body)) {
      request.end(body);
    } else {
      body.pipe(request);
    }
  });
}

/** The value of one series at `/metrics`; undefined where there is no such series. */
export async function metric(
  admin: string,
  name: string,
  labels: { readonly [label: string]: string } = {},
): Promise<number | undefined> {
  const { text } = await call(`${admin}/metrics`);
  const line = text
    .split('\n')
    .find(
      (one) =>
        one.startsWith(`${name}{`) &&
        Object.entries(labels).every(([label, value]) => one.includes(`${label}="${value}"`)),
    );
  return line === undefined ? undefined : Number(line.slice(line.lastIndexOf(' ') + 1));
}

/** Routes of the two kinds that are cached. */
export const DIAGNOSIS: RouteConfig = { path: '/diagnose', cache: { kind: 'diagnosis' } };
export const KNOWLEDGE: RouteConfig = { path: '/ask', cache: { kind: 'knowledge', textFields: ['/query'] } };

/** What the cache had to do with an answer. */
export const how = ({ headers }: Answer): unknown => headers['x-mediform-cache'];

/** How two requests, one after the other, were answered. */
export async function twice(url: string, first: Call, second = first): Promise<unknown[]> {
  const answers = [await call(url, first), await call(url, second)];
  return answers.map(how);
}

/** An answer of the model, and then one of the process's memory. */
export const MISS_HIT = ['miss', expect.stringMatching(/^hit; tier=hot; age=\d+$/) as unknown];
